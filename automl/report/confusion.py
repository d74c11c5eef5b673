"""Which classes are taken for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MOST_CLASSES = 24


class Mistake(NamedTuple):
    """How often one class was taken for another; rows is how many there are of the true one."""

    truth: str
    predicted: str
    times: int
    rows: int


@dataclass(frozen=True)
class Confusion:
    """Counts of (true class, predicted class).

    Attributes:
        classes: those shown, in the order of their codes.
        counts: (classes, classes), truth by row.
        left_out: classes not shown: those with the fewest mistakes.
        mistakes: the most frequent, over all classes.
        rows: that were predicted.
    """

    classes: tuple[str, ...]
    counts: np.ndarray
    left_out: int
    mistakes: tuple[Mistake, ...]
    rows: int


def confusion(y: np.ndarray, scores: np.ndarray, classes: tuple[str, ...], most: int = MOST_CLASSES) -> Confusion:
    """Count true against predicted classes on the rows that have a prediction.

    Args:
        y: (n,) class codes.
        scores: (n, classes); rows with NaN are left out.
        classes: labels in the order of the codes.
        most: classes to show.
    """
    known = np.isfinite(scores).all(axis=1)
    truth, predicted = y[known].astype(np.int64), scores[known].argmax(axis=1)
    k = len(classes)
    counts = np.bincount(truth * k + predicted, minlength=k * k).reshape(k, k)
    wrong = counts - np.diag(counts.diagonal())
    trouble = wrong.sum(axis=0) + wrong.sum(axis=1)
    shown = np.sort(np.argsort(-trouble, kind="stable")[:most])
    return Confusion(
        classes=tuple(classes[i] for i in shown),
        counts=counts[np.ix_(shown, shown)],
        left_out=k - len(shown),
        mistakes=_mistakes(wrong, counts.sum(axis=1), classes),
        rows=int(known.sum()),
    )


def _mistakes(wrong: np.ndarray, rows: np.ndarray, classes: tuple[str, ...], most: int = 5) -> tuple[Mistake, ...]:
    k = len(classes)
    order = np.argsort(-wrong.ravel(), kind="stable")[:most]
    return tuple(
        Mistake(classes[cell // k], classes[cell % k], int(wrong.flat[cell]), int(rows[cell // k]))
        for cell in order.tolist()
        if wrong.flat[cell] > 0
    )
