"""What a model of a table learns towards: weights of classes and rows, and targets brought to a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from automl.core.metrics import Metric
from automl.core.protocols import Context, DataSource

if TYPE_CHECKING:
    from automl.candidates.graphs.onnx_values import Inverse

ClassWeighting = Literal["none", "balanced", "sqrt"]
TargetChoice = Literal["none", "log"]
TargetShape = Literal["none", "log1p", "arcsinh"]

_MARGIN = 0.1  # of the range of the training targets, by which predictions may leave it
_LEAST_SPREAD = 1e-12  # relative to the mean; a target below it is a constant


def class_weights(y: np.ndarray, classes: int, how: ClassWeighting) -> np.ndarray:
    """Return the weight of each class, (classes,), such that the mean over these rows is 1; 0 for absent classes.

    Args:
        y: (n,) class codes.
        classes: number of classes.
        how: none: all alike; balanced: every class weighs as much as every other, as in
            https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html;
            sqrt: by the root of that, half way on a logarithmic scale.

    >>> class_weights(np.array([0, 0, 0, 1]), 2, "balanced").tolist()
    [0.6666666666666666, 2.0]
    """
    counts = np.bincount(y, minlength=classes).astype(np.float64)
    power = {"none": 0.0, "balanced": 1.0, "sqrt": 0.5}[how]
    raw = np.where(counts > 0, np.maximum(counts, 1) ** -power, 0.0)
    return np.asarray(raw * len(y) / max(1.0, float(raw @ counts)) if power else (counts > 0).astype(np.float64))


def row_weights(data: DataSource, rows: np.ndarray, classes: int, how: ClassWeighting) -> np.ndarray | None:
    """Return the weight of each of these rows in training, float64 with mean 1; None where all count alike.

    Args:
        data: for the targets and the weights of rows, by which those of classes are multiplied.
        rows: row numbers (n,).
        classes: number of classes; 0 for regression, where only the weights of rows count.
        how: as `class_weights`.
    """
    if data.weights is None and (how == "none" or not classes):
        return None
    weights = np.ones(len(rows)) if data.weights is None else np.asarray(data.weights[rows], np.float64)
    if classes and how != "none":
        codes = np.asarray(data.y[rows])
        weights = weights * class_weights(codes, classes, how)[codes]
    mean = weights.mean() if len(weights) else 0.0
    return np.asarray(weights / mean) if mean > 0 else np.ones(len(rows))


def prior(data: DataSource, ctx: Context) -> np.ndarray:
    """Return the best constant answer of the training rows: (classes,) shares, or (1,) the mean or the median.

    The median is what lowers the metric mae, the mean of log(1 + y) rmsle, the mean all others; rows are weighted.
    """
    y, rows = np.asarray(data.y[ctx.train_rows]), row_weights(data, ctx.train_rows, 0, "none")
    weights = np.ones(len(y)) if rows is None else rows
    if ctx.classes:
        counts = np.bincount(y, weights, minlength=ctx.classes)
        return np.asarray(counts / counts.sum())
    if ctx.metric.name == "mae":
        order = np.argsort(y, kind="stable")
        middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
        return np.asarray(y[order[[min(int(middle), len(y) - 1)]]], np.float64)
    if ctx.metric.name == "rmsle" and y.min() > -1:
        return np.expm1([np.average(np.log1p(y), weights=weights)])
    return np.array([np.average(y, weights=weights)])


def target_choice(chosen: TargetChoice, metric: Metric) -> TargetChoice:
    """Return how to transform a target: as chosen, but "log" for rmsle, which is the rmse of log(1 + y)."""
    return "log" if metric.name == "rmsle" else chosen


@dataclass(frozen=True)
class TargetScale:
    """The way of a target to mean 0 and spread 1 and back, learned on training rows.

    Attributes:
        kind: none: only shifted and scaled; log1p: log(1 + y) first; arcsinh: arcsinh(y / spread) first.
        mean, std: of the transformed target.
        spread: median absolute deviation of y, the unit of arcsinh; 1 otherwise.
        low, high: what comes back is clipped to: the range of the training targets, a tenth wider on both sides; a
            target that was never negative stays so.
    """

    kind: TargetShape
    mean: float
    std: float
    spread: float
    low: float
    high: float

    @classmethod
    def fit(cls, y: np.ndarray, how: TargetChoice) -> TargetScale:
        """Learn the scale of targets (n,), n > 0.

        Args:
            y: of the training rows.
            how: none, or log: log(1 + y) where no y is negative, so that rmse there is rmsle here; else arcsinh, which
                is logarithmic to both sides and linear around 0.
        """
        low, high = float(y.min()), float(y.max())
        kind: TargetShape = "none" if how == "none" else ("log1p" if low >= 0 else "arcsinh")
        spread = _spread(y) if kind == "arcsinh" else 1.0
        moved = _transformed(y, kind, spread)
        mean, std = float(moved.mean()), float(moved.std())
        margin = _MARGIN * (high - low)
        lowest = max(0.0, low - margin) if low >= 0 else low - margin
        return cls(kind, mean, std if std > _LEAST_SPREAD * abs(mean) else 1.0, spread, lowest, high + margin)

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Return targets (n,) as a model learns them, float64."""
        return np.asarray((_transformed(y, self.kind, self.spread) - self.mean) / self.std)

    def inverse(self, t: np.ndarray) -> np.ndarray:
        """Return what a model predicts, (n,), in the target's own unit, float64."""
        u = np.asarray(t, np.float64) * self.std + self.mean
        with np.errstate(over="ignore"):  # what overflows is clipped
            return np.asarray(np.clip(_undone(u, self.kind, self.spread), self.low, self.high))

    def inverse_node_values(self) -> Inverse:
        """Return the way back as `automl.candidates.graphs.onnx_values.append_inverse` writes it into a graph."""
        from automl.candidates.graphs.onnx_values import Inverse

        return Inverse(self.kind, self.mean, self.std, self.spread, self.low, self.high)


def _transformed(y: np.ndarray, kind: TargetShape, spread: float) -> np.ndarray:
    values = np.asarray(y, np.float64)
    if kind == "log1p":
        return np.log1p(np.maximum(values, 0))
    return np.arcsinh(values / spread) if kind == "arcsinh" else values


def _undone(u: np.ndarray, kind: TargetShape, spread: float) -> np.ndarray:
    if kind == "log1p":
        return np.asarray(np.expm1(u))
    return np.asarray(np.sinh(u) * spread) if kind == "arcsinh" else u


def _spread(y: np.ndarray) -> float:
    """Return the median absolute deviation, or the standard deviation where more than half the values are equal."""
    return float(np.median(np.abs(y - np.median(y)))) or float(np.std(y)) or 1.0
