"""Write series into a folder, as `data.folder.DataFolder` reads them, and describe them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from automl.core.data import DataSpec, Finding, Split
from automl.core.protocols import Task
from automl.data.folder import write_spec
from automl.data.series_findings import train_findings
from automl.data.table_sides import SideArrays
from automl.errors import DataError
from automl.serving.series import Series, SeriesRule

MIN_SERIES = 4
"""Two folds, and two series to learn from in each."""


@dataclass(frozen=True)
class SeriesGiven:
    """Series with what stands beside them, before they are described.

    Attributes:
        name: of the data set.
        shown: what it is called in messages, such as the name of its file.
        series: the rows.
        rule: how they were read.
        sides: labels, weights and groups, one for each series.
        findings: what was noticed so far.
        split: how folds must be made.
        target: column of the labels in a table; empty for arrays.
        columns: what became of each column of a table.
    """

    name: str
    shown: str
    series: Series
    rule: SeriesRule
    sides: SideArrays
    findings: Sequence[Finding] = ()
    split: Split = "stratified"
    target: str = ""
    columns: dict[str, str] = field(default_factory=dict)


def write_train(folder: Path, given: SeriesGiven, task: Task) -> None:
    """Write training data.

    Raises:
        DataError: nothing can be learned from it.
    """
    if len(given.series) < MIN_SERIES:
        raise DataError(f"{given.shown}: at least {MIN_SERIES} series are needed. Got {len(given.series)}. Add some.")
    if np.isnan(given.series.values).all():
        steps = len(given.series.values)
        raise DataError(f"{given.shown}: values are needed. Got {steps} steps, all missing. Name other channels.")
    task.validate(_spec(given), given.sides.y)
    spec = _written(folder, given)
    told = [*given.findings, *given.sides.findings]
    write_spec(folder, spec, [*told, *train_findings(spec, given.series, given.sides.y)])


def write_test(folder: Path, given: SeriesGiven) -> None:
    """Write test data.

    Raises:
        DataError: there are no series.
    """
    if not len(given.series):
        raise DataError(f"{given.shown}: at least one series is needed. Got {len(given.series)}. Add some.")
    write_spec(folder, _written(folder, given), [*given.findings, *given.sides.findings])


def _spec(given: SeriesGiven) -> DataSpec:
    """Return the facts of series, but for their fingerprint."""
    lengths, classes = given.series.lengths, given.sides.classes
    return DataSpec(
        name=given.name,
        kind="series",
        rows=len(lengths),
        shape=(given.series.channels, round(float(lengths.mean())), int(lengths.max())),
        classes=classes,
        class_counts=tuple(np.bincount(given.sides.y, minlength=len(classes)).tolist()),
        fingerprint="",
        input=given.rule.to_json(),
        split=given.split,
        target=given.target,
        is_weighted=given.sides.weights is not None,
        columns=given.columns,
    )


def _written(folder: Path, given: SeriesGiven) -> DataSpec:
    """Write all arrays and return the facts."""
    spec, values = _spec(given), given.series.values
    values[np.isnan(values)] = np.nan  # one kind of NaN, for the fingerprint
    ends = np.asarray(given.series.ends, np.int64)
    digest = hashlib.sha256(json.dumps([spec.input, spec.target, spec.classes, spec.split]).encode())
    sides = given.sides
    arrays = {"values": values, "ends": ends, "y": sides.y, "weights": sides.weights, "groups": sides.groups}
    for name, array in arrays.items():
        if array is not None:
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
            digest.update(f"{name} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return replace(spec, fingerprint=digest.hexdigest())
