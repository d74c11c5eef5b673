"""Metrics by scikit-learn's names and definitions, in their own sign and unit, quick enough to be resampled.

A metric is first prepared on (y, predicted): sorted once, turned into per-row values once. What comes back takes row
weights, so that a bootstrap sample is a vector of counts and costs one pass without a copy of any row. Weights of the
user's rows are for training alone: every row counts alike in every score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, NamedTuple

import numpy as np

from automl.errors import UserError

Needs = Literal["labels", "probabilities", "values"]
Scorer = Callable[[np.ndarray], float]
"""Takes row weights (n,), gives the score; NaN where the weighted rows do not define it."""

_LOWEST_LOGGED = 1e-6
"""`rmsle` takes a prediction at or below -1 as this much above it: a heavy loss rather than the end of a trial."""


class RowValues(NamedTuple):
    """A metric that is a function of a weighted mean of per-row values.

    Attributes:
        values: (n,) float64.
        finish: what turns the mean into the score, such as the square root.
    """

    values: np.ndarray
    finish: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Metric:
    """How good predictions are.

    Attributes:
        name: as on the command line.
        greater_is_better: the direction.
        needs: what is read of the predictions: the likeliest class, the probabilities, or values.
        optimum: the score of perfect predictions.
    """

    name: str
    greater_is_better: bool
    needs: Needs
    optimum: float

    @property
    def sign(self) -> float:
        """Return 1 where greater is better, else -1: the factor that makes greater better."""
        return 1.0 if self.greater_is_better else -1.0

    def is_better(self, score: float, other: float) -> bool:
        """Whether score is strictly better than other."""
        return score > other if self.greater_is_better else score < other

    def bounded(self, score: float) -> float:
        """Return the score, or the end of what this metric can be where it lies beyond.

        >>> metric("accuracy").bounded(1.2), metric("rmse").bounded(-0.1)
        (1.0, 0.0)
        """
        if not self.greater_is_better:
            return max(self.optimum, score)
        return min(self.optimum, score if self.needs == "values" else max(0.0, score))

    def score(self, y: np.ndarray, predicted: np.ndarray) -> float:
        """Return the score.

        Args:
            y: (n,) class codes, or (n,) values.
            predicted: (n, classes) probabilities in the order of the codes, or (n,) values; float32 or float64.

        Raises:
            UserError: the metric is not defined for this target.
        """
        return self.scorer(y, predicted)(np.ones(len(y)))

    def scorer(self, y: np.ndarray, predicted: np.ndarray) -> Scorer:
        """Return the score as a function of row weights (n,); arguments as `score`.

        Raises:
            UserError: the metric is not defined for this target.
        """
        _check_shapes(self, y, predicted)
        rows = self.row_values(y, predicted)
        return _SCORERS[self.name](y, predicted) if rows is None else _mean_scorer(rows)

    def row_values(self, y: np.ndarray, predicted: np.ndarray) -> RowValues | None:
        """Return the per-row values whose mean decides this metric, or None if it is not such a metric."""
        return _ROW_VALUES[self.name](y, predicted) if self.name in _ROW_VALUES else None

    def resampled(self, y: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the score of each bootstrap sample.

        Args:
            y: as `score`.
            predicted: as `score`.
            counts: (B, n), how often each sample holds each row; other non-negative weights do too.

        Returns:
            (B,) float64, NaN where a sample does not define the metric.
        """
        _check_shapes(self, y, predicted)
        rows = self.row_values(y, predicted)
        if rows is None:
            weigh = _SCORERS[self.name](y, predicted)
            return np.array([weigh(c) for c in counts], dtype=np.float64)
        totals = counts.sum(axis=1, dtype=np.float64)
        sums = np.array([c @ rows.values for c in counts], dtype=np.float64)
        means = np.divide(sums, totals, out=np.full(len(sums), np.nan), where=totals > 0)
        return np.asarray(rows.finish(means))


