"""The part of a model's training rows that is held out while it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.core.folds import holdout
from automl.core.protocols import Holdout

ROWS = np.arange(0, 1000, 2)
Y = np.arange(1000) // 2 % 5
GROUPS = np.arange(1000) // 20


def held(y: np.ndarray = Y, rows: np.ndarray = ROWS, seed: int = 0, **more: Any) -> Holdout:
    facts = {"split": "stratified", "groups": None, "share": 0.2, "most": 10_000, **more}
    return holdout(rows, y, rng=np.random.default_rng(seed), **facts)


SPLITS = [{}, {"split": "group", "groups": GROUPS}, {"split": "time", "groups": GROUPS}]


@pytest.mark.parametrize("facts", SPLITS, ids=["stratified", "group", "time"])
def test_the_parts_are_the_training_rows_and_share_none(facts: dict[str, Any]) -> None:
    parts = held(**facts)
    assert sorted(np.concatenate(parts).tolist()) == ROWS.tolist()
    assert 80 <= len(parts.held_rows) <= 120


@pytest.mark.parametrize("facts", SPLITS, ids=["stratified", "group", "time"])
def test_no_more_rows_are_held_out_than_asked(facts: dict[str, Any]) -> None:
    assert 0 < len(held(most=7, **facts).held_rows) <= 10


def test_classes_are_held_out_in_proportion() -> None:
    parts = held()
    assert np.bincount(Y[parts.held_rows]).tolist() == [20] * 5


def test_every_class_keeps_a_row_to_learn_from() -> None:
    rare = np.where(np.arange(1000) < 20, np.arange(1000) // 2, 10)
    for seed in range(20):
        assert set(rare[held(rare, share=0.6, seed=seed).fit_rows].tolist()) == set(range(11))


def test_values_are_held_out_over_their_whole_range() -> None:
    values = np.random.default_rng(0).exponential(size=1000)
    parts = held(values)
    assert values[parts.held_rows].mean() == pytest.approx(values[parts.fit_rows].mean(), abs=0.05)


def test_another_stream_holds_out_other_rows() -> None:
    assert np.array_equal(held(seed=1).held_rows, held(seed=1).held_rows)
    assert not np.array_equal(held(seed=1).held_rows, held(seed=2).held_rows)


def test_groups_are_held_out_whole() -> None:
    parts = held(split="group", groups=GROUPS)
    assert not set(GROUPS[parts.fit_rows].tolist()) & set(GROUPS[parts.held_rows].tolist())


def test_of_a_group_larger_than_allowed_a_part_is_held_out_and_the_rest_left_out() -> None:
    groups = np.arange(1000) // 500
    parts = held(split="group", groups=groups, most=20)
    assert len(parts.held_rows) == 20
    assert len(parts.fit_rows) == 250


def test_a_class_of_one_group_is_learned_from() -> None:
    y = (GROUPS == 7).astype(np.int64)
    assert all(y[held(y, split="group", groups=GROUPS, share=0.5, seed=s).fit_rows].any() for s in range(10))


def test_the_latest_rows_are_held_out() -> None:
    parts = held(split="time", groups=GROUPS)
    assert GROUPS[parts.fit_rows].max() < GROUPS[parts.held_rows].min()


def test_a_crowded_latest_time_is_held_out_rather_than_nothing() -> None:
    parts = held(split="time", groups=np.minimum(np.arange(1000), 100), share=0.1)
    assert (len(parts.fit_rows), len(parts.held_rows)) == (50, 450)


@pytest.mark.parametrize("split", ["group", "time"])
def test_with_one_group_or_time_rows_are_split_at_random(split: str) -> None:
    parts = held(split=split, groups=np.zeros(1000, dtype=np.int64))
    assert len(parts.held_rows) == 100


@pytest.mark.parametrize("count", [2, 3, 5])
def test_neither_part_of_few_rows_is_empty(count: int) -> None:
    parts = held(np.zeros(10, dtype=np.int64), np.arange(count), share=0.01)
    assert (len(parts.fit_rows), len(parts.held_rows)) == (count - 1, 1)


@pytest.mark.parametrize(("share", "most"), [(0.0, 5), (1.0, 5), (0.5, 0)])
def test_a_share_out_of_range_is_refused(share: float, most: int) -> None:
    with pytest.raises(ValueError, match=rf"rows is held out\. Got {share}, {most}"):
        held(share=share, most=most)
