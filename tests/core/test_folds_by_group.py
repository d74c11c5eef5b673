"""Folds of whole groups, and folds in order of time."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core import folds as module
from automl.core.folds import NEVER, make_folds, most_folds, refit_growth, stratified_folds, train_rows, valid_rows

GROUPS = np.random.default_rng(0).integers(60, size=900)
Y = np.random.default_rng(1).integers(3, size=900)
DAYS = np.random.default_rng(2).integers(50, size=900)


def grouped(groups: np.ndarray = GROUPS, y: np.ndarray = Y, k: int = 5, seed: int = 0) -> np.ndarray:
    return make_folds(y, k, np.random.default_rng(seed), split="group", groups=groups)


def ordered(times: np.ndarray = DAYS, k: int = 4) -> np.ndarray:
    return make_folds(np.zeros(len(times)), k, np.random.default_rng(0), split="time", groups=times)


# ---- stratified


def test_without_groups_folds_are_those_of_before() -> None:
    first, second = (make(Y, 5, np.random.default_rng(3)) for make in (make_folds, stratified_folds))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("fold", range(3))
def test_a_model_learns_from_all_rows_but_its_own(fold: int) -> None:
    folds = np.arange(9) % 3
    rows = np.concatenate([train_rows(folds, fold), valid_rows(folds, fold)])
    assert sorted(rows.tolist()) == list(range(9))


# ---- groups


def test_a_group_is_never_in_two_folds() -> None:
    folds = grouped()
    assert all(len(np.unique(folds[g == GROUPS])) == 1 for g in np.unique(GROUPS))


def test_groups_of_like_sizes_make_folds_of_like_sizes() -> None:
    sizes = np.bincount(grouped(), minlength=5)
    assert sizes.max() - sizes.min() <= 0.05 * len(Y)


def test_classes_are_spread_over_folds_of_groups() -> None:
    skewed = (GROUPS % 6 == 0).astype(np.int64)  # each sixth group is of another class
    shares = [skewed[grouped(y=skewed) == fold].mean() for fold in range(5)]
    assert max(shares) - min(shares) < 0.1


def test_values_are_spread_over_folds_of_groups() -> None:
    values = GROUPS + np.random.default_rng(0).normal(size=len(GROUPS))
    means = [values[grouped(y=values) == fold].mean() for fold in range(5)]
    assert max(means) - min(means) < 0.15 * values.std() * 2


def test_one_large_group_fills_a_fold_and_leaves_none_empty() -> None:
    groups = np.concatenate([np.zeros(500, dtype=np.int64), 1 + np.arange(100) // 10])
    sizes = np.bincount(grouped(groups, np.arange(600) % 2), minlength=5)
    assert sizes.max() == 500
    assert sizes.min() >= 20


def test_folds_are_no_more_than_groups() -> None:
    assert set(grouped(GROUPS % 3, k=5).tolist()) == {0, 1, 2}


def test_another_seed_puts_groups_elsewhere() -> None:
    assert np.array_equal(grouped(seed=1), grouped(seed=1))
    assert not np.array_equal(grouped(seed=1), grouped(seed=2))


def test_small_groups_beyond_the_greedy_part_are_dealt_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GREEDY", 10)
    folds, groups = grouped(np.arange(900) // 2), np.arange(900) // 2
    assert np.ptp(np.bincount(folds)) <= 12
    assert (folds[::2] == folds[1::2]).all()
    assert len(groups) == len(folds)


@pytest.mark.parametrize("groups", [None, np.zeros(10, dtype=np.int64)], ids=["none", "one"])
def test_folds_of_groups_need_two_groups(groups: np.ndarray | None) -> None:
    with pytest.raises(ValueError, match=r"folds by group need at least two values of group\. Got"):
        make_folds(np.zeros(10), 5, np.random.default_rng(0), split="group", groups=groups)


# ---- time


def test_later_blocks_validate_and_the_first_never_does() -> None:
    folds = ordered()
    assert set(folds.tolist()) == {NEVER, 0, 1, 2, 3}
    firsts = [DAYS[folds == fold].min() for fold in range(-1, 4)]
    lasts = [DAYS[folds == fold].max() for fold in range(-1, 4)]
    assert all(last < first for last, first in zip(lasts[:-1], firsts[1:], strict=True))


def test_a_model_learns_only_from_what_came_before() -> None:
    folds = ordered()
    for fold in range(4):
        assert DAYS[train_rows(folds, fold, "time")].max() < DAYS[valid_rows(folds, fold)].min()


def test_the_first_model_in_time_learns_from_the_first_block() -> None:
    folds = ordered()
    assert np.array_equal(train_rows(folds, 0, "time"), np.flatnonzero(folds == NEVER))


def test_blocks_of_time_are_of_like_sizes() -> None:
    sizes = np.bincount(ordered(np.random.default_rng(0).permutation(1000)) + 1)
    assert sizes.tolist() == [200] * 5


@pytest.mark.parametrize("late", [0, 4], ids=["crowded first", "crowded last"])
def test_rows_of_one_time_stay_together_however_many(late: int) -> None:
    times = np.concatenate([np.full(900, late), np.setdiff1d(np.arange(5), [late])])
    assert sorted(np.bincount(ordered(times) + 1).tolist()) == [1, 1, 1, 1, 900]


def test_folds_are_one_fewer_than_times() -> None:
    assert set(ordered(DAYS % 3, k=5).tolist()) == {-1, 0, 1}


def test_one_time_makes_no_fold() -> None:
    with pytest.raises(ValueError, match=r"folds by time need at least two values of time\. Got 1"):
        ordered(np.zeros(10, dtype=np.int64))


@pytest.mark.parametrize(("split", "most"), [("stratified", 100), ("group", 3), ("time", 2)])
def test_groups_and_times_bound_the_number_of_folds(split: str, most: int) -> None:
    assert most_folds(split, np.arange(9) % 3) == most  # type: ignore[arg-type]


def test_all_rows_are_twice_what_the_mean_model_in_time_learns_from() -> None:
    folds = ordered(np.arange(1000), k=4)
    mean = np.mean([len(train_rows(folds, fold, "time")) for fold in range(4)])
    assert 1000 / mean == pytest.approx(refit_growth(4, "time"), rel=0.01)
