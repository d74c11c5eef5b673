from __future__ import annotations

from pathlib import Path

from automl.core.protocols import Journal
from automl.journals import MemoryJournal, SqliteJournal
from automl.testing.journal_suite import JournalSuite


class TestMemoryJournal(JournalSuite):
    def make(self, folder: Path) -> Journal:
        return MemoryJournal()


class TestSqliteJournal(JournalSuite):
    def make(self, folder: Path) -> Journal:
        return SqliteJournal(folder / "run.db")
