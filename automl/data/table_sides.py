"""What stands beside the features of a table: target, weights, groups and times, read in the first pass over it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from automl.core.data import Finding
from automl.core.task import Target
from automl.data.roles import Roles
from automl.data.table_labels import LabelColumn
from automl.data.table_numbers import NumberColumn, Wanted, checked_weights, ranks
from automl.errors import DataError
from automl.serving.table_cells import Cells, Chunk
from automl.serving.table_clock import Clock


class SideArrays(NamedTuple):
    """The arrays beside the features of a training table.

    Attributes:
        y: (n,) int64 class codes or float64 values.
        classes: labels in the order of the codes; empty for values.
        weights: (n,) float64 with mean 1, or None.
        groups: (n,) int64 codes of groups or ranks in time, or None.
        findings: what was noticed.
    """

    y: np.ndarray
    classes: tuple[str, ...] = ()
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()


class _Column(Protocol):
    def add(self, cells: Cells) -> None:
        """Take in the next rows."""
        ...


class Sides:
    """The columns beside the features of a training table, added chunk by chunk."""

    def __init__(self, roles: Roles, shown: str, target: Target) -> None:
        """Begin.

        Args:
            roles: which columns these are.
            shown: what the table is called in messages.
            target: what is predicted.
        """
        self._roles, self._shown = roles, shown
        self._labels = LabelColumn(shown, roles.target) if target == "classes" else None
        self._numbers = number_target(shown, roles.target) if target == "number" else None
        self._weights = _number(f"--sample-weight {roles.sample_weight!r}: {shown}", "a number")
        self._groups = LabelColumn(shown, roles.group)
        self._times = NumberColumn(
            Wanted(f"--split-time {roles.split_time!r}: {shown}", "a date or a number", "Mend or remove those rows."),
            Clock(),
        )

    def watched(self, chunks: Iterable[Chunk], features: Collection[str]) -> Iterator[Chunk]:
        """Yield the features of each chunk, after the columns beside them were taken in.

        Raises:
            DataError: a cell cannot be what its role says.
        """
        columns: dict[str, _Column | None] = {
            self._roles.target: self._labels or self._numbers, self._roles.sample_weight: self._weights,
            self._roles.group: self._groups, self._roles.split_time: self._times,
        }  # fmt: skip
        for chunk in chunks:
            for name, column in columns.items():
                if name and column is not None:
                    column.add(chunk[name])
            yield {name: cells for name, cells in chunk.items() if name in features}

    def finish(self) -> SideArrays:
        """Return the arrays.

        Raises:
            DataError: something is missing, or says nothing.
        """
        weights = checked_weights(self._weights.finish(), f"--sample-weight {self._roles.sample_weight!r}") \
            if self._roles.sample_weight else None  # fmt: skip
        groups, found = self._ordering()
        if self._labels is not None:
            labels = self._labels.finish(self._roles.positive)
            return SideArrays(labels.codes, labels.classes, weights, groups, (*labels.findings, *found))
        assert self._numbers is not None
        if self._roles.positive:
            raise DataError(f"--positive {self._roles.positive!r}: it is for two classes. Got a number. Leave it out.")
        return SideArrays(self._numbers.finish(), (), weights, groups, found)

    def _ordering(self) -> tuple[np.ndarray | None, tuple[Finding, ...]]:
        roles = self._roles
        if roles.split_time:
            return ranks(self._times.finish(), f"--split-time {roles.split_time!r}: {self._shown}"), ()
        if not roles.group:
            return None, ()
        groups = self._groups.groups()
        if len(groups.classes) < 2:
            raise DataError(
                f"--group {roles.group!r}: {self._shown}: at least two groups are needed. Got {len(groups.classes)}. "
                "Leave it out."
            )
        return groups.codes, _group_findings(roles.group, groups.codes, groups.classes)


def number_target(shown: str, target: str) -> NumberColumn:
    """Return the reader of a target that is a number."""
    what, advice = f"{shown}: column {target!r}", "Remove or mend those rows; labels are learned by --task tabular-clf."
    return NumberColumn(Wanted(what, "a number to learn from", advice))


def _number(what: str, rule: str) -> NumberColumn:
    return NumberColumn(Wanted(what, rule, "Mend or remove those rows."))


def _group_findings(column: str, codes: np.ndarray, values: tuple[str, ...]) -> tuple[Finding, ...]:
    empty = [code for code, value in enumerate(values) if not value.strip()]
    missing = int(np.isin(codes, empty).sum())
    if not missing:
        return ()
    message = f"--group {column}: {missing} of {len(codes)} rows have no group; they are kept together as one"
    return (Finding("groups-missing", "warning", message),)
