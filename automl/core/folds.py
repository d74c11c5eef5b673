"""Which rows validate which model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DEFAULT_FOLDS = 5
MOST_FOLDS = 100


def fold_count(class_counts: Sequence[int], rows: int, wanted: int | None) -> int:
    """Return the number of folds: as wanted (5 if None), lowered to the rows of the rarest class, at least 2.

    Never fails: a class of one row is in the validation rows of one fold and in the training rows of the others.

    Args:
        class_counts: rows of each class; empty for regression. Classes without rows count for nothing.
        rows: number of rows.
        wanted: number of folds asked for.

    >>> fold_count((3, 500), 503, None)
    3
    """
    rarest = min((c for c in class_counts if c > 0), default=rows)
    return max(2, min(DEFAULT_FOLDS if wanted is None else wanted, rarest, rows, MOST_FOLDS))


def stratified_folds(y: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold in which each row is validated, (n,) int8 in [0, k).

    Rows are sorted by target, in random order among equals, and dealt to the folds in turn, k at a time. So the folds
    differ by at most one row in size and in each class; a continuous target is spread evenly over them.

    Args:
        y: (n,) class codes, or (n,) values.
        k: number of folds, 2 to 100.
        rng: the source of randomness.

    Raises:
        ValueError: k is out of range.
    """
    if not 2 <= k <= MOST_FOLDS:
        raise ValueError(f"k folds lie in [2, {MOST_FOLDS}]. Got {k}")
    shuffled = rng.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    turns = _turns(len(y), k, rng) if y.dtype.kind == "f" else np.arange(len(y)) % k
    folds = np.empty(len(y), dtype=np.int8)
    folds[order] = rng.permutation(k)[turns]
    return folds


def _turns(rows: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Deal each group of k neighbours in an order of its own: a fold that always took the lowest would be biased."""
    groups = -(-rows // k)
    return rng.permuted(np.tile(np.arange(k), (groups, 1)), axis=1).ravel()[:rows]
