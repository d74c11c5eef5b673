"""Engineered blocks of a plan: two numbers in one, a number against its group, numbers of groups of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import table_fields as fields
from .table import MAX_CATEGORIES, MAX_COLUMNS, Table
from .table_blocks import NUMERIC, Need, columns_of, places_of

_OPERATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
}  # fmt: skip
OPERATIONS = tuple(_OPERATIONS)


@dataclass(frozen=True)
class Coder:
    """Sorts rows into groups by one column.

    `{"column": i, "size": m}`: by the m categories of a column. `{"column": i, "edges": [e, ...]}`: by the stretch of
    numbers between two edges, the lower of which belongs to it. Two more groups, size and size + 1, are those of unseen
    categories and of missing values.
    """

    column: int
    size: int
    edges: np.ndarray | None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Coder:
        """Read a coder of a block.

        Raises:
            ValueError: it is malformed.
        """
        column = fields.whole(values, "column", 0, MAX_COLUMNS - 1)
        if "edges" not in values:
            return cls(column, fields.whole(values, "size", 0, MAX_CATEGORIES), None)
        edges = fields.numbers(values["edges"], "edges")
        if not (np.diff(edges) > 0).all():
            raise ValueError(f"plan: edges must rise. Got {str(values['edges'][:8])[:80]}")
        return cls(column, len(edges) + 1, edges)

    @property
    def need(self) -> Need:
        """Return what the coder reads."""
        if self.edges is None:
            return Need(self.column, ("category", "boolean"), self.size)
        return Need(self.column, NUMERIC)

    def groups(self, table: Table) -> np.ndarray:
        """Return the group of each row, int64 in [0, size + 2)."""
        values = np.asarray(table.numbers[:, self.column], np.float64)
        if self.edges is None:
            return places_of(values, np.array(self.size))
        return np.where(np.isnan(values), self.size + 1, np.searchsorted(self.edges, values, side="right"))


@dataclass(frozen=True)
class Pairs:
    """Two numbers in one: `{"kind": "pairs", "columns": [i, ...], "others": [j, ...], "operations": ["add", ...]}`."""

    columns: np.ndarray
    others: np.ndarray
    operations: tuple[str, ...]

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Pairs:
        """Read the block of a plan."""
        columns = columns_of(block)
        others = fields.wholes(block.get("others"), "others", 0, MAX_COLUMNS - 1, count=len(columns))
        operations = fields.strings(block, "operations", len(columns))
        return cls(columns, others, tuple(fields.word({"operations": o}, "operations", OPERATIONS) for o in operations))

    @property
    def width(self) -> int:
        """Return the number of pairs."""
        return len(self.columns)

    @property
    def needs(self) -> list[Need]:
        """Return all that is read."""
        return [Need(column, NUMERIC) for column in [*self.columns.tolist(), *self.others.tolist()]]

    def values(self, table: Table) -> np.ndarray:
        """Return the results; missing where a number is, or where it is divided by zero."""
        left, right = table.numbers[:, self.columns], table.numbers[:, self.others]
        out = np.empty((len(table), self.width))
        for place, operation in enumerate(self.operations):
            out[:, place] = _OPERATIONS[operation](left[:, place], right[:, place])
        return _finite(out)


@dataclass(frozen=True)
class Relative:
    """A number against a number of its row's group, such as the group's mean.

    `{"kind": "relative", "column": i, "by": coder, "values": [size + 2 numbers], "operation": "subtract" | "divide"}`.
    """

    column: int
    by: Coder
    of_group: np.ndarray
    operation: str

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Relative:
        """Read the block of a plan."""
        by = Coder.from_json(fields.mapping(block.get("by"), "by"))
        values = fields.numbers(block.get("values"), "values", by.size + 2, gaps=True)
        column = fields.whole(block, "column", 0, MAX_COLUMNS - 1)
        return cls(column, by, values, fields.word(block, "operation", ("subtract", "divide")))

    @property
    def width(self) -> int:
        """Return 1."""
        return 1

    @property
    def needs(self) -> list[Need]:
        """Return the number and what the groups are by."""
        return [Need(self.column, NUMERIC), self.by.need]

    def values(self, table: Table) -> np.ndarray:
        """Return the difference or quotient; missing where either is, or where it is divided by zero."""
        of_group = self.of_group[self.by.groups(table)]
        values = _OPERATIONS[self.operation](table.numbers[:, self.column], of_group)
        return _finite(values)[:, None]


@dataclass(frozen=True)
class Groups:
    """Numbers of the group that a row is in by one column, or by two at once.

    `{"kind": "groups", "of": [coder, ...], "keys": [...], "values": [[...], ...]}`: the key of a row is its group by
    the first coder times the groups of the second, plus its group by that. For each output column there is one number
    per key, keys rising, and a last one for all other keys; null gives a missing number.
    """

    of: tuple[Coder, ...]
    keys: np.ndarray
    table: np.ndarray

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Groups:
        """Read the block of a plan."""
        coders = tuple(Coder.from_json(fields.mapping(coder, "of")) for coder in fields.items(block, "of"))
        if len(coders) > 2:
            raise ValueError(f"plan: of must be one or two columns. Got {len(coders)}")
        keys = fields.wholes(block.get("keys"), "keys", 0, (MAX_CATEGORIES + 2) ** 2)
        if not (np.diff(keys) > 0).all():
            raise ValueError(f"plan: keys must rise. Got {keys[:8].tolist()}")
        lists = fields.items(block, "values")
        columns = [fields.numbers(values, "values", len(keys) + 1, gaps=True) for values in lists]
        return cls(coders, keys, np.stack(columns, axis=1))

    @property
    def width(self) -> int:
        """Return the number of output columns."""
        return int(self.table.shape[1])

    @property
    def needs(self) -> list[Need]:
        """Return what the groups are by."""
        return [coder.need for coder in self.of]

    def values(self, table: Table) -> np.ndarray:
        """Return the numbers of each row's group."""
        wanted = keys_of(self.of, table)
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return self.table[np.where(self.keys[places] == wanted, places, len(self.keys))]


def keys_of(coders: tuple[Coder, ...], table: Table) -> np.ndarray:
    """Return the key of each row's group by one or two coders, int64 (n,)."""
    keys = coders[0].groups(table)
    for coder in coders[1:]:
        keys = keys * (coder.size + 2) + coder.groups(table)
    return keys


def _finite(values: np.ndarray) -> np.ndarray:
    values[~np.isfinite(values)] = np.nan
    return values
