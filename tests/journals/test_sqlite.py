from __future__ import annotations

import logging
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl.core.events import Ticked, Warned
from automl.errors import MachineError, RunError
from automl.journals import SqliteJournal, filesystem, open_journal
from automl.testing.journal_suite import one_of_each


def filled(path: Path, count: int = 5) -> Path:
    journal = SqliteJournal(path)
    for number in range(count):
        journal.append(Ticked(float(number)), durable=False)
    journal.close()
    return path


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return filled(tmp_path / "run.db")


def test_a_reopened_journal_goes_on_where_it_ended(db):
    journal = SqliteJournal(db)
    journal.append(Ticked(5.0))
    assert list(journal.replay()) == [Ticked(float(n)) for n in range(6)]
    assert journal.cut == ""


def test_a_run_folder_opens_by_its_name(db):
    assert len(list(open_journal(db.parent, read_only=True).replay())) == 5


def test_a_durable_append_is_there_for_another_reader_at_once(tmp_path):
    journal = SqliteJournal(tmp_path / "run.db")
    journal.append(Ticked(1.0))
    assert list(SqliteJournal(tmp_path / "run.db", read_only=True).replay()) == [Ticked(1.0)]


def test_an_event_that_is_not_durable_is_written_within_about_a_second(tmp_path):
    journal = SqliteJournal(tmp_path / "run.db")
    journal.append(Ticked(1.0), durable=False)
    reader = SqliteJournal(tmp_path / "run.db", read_only=True)
    assert list(reader.replay()) == []
    time.sleep(1.3)
    assert list(reader.replay()) == [Ticked(1.0)]


def test_a_killed_writer_loses_nothing_durable(tmp_path):
    code = (
        "import sys, os, pathlib; from automl.journals import SqliteJournal; from automl.core.events import Ticked\n"
        "j = SqliteJournal(pathlib.Path(sys.argv[1]))\n"
        "for n in range(7): j.append(Ticked(float(n)))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run.db")], check=False)
    assert len(list(SqliteJournal(tmp_path / "run.db").replay())) == 7


