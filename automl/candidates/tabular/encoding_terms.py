"""Engineered columns: what may be made of a table's columns, each learned on the rows learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from automl.candidates.tabular.encoding_blocks import FittedBlock
from automl.candidates.tabular.encoding_categories import fold_sums, shrunken_means, target_names
from automl.candidates.tabular.encoding_rows import Learned
from automl.serving.table_terms import Coder, keys_of

MOST_KEYS = 50_000
"""Groups of a term that have a number of their own, the largest ones."""
_FEWEST = 3  # rows of a group that has numbers of its own
_SIGNS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷"}


@dataclass(frozen=True)
class Grouping:
    """Groups of rows by one column: its categories, or stretches of its numbers.

    Attributes:
        name: of the column; groupings of the same column are equal.
        coder: as in a plan.
    """

    name: str
    coder: dict[str, Any] = field(compare=False)


class Term(Protocol):
    """One thing that may be made of columns."""

    @property
    def parents(self) -> tuple[object, ...]:
        """Return what it is made of and must tell more than: numbers of columns, and groupings."""
        ...

    def fit(self, learned: Learned) -> FittedBlock:
        """Return its block without a finish."""
        ...


@dataclass(frozen=True)
class Arithmetic:
    """Two numbers in one."""

    column: int
    other: int
    operation: str

    @property
    def parents(self) -> tuple[object, ...]:
        """Return both columns."""
        return (self.column, self.other)

    def fit(self, learned: Learned) -> FittedBlock:
        """Return the block; nothing is learned."""
        return arithmetic_block([self], learned)


@dataclass(frozen=True)
class OfGroup:
    """A number's mean or deviation in the row's group, or the number against the group's mean."""

    column: int
    by: Grouping
    what: str

    @property
    def parents(self) -> tuple[object, ...]:
        """Return the number and the grouping."""
        return (self.column, self.by)

    def fit(self, learned: Learned) -> FittedBlock:
        """Return the block, learned on the sample."""
        name, coder = learned.rule.numbers[self.column].name, Coder.from_json(self.by.coder)
        groups, values = coder.groups(learned.sample), learned.sample.numbers[:, self.column]
        numbers = _of_groups(groups, values, coder.size + 2, self.what)
        if self.what in ("mean", "deviation"):
            kept = np.array([value is not None for value in numbers])
            keys, own = np.flatnonzero(kept), [value for value in numbers if value is not None]
            if not len(keys):
                keys, own = np.array([0]), [0.0]
            block = {"kind": "groups", "of": [self.by.coder], "keys": keys.tolist(), "values": [[*own, None]]}
            return FittedBlock(block, (f"{self.what} of {name} by {self.by.name}",))
        against: dict[str, Any] = {"kind": "relative", "column": self.column, "operation": self.what}
        said = f"{name} {_SIGNS[self.what]} its mean by {self.by.name}"
        return FittedBlock({**against, "by": self.by.coder, "values": numbers}, (said,))


@dataclass(frozen=True)
class TargetOf:
    """The mean target of a group by one column or by two, out of inner folds for rows learned from."""

    of: tuple[Grouping, ...]

    @property
    def parents(self) -> tuple[object, ...]:
        """Return the groupings of a cross; a grouping alone is compared with its column."""
        return self.of if len(self.of) > 1 else (self.of[0].coder["column"],)

    def fit(self, learned: Learned) -> FittedBlock:
        """Return the block, learned on the sample, and those without each inner fold."""
        keys, places = _keys(self.of, learned)
        sums = fold_sums(places, learned, learned.places, len(keys) + 1)
        used = np.unique(learned.folds)
        inner = tuple(self._block(keys, np.delete(sums, fold, axis=0).sum(axis=0)) for fold in used)
        names = tuple(f"target{of} by {_together(self.of)}" for of in target_names(learned))
        return FittedBlock(self._block(keys, sums.sum(axis=0)), names, inner=inner)

    def _block(self, keys: np.ndarray, sums: np.ndarray) -> dict[str, Any]:
        return _groups_block(self.of, keys, shrunken_means(sums).T.tolist())


@dataclass(frozen=True)
class ShareOf:
    """How frequent a group by two columns is, as a logarithm."""

    of: tuple[Grouping, ...]

    @property
    def parents(self) -> tuple[object, ...]:
        """Return the groupings."""
        return self.of

    def fit(self, learned: Learned) -> FittedBlock:
        """Return the block, learned on the sample."""
        keys, places = _keys(self.of, learned)
        counts = np.bincount(places, minlength=len(keys) + 1).astype(np.float64)
        counts[-1] = 0.5
        values = np.log(counts / len(places)).tolist()
        return FittedBlock(_groups_block(self.of, keys, [values]), (f"share of {_together(self.of)}",))


def arithmetic_block(terms: Sequence[Arithmetic], learned: Learned) -> FittedBlock:
    """Return several terms of arithmetic as one block."""
    columns = learned.rule.numbers
    names = tuple(f"{columns[t.column].name} {_SIGNS[t.operation]} {columns[t.other].name}" for t in terms)
    block = {"kind": "pairs", "columns": [t.column for t in terms], "others": [t.other for t in terms]}
    return FittedBlock({**block, "operations": [t.operation for t in terms]}, names)


def _together(of: tuple[Grouping, ...]) -> str:
    return " and ".join(grouping.name for grouping in of)


def _groups_block(of: tuple[Grouping, ...], keys: np.ndarray, values: list[list[float]]) -> dict[str, Any]:
    return {"kind": "groups", "of": [grouping.coder for grouping in of], "keys": keys.tolist(), "values": values}


def _keys(of: tuple[Grouping, ...], learned: Learned) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys of the largest groups, rising, and each sampled row's place among them; the last is of none."""
    wanted = keys_of(tuple(Coder.from_json(grouping.coder) for grouping in of), learned.sample)
    found, member, counts = np.unique(wanted, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_KEYS]
    is_kept = np.zeros(len(found), bool)
    is_kept[order[counts[order] >= _FEWEST]] = True
    is_kept[order[0]] = True  # one key at least
    places = np.where(is_kept, np.cumsum(is_kept) - 1, is_kept.sum())
    return found[is_kept], places[member]


def _of_groups(groups: np.ndarray, values: np.ndarray, count: int, what: str) -> list[float | None]:
    """Return the mean or deviation of values in each group; None where too few are known, or 0 is to divide by."""
    is_known = np.isfinite(values)
    groups, known = groups[is_known], np.clip(values[is_known], -1e38, 1e38)
    rows = np.bincount(groups, minlength=count)
    means = np.bincount(groups, weights=known, minlength=count) / np.maximum(1, rows)
    numbers = means
    if what == "deviation":
        squares = np.bincount(groups, weights=(known - means[groups]) ** 2, minlength=count)
        numbers = np.sqrt(squares / np.maximum(1, rows))
    is_told = (rows >= _FEWEST) & ((numbers != 0) | (what != "divide"))
    return [number if told else None for number, told in zip(numbers.tolist(), is_told.tolist(), strict=True)]
