"""The journal of a run in one SQLite file.

Events are rows of an append-only table, each with a checksum chained to the one before. Durable appends are one
transaction with `synchronous=FULL`; others wait in memory for the next durable one, at most a second.
Source: https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from automl.core.events import Event
from automl.errors import MachineError, RunError
from automl.journals import database
from automl.journals.codec import GENESIS, Row, chain, decode, encode

FLUSH_SECONDS = 1.0
"""How long an event that is not durable may wait."""

_CHUNK = 500
_log = logging.getLogger(__name__)


class End(NamedTuple):
    """The last event whose checksum holds."""

    seq: int
    checksum: bytes


class SqliteJournal:
    """A journal in the file path, made if it is missing.

    Opening verifies every checksum. Trouble at the very end, as a torn write leaves it, is cut off: `cut` says what
    was lost. Trouble before whole events is an error. Safe to use from several threads; one process at a time may
    write (see `RunLock`), any number may read.

    Args:
        path: usually `run.db` of a run folder.
        read_only: nothing is made, written or repaired.

    Attributes:
        cut: what was cut off at the end, in words; empty if nothing was.

    Raises:
        RunError: the file is missing (read_only), foreign, of another version, or damaged.
        MachineError: the file cannot be read or written.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path, self._read_only = path, read_only
        if not read_only and not path.exists():
            database.create(path)
        database.check_header(path)
        self._lock = threading.RLock()
        self._waiting: list[Row] = []
        self._timer: threading.Timer | None = None
        self._closed = False
        self.cut = ""
        with ExitStack() as opened:
            self._connection = opened.enter_context(closing(database.connect(path, read_only=read_only)))
            self._end = self._verify()
            opened.pop_all()  # verified: the journal itself closes it

    def append(self, event: Event, *, durable: bool = True) -> None:
        """Add an event; on disk when this returns if durable, else within a second or with the next durable one.

        Raises:
            ValueError: the journal is closed or read-only.
            MachineError: the disk is full or fails; the event stays in memory and is written with the next one.
        """
        type_name, payload = encode(event)
        with self._lock:
            if self._closed or self._read_only:
                state = "closed" if self._closed else "read-only"
                raise ValueError(f"{self._path}: the journal is {state} and takes no {type_name}")
            seq = self._end.seq + 1
            checksum = chain(self._end.checksum, seq, type_name, payload)
            self._waiting.append(Row(seq, type_name, payload, checksum))
            self._end = End(seq, checksum)
            if durable:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self._flush_in_time)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what waits, in one transaction.

        Raises:
            MachineError: the disk is full or fails.
        """
        with self._lock, database.plain_errors(self._path):
            self._stop_timer()
            if not self._waiting:
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", self._waiting)
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._waiting.clear()

    def replay(self) -> Iterator[Event]:
        """Yield all events in order, verifying each; a live writer's newer events are included.

        Raises:
            RunError: an event was altered, or is not known to this version.
        """
        with self._lock:
            if not self._closed:
                self.flush()
        connection = database.connect(self._path, read_only=True)
        try:
            for row in self._whole_rows(connection):
                yield decode(row.type, row.payload, where=f"{self._path}: event {row.seq}")
        finally:
            connection.close()

    def close(self) -> None:
        """Write what is buffered and let go; a second call does nothing.

        Raises:
            MachineError: the disk is full or fails.
        """
        with self._lock:
            if self._closed:
                return
            try:
                self.flush()
            finally:
                self._closed = True
                self._stop_timer()
                self._connection.close()

    def _verify(self) -> End:
        end = End(0, GENESIS)
        for row in self._whole_rows(self._connection):
            end = End(row.seq, row.checksum)
        if self.cut and not self._read_only:
            with database.plain_errors(self._path):
                self._connection.execute("DELETE FROM event WHERE seq > ? OR seq < 1", (end.seq,))
        return end

    def _whole_rows(self, connection: sqlite3.Connection) -> Iterator[Row]:
        """Yield the rows whose checksums hold, up to a torn end."""
        last = End(0, GENESIS)
        with database.plain_errors(self._path):
            while chunk := _rows_after(connection, last.seq):
                for raw in chunk:
                    row = _whole(raw, last)
                    if row is None:
                        self._report_torn(connection, last)
                        return
                    last = End(row.seq, row.checksum)
                    yield row

    def _report_torn(self, connection: sqlite3.Connection, last: End) -> None:
        """Note what is lost after the last whole event.

        Raises:
            RunError: a whole event follows, so this is no torn end.
        """
        rows = connection.execute(
            "SELECT seq, type, payload, checksum FROM event WHERE seq > ? ORDER BY seq", (last.seq,)
        ).fetchall()
        for before, raw in pairwise(rows):
            if isinstance(before[3], bytes) and _whole(raw, End(before[0], before[3])) is not None:
                raise database.damaged(self._path, "its checksum does not hold", at=last.seq + 1)
        cut = f"{self._path}: the last {len(rows)} event(s), from {last.seq + 1} on, were torn and are left out"
        if cut != self.cut:
            _log.warning("%s", cut)
        self.cut = cut

    def _flush_in_time(self) -> None:
        with self._lock:
            self._timer = None
            try:
                if not self._closed:
                    self.flush()
            except (MachineError, RunError) as problem:  # nobody waits for this write: the next durable one tells
                _log.warning("%s", problem)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _rows_after(connection: sqlite3.Connection, seq: int) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT seq, type, payload, checksum FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, _CHUNK)
    ).fetchall()


def _whole(raw: tuple[object, ...], last: End) -> Row | None:
    """Return a row if it follows last and its checksum holds."""
    seq, type_name, payload, checksum = raw
    if seq != last.seq + 1 or not isinstance(type_name, bytes) or not isinstance(payload, bytes):
        return None
    try:
        row = Row(last.seq + 1, type_name.decode(), payload.decode(), checksum if isinstance(checksum, bytes) else b"")
    except UnicodeDecodeError:
        return None
    return row if row.checksum == chain(last.checksum, row.seq, row.type, row.payload) else None
