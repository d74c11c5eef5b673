"""Cells become rows by the rule of training, alike from every kind of file and from memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .errors import InputError, ModelError
from .rows import Rows
from .table import UNSEEN, VERBATIM, Column, Table, TableRule
from .table_cells import Cells, Note, TableFile, cells_of, chunk_of, texts_of
from .table_read import open_table
from .table_times import DateReader
from .table_values import Parsed, booleans, category_text, numbers
from .texts import Texts

__all__ = ["ChunkReader", "chunk_of", "read_table", "rows_from", "table_of", "to_table"]

_REFUSED = 0.5
"""A column of numbers or dates in which more than so many values are none is not what it was in training."""
_CACHED = 100_000
_WANTED = {"number": "numbers", "boolean": "true or false", "date": "dates"}
_SHOWN = 20


class ChunkReader:
    """Turns chunks into tables by a rule, and counts what does not fit it.

    Raises:
        ModelError: the rule holds a format of dates that is not known.
    """

    def __init__(self, rule: TableRule) -> None:
        self.rule = rule
        self._readers = {column.name: _reader(column) for column in rule.numbers}
        self._odd = dict.fromkeys(self._readers, 0)
        self._present = dict.fromkeys(self._readers, 0)
        self._examples: dict[str, str] = {}

    def table(self, chunk: Mapping[str, Cells]) -> Table:
        """Return rows; columns that the rule does not name are left alone.

        Raises:
            InputError: a column is missing.
        """
        check_names(chunk, self.rule, "rows")
        rows = len(next(iter(chunk.values()), ()))
        out = np.empty((rows, len(self._readers)), np.float64)
        for place, (name, reader) in enumerate(self._readers.items()):
            parsed = reader(chunk[name])
            out[:, place] = parsed.values
            self._present[name] += parsed.odd + int(np.count_nonzero(~np.isnan(parsed.values)))
            if parsed.odd:
                self._odd[name] += parsed.odd
                self._examples.setdefault(name, parsed.example)
        return Table(out, tuple(_texts(chunk[column.name], column) for column in self.rule.texts))

    def finish(self, where: str) -> list[Note]:
        """Return what people should know, once all chunks are read.

        Args:
            where: what was read, for messages.

        Raises:
            InputError: a column of numbers, dates or truth values holds mostly something else.
        """
        kinds = {column.name: _WANTED.get(column.kind, "") for column in self.rule.columns}
        for name, example in self._examples.items():
            if self._odd[name] > _REFUSED * self._present[name]:
                raise InputError(
                    f"{where}: column {name!r} had {kinds[name]} in training. Got {example[:60]!r} and "
                    f"{self._odd[name] - 1:,} more that are none, of {self._present[name]:,}. Write {kinds[name]}, or "
                    "leave the cell empty where nothing is known."
                )
        return [
            Note("odd-values", f"{where}: column {name!r}: {self._odd[name]:,} values are no {kinds[name]}, such as "
                 f"{example[:40]!r}: they count as missing.") for name, example in self._examples.items()
        ]  # fmt: skip


def to_table(rule: TableRule, chunk: Mapping[str, Cells]) -> Table:
    """Return one chunk as rows; `ChunkReader` is for many.

    Raises:
        InputError: a column is missing, or holds mostly something else than in training.
        ModelError: the rule holds a format of dates that is not known.
    """
    reader = ChunkReader(rule)
    table = reader.table(chunk)
    reader.finish("rows")
    return table


def read_table(path: Path, rule: TableRule) -> Rows:
    """Read a CSV, TSV or JSON Lines file by the rule; the order of its columns is free, further ones are left alone.

    Raises:
        InputError: it is malformed, lacks a column, or a column holds mostly something else than in training.
    """
    return rows_from(open_table(path), rule)


def rows_from(file: TableFile, rule: TableRule) -> Rows:
    """Read an open file by the rule; see `read_table`."""
    name = file.path.name
    check_names(file.names, rule, name)
    reader = ChunkReader(rule)
    table = Table.joined([reader.table(chunk) for chunk in file.chunks([column.name for column in rule.columns])])
    notes = [*file.notes, *_extra(file.names, rule, name), *reader.finish(name)]
    return Rows(list(map(str, range(len(table)))), table, tuple(note.message for note in notes))


def table_of(rows: Any, rule: TableRule) -> Table:
    """Return an object in memory as rows.

    Args:
        rows: what `chunk_of` takes, an array (n, columns of the rule) in the order of the rule, or where the rule has a
            single column of text a list of texts.
        rule: of the training data.

    Raises:
        InputError: it is something else, lacks a column, or holds something else than in training.
    """
    if isinstance(rows, np.ndarray) and not rows.dtype.names:
        names = [column.name for column in rule.columns]
        if rows.ndim != 2 or rows.shape[1] != len(names):
            raise InputError(
                f"X: an array of shape (n, {len(names)}) is needed, its columns {str(names[:_SHOWN])[:300]}. "
                f"Got {rows.shape}. Give these columns, or a data frame."
            )
        return to_table(rule, {name: cells_of(rows[:, place], name) for place, name in enumerate(names)})
    is_text = len(rule.columns) == len(rule.texts) == 1
    if is_text and isinstance(rows, list | tuple) and all(isinstance(text, str) for text in rows):
        return to_table(rule, {rule.columns[0].name: list(rows)})
    return to_table(rule, chunk_of(rows))


def check_names(names: Collection[str], rule: TableRule, where: str) -> None:
    """Refuse a table that lacks columns of the rule.

    Raises:
        InputError: names those that are missing.
    """
    missing = [column.name for column in rule.columns if column.name not in names]
    if missing:
        raise InputError(
            f"{where}: {len(missing)} of the columns of the training data are missing: {_listed(missing)}. "
            f"Got {_listed(list(names))}. Add them; a value that is not known may be empty."
        )


def _extra(names: Collection[str], rule: TableRule, where: str) -> list[Note]:
    known = {column.name for column in rule.columns}
    extra = [name for name in names if name not in known]
    message = f"{where}: columns that the model does not use are left alone: {_listed(extra)}."
    return [Note("extra-columns", message)] if extra else []


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name[:60]) for name in names[:_SHOWN]) + more


class _Reader(Protocol):
    def __call__(self, cells: Cells, /) -> Parsed:
        """Return a column as float64."""
        ...


def _reader(column: Column) -> _Reader:
    if column.kind == "number":
        return partial(numbers, comma=column.format == ",")
    if column.kind == "boolean":
        return booleans
    if column.kind == "category":
        return _Categories(column.categories)
    try:
        return DateReader(column.format).read
    except ValueError as error:
        raise ModelError(f"input: column {column.name!r}: {error} Get the model again.") from error


class _Categories(dict[str, float]):
    """Text → place in the categories, `UNSEEN` if it is not there, NaN if it is missing; bounded."""

    def __init__(self, categories: tuple[str, ...]) -> None:
        super().__init__()
        self._places = {text: float(place) for place, text in enumerate(categories)}

    def __call__(self, cells: Cells, /) -> Parsed:
        return Parsed(np.fromiter(map(self.__getitem__, texts_of(cells)), np.float64, len(cells)))

    def __missing__(self, text: str) -> float:
        category = category_text(text)
        place = self._places.get(category, UNSEEN) if category else np.nan
        if len(self) < _CACHED:
            self[text] = place
        return place


def _texts(cells: Cells, column: Column) -> Texts:
    words = (raw.strip() for raw in texts_of(cells))
    return Texts.of(words if column.format == VERBATIM else ("" if text in _NO_TEXT else text for text in words))


_NO_TEXT = frozenset({"NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>"})
