"""Columns of a table that are read as one number for each row: targets, weights, times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from automl.errors import DataError
from automl.serving.table_cells import Cells
from automl.serving.table_values import Parsed, numbers


@dataclass(frozen=True)
class Wanted:
    """What a column must hold, in words for messages.

    Attributes:
        what: file and column, or flag and column.
        rule: what each row needs, such as "a number".
        advice: what to do where it has something else.
    """

    what: str
    rule: str
    advice: str


class NumberColumn:
    """The numbers of a column, added chunk by chunk; a cell that is none is refused with its row."""

    def __init__(self, wanted: Wanted, parse: Callable[[Cells], Parsed] = numbers) -> None:
        """Begin a column.

        Args:
            wanted: for messages.
            parse: cells → float64, NaN where a cell is empty.
        """
        self._wanted, self._parse = wanted, parse
        self._parts: list[np.ndarray] = []
        self._rows = 0

    def add(self, cells: Cells) -> None:
        """Take in the next rows.

        Raises:
            DataError: a cell holds something else.
        """
        parsed = self._parse(cells)
        if parsed.odd:
            row = self._rows + list(map(str, cells)).index(parsed.example) + 1
            raise DataError(self._refusal(f"{parsed.example[:60]!r} in row {row}"))
        self._parts.append(parsed.values)
        self._rows += len(cells)

    def finish(self) -> np.ndarray:
        """Return the numbers, float64 (n,).

        Raises:
            DataError: some are missing or infinite.
        """
        values = np.concatenate(self._parts) if self._parts else np.empty(0)
        missing = np.flatnonzero(np.isnan(values))
        if len(missing):
            found = f"{len(missing)} missing or infinite of {len(values)}, the first in row {missing[0] + 1}"
            raise DataError(self._refusal(found))
        return values

    def _refusal(self, found: str) -> str:
        return f"{self._wanted.what}: every row needs {self._wanted.rule}. Got {found}. {self._wanted.advice}"


def checked_weights(weights: np.ndarray, what: str) -> np.ndarray:
    """Return weights with mean 1.

    Raises:
        DataError: one is negative, or all are zero.
    """
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        row = int(negative[0])
        raise DataError(f"{what}: weights must be 0 or more. Got {weights[row]:g} in row {row + 1}. Mend it.")
    mean = float(weights.mean()) if len(weights) else 0.0
    if mean <= 0:
        raise DataError(f"{what}: some weight must be above 0. Got {mean:g} on average. Name another column.")
    return np.asarray(weights / mean)


def ranks(times: np.ndarray, what: str) -> np.ndarray:
    """Return the place of each row in time, int64 from 0; rows of equal time share one.

    Raises:
        DataError: all times are equal.
    """
    moments, places = np.unique(times, return_inverse=True)
    if len(moments) < 2:
        raise DataError(f"{what}: at least two different times are needed. Got {len(moments)}. Name another column.")
    return np.asarray(places.reshape(-1), np.int64)
