"""Tables with one step of a series a row, read in chunks: rows of a series need not be adjacent, nor in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .errors import InputError
from .series import Series, SeriesRule
from .series_arrays import LARGEST, check_size
from .series_ids import SeriesIds
from .table import Column, TableRule
from .table_cells import Cells, Chunk, Note
from .table_clock import Clock
from .table_rows import ChunkReader, check_names
from .table_values import number_of


class LongSeries(NamedTuple):
    """Series as a table had them.

    Attributes:
        names: the ids, in the order of first appearance.
        series: in the same order.
        notes: what people should know.
    """

    names: list[str]
    series: Series
    notes: list[Note]


class LongReader:
    """Turns chunks of a table into series by a rule.

    In memory at once: all values in single precision, twice for a moment, and 12 bytes per row beside them.
    """

    def __init__(self, rule: SeriesRule, where: str) -> None:
        """Begin.

        Args:
            rule: names the columns.
            where: what is read, for messages.
        """
        self._rule, self._where = rule, where
        self._columns = channel_columns(rule)
        self._reader = ChunkReader(TableRule(self._columns))
        self._ids = SeriesIds(rule.id, where)
        self._clock = Clock()
        self._values: list[np.ndarray] = []
        self._codes: list[np.ndarray] = []
        self._times: list[np.ndarray] = []

    def add(self, chunk: Mapping[str, Cells]) -> None:
        """Take in the next rows.

        Raises:
            InputError: a column is missing, a row has no id or time, or a value is infinite.
        """
        row = self._ids.rows
        self._codes.append(self._ids.codes(chunk[self._rule.id]))
        if self._rule.time:
            self._times.append(self._read_times(chunk[self._rule.time], row))
        numbers = self._reader.table(chunk).numbers
        for column, values in zip(self._columns, numbers.T, strict=True):
            _check_finite(chunk[column.name], values, column, f"{self._where}: row", row)
        self._values.append(numbers.astype(np.float32))
        check_size(self._ids.rows, len(self._columns), self._where)

    def finish(self) -> LongSeries:
        """Return the series, once all rows were taken in.

        Raises:
            InputError: a channel holds mostly something else than in training.
        """
        notes = self._reader.finish(self._where)
        codes = np.concatenate([np.empty(0, np.int32), *self._codes])
        times = np.concatenate(self._times) if self._times else None
        values = np.concatenate([np.empty((0, len(self._columns)), np.float32), *self._values])
        self._values.clear()
        order = _order(codes, times)
        if times is not None:
            notes += self._repeated(codes, times, order)
        ends = np.cumsum(np.bincount(codes, minlength=len(self._ids.names)), dtype=np.int64)
        series = Series.of_packed(values if order is None else values[order], ends)
        return LongSeries(self._ids.names, series, notes)

    def _read_times(self, cells: Cells, row: int) -> np.ndarray:
        parsed = self._clock(cells)
        holes = np.flatnonzero(np.isnan(parsed.values))
        if len(holes):
            found = cells[int(holes[0])]
            raise InputError(
                f"{self._where}: column {self._rule.time!r}: every row needs a time, a number or a date, all written "
                f"alike. Got {str(found)[:60]!r} in row {row + int(holes[0]) + 1}. Mend or remove the row."
            )
        return parsed.values

    def _repeated(self, codes: np.ndarray, times: np.ndarray, order: np.ndarray | None) -> list[Note]:
        """Tell how many steps of a series have the time of the step before."""
        if order is not None:
            codes, times = codes[order], times[order]
        is_repeated = (codes[1:] == codes[:-1]) & (times[1:] == times[:-1])
        if not is_repeated.any():
            return []
        example = self._ids.names[int(codes[int(is_repeated.argmax())])]
        message = (
            f"{self._where}: {int(is_repeated.sum()):,} steps have the time of the step before in the same series, "
            f"such as in {example[:60]!r}; they stay in the order of the table"
        )
        return [Note("times-repeated", message)]


def check_columns(chunk_names: Mapping[str, object] | tuple[str, ...], rule: SeriesRule, where: str) -> None:
    """Refuse a table that lacks the id, the time or a channel.

    Raises:
        InputError: names those that are missing.
    """
    places = tuple(Column(name, "category") for name in (rule.id, rule.time) if name)
    check_names(chunk_names, TableRule((*places, *channel_columns(rule))), where)


def channel_columns(rule: SeriesRule) -> tuple[Column, ...]:
    """Return the channels as columns of a table."""
    kinds = rule.kinds or ("number",) * len(rule.channels)
    return tuple(
        Column(name, "boolean" if kind == "boolean" else "number", format="," if kind == "comma" else "")
        for name, kind in zip(rule.channels, kinds, strict=True)
    )


def wanted_columns(rule: SeriesRule) -> list[str]:
    """Return the columns of a table that the rule reads."""
    return [name for name in (rule.id, rule.time, *rule.channels) if name]


def series_of_chunk(chunk: Chunk, rule: SeriesRule, where: str) -> LongSeries:
    """Return a whole table as series.

    Raises:
        InputError: as `LongReader`.
    """
    check_columns(chunk, rule, where)
    reader = LongReader(rule, where)
    reader.add(chunk)
    return reader.finish()


def _order(codes: np.ndarray, times: np.ndarray | None) -> np.ndarray | None:
    """Return the rows by series and time, equal ones as they come; None if they are in that order already."""
    forward = np.diff(codes)
    is_sorted = bool((forward >= 0).all())
    if times is None:
        return None if is_sorted else np.argsort(codes, kind="stable")
    if is_sorted and bool(((forward > 0) | (np.diff(times) >= 0)).all()):
        return None
    return np.lexsort((times, codes))


def _check_finite(cells: Cells, values: np.ndarray, column: Column, where: str, first: int) -> None:
    """Refuse a column with a value that is infinite, or that single precision cannot hold, which reads as missing."""
    holes = np.flatnonzero(np.isnan(values))
    if column.kind == "boolean" or not len(holes):
        return
    if isinstance(cells, np.ndarray):
        odd = holes[np.abs(cells[holes]) > LARGEST].tolist()
    else:
        texts = {cells[place] for place in holes.tolist()}
        infinite = {text for text in texts if _is_infinite(text, comma=column.format == ",")}
        odd = [place for place in holes.tolist() if cells[place] in infinite] if infinite else []
    if odd:
        raise InputError(
            f"{where} {first + odd[0] + 1}: column {column.name!r}: values must be finite, or empty where they are "
            f"missing. Got {str(cells[odd[0]])[:60]!r}. Mend it."
        )


def _is_infinite(text: str, *, comma: bool) -> bool:
    number = number_of(text, comma=comma)
    return number is not None and abs(number) > LARGEST
