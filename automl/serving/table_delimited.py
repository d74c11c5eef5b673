"""Delimited files: CSV, TSV and their kin, read row by row and handed on as columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .errors import InputError
from .table import MAX_COLUMNS
from .table_cells import ROWS, Chunk, Note, rows_within
from .table_lines import lines
from .table_separator import NAMES, Layout, layout_of, trimmed

if TYPE_CHECKING:
    from _csv import Reader

MAX_FIELD = 2**20
"""Characters of a field; more comes from a quote that was left open."""
_HEAD_LINES, _HEAD_CHARACTERS = 200, 2**20
_BLOCK = 1000  # rows turned into columns at once: they stay in the processor's cache, twice as quick as 50,000
_LINE_END = re.compile(r"\r\n|\r|\n")
_NUMBER = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)


class _Block(NamedTuple):
    """Rows of equal width, and how many blank lines lay between them."""

    rows: list[list[str]]
    blanks: int


class _Head(NamedTuple):
    """The first lines of a file, and whether more follow."""

    lines: list[str]
    is_cut: bool


class DelimitedFile:
    """Implements `TableFile` for text with a separator; fields may be in double quotes, doubled ones inside stay one.

    Args:
        path: the file.
        preferred: the separator that the file's ending stands for.

    Raises:
        InputError: there is no line of names, names repeat, or the separator cannot be known.
    """

    def __init__(self, path: Path, preferred: str) -> None:
        self.path = path
        self.notes: list[Note] = []
        head = _head(path)
        self._layout = layout_of(head.lines, preferred, name=path.name, is_cut=head.is_cut)
        self.separator = self._layout.separator
        fields = _first_row(head, self._layout, path.name)
        self.names = _names(fields, path.name)
        if self.separator != preferred:
            self._note("separator", f"columns are separated by {NAMES[self.separator]}.")
        told = [f"column {n} is called {self.names[n - 1]!r}" for n, field in enumerate(fields, 1) if not field.strip()]
        if told:
            self._note("unnamed-columns", f"columns without a name: {', '.join(told[:20])}.")

    def chunks(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[Chunk]:
        """Yield the rows in order; see `TableFile`."""
        wanted = [(at, name) for at, name in enumerate(self.names) if columns is None or name in columns]
        most = rows_within(rows, len(self.names))
        count = held = blanks = 0
        taken: list[list[str]] = [[] for _ in wanted]
        for block in self._blocks(min(most, _BLOCK)):
            blanks += block.blanks
            if held and held + len(block.rows) > most:
                yield {name: cells for (_, name), cells in zip(wanted, taken, strict=True)}
                taken, held = [[] for _ in wanted], 0
            fields = list(zip(*block.rows, strict=True))
            for (at, _), cells in zip(wanted, taken, strict=True):
                cells += fields[at] if fields else ()
            held += len(block.rows)
            count += len(block.rows)
        if held:
            yield {name: cells for (_, name), cells in zip(wanted, taken, strict=True)}
        if not count:
            raise InputError(f"{self.path.name}: rows are needed below the line of names. Got none. Add them.")
        if blanks:
            self._note("blank-lines", f"{blanks:,} blank lines are passed over.")

    def _blocks(self, size: int) -> Iterator[_Block]:
        """Yield rows of equal width, without the line of names."""
        reader = _reader(lines(self.path), self._layout)
        try:
            next(row for row in reader if not _is_blank(row))
            while True:
                line = reader.line_num + 1
                rows = list(islice(reader, size))
                if not rows:
                    return
                yield self._even(rows, line)
        except csv.Error as error:
            raise InputError(_malformed(self.path.name, reader.line_num, str(error))) from error

    def _even(self, rows: list[list[str]], line: int) -> _Block:
        """Take out blank lines, and empty fields behind the last column; refuse rows of another width."""
        width = len(self.names)
        if width > 1 and set(map(len, rows)) == {width}:
            return _Block(rows, 0)
        kept = []
        for row in rows:
            if not _is_blank(row):
                kept.append(row if len(row) == width else self._cut(row, line))
            line += 1 + sum(len(_LINE_END.findall(cell)) for cell in row)
        return _Block(kept, len(rows) - len(kept))

    def _cut(self, row: list[str], line: int) -> list[str]:
        width = len(self.names)
        if len(row) > width >= len(trimmed(row)):
            return row[:width]
        raise InputError(
            f"{self.path.name}: line {line} has {len(row)} fields, the line of names {width}. "
            f"Got {self.separator.join(row)[:80]!r}. Mend the line; a field that holds {NAMES[self.separator]} needs "
            "double quotes around it."
        )

    def _note(self, code: str, message: str) -> None:
        note = Note(code, f"{self.path.name}: {message}")
        if note not in self.notes:
            self.notes.append(note)


def _head(path: Path) -> _Head:
    head: list[str] = []
    characters = 0
    for line in lines(path):
        if len(head) >= _HEAD_LINES or characters > _HEAD_CHARACTERS:
            return _Head(head, is_cut=True)
        head.append(line)
        characters += len(line)
    return _Head(head, is_cut=False)


def _reader(source: Iterable[str], layout: Layout) -> Reader:
    csv.field_size_limit(MAX_FIELD)
    return csv.reader(source, delimiter=layout.separator, strict=True, skipinitialspace=layout.skips_space)


def _first_row(head: _Head, layout: Layout, name: str) -> list[str]:
    """Return the fields of the line of names, without empty ones at its end under which nothing stands either."""
    reader = _reader(head.lines, layout)
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in reader if not _is_blank(row))
    except csv.Error as error:
        if not rows or not head.is_cut:
            raise InputError(_malformed(name, reader.line_num, str(error))) from error
    if not rows:
        raise InputError(f"{name}: a line with the names of the columns is needed. Got an empty file. Write one.")
    first = trimmed(rows[0])
    return first if all(len(trimmed(row)) <= len(first) for row in rows) else rows[0]


def _names(fields: list[str], name: str) -> tuple[str, ...]:
    """Return the names of the columns; one without a name is called by its place, `column_2`."""
    names = [field.strip() for field in fields]
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{name}: at most {MAX_COLUMNS} columns are read. Got {len(names)}. Leave some out.")
    _refuse_data(names, name)
    counts = Counter(filter(None, names))
    repeated = [field for field, count in counts.items() if count > 1]
    if repeated:
        raise InputError(f"{name}: the columns need different names. Got {repeated[:5]!r} more than once. Rename them.")
    return tuple(field or _free_name(f"column_{number}", counts) for number, field in enumerate(names, 1))


def _free_name(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _refuse_data(names: list[str], name: str) -> None:
    """Refuse a first line of numbers; whole ones that all differ may be names, such as years."""
    numbers = [field for field in names if _NUMBER.fullmatch(field)]
    is_names = len(set(numbers)) == len(numbers) and all(field.isdigit() for field in numbers)
    if 2 * len(numbers) > len(names) and not is_names:
        raise InputError(
            f"{name}: the first line must hold the names of the columns. Got {', '.join(names)[:80]!r}. "
            "Write a line of names above it."
        )


def _is_blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _malformed(name: str, line: int, detail: str) -> str:
    if "field limit" in detail:
        rule = f"a field has at most {MAX_FIELD} characters"
    elif "end of data" in detail:
        rule = "a double quote that opens a field must be closed"
    else:
        rule = "behind a field in double quotes its separator must come"
    return f"{name}: {rule}. Got ({detail}) up to line {line}. Mend the quotes; a quote within a field is doubled."
