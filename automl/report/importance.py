"""What a model looks at: how much its score loses when the values of one column are shuffled.

Breiman 2001, https://doi.org/10.1023/A:1010933404324, section 10. Each row is predicted only by models that were not
trained on it, so that a column learned by heart does not count as important.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from automl.core.metrics import Metric
from automl.serving.calibration import decided
from automl.serving.manifest import Manifest, read_manifest
from automl.serving.model import Model
from automl.serving.table import Column, Table, TableRule

MOST_ROWS, MOST_SHOWN, REPEATS = 2000, 20, 3
_LEAST_ROWS = 100
_LOADED_BYTES_PER_SECOND = 50e6
"""What onnxruntime made ready of large forests, on one core; an ensemble that takes longer to load is passed over."""


@dataclass(frozen=True)
class ColumnImportance:
    """The columns that matter, the most important first.

    Attributes:
        columns: name → loss of score (mean over shuffles) and half of its spread.
        rows: that were predicted.
        repeats: shuffles of each column.
    """

    columns: dict[str, tuple[float, float]]
    rows: int
    repeats: int


@dataclass(frozen=True)
class Validated:
    """Rows with their truth, and the fold in which each was validated.

    Attributes:
        X: the rows.
        y: (n,) class codes or values.
        folds: (n,) int.
    """

    X: Table
    y: np.ndarray
    folds: np.ndarray

    def at(self, rows: np.ndarray) -> Validated:
        """Return some rows."""
        return Validated(self.X[rows], np.asarray(self.y[rows]), self.folds[rows])


def column_importance(
    artifact: Path, data: Validated, metric: Metric, *, seconds: float, rng: np.random.Generator
) -> ColumnImportance | None:
    """Return the importance of each column for a model of fold members; None where that cannot be said honestly.

    That is: the artifact holds a model trained on all rows, or predicts no tables, or the time admits too few rows.

    Args:
        artifact: the model folder.
        data: the training data.
        metric: what the score is.
        seconds: that this may take, about; with fewer there are fewer shuffles, then fewer rows.
        rng: draws rows and shuffles.

    Raises:
        ModelError: the artifact is missing or altered.
    """
    began = time.monotonic()
    manifest = read_manifest(artifact)
    members = _members_by_fold(manifest)
    rows = np.flatnonzero(np.isin(data.folds, list(members)))
    size = sum(manifest.files[member.file].size_bytes for member in manifest.members)
    is_long = size > 0.5 * seconds * _LOADED_BYTES_PER_SECOND
    if is_long or min(members) < 0 or not isinstance(data.X, Table) or len(rows) < _LEAST_ROWS:
        return None
    folds = {fold: Model(manifest) for fold, manifest in members.items()}
    trial = _Trial(folds, metric, data.at(np.sort(rng.permutation(rows)[:_LEAST_ROWS])))
    cost = trial.seconds_per_row()
    rule: TableRule = next(iter(folds.values())).rule
    passes = (seconds - (time.monotonic() - began)) / len(rule.columns)
    repeats = min(REPEATS, max(1, int(passes / (cost * min(MOST_ROWS, len(rows))))))
    most = min(MOST_ROWS, int(passes / (cost * repeats)))
    if most < _LEAST_ROWS:
        return None
    trial = _Trial(folds, metric, data.at(np.sort(rng.permutation(rows)[:most])))
    return ColumnImportance(_ranked(trial.losses(rule, repeats, rng)), len(trial.sample.y), repeats)


def _members_by_fold(manifest: Manifest) -> dict[int, Manifest]:
    """Return for each fold the manifest of its members alone, their weights summing to 1."""
    folds = [int(entry.get("fold", -1)) for entry in manifest.facts["members"]]
    out = {}
    for fold in sorted(set(folds)):
        members = [member for member, its in zip(manifest.members, folds, strict=True) if its == fold]
        total = math.fsum(member.weight for member in members)
        out[fold] = replace(manifest, members=tuple(replace(m, weight=m.weight / total) for m in members))
    return out


@dataclass(frozen=True)
class _Trial:
    """Models of the folds on some rows, each row predicted by the models of the fold that held it out."""

    models: Mapping[int, Model]
    metric: Metric
    sample: Validated

    def seconds_per_row(self) -> float:
        """Return what one row costs, measured the second time: the first makes room."""
        self.score(self.sample.X)
        began = time.monotonic()
        self.score(self.sample.X)
        return max(1e-9, (time.monotonic() - began) / len(self.sample.y))

    def losses(self, rule: TableRule, repeats: int, rng: np.random.Generator) -> dict[str, list[float]]:
        """Return for each column how much of the score each shuffle of it takes."""
        plain = self.score(self.sample.X)
        out: dict[str, list[float]] = {}
        for column in rule.columns:
            shuffled = (_shuffled(self.sample.X, rule, column, rng) for _ in range(repeats))
            out[column.name] = [self.metric.sign * (plain - self.score(X)) for X in shuffled]
        return out

    def score(self, X: Table) -> float:
        """Return the score of the sample with these values; labels as the artifact decides on them."""
        parts = {fold: np.flatnonzero(self.sample.folds == fold) for fold in self.models}
        scores = {fold: self.models[fold].predict_scores(X[held]) for fold, held in parts.items()}
        out = np.empty((len(X), *next(iter(scores.values())).shape[1:]), np.float32)
        for fold, held in parts.items():
            out[held] = scores[fold]
        if self.metric.needs == "labels":
            out = decided(out, next(iter(self.models.values())).manifest.decision)
        return self.metric.score(self.sample.y, out)


def _shuffled(X: Table, rule: TableRule, column: Column, rng: np.random.Generator) -> Table:
    """Return the table with the values of one column in another order."""
    order = rng.permutation(len(X))
    if column.kind == "text":
        place = rule.texts.index(column)
        return Table(X.numbers, tuple(t[order] if i == place else t for i, t in enumerate(X.texts)))
    place = rule.numbers.index(column)
    numbers = np.array(X.numbers)
    numbers[:, place] = numbers[order, place]
    return Table(numbers, X.texts)


def _ranked(losses: Mapping[str, list[float]]) -> dict[str, tuple[float, float]]:
    means = {name: (float(np.mean(each)), float(np.ptp(each)) / 2) for name, each in losses.items()}
    known = {name: pair for name, pair in means.items() if math.isfinite(pair[0])}
    ordered = sorted(known.items(), key=lambda item: -item[1][0])
    return dict(ordered[:MOST_SHOWN])
