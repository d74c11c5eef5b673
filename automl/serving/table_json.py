"""JSON Lines: one flat object per line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from .errors import InputError
from .table import MAX_COLUMNS
from .table_cells import ROWS, Chunk, Note, cells_of, rows_within
from .table_lines import lines

_SHAPES = 1000  # sets of keys that are known by heart


class _Line(NamedTuple):
    number: int
    values: dict[str, Any]


class JsonLines:
    """Implements `TableFile` for JSON Lines. A key that is missing, or null, is a missing value.

    The names are the keys of all objects, so the whole file is looked through once at the start.

    Raises:
        InputError: a line is no flat JSON object, or there are none.
    """

    separator = ","

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[Note] = []
        self.names = self._names()

    def chunks(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[Chunk]:
        """Yield the rows in order; see `TableFile`."""
        names = [name for name in self.names if columns is None or name in columns]
        most = rows_within(rows, len(self.names))
        objects = self._objects()
        while block := list(islice(objects, most)):
            yield {name: cells_of([line.values.get(name) for line in block], name) for name in names}

    def _names(self) -> tuple[str, ...]:
        names: dict[str, None] = {}
        seen: set[tuple[str, ...]] = set()
        for line in self._objects():
            keys = tuple(line.values)
            if keys in seen:
                continue
            if len(seen) < _SHAPES:
                seen.add(keys)
            new = [key for key in keys if key not in names]
            names |= dict.fromkeys(new)
            self._check_names(new, len(names), line.number)
        if not names:
            raise InputError(f"{self.path.name}: one JSON object per line is needed. Got an empty file. Write rows.")
        return tuple(names)

    def _check_names(self, new: list[str], count: int, line: int) -> None:
        blank = [name for name in new if not name.strip()]
        if blank or count > MAX_COLUMNS:
            found = f"the key {blank[0]!r}" if blank else f"{count} keys"
            raise InputError(
                f"{self.path.name}: line {line}: 1 to {MAX_COLUMNS} keys with names are needed. Got {found}. Rename it."
            )

    def _objects(self) -> Iterator[_Line]:
        blanks = 0
        for number, text in enumerate(lines(self.path), start=1):
            if text.isspace():
                blanks += 1
            else:
                yield _Line(number, self._object(text, number))
        if blanks:
            note = Note("blank-lines", f"{self.path.name}: {blanks:,} blank lines are passed over.")
            self.notes[:] = [note]

    def _object(self, text: str, number: int) -> dict[str, Any]:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
            detail = getattr(error, "msg", "") or str(error).split(";")[0]
            raise InputError(
                f"{self.path.name}: line {number} is no JSON object ({detail}). Got {text.strip()[:80]!r}. Mend the "
                "line; each row is one object on a line of its own."
            ) from error
        if not isinstance(values, dict):
            raise InputError(
                f'{self.path.name}: line {number}: an object such as {{"size": 3}} is needed. '
                f"Got {text.strip()[:80]!r}. Write one object per line."
            )
        for name, value in values.items():
            if isinstance(value, dict | list):
                raise InputError(
                    f"{self.path.name}: line {number}: {name!r} must be text, a number, true, false or null. "
                    f"Got {str(value)[:80]!r}. Give its parts keys of their own."
                )
        return values