def metric(name: str) -> Metric:
    """Return the metric of this name.

    Raises:
        UserError: no metric has this name.

    >>> metric("rmse").greater_is_better
    False
    """
    if name not in METRICS:
        near = get_close_matches(name, METRICS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UserError(f"metric: {name!r} is not a metric.{hint} Known: {' '.join(METRICS)}.")
    return METRICS[name]


def labels(predicted: np.ndarray) -> np.ndarray:
    """Return the likeliest class of each row of (n, classes) probabilities; the lowest code among equals."""
    return np.asarray(predicted.argmax(axis=1))


def _check_shapes(which: Metric, y: np.ndarray, predicted: np.ndarray) -> None:
    wanted = 1 if which.needs == "values" else 2
    if predicted.ndim != wanted or len(predicted) != len(y):
        shape = "(rows,)" if wanted == 1 else "(rows, classes)"
        raise UserError(
            f"{which.name}: predictions have the shape {shape} with {len(y)} rows. Got {predicted.shape}. "
            f"Choose a metric for this target."
        )
    if which.name == "f1" and predicted.shape[1] != 2:
        raise UserError(f"f1 is for two classes. Got {predicted.shape[1]}. Use macro_f1.")


def _same(mean: np.ndarray) -> np.ndarray:
    return mean


def _mean_scorer(rows: RowValues) -> Scorer:
    def _weigh(weights: np.ndarray) -> float:
        total = float(weights.sum(dtype=np.float64))
        return float("nan") if total == 0 else float(rows.finish(np.asarray(weights @ rows.values / total)))

    return _weigh


def _hits(y: np.ndarray, predicted: np.ndarray) -> RowValues:
    return RowValues((labels(predicted) == y).astype(np.float64), _same)


def _surprise(y: np.ndarray, predicted: np.ndarray) -> RowValues:
    """Clip as scikit-learn does: by the precision of the type the probabilities come in."""
    eps = np.finfo(predicted.dtype).eps if predicted.dtype.kind == "f" else np.finfo(np.float64).eps
    truth = np.clip(predicted[np.arange(len(y)), y], eps, 1 - eps)
    return RowValues(-np.log(truth.astype(np.float64)), _same)


def _difference(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return np.asarray(y.astype(np.float64) - predicted.astype(np.float64))


def _squared(y: np.ndarray, predicted: np.ndarray) -> RowValues:
    return RowValues(_difference(y, predicted) ** 2, np.sqrt)


def _absolute(y: np.ndarray, predicted: np.ndarray) -> RowValues:
    return RowValues(np.abs(_difference(y, predicted)), _same)


def _squared_log(y: np.ndarray, predicted: np.ndarray) -> RowValues:
    if len(y) and float(y.min()) <= -1:
        raise UserError(f"rmsle: targets must be above -1. Got {float(y.min())}. Use rmse.")
    lifted = np.maximum(predicted.astype(np.float64), _LOWEST_LOGGED - 1)
    return RowValues((np.log1p(y.astype(np.float64)) - np.log1p(lifted)) ** 2, np.sqrt)


def _determination(y: np.ndarray, predicted: np.ndarray) -> Scorer:
    truth = y.astype(np.float64)
    squared = _difference(y, predicted) ** 2

    def _weigh(weights: np.ndarray) -> float:
        total = float(weights.sum(dtype=np.float64))
        if total == 0:
            return float("nan")
        residual = float(weights @ squared)
        spread = float(weights @ (truth - weights @ truth / total) ** 2)
        if spread == 0:
            return 1.0 if residual == 0 else 0.0
        return 1.0 - residual / spread

    return _weigh


def _confusion(y: np.ndarray, predicted: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return weights (n,) → (classes, classes) weighted counts, truth by row."""
    k = predicted.shape[1]
    cell = y.astype(np.int64) * k + labels(predicted)

    def _weigh(weights: np.ndarray) -> np.ndarray:
        return np.asarray(np.bincount(cell, weights=weights, minlength=k * k).reshape(k, k))

    return _weigh


def _recall_mean(y: np.ndarray, predicted: np.ndarray) -> Scorer:
    confusion = _confusion(y, predicted)

    def _weigh(weights: np.ndarray) -> float:
        table = confusion(weights)
        support = table.sum(axis=1)
        present = support > 0
        return float(np.mean(table.diagonal()[present] / support[present])) if present.any() else float("nan")

    return _weigh


def _f1_scores(table: np.ndarray) -> np.ndarray:
    """Return F1 of each class; NaN where a class is neither true nor predicted."""
    both = table.sum(axis=0) + table.sum(axis=1)
    return np.asarray(np.divide(2 * table.diagonal(), both, out=np.full(len(table), np.nan), where=both > 0))


def _f1_mean(y: np.ndarray, predicted: np.ndarray) -> Scorer:
    confusion = _confusion(y, predicted)

    def _weigh(weights: np.ndarray) -> float:
        scores = _f1_scores(confusion(weights))
        seen = ~np.isnan(scores)
        return float(scores[seen].mean()) if seen.any() else float("nan")

    return _weigh


def _f1_positive(y: np.ndarray, predicted: np.ndarray) -> Scorer:
    confusion = _confusion(y, predicted)

    def _weigh(weights: np.ndarray) -> float:
        score = float(_f1_scores(confusion(weights))[1])
        return 0.0 if np.isnan(score) and weights.any() else score

    return _weigh


def falling(scores: np.ndarray) -> np.ndarray:
    """Return the order of falling scores, (n,); equal ones in the order of their rows.

    Single-precision scores without NaN are sorted as whole numbers that end in the row: sorting numbers is four times
    quicker than sorting places, and ranking metrics do little else.

    >>> falling(np.float32([0.1, 0.7, 0.7])).tolist()
    [1, 2, 0]
    """
    if scores.dtype != np.float32 or np.isnan(scores).any():
        return np.argsort(-scores, kind="stable")
    bits = (scores + np.float32(0)).view(np.uint32)  # adding 0 makes one zero of both
    rising = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    keys = (~rising).astype(np.uint64) << np.uint64(32) | np.arange(len(scores), dtype=np.uint64)
    return np.asarray((np.sort(keys) & np.uint64(0xFFFFFFFF)).astype(np.int64))


class _Ranking:
    """The rows of one class against the rest, sorted once by falling score, equal scores in one group."""

    def __init__(self, positive: np.ndarray, scores: np.ndarray) -> None:
        self._order = falling(scores)
        ordered = scores[self._order]
        self._positive = positive[self._order].astype(np.float64)
        starts = np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)
        self._starts = None if len(starts) == len(ordered) else starts

    def steps(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the positives and the rows of each distinct score, weighted, the highest first."""
        rows = weights[self._order].astype(np.float64)
        positives = rows * self._positive
        if self._starts is None:
            return positives, rows
        return np.add.reduceat(positives, self._starts), np.add.reduceat(rows, self._starts)

    def roc_auc(self, weights: np.ndarray) -> float:
        """Return the probability that a positive row stands above a negative one, ties counted half."""
        positives, rows = self.steps(weights)
        negatives, above = rows - positives, np.cumsum(positives)
        if above[-1] <= 0 or (total := float(negatives.sum())) <= 0:
            return float("nan")
        return float(negatives @ (above - positives / 2) / (above[-1] * total))

    def average_precision(self, weights: np.ndarray) -> float:
        """Return the mean over positives of the precision at their score."""
        positives, rows = self.steps(weights)
        above, seen = np.cumsum(positives), np.cumsum(rows)
        if above[-1] <= 0:
            return float("nan")
        precision = np.divide(above, seen, out=np.zeros_like(above), where=seen > 0)
        return float(positives @ precision / above[-1])


def _rankings(y: np.ndarray, predicted: np.ndarray) -> list[_Ranking]:
    """Return one ranking of the second of two classes, else one per class that is present."""
    codes = [1] if predicted.shape[1] == 2 else np.flatnonzero(np.bincount(y, minlength=predicted.shape[1])).tolist()
    return [_Ranking(y == c, predicted[:, c]) for c in codes]


def _ranking_mean(curve_score: Callable[[_Ranking, np.ndarray], float]) -> Callable[[np.ndarray, np.ndarray], Scorer]:
    def _prepare(y: np.ndarray, predicted: np.ndarray) -> Scorer:
        if len(y) == 0:
            return lambda weights: float("nan")
        rankings = _rankings(y, predicted)

        def _weigh(weights: np.ndarray) -> float:
            scores = [s for s in (curve_score(r, weights) for r in rankings) if s == s]
            return float(np.mean(scores)) if scores else float("nan")

        return _weigh

    return _prepare


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("accuracy", True, "labels", 1.0),
        Metric("balanced_accuracy", True, "labels", 1.0),
        Metric("macro_f1", True, "labels", 1.0),
        Metric("f1", True, "labels", 1.0),
        Metric("roc_auc", True, "probabilities", 1.0),
        Metric("average_precision", True, "probabilities", 1.0),
        Metric("log_loss", False, "probabilities", 0.0),
        Metric("rmse", False, "values", 0.0),
        Metric("mae", False, "values", 0.0),
        Metric("r2", True, "values", 1.0),
        Metric("rmsle", False, "values", 0.0),
    )
}
"""Name → metric. Classes that are absent from y are left out of means over classes; `roc_auc` and
`average_precision` of two classes are of the second, of more the mean of one against the rest."""

_ROW_VALUES: dict[str, Callable[[np.ndarray, np.ndarray], RowValues]] = {
    "accuracy": _hits, "log_loss": _surprise, "rmse": _squared, "mae": _absolute, "rmsle": _squared_log,
}  # fmt: skip
_SCORERS: dict[str, Callable[[np.ndarray, np.ndarray], Scorer]] = {
    "balanced_accuracy": _recall_mean, "macro_f1": _f1_mean, "f1": _f1_positive, "r2": _determination,
    "roc_auc": _ranking_mean(_Ranking.roc_auc), "average_precision": _ranking_mean(_Ranking.average_precision),
}  # fmt: skip