def test_the_write_ahead_log_is_used_where_it_can_be(db):
    SqliteJournal(db).close()
    assert sqlite3.connect(db).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_network_file_system_gets_a_rollback_journal(db, monkeypatch, tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text("server:/ / nfs rw 0 0\n")
    monkeypatch.setattr(filesystem, "_MOUNTS", mounts)
    SqliteJournal(db).append(Ticked(9.0))
    assert sqlite3.connect(db).execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_torn_end_is_cut_and_said(db, caplog):
    change(db, "UPDATE event SET payload = '{\"at\":' WHERE seq = 5")
    with caplog.at_level(logging.WARNING):
        journal = SqliteJournal(db)
    assert "the last 1 event(s), from 5 on, were torn" in journal.cut
    assert journal.cut in caplog.text
    assert len(list(journal.replay())) == 4


def test_after_a_cut_the_journal_goes_on(db):
    change(db, "UPDATE event SET seq = 50 WHERE seq = 5")
    journal = SqliteJournal(db)
    journal.append(Ticked(77.0))
    journal.close()
    assert list(SqliteJournal(db).replay())[-2:] == [Ticked(3.0), Ticked(77.0)]


def test_a_reader_leaves_a_torn_end_in_place(db):
    change(db, "UPDATE event SET checksum = x'00' WHERE seq = 5")
    assert "were torn" in SqliteJournal(db, read_only=True).cut
    assert sqlite3.connect(db).execute("SELECT count(*) FROM event").fetchone() == (5,)


@pytest.mark.parametrize("statement", [
    "UPDATE event SET payload = '{\"at\":2.5}' WHERE seq = 3", "UPDATE event SET type = 'Tocked' WHERE seq = 3",
    "UPDATE event SET checksum = zeroblob(32) WHERE seq = 3", "DELETE FROM event WHERE seq = 3",
    "UPDATE event SET payload = 7 WHERE seq = 3", "UPDATE event SET payload = CAST(x'ff' AS TEXT) WHERE seq = 3",
], ids=["payload", "type", "checksum", "deleted", "number", "no utf-8"])  # fmt: skip
def test_an_altered_middle_is_refused(db, statement):
    change(db, statement)
    with pytest.raises(RunError, match=r"run.db is damaged at event 3: its checksum does not hold. Restore a copy"):
        SqliteJournal(db)


def test_an_event_of_a_later_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("automl.journals.sqlite.encode", lambda event: ("Teleported", "{}"))
    filled(tmp_path / "run.db", 1)
    with pytest.raises(RunError, match="event 1: 'Teleported' is no event of this version"):
        list(SqliteJournal(tmp_path / "run.db").replay())


@pytest.mark.parametrize(("content", "message"), [
    (b"", r"run.db is empty: this run was stopped before it began"),
    (b"PK\x03\x04 something else entirely", r"run.db is not a journal: no SQLite file, it begins with b'PK"),
    (b"SQLite format 3\0", r"run.db is damaged: it is cut short at 16 bytes"),
], ids=["empty", "foreign", "short"])  # fmt: skip
def test_a_file_that_is_no_journal_says_so(tmp_path, content, message):
    (tmp_path / "run.db").write_bytes(content)
    with pytest.raises(RunError, match=message):
        SqliteJournal(tmp_path / "run.db")


@pytest.mark.parametrize(("pragma", "message"), [
    ("application_id = 7", r"is the database of another program \(id 0x7\)"),
    ("user_version = 99", r"has format 99, this automl reads up to 1. Update automl"),
    ("user_version = 0", r"has format 0, this automl reads 1. Use the version that wrote it"),
], ids=["another program", "newer", "older"])  # fmt: skip
def test_a_database_of_another_kind_says_so(db, pragma, message):
    change(db, f"PRAGMA {pragma}")
    with pytest.raises(RunError, match=message):
        SqliteJournal(db)


def test_a_journal_that_is_not_there_cannot_be_read(tmp_path):
    with pytest.raises(RunError, match=r"run\.db: there is no such run"):
        SqliteJournal(tmp_path / "run.db", read_only=True)


def test_a_folder_that_is_not_there_is_the_machines_trouble(tmp_path):
    with pytest.raises(MachineError, match="cannot be written or read: unable to open database file"):
        SqliteJournal(tmp_path / "nowhere" / "run.db")


def test_a_reader_does_not_write(db):
    with pytest.raises(ValueError, match="read-only and takes no Ticked"):
        SqliteJournal(db, read_only=True).append(Ticked(1.0))


def test_a_full_disk_is_the_machines_trouble_and_the_event_is_written_later(db):
    journal = SqliteJournal(db)
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(MachineError, match="database or disk is full"):
        journal.append(Warned("x", "y" * 9000, 1.0))
    journal._connection.execute("PRAGMA max_page_count = 99999")
    journal.append(Ticked(2.0))
    assert [type(e) for e in list(journal.replay())[-2:]] == [Warned, Ticked]


def test_a_late_write_that_fails_is_a_warning_and_told_by_the_next_durable_one(db, caplog):
    journal = SqliteJournal(db)
    journal._connection.execute("PRAGMA query_only = ON")
    journal.append(Ticked(1.0), durable=False)
    time.sleep(1.3)
    assert "attempt to write a readonly database" in caplog.text
    with pytest.raises(MachineError, match="attempt to write a readonly database"):
        journal.append(Ticked(2.0))


def test_another_writer_is_waited_for_then_named(db, monkeypatch):
    monkeypatch.setattr("automl.journals.database._BUSY_SECONDS", 0.05)
    journal = SqliteJournal(db)
    other = sqlite3.connect(db, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RunError, match=r"another process holds it for over 0\.05 s"):
        journal.append(Ticked(1.0))
    other.execute("ROLLBACK")
    other.close()


def damaged_copies(good: bytes, step: int):
    for at in range(0, len(good), step):
        yield f"cut at {at}", good[:at]
        yield f"flipped at {at}", good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :]


def survives(data: bytes, folder: Path, whole: list) -> bool:
    (folder / "run.db").write_bytes(data)
    try:
        journal = SqliteJournal(folder / "run.db")
        events = list(journal.replay())
        journal.append(Ticked(99.0))
        journal.close()
    except RunError as refusal:
        return "\n" not in str(refusal)
    again = list(SqliteJournal(folder / "run.db", read_only=True).replay())
    return events == whole[: len(events)] and again == [*events, Ticked(99.0)]


@pytest.mark.faults
@pytest.mark.parametrize("step", [997, pytest.param(7, marks=pytest.mark.slow)], ids=["sample", "many"])
def test_a_damaged_file_opens_at_its_last_good_event_or_is_refused_in_one_line(tmp_path, step):
    journal = SqliteJournal(tmp_path / "good.db")
    for event in one_of_each() * 3:
        journal.append(event, durable=False)
    journal.close()
    whole = list(one_of_each() * 3)
    for name, data in damaged_copies((tmp_path / "good.db").read_bytes(), step):
        folder = tmp_path / "copy"
        folder.mkdir()
        assert survives(data, folder, whole), name
        shutil.rmtree(folder)


@pytest.mark.faults
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999], ids=str)
def test_a_cut_write_ahead_log_opens_at_its_last_whole_transaction(tmp_path, share):
    journal = SqliteJournal(tmp_path / "run.db")
    for event in one_of_each():
        journal.append(event)
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / "run.db", tmp_path / "copy")
    log = (tmp_path / "run.db-wal").read_bytes()
    (tmp_path / "copy" / "run.db-wal").write_bytes(log[: int(len(log) * share)])
    assert survives((tmp_path / "run.db").read_bytes(), tmp_path / "copy", list(one_of_each()))
