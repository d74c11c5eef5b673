"""The lines of a text file that a stranger wrote: UTF-8, of bounded length, without NUL, from a regular file."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_FILE_BYTES = 64 * 2**30
MAX_LINE = 64 * 2**20
"""Characters of a line: a file without line ends must not fill the memory."""
_BUFFER = 2**20
_OTHER_FORMATS = {
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PK\x03\x04": "a zip archive, such as a spreadsheet",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
}
_SAVE = "Save it as text in UTF-8 (in a spreadsheet: 'CSV UTF-8')"


def lines(path: Path) -> Iterator[str]:
    """Yield the lines with their ends; a byte order mark at the start is left out.

    Raises:
        InputError: the file is missing, no regular file, larger than 64 GiB, no UTF-8, or has a NUL byte or a line of
            64 Mi characters.
    """
    check_regular(path)
    number = 0
    try:
        with _opened(path) as stream:
            while line := stream.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    raise InputError(
                        f"{path.name}: a line has less than {MAX_LINE} characters. Got more in line {number}. "
                        "Write one row per line."
                    )
                yield line
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}: text in UTF-8 is needed. Got byte {error.object[error.start]:#04x} near line {number + 1}. "
            f"{_SAVE}, or: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8_{path.name}"
        ) from error
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}). Mend its permissions.") from error


def check_regular(path: Path) -> None:
    """Refuse what is no regular file of at most 64 GiB.

    Raises:
        InputError: it is missing, a folder, a pipe, a device, or too large.
    """
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"{str(path)[:300]}: not found. Give a CSV, TSV or JSONL file. ({error})") from error
    if not stat.S_ISREG(facts.st_mode):
        kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "a pipe or a device"
        raise InputError(f"{path}: a regular file is needed. Got {kind}. Give a CSV, TSV or JSONL file.")
    if facts.st_size > MAX_FILE_BYTES:
        raise InputError(f"{path}: at most {MAX_FILE_BYTES} bytes are read. Got {facts.st_size}. Split it.")


class _NoNul(io.RawIOBase):
    """A file that refuses NUL bytes as they pass: csv would take them for text."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._file = io.FileIO(path)
        self._passed = 0

    def readable(self) -> bool:
        """Return that it can be read, as `io` asks."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with bytes that were looked through; return how many.

        Raises:
            InputError: there is a NUL byte, or the file starts as another format does.
        """
        view = memoryview(buffer)
        count = self._file.readinto(view)
        block = bytes(view[:count])
        if not self._passed:
            _refuse_other_formats(block, self._name)
        at = block.find(b"\0")
        if at >= 0:
            raise InputError(f"{self._name}: text in UTF-8 is needed. Got a NUL byte at {self._passed + at}. {_SAVE}.")
        self._passed += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _opened(path: Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(_NoNul(path), _BUFFER), encoding="utf-8-sig", newline="")


def _refuse_other_formats(start: bytes, name: str) -> None:
    for magic, kind in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise InputError(f"{name}: text in UTF-8 is needed. Got {kind}. {_SAVE}.")
    if len(start) >= 4 and b"\0" in (start[0:1], start[1:2]) and start[:4].count(b"\0") == 2:
        raise InputError(f"{name}: text in UTF-8 is needed. Got what looks like UTF-16. {_SAVE}.")
