"""Columns that give the target away all by themselves: mostly filled in after the fact, and missing when it counts."""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote
from typing import NamedTuple

import numpy as np

from automl.core.data import Finding
from automl.serving.table import TableRule

_MOST_BINS = 256
_ROWS_PER_BIN = 8
_TOO_GOOD = 0.995
_FEWEST_ROWS = 40
_MOST_CELLS = 4_000_000
"""Rows times columns that are looked at, about a second's work."""
_MOST_CLASSES = 20


class _Half(NamedTuple):
    """Half of the rows: the bins of a column, and values or codes of classes."""

    bins: np.ndarray
    targets: np.ndarray


_Judge = Callable[[_Half, _Half, int], float]
"""Half to learn from, half to be judged by, number of bins → score."""


def leak_findings(rule: TableRule, numbers: np.ndarray, y: np.ndarray) -> list[Finding]:
    """Tell the columns whose binned values alone predict the target on held-out rows.

    Args:
        rule: names the columns.
        numbers: (n, columns) float64, the rows of a sample in random order.
        y: (n,) int64 class codes or float64 values.
    """
    rows = min(len(y), _MOST_CELLS // max(1, numbers.shape[1]))
    if rows < _FEWEST_ROWS:
        return []
    is_number = y.dtype.kind == "f"
    targets = _ranks(y[:rows]) if is_number else _largest_classes(y[:rows])
    measure, judge = ("R² of ranks", _determination) if is_number else ("ROC AUC", _auc)
    findings = []
    for column, values in zip(rule.numbers, numbers[:rows].T, strict=True):
        score = _score(np.asarray(values), targets, judge, is_category=column.kind == "category")
        if score > _TOO_GOOD:
            message = (
                f"column {column.name!r} alone gives the target away ({measure} {score:.4f} on held-out rows); "
                f"if it is known only after the fact, leave it out: --drop {quote(column.name)}"
            )
            findings.append(Finding("leak-suspected", "warning", message))
    return findings


def _ranks(y: np.ndarray) -> np.ndarray:
    """Return the mean rank of each value, so that few large values do not hide what holds for all."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[codes.reshape(-1)], np.float64)


def _largest_classes(y: np.ndarray) -> np.ndarray:
    """Return codes (n,) in which the largest classes come first and the others share the last one."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.minimum(np.arange(len(order)), _MOST_CLASSES)
    return np.asarray(place[codes.reshape(-1)])


def _score(values: np.ndarray, targets: np.ndarray, judge: _Judge, *, is_category: bool) -> float:
    """Return how well bins of one column, learned on one half of the rows, predict the other half, and vice versa."""
    is_first = np.arange(len(targets)) % 2 == 0
    scores = []
    for learned in (is_first, ~is_first):
        bins = _bins(values, learned, is_category=is_category)
        count = int(bins.max()) + 1
        scores.append(judge(_Half(bins[learned], targets[learned]), _Half(bins[~learned], targets[~learned]), count))
    return min(scores)


def _bins(values: np.ndarray, learned: np.ndarray, *, is_category: bool) -> np.ndarray:
    """Return the bin of each value; the last one is for missing values."""
    known = values[learned & ~np.isnan(values)]
    edges = np.unique(known)
    count = max(2, min(_MOST_BINS, len(known) // _ROWS_PER_BIN))
    if len(edges) > count and not is_category:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, count + 1)[1:-1], method="lower"))
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))


def _determination(learned: _Half, held: _Half, count: int) -> float:
    """Return R² of the mean target of each bin."""
    rows = np.bincount(learned.bins, minlength=count)
    sums = np.bincount(learned.bins, weights=learned.targets, minlength=count)
    means = np.divide(sums, rows, out=np.full(count, learned.targets.mean()), where=rows > 0)
    spread = float(((held.targets - held.targets.mean()) ** 2).sum())
    return 1.0 - float(((held.targets - means[held.bins]) ** 2).sum()) / spread if spread > 0 else 0.0


def _auc(learned: _Half, held: _Half, count: int) -> float:
    """Return the lowest ROC AUC, over classes against the rest, of the share of the class in each bin."""
    classes = int(max(learned.targets.max(), held.targets.max())) + 1
    table, truth = (
        np.bincount(half.bins * classes + half.targets, minlength=count * classes).reshape(count, classes)
        for half in (learned, held)
    )
    shares = (table + table.sum(axis=0) / len(learned.bins)) / (table.sum(axis=1, keepdims=True) + 1)
    scores = [_area(shares[:, c], truth[:, c], truth.sum(axis=1)) for c in range(1 if classes == 2 else 0, classes)]
    return min((score for score in scores if score == score), default=0.0)


def _area(scores: np.ndarray, positives: np.ndarray, rows: np.ndarray) -> float:
    """Return the probability that a row of the class is scored above another one, ties counted half; NaN if undefined.

    Args:
        scores: (bins,) of all rows in a bin.
        positives: (bins,) rows of the class.
        rows: (bins,) rows.
    """
    _, ties = np.unique(scores, return_inverse=True)
    above = np.bincount(ties, weights=positives)
    below = np.bincount(ties, weights=rows - positives)
    pairs = above.sum() * below.sum()
    return float(above @ (np.cumsum(below) - below / 2) / pairs) if pairs else float("nan")
