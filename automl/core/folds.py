"""Which rows validate which model, and which rows of a model's own are held out while it learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.core.data import Split
from automl.core.protocols import Holdout

DEFAULT_FOLDS = 5
MOST_FOLDS = 100
NEVER = -1
"""The fold of rows that are never validated: the first block in time."""
MOST_GREEDY = 20_000
"""Groups placed one by one, the largest; smaller ones are so many that dealing them out is as even, and quicker."""
_TARGET_BINS = 10


def fold_count(class_counts: Sequence[int], rows: int, wanted: int | None, *, least: int = 2) -> int:
    """Return the number of folds: as wanted (5 if None), lowered to the rows of the rarest class, at least 2.

    Never fails: a class of one row is in the validation rows of one fold and in the training rows of the others.

    Args:
        class_counts: rows of each class; empty for regression. Classes without rows count for nothing.
        rows: number of rows.
        wanted: number of folds asked for.
        least: a rare class lowers the number to no less than this.

    >>> fold_count((3, 500), 503, None)
    3
    """
    rarest = max(least, min((c for c in class_counts if c > 0), default=rows))
    return max(2, min(DEFAULT_FOLDS if wanted is None else wanted, rarest, rows, MOST_FOLDS))


def most_folds(split: Split, groups: np.ndarray | None) -> int:
    """Return how many folds the groups or times of the rows allow.

    Args:
        split: how folds are made.
        groups: (n,) as `DataSource.groups`.
    """
    if split == "stratified" or groups is None:
        return MOST_FOLDS
    return len(np.unique(groups)) - (split == "time")


def make_folds(
    y: np.ndarray, k: int, rng: np.random.Generator, *, split: Split = "stratified", groups: np.ndarray | None = None
) -> np.ndarray:
    """Return the fold in which each row is validated, (n,) int8 in [0, k), or `NEVER`.

    Stratified: folds differ by at most one row in size and in each class. Group: groups stay whole, sizes and classes
    are as even as a greedy search makes them. Time: blocks of equal size in order of time, the first of which is
    never validated; rows of the same time stay together.

    Args:
        y: (n,) class codes, or (n,) values.
        k: number of folds, 2 to 100; lowered to what groups or times allow.
        rng: the source of randomness; time needs none.
        split: how folds are made.
        groups: (n,) group codes or ranks in time; None where split is "stratified".

    Raises:
        ValueError: k is out of range, or the groups or times are too few for any fold.
    """
    if split == "stratified":
        return stratified_folds(y, k, rng)
    if groups is None or most_folds(split, groups) < 1 + (split == "group"):
        found = "none" if groups is None else f"{len(np.unique(groups))}"
        raise ValueError(f"folds by {split} need at least two values of {split}. Got {found}")
    k = min(_checked(k), most_folds(split, groups))
    return _time_folds(groups, k) if split == "time" else _group_folds(y, groups, k, rng)


def train_rows(folds: np.ndarray, fold: int, split: Split = "stratified") -> np.ndarray:
    """Return the numbers of the rows that a fold's model learns from: all others, or in time the earlier ones."""
    return np.flatnonzero(folds < fold if split == "time" else folds != fold)


def valid_rows(folds: np.ndarray, fold: int) -> np.ndarray:
    """Return the numbers of the rows that a fold's model is validated on."""
    return np.flatnonzero(folds == fold)


def refit_growth(k: int, split: Split) -> float:
    """Return how many times the rows of the mean fold's model all rows are.

    >>> refit_growth(5, "stratified"), refit_growth(5, "time")
    (1.25, 2.0)
    """
    return 2.0 if split == "time" else k / (k - 1)


def holdout(
    rows: np.ndarray,
    y: np.ndarray,
    *,
    split: Split,
    groups: np.ndarray | None,
    share: float,
    most: int,
    rng: np.random.Generator,
) -> Holdout:
    """Split the training rows of one model in two, by the rule of the folds; neither part is empty if avoidable.

    Stratified: as even in classes or values as can be; every class keeps a row to learn from. Group: whole groups,
    at random. Time: the latest rows. Where there is but one group or one time, rows are split at random.

    Args:
        rows: numbers of the training rows.
        y: targets of all rows of the data.
        split: how folds are made.
        groups: of all rows of the data, as `DataSource.groups`.
        share: of the rows that are held out, in (0, 1).
        most: rows held out at most.
        rng: the source of randomness.

    Raises:
        ValueError: share or most is out of range.
    """
    if not 0 < share < 1 or most < 1:
        raise ValueError(f"a share in (0, 1) of at most 1 or more rows is held out. Got {share}, {most}")
    wanted = min(most, max(1, round(share * len(rows))), max(1, len(rows) - 1))
    own = None if groups is None or split == "stratified" else np.asarray(groups[rows])
    if own is None or len(np.unique(own)) < 2:
        return _parts(rows, _stratified_part(np.asarray(y[rows]), wanted, rng))
    if split == "time":
        return _parts(rows, _latest_part(own, wanted))
    is_held = _group_part(own, np.asarray(y[rows]), wanted, rng)
    held = np.flatnonzero(is_held)
    kept = held if len(held) <= most else np.sort(rng.choice(held, size=most, replace=False))
    return Holdout(rows[~is_held], rows[kept])


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
    _checked(k)
    shuffled = rng.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    turns = _turns(len(y), k, rng) if y.dtype.kind == "f" else np.arange(len(y)) % k
    folds = np.empty(len(y), dtype=np.int8)
    folds[order] = rng.permutation(k)[turns]
    return folds


