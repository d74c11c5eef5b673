"""The rows an encoder learns from, and nothing of any other row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from automl.core.data import Split
from automl.core.folds import stratified_folds
from automl.core.protocols import DataSource
from automl.core.seeds import stream
from automl.serving.table import Table, TableRule

INNER_FOLDS = 5
MOST_SAMPLED = 200_000
"""Rows that medians, quantiles and vocabularies are learned from."""
MOST_TARGETS = 10
"""Classes that have a mean target of their own, the most frequent ones."""
_CHUNK = 100_000


@dataclass(frozen=True)
class Learned:
    """The rows learned from.

    Attributes:
        X: the whole table; only `rows` of it are read.
        rows: their numbers, rising.
        y: the targets of these rows, (r,).
        groups: of these rows, as `DataSource.groups`.
        split: how folds must be made.
        classes: number of classes; 0 for regression.
        rule: what the columns are.
        labels: of the classes.
    """

    X: Table
    rows: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None
    split: Split
    classes: int
    rule: TableRule
    labels: tuple[str, ...]

    @classmethod
    def of(cls, data: DataSource, rows: np.ndarray, classes: int) -> Learned:
        """Take the rows of a data source.

        Raises:
            ValueError: there are none.
        """
        rows = np.unique(rows)
        if not len(rows):
            raise ValueError(f"an encoder needs rows to learn from. Got {len(rows)} rows")
        groups = None if data.groups is None else np.asarray(data.groups[rows])
        rule = TableRule.from_json(data.spec.input)
        return cls(data.X, rows, np.asarray(data.y[rows]), groups, data.spec.split, classes, rule, data.spec.classes)

    def __len__(self) -> int:
        return len(self.rows)

    def fewer(self, most: int) -> Learned:
        """Return so many of the rows, drawn at random, always the same; all if they are no more."""
        if len(self) <= most:
            return self
        places = np.sort(stream(0, "encoder", "fewer").choice(len(self), most, replace=False))
        groups = None if self.groups is None else self.groups[places]
        return replace(self, rows=self.rows[places], y=self.y[places], groups=groups)

    @cached_property
    def places(self) -> np.ndarray:
        """Return the sample's places among the rows, rising; all of them if they are few. Always the same."""
        if len(self) <= MOST_SAMPLED:
            return np.arange(len(self))
        drawn = stream(0, "encoder", "sample").choice(len(self), MOST_SAMPLED, replace=False)
        return np.sort(drawn)

    @cached_property
    def sample(self) -> Table:
        """Return the sample's rows."""
        return self.X[self.rows[self.places]]

    def chunks(self) -> Iterator[tuple[np.ndarray, Table]]:
        """Yield all rows in parts: their places among the rows, and the rows."""
        for start in range(0, len(self), _CHUNK):
            places = np.arange(start, min(start + _CHUNK, len(self)))
            yield places, self.X[self.rows[places]]

    @cached_property
    def folds(self) -> np.ndarray:
        """Return the inner fold of each row, (r,) int8, by the data's own rule: classes, groups or stretches of time.

        They depend on the rows and nothing else, so all trials of a fold share what is encoded with them.
        """
        k, rng = max(2, min(INNER_FOLDS, len(self))), stream(0, "encoder", "folds")
        if self.groups is None or self.split == "stratified":
            return stratified_folds(self.y, k, rng)
        if self.split == "time":
            order = np.argsort(np.argsort(self.groups, kind="stable"), kind="stable")
            return (order * k // len(self)).astype(np.int8)
        names, member = np.unique(self.groups, return_inverse=True)
        turns: np.ndarray = rng.permutation(len(names)) % k
        return turns[member].astype(np.int8)

    @cached_property
    def targets(self) -> np.ndarray:
        """Return what means are taken of, float64 (r, t): the standardised target, or whether a row is of a class.

        Two classes give one column, of the second; of more than `MOST_TARGETS` the most frequent have one.
        """
        if not self.classes:
            spread = float(self.y.std())
            scores: np.ndarray = (self.y - self.y.mean()) / (spread if spread > 0 else 1.0)
            return scores[:, None]
        is_of: np.ndarray = self.y[:, None] == np.array(self.target_classes)
        return is_of.astype(np.float64)

    @cached_property
    def target_classes(self) -> tuple[int, ...]:
        """Return the classes that `targets` has columns for; none for regression."""
        if not self.classes:
            return ()
        if self.classes == 2:
            return (1,)
        counts = np.bincount(self.y, minlength=self.classes)
        return tuple(sorted(np.argsort(-counts, kind="stable")[:MOST_TARGETS].tolist()))
