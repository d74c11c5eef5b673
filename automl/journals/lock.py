"""One process per run folder."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType

from automl.errors import MachineError, RunError


class RunLock:
    """An OS lock on a run folder, held from creation to `release` or the end of the process, however it ends.

    The file stays; only the lock on it counts. It is close-on-exec, so no worker keeps it alive.

    Args:
        folder: the run folder; must exist.

    Raises:
        RunError: another process holds the lock.
        MachineError: the folder cannot be written or its file system has no locks.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file = -1
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            holder = _holder(self._file)
            self.release()
            if problem.errno in (errno.EWOULDBLOCK, errno.EACCES) and holder:
                raise RunError(
                    f"{folder}: process {holder} works on this run. Wait for it, or stop it with Ctrl-C there."
                ) from None
            raise MachineError(
                f"{self._path}: cannot be locked: {problem.strerror}. Choose another --out."
            ) from problem
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go of the lock; a second call does nothing."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> RunLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _holder(file: int) -> str:
    if file < 0:
        return ""
    text = os.pread(file, 32, 0).decode("ascii", "replace").strip()
    return text if text.isdigit() else "unknown"