def _checked(k: int) -> int:
    if not 2 <= k <= MOST_FOLDS:
        raise ValueError(f"k folds lie in [2, {MOST_FOLDS}]. Got {k}")
    return k


def _turns(rows: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Deal each group of k neighbours in an order of its own: a fold that always took the lowest would be biased."""
    groups = -(-rows // k)
    return rng.permuted(np.tile(np.arange(k), (groups, 1)), axis=1).ravel()[:rows]


def _group_folds(y: np.ndarray, groups: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Place whole groups, the largest first, each in the fold that has the least of what it brings.

    The sum over folds of squared shares of each class, and of all rows, grows least by that. Source: the greedy of
    scikit-learn's StratifiedGroupKFold, with squares for standard deviations; what is weighed is the same.
    """
    codes, counts = _target_counts(y, groups)
    shares = counts / counts.sum(axis=0)
    shuffled = rng.permutation(len(shares))
    order = shuffled[np.argsort(-counts[shuffled, -1], kind="stable")]
    place = np.empty(len(shares), dtype=np.int8)
    filled = np.zeros((k, shares.shape[1]))
    for group in order[:MOST_GREEDY].tolist():
        fold = int((filled @ shares[group]).argmin())
        filled[fold] += shares[group]
        place[group] = fold
    rest = order[MOST_GREEDY:]
    kinds = counts[rest, :-1].argmax(axis=1)
    place[rest[np.lexsort((np.arange(len(rest)), counts[rest, -1], kinds))]] = np.arange(len(rest)) % k
    return np.asarray(rng.permutation(k).astype(np.int8)[place][codes])


def _target_counts(y: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's group from 0, and (groups, classes + 1): rows of each class or tenth of values, and in all."""
    _, codes = np.unique(groups, return_inverse=True)
    kinds = y
    if y.dtype.kind == "f":
        kinds = np.searchsorted(np.quantile(y, np.arange(1, _TARGET_BINS) / _TARGET_BINS), y)
    _, kinds = np.unique(kinds, return_inverse=True)
    number, classes = int(codes.max()) + 1, int(kinds.max()) + 1
    counts = np.bincount(codes * classes + kinds, minlength=number * classes).reshape(number, classes)
    return codes, np.column_stack([counts, counts.sum(axis=1)])


def _time_folds(groups: np.ndarray, k: int) -> np.ndarray:
    """Cut the order of time in k + 1 blocks, as equal as rows of the same time allow; none is empty."""
    times, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    borders: list[int] = []
    for block in range(1, k + 1):
        nearest = int(np.abs(ends - len(groups) * block / (k + 1)).argmin()) + 1
        least = borders[-1] + 1 if borders else 1
        borders.append(min(max(nearest, least), len(times) - (k + 1 - block)))
    return np.asarray(np.searchsorted(borders, codes, side="right") + NEVER, dtype=np.int8)


def _parts(rows: np.ndarray, is_held: np.ndarray) -> Holdout:
    return Holdout(rows[~is_held], rows[is_held])


def _stratified_part(y: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Return which rows are held out: every so many-th in order of the target; of each class one row stays."""
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    steps = (np.arange(wanted) + rng.random()) * len(y) / wanted
    is_held = np.zeros(len(y), dtype=bool)
    is_held[order[np.minimum(steps.astype(np.int64), len(y) - 1)]] = True
    if y.dtype.kind == "f" or len(y) < 2:
        return is_held
    first = order[np.flatnonzero(np.diff(y[order], prepend=y[order[0]] - 1))]
    is_lost = np.bincount(y, weights=~is_held)[y[first]] == 0
    if is_held.sum() > is_lost.sum():
        is_held[first[is_lost]] = False
    return is_held


def _latest_part(times: np.ndarray, wanted: int) -> np.ndarray:
    """Return which rows are held out: the latest, rows of the same time together, as near to wanted as can be."""
    known, counts = np.unique(times, return_counts=True)
    after = np.cumsum(counts[::-1])[::-1][1:]
    border = known[1:][int(np.abs(after - wanted).argmin())]
    return np.asarray(times >= border)


def _group_part(groups: np.ndarray, y: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Return which rows are held out: whole groups in random order, as long as they do not overshoot by half."""
    codes, counts = _target_counts(y, groups)
    sizes, left = counts[:, -1], counts[:, :-1].sum(axis=0)
    is_chosen = np.zeros(len(sizes), dtype=bool)
    held = 0
    for group in rng.permutation(len(sizes)).tolist():
        rest = left - counts[group, :-1]
        is_fit = held + sizes[group] / 2 <= wanted and rest.sum() > 0
        if is_fit and (y.dtype.kind == "f" or bool((rest > 0).all())):
            is_chosen[group], left, held = True, rest, held + int(sizes[group])
        if held >= wanted:
            break
    if not is_chosen.any():
        is_chosen[int(sizes.argmin())] = True
    return np.asarray(is_chosen[codes])
