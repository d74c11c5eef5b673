"""The plain blocks of a plan: numbers as they are, categories by a table, categories one column each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from . import table_fields as fields
from .table import MAX_CATEGORIES, MAX_COLUMNS, Table

MAX_WIDTH = 1_000_000


class Need(NamedTuple):
    """What a block reads.

    Attributes:
        column: its place in `Table.numbers`, or in `Table.texts`.
        kinds: that the column may be of.
        categories: how many the column must have, -1 for any number.
    """

    column: int
    kinds: tuple[str, ...]
    categories: int = -1


NUMERIC = ("number", "boolean", "category", "date")


class Block(Protocol):
    """Some columns of the output, from some columns of a table."""

    @property
    def width(self) -> int:
        """Return the number of output columns."""
        ...

    @property
    def needs(self) -> list[Need]:
        """Return what the block reads."""
        ...

    def values(self, table: Table) -> np.ndarray:
        """Return (n, width) numbers; NaN is missing. Each row depends on itself alone."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Columns as they are: `{"kind": "numbers", "columns": [0, 3]}`."""

    columns: np.ndarray

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Numbers:
        """Read the block of a plan."""
        return cls(columns_of(block))

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return len(self.columns)

    @property
    def needs(self) -> list[Need]:
        """Return the columns, of any kind but text."""
        return [Need(column, NUMERIC) for column in self.columns.tolist()]

    def values(self, table: Table) -> np.ndarray:
        """Return a copy of the columns."""
        return np.asarray(table.numbers[:, self.columns], np.float64)


@dataclass(frozen=True)
class Lookup:
    """Categories, each replaced by numbers from a table.

    `{"kind": "lookup", "columns": [i, ...], "sizes": [m, ...], "values": [[[...], ...], ...]}`: for each column and
    each of its output columns a list of m + 2 numbers: of its m categories, of an unseen one, of a missing one. Null
    gives a missing number.
    """

    columns: np.ndarray
    sizes: np.ndarray
    offsets: np.ndarray
    table: np.ndarray

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Lookup:
        """Read the block of a plan."""
        columns = columns_of(block)
        sizes = fields.wholes(block.get("sizes"), "sizes", 0, MAX_CATEGORIES, count=len(columns))
        lists = fields.items(block, "values", len(columns))
        outputs = len(fields.items({"values": lists[0]}, "values"))
        tables = [_outputs(values, size + 2, outputs) for values, size in zip(lists, sizes.tolist(), strict=True)]
        return cls(columns, sizes, offsets_of(sizes), np.concatenate(tables))

    @property
    def width(self) -> int:
        """Return the number of columns times the outputs of each."""
        return len(self.columns) * int(self.table.shape[1])

    @property
    def needs(self) -> list[Need]:
        """Return the columns with the number of their categories."""
        return category_needs(self.columns, self.sizes)

    def values(self, table: Table) -> np.ndarray:
        """Return the numbers of each row's categories, the outputs of a column side by side."""
        places = places_of(table.numbers[:, self.columns], self.sizes) + self.offsets
        values: np.ndarray = self.table[places]
        return values.reshape(len(table), self.width)


@dataclass(frozen=True)
class OneHot:
    """Categories, each a column of zeros and ones.

    `{"kind": "onehot", "columns": [i, ...], "sizes": [m, ...], "places": [[...], ...], "width": k}`: for each column
    m + 2 places among the k output columns, as in `Lookup`; -1 is none of them.
    """

    columns: np.ndarray
    sizes: np.ndarray
    offsets: np.ndarray
    places: np.ndarray
    width: int

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> OneHot:
        """Read the block of a plan."""
        columns = columns_of(block)
        sizes = fields.wholes(block.get("sizes"), "sizes", 0, MAX_CATEGORIES, count=len(columns))
        width = fields.whole(block, "width", 1, MAX_WIDTH)
        lists = zip(fields.items(block, "places", len(columns)), sizes.tolist(), strict=True)
        places = [fields.wholes(places, "places", -1, width - 1, count=size + 2) for places, size in lists]
        return cls(columns, sizes, offsets_of(sizes), np.concatenate(places), width)

    @property
    def needs(self) -> list[Need]:
        """Return the columns with the number of their categories."""
        return category_needs(self.columns, self.sizes)

    def values(self, table: Table) -> np.ndarray:
        """Return zeros with a one at the place of each row's categories, float32."""
        places = self.places[places_of(table.numbers[:, self.columns], self.sizes) + self.offsets]
        out = np.zeros((len(table), self.width), np.float32)
        rows, columns = np.nonzero(places >= 0)
        out[rows, places[rows, columns]] = 1
        return out


def places_of(codes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return codes of categories as places in a table of size + 2: an unseen one is at size, a missing one at size + 1.

    >>> places_of(np.array([[1.0], [-1.0], [np.nan]]), np.array([2])).ravel()
    array([1, 2, 3])
    """
    places: np.ndarray = np.where(codes < 0, sizes, np.fmin(codes, sizes)).astype(np.int64)
    places += np.isnan(codes)
    return places


def columns_of(block: Mapping[str, Any]) -> np.ndarray:
    """Return the column numbers that a block reads."""
    return fields.wholes(block.get("columns"), "columns", 0, MAX_COLUMNS - 1)


def offsets_of(sizes: np.ndarray) -> np.ndarray:
    """Return where the table of each column begins when they lie end to end."""
    return np.concatenate([[0], np.cumsum(sizes + 2)[:-1]]).astype(np.int64)


def category_needs(columns: np.ndarray, sizes: np.ndarray) -> list[Need]:
    """Return columns of categories, or booleans as categories 0 and 1, with their sizes."""
    both = zip(columns.tolist(), sizes.tolist(), strict=True)
    return [Need(column, ("category", "boolean"), size) for column, size in both]


def _outputs(values: object, rows: int, outputs: int) -> np.ndarray:
    lists = fields.items({"values": values}, "values", outputs)
    return np.stack([fields.numbers(each, "values", rows, gaps=True) for each in lists], axis=1)
