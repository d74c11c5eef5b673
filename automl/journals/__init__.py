"""Journals: the append-only record of a run, and the lock on its folder."""

from __future__ import annotations

from pathlib import Path

from automl.journals.lock import RunLock
from automl.journals.memory import MemoryJournal
from automl.journals.sqlite import SqliteJournal

__all__ = ["MemoryJournal", "RunLock", "SqliteJournal", "open_journal"]


def open_journal(path: Path, *, read_only: bool = False) -> SqliteJournal:
    """Open the journal of a run; path is the file or the run folder that holds `run.db`.

    Raises:
        RunError: the file is missing (read_only), foreign, of another version, or damaged.
        MachineError: the file cannot be read or written.
    """
    return SqliteJournal(path / "run.db" if path.is_dir() else path, read_only=read_only)
