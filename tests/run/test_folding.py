"""How many folds a run has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl.core.budget import Budget
from automl.errors import DataError
from automl.run.folding import choose_folds
from automl.testing.context import ArrayData, mixed_table, striped_images


def folds(data: ArrayData, budget: str = "1h", wanted: int | None = None, slots: int = 2) -> int:
    return choose_folds(data, wanted, budget=Budget.parse(budget), slots=slots)


def sized(data: ArrayData, rows: int) -> ArrayData:
    counts = tuple(rows // 3 for _ in data.spec.classes)
    return replace(data, spec=replace(data.spec, rows=rows, class_counts=counts))


@pytest.mark.parametrize(
    ("rows", "budget", "expected"),
    [
        (1_000, "1min", 8), (1_000, "5s", 5), (1_000, "1trials", 5), (4_999, "10min", 8), (5_000, "10min", 5),
        (100_000, "20s", 3), (100_000, "10min", 5), (400_000, "1min", 2), (400_000, "1h", 5),
    ],
)  # fmt: skip
def test_folds_of_a_table_follow_rows_and_time(rows: int, budget: str, expected: int) -> None:
    assert folds(sized(mixed_table(60, classes=0), rows), budget) == expected


def test_more_classes_are_more_work() -> None:
    three = sized(mixed_table(60), 4_000)
    many = replace(three, spec=replace(three.spec, classes=tuple("abcdefgh"), class_counts=(500,) * 8))
    assert (folds(three, "10min"), folds(many, "10min")) == (8, 5)


def test_two_classes_are_no_more_work_than_a_number() -> None:
    two, number = (sized(mixed_table(60, classes=c), 4_800) for c in (2, 0))
    assert folds(two, "2min") == folds(number, "2min") == 8


@pytest.mark.parametrize(("budget", "expected"), [("5s", 3), ("1h", 5), ("1trials", 5)])
def test_folds_of_images_are_those_of_before(budget: str, expected: int) -> None:
    assert folds(striped_images(300), budget, slots=1) == expected


def test_a_rare_class_lowers_the_folds_of_a_table_to_three() -> None:
    data = mixed_table(60)
    assert folds(replace(data, spec=replace(data.spec, class_counts=(30, 29, 1)))) == 3


def test_folds_are_as_many_as_asked_for() -> None:
    assert folds(mixed_table(60), wanted=7) == 7


@pytest.mark.parametrize(("split", "expected"), [("group", 4), ("time", 3)])
def test_folds_are_no_more_than_groups_or_times_allow(split: str, expected: int) -> None:
    data = mixed_table(60)
    assert folds(replace(data, spec=replace(data.spec, split=split), groups=np.arange(60) % 4)) == expected


@pytest.mark.parametrize(
    ("split", "message"),
    [("group", "at least two different groups. Got 1"), ("time", "at least three different times. Got 1")],
)
def test_one_group_or_time_is_refused(split: str, message: str) -> None:
    data = mixed_table(60)
    with pytest.raises(DataError, match=message):
        folds(replace(data, spec=replace(data.spec, split=split), groups=np.zeros(60, dtype=np.int64)))


def test_two_times_are_refused() -> None:
    data = mixed_table(60)
    with pytest.raises(DataError, match=r"three different times\. Got 2"):
        folds(replace(data, spec=replace(data.spec, split="time"), groups=np.arange(60) % 2))
