from __future__ import annotations

import numpy as np
import pytest

from automl.serving.table import UNSEEN, Table
from automl.serving.table_terms import OPERATIONS, Coder, Groups, Pairs, Relative, keys_of

BY_CATEGORY = {"column": 1, "size": 2}
BY_NUMBER = {"column": 0, "edges": [1.0, 2.0]}
TABLE = Table(np.array([[0.0, 0], [1, 1], [1.5, UNSEEN], [2, np.nan], [np.nan, 1]]))


def test_groups_of_categories_keep_one_for_unseen_and_one_for_missing() -> None:
    assert Coder.from_json(BY_CATEGORY).groups(TABLE).tolist() == [0, 1, 2, 3, 1]


def test_groups_of_numbers_begin_at_their_lower_edge() -> None:
    coder = Coder.from_json(BY_NUMBER)
    assert coder.groups(TABLE).tolist() == [0, 1, 1, 2, 4]
    assert coder.size == 3


def test_infinities_are_in_the_outermost_groups() -> None:
    assert Coder.from_json(BY_NUMBER).groups(Table(np.array([[-np.inf], [np.inf]]))).tolist() == [0, 2]


def test_keys_of_two_coders_are_all_different() -> None:
    coders = (Coder.from_json(BY_NUMBER), Coder.from_json(BY_CATEGORY))
    numbers = np.array([[number, code] for number in (0, 1, 2, np.nan) for code in (0, 1, UNSEEN, np.nan)])
    assert len(set(keys_of(coders, Table(numbers)).tolist())) == 16


def test_group_without_a_number_of_its_own_gets_that_of_the_others() -> None:
    block = {"of": [BY_NUMBER, BY_CATEGORY], "keys": [0, 5], "values": [[10, 20, 30], [1, 2, None]]}
    out = Groups.from_json(block).values(TABLE)
    np.testing.assert_array_equal(out, [[10, 1], [20, 2], [30, np.nan], [30, np.nan], [30, np.nan]])


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("add", [3, -1]), ("subtract", [-1, 5]), ("multiply", [2, -6]), ("divide", [0.5, -2 / 3])],
    ids=OPERATIONS,
)
def test_two_numbers_in_one(operation: str, expected: list[float]) -> None:
    block = {"columns": [0], "others": [1], "operations": [operation]}
    out = Pairs.from_json(block).values(Table(np.array([[1.0, 2], [2, -3]])))
    assert out.ravel().tolist() == expected


def test_division_by_zero_and_gaps_are_missing() -> None:
    block = {"columns": [0], "others": [1], "operations": ["divide"]}
    with np.errstate(all="ignore"):
        out = Pairs.from_json(block).values(Table(np.array([[1.0, 2], [1, 0], [0, 0], [np.nan, 1], [1, np.nan]])))
    np.testing.assert_array_equal(out.ravel(), [0.5, np.nan, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("subtract", [-4, 0.5, np.nan, -6, np.nan]), ("divide", [0, 2, np.nan, 0.25, np.nan])],
)
def test_number_against_that_of_its_group(operation: str, expected: list[float]) -> None:
    block = {"column": 0, "by": BY_CATEGORY, "values": [4, 0.5, None, 8], "operation": operation}
    np.testing.assert_array_equal(Relative.from_json(block).values(TABLE).ravel(), expected)
