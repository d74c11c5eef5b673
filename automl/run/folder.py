"""Where the files of a run lie."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from automl.core.job import MemberResult
from automl.errors import MachineError, RunError

LEAST_FREE_BYTES = 200 << 20


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run; nothing else knows them."""

    path: Path

    @property
    def journal(self) -> Path:
        """Return the journal's file."""
        return self.path / "run.db"

    @property
    def folds(self) -> Path:
        """Return the file that gives each row's fold."""
        return self.path / "folds.npy"

    @property
    def artifact(self) -> Path:
        """Return the link to the current artifact."""
        return self.path / "artifact"

    @property
    def artifacts(self) -> Path:
        """Return the folder of all artifacts that were put in place."""
        return self.path / "artifacts"

    @property
    def report(self) -> Path:
        """Return the page about the run."""
        return self.path / "report.html"

    def files_of(self, result: MemberResult) -> Path:
        """Return the folder in which a member's job left its files.

        Raises:
            RunError: the result has no files.
        """
        if not result.files:
            raise RunError(f"{self.path}: trial {result.trial}, fold {result.fold} left no files")
        return self.path / Path(result.files[0].path).parent

    def check(self) -> None:
        """Check that a run may begin here; nothing is made.

        Raises:
            RunError: there is a file, or a folder that is not empty.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"--out {self.path}: a run needs a folder. Got a file. Name another.")
        if self.path.exists() and any(self.path.iterdir()):
            raise RunError(
                f"--out {self.path}: the folder is not empty. Name a new one, or go on with: automl resume {self.path}"
            )

    def create(self) -> None:
        """Make the folder, private to the user.

        Raises:
            RunError: it exists and is not empty, or may not be written.
            MachineError: the disk is full or broken.
        """
        with _plain_errors(self.path):
            self.check()
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(self.path))
            free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE_BYTES:
            raise MachineError(f"{self.path}: {LEAST_FREE_BYTES >> 20} MiB must be free there. Got {free >> 20} MiB.")


def unused(path: Path) -> Path:
    """Make the first folder of path, path-2, path-3 … that does not exist, in one step, and return it.

    Raises:
        RunError: it may not be written.
        MachineError: the disk is full or broken.
    """
    for number in count(1):
        place = path if number == 1 else path.with_name(f"{path.name}-{number}")
        if not place.exists():
            with _plain_errors(place), suppress(FileExistsError):  # another program was faster
                place.mkdir(parents=True, mode=0o700)
                return place
    raise AssertionError(f"{path}: counting has no end")


class _Mask:
    """How many runs of this process want private files, and the mask to go back to after the last."""

    lock = threading.Lock()
    users = 0
    before = 0


@contextmanager
def private_files() -> Iterator[None]:
    """Within this context, files are made private to the user; several threads may be in it at once."""
    with _Mask.lock:
        _Mask.users += 1
        if _Mask.users == 1:
            _Mask.before = os.umask(0o077)
    try:
        yield
    finally:
        with _Mask.lock:
            _Mask.users -= 1
            if _Mask.users == 0:
                os.umask(_Mask.before)


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """Turn the errors of making a folder into this package's."""
    try:
        yield
    except PermissionError as error:
        raise RunError(f"--out {path}: the folder cannot be written ({error.strerror}). Name another.") from error
    except FileExistsError:
        raise
    except OSError as error:
        raise MachineError(f"{path}: cannot be created: {error.strerror}") from error
