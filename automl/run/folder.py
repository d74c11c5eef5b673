"""Where the files of a run lie."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
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

    def create(self) -> None:
        """Make the folder, private to the user.

        Raises:
            RunError: it exists and is not empty, or may not be written.
            MachineError: the disk is full or broken.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunError(
                f"--out {self.path}: the folder is not empty. Name a new one, or go on with: automl resume {self.path}"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(self.path))
            free = shutil.disk_usage(self.path).free
            if free < LEAST_FREE_BYTES:
                raise MachineError(
                    f"{self.path}: {LEAST_FREE_BYTES >> 20} MiB must be free there. Got {free >> 20} MiB."
                )
        except PermissionError as error:
            raise RunError(
                f"--out {self.path}: the folder cannot be written ({error.strerror}). Name another."
            ) from error
        except OSError as error:
            raise MachineError(f"{self.path}: cannot be created: {error.strerror}") from error
