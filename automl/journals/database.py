"""The SQLite file under a journal: how it is made, opened and checked, and what its errors mean to a user."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from automl.errors import MachineError, RunError
from automl.journals.codec import FORMAT
from automl.journals.filesystem import is_network

APPLICATION = 0x41754D4C
"""SQLite's application_id of our files: "AuML"."""

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_BUSY_SECONDS = 10.0
_MACHINE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
                      sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM})  # fmt: skip
_TABLE = (
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, payload TEXT NOT NULL, checksum BLOB NOT NULL)"
)


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, each one line that names the file.

    Raises:
        MachineError: disk full, no permission, an input or output error.
        RunError: the file is damaged, or another process writes to it.
    """
    try:
        yield
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _MACHINE:
            raise MachineError(
                f"{path}: cannot be written or read: {problem}. Free disk space or check rights."
            ) from None
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise RunError(
                f"{path}: another process holds it for over {_BUSY_SECONDS:g} s. Wait, then try again."
            ) from None
        raise damaged(path, str(problem)) from None


def damaged(path: Path, detail: str, *, at: int | None = None) -> RunError:
    """Return the error for a file that cannot be trusted, from event at on where that is known."""
    where = "" if at is None else f" at event {at}"
    return RunError(f"{path} is damaged{where}: {detail}. Restore a copy of it, or start a new run.")


def create(path: Path) -> None:
    """Make an empty journal file.

    Raises:
        MachineError: the folder cannot be written.
        RunError: another process makes it at the same moment.
    """
    with plain_errors(path):
        connection = sqlite3.connect(_uri(path, "rwc"), uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
        try:
            connection.executescript(
                f"PRAGMA page_size=4096; BEGIN IMMEDIATE; PRAGMA application_id={APPLICATION};"
                f"PRAGMA user_version={FORMAT}; {_TABLE}; COMMIT;"
            )
        finally:
            connection.close()


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open an existing journal file whose header was checked; text comes as bytes.

    Raises:
        MachineError, RunError: as `plain_errors`.
    """
    with plain_errors(path):
        connection = _open(path, "ro" if read_only else "rw")
        try:
            if read_only:
                try:
                    connection.execute("SELECT 1 FROM event LIMIT 1").fetchone()
                except sqlite3.OperationalError:
                    if _has_log(path):
                        raise
                    connection.close()
                    connection = _open(path, "ro&immutable=1")
            else:
                _prepare_for_writing(connection, path)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def check_header(path: Path) -> None:
    """Check that a file is a whole journal of this version, as far as its first 100 bytes say.

    Layout: https://www.sqlite.org/fileformat2.html#the_database_header

    Raises:
        RunError: it is missing, empty, no SQLite file, cut short, of another program, older or newer.
        MachineError: it cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        raise RunError(f"{path}: there is no such run. `ls {path.parent.parent}` shows what is there.") from None
    except OSError as problem:
        raise MachineError(f"{path}: cannot be read: {problem.strerror}. Check its rights.") from problem
    if not head:
        raise RunError(f"{path} is empty: this run was stopped before it began. Delete {path.parent} and start anew.")
    if head[: len(_MAGIC)] != _MAGIC[: len(head)]:
        raise RunError(f"{path} is not a journal: no SQLite file, it begins with {head[:8]!r}. Name a run folder.")
    if len(head) < _HEADER_BYTES or (not _has_log(path) and size < _pages_bytes(head)):
        raise damaged(path, f"it is cut short at {size} bytes")
    if head[18] not in (1, 2) or head[19] not in (1, 2):
        raise damaged(path, f"its format bytes are {head[18]} and {head[19]}")
    _check_owner(path, application=int.from_bytes(head[68:72], "big"), version=int.from_bytes(head[60:64], "big"))


def _check_owner(path: Path, *, application: int, version: int) -> None:
    if application != APPLICATION:
        raise RunError(f"{path} is the database of another program (id {application:#x}). Name a run folder of automl.")
    if version > FORMAT:
        raise RunError(f"{path} has format {version}, this automl reads up to {FORMAT}. Update automl.")
    if version < FORMAT:
        raise RunError(f"{path} has format {version}, this automl reads {FORMAT}. Use the version that wrote it.")


def _pages_bytes(head: bytes) -> int:
    page = int.from_bytes(head[16:18], "big")
    return int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page)


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _open(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        _uri(path, mode), uri=True, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False
    )
    connection.text_factory = bytes
    return connection


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


def _prepare_for_writing(connection: sqlite3.Connection, path: Path) -> None:
    wanted = "DELETE" if is_network(path) else "WAL"
    connection.execute(f"PRAGMA journal_mode={wanted}").fetchone()
    connection.execute("PRAGMA synchronous=FULL")
    verdict = bytes(connection.execute("PRAGMA quick_check(1)").fetchone()[0]).decode("utf-8", "replace")
    if verdict != "ok":
        raise damaged(path, " ".join(verdict.split()))
