"""Weights of classes that turn probabilities into the labels a metric rewards; for two classes, a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from automl.core.metrics import Metric

MOST_CLASSES = 30
"""With more classes each one's own weight costs more time, and follows more noise, than it brings."""
_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
"""Weights that are powers of 1/prior; 1 is right for balanced accuracy where probabilities are true."""
_TRIED = 101
_SMOOTH = 5
_SWEEPS = 3
_FURTHEST = 12.0
"""How far, in logarithms, a weight may be from 1."""


@dataclass(frozen=True)
class Decision:
    """The label of a row is the greatest of probability times weight.

    Attributes:
        weights: one for each class, above 0; their logarithms have the mean 0.
    """

    weights: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as a manifest has it."""
        return {"weights": list(self.weights)}


def fit_prior_decision(scores: np.ndarray, y: np.ndarray, metric: Metric) -> Decision:
    """Return the power of 1/prior that scores best as weights; 0, no weights, among equals.

    One number for all classes: it follows no noise where there are many of them.

    Args:
        scores: (n, classes) probabilities of rows that the model did not learn from.
        y: (n,) class codes.
        metric: one that reads labels.
    """
    prior = np.maximum(np.bincount(y, minlength=scores.shape[1]), 1.0) / len(y)
    tried = [prior**-power for power in _POWERS]
    found = [metric.sign * metric.score(y, scores * weights) for weights in tried]
    return _decision(np.log(tried[int(np.argmax(found))]))


def fit_decision(scores: np.ndarray, y: np.ndarray, metric: Metric) -> Decision:
    """Return weights found class by class, the others held, from the best power of 1/prior on.

    Each class's weight is set where the metric, smoothed over neighbouring weights, is best; all weights at which
    labels change are looked at in one pass over the rows. For two classes that is the search for a threshold.

    Args:
        scores: (n, classes) probabilities of rows that the model did not learn from.
        y: (n,) class codes.
        metric: one that reads labels.
    """
    logs = np.log(np.asarray(fit_prior_decision(scores, y, metric).weights))
    own = np.log(np.maximum(scores.astype(np.float64), np.finfo(np.float64).tiny))
    classes = [1] if len(logs) == 2 else np.flatnonzero(np.bincount(y, minlength=len(logs))).tolist()
    for _ in range(1 if len(logs) == 2 else _SWEEPS):
        before = logs.copy()
        for code in classes:
            logs[code] = _best_weight(own, y, logs=logs, code=code, metric=metric)
        if np.allclose(before, logs):
            break
    return _decision(logs)


def _decision(logs: np.ndarray) -> Decision:
    return Decision(tuple(np.exp(np.clip(logs - logs.mean(), -_FURTHEST, _FURTHEST)).tolist()))


def _best_weight(own: np.ndarray, y: np.ndarray, *, logs: np.ndarray, code: int, metric: Metric) -> float:
    """Return the logarithm of a class's weight with which the metric is best; the present one among equals."""
    weighted = own + logs
    weighted[:, code] = -np.inf
    rival = weighted.argmax(axis=1)
    switch = weighted[np.arange(len(y)), rival] - own[:, code]
    near = switch[np.abs(switch) <= _FURTHEST]
    if not len(near):
        return float(logs[code])
    tried = np.unique(np.append(np.quantile(near, np.linspace(0.0, 1.0, _TRIED)) + 1e-9, logs[code]))
    found = _scores_at(_Switches(y, rival, switch, code, own.shape[1]), tried, metric)
    best = int(_smoothed(found).argmax())
    present = int(np.searchsorted(tried, logs[code]))
    return float(tried[best] if found[best] > found[present] else tried[present])


class _Switches(NamedTuple):
    """Each row's label is `rival` until the logarithm of the class's weight is above `switch`."""

    y: np.ndarray
    rival: np.ndarray
    switch: np.ndarray
    code: int
    classes: int


def _scores_at(rows: _Switches, tried: np.ndarray, metric: Metric) -> np.ndarray:
    """Return the score at each weight that is tried, (m,), greater being better."""
    m, k = len(tried), rows.classes
    since = np.searchsorted(tried, rows.switch, side="right")
    place, is_right = since * k + rows.rival, rows.rival == rows.y
    left = np.bincount(place, minlength=(m + 1) * k).reshape(m + 1, k)
    left_right = np.bincount(place[is_right], minlength=(m + 1) * k).reshape(m + 1, k)
    labelled = left.sum(axis=0) - np.cumsum(left, axis=0)[:m]
    right = left_right.sum(axis=0) - np.cumsum(left_right, axis=0)[:m]
    labelled[:, rows.code] = np.cumsum(np.bincount(since, minlength=m + 1))[:m]
    right[:, rows.code] = np.cumsum(np.bincount(since[rows.y == rows.code], minlength=m + 1))[:m]
    return _score_of(metric.name, right, labelled, np.bincount(rows.y, minlength=k))


def _score_of(name: str, right: np.ndarray, labelled: np.ndarray, support: np.ndarray) -> np.ndarray:
    """Return a metric of labels from (m, classes) rightly labelled and labelled rows and (classes,) true ones."""
    if name == "accuracy":
        return np.asarray(right.sum(axis=1) / support.sum())
    if name == "balanced_accuracy":
        present = support > 0
        return np.asarray((right[:, present] / support[present]).mean(axis=1))
    both = labelled + support
    f1 = np.divide(2 * right, both, out=np.full(both.shape, np.nan), where=both > 0)
    return np.asarray(np.nan_to_num(f1[:, 1]) if name == "f1" else np.nanmean(f1, axis=1))


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Return the mean over neighbours, so that a lucky peak of a few rows does not win."""
    padded = np.pad(values, _SMOOTH // 2, mode="edge")
    return np.convolve(padded, np.full(_SMOOTH, 1 / _SMOOTH), mode="valid")
