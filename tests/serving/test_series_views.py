from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.series import Series
from automl.serving.series_views import EXACT, View, blocks, counted, padded_steps, shifted, used_channels

RNG = np.random.default_rng(0)
NAN = np.nan
SERIES = Series.of([np.arange(n)[:, None] + [[0.0, 10.0]] for n in (3, 1, 5, 3)])
VIEW: dict[str, Any] = {"difference": False, "scaling": "rows", "means": [1.0], "scales": [2.0]}


def whole(values: list[float], **more: object) -> list[float]:
    view = View.from_json({**VIEW, **more}, 1, gain=1 << 14)
    return (view.whole(np.array([[values]])) / view.unit).ravel().tolist()


def test_series_of_the_same_length_come_together() -> None:
    found = {block.values.shape[2]: block.rows.tolist() for block in blocks(SERIES, 10)}
    assert found == {1: [1], 3: [0, 3], 5: [2]}


def test_a_block_holds_the_channels_of_its_series() -> None:
    block = next(block for block in blocks(SERIES, 10) if len(block.rows) == 2)
    assert block.values.tolist() == [[[0, 1, 2], [0, 1, 2]], [[10, 11, 12], [10, 11, 12]]]


def test_neighbours_of_longer_series_are_averaged() -> None:
    assert [block.values[0].tolist() for block in blocks(SERIES[2:3], 3)] == [[[0, 1.5, 3.5]]]


def test_shorter_series_are_extended_by_nothing() -> None:
    found = [block.values[0] for block in blocks(SERIES, 10, padded=4)]
    np.testing.assert_array_equal(found[0][:2], [[0, 1, 2, NAN], [0, NAN, NAN, NAN]])
    assert found[1].tolist() == [[0, 1, 2, 3, 4]]


def test_gaps_are_closed_before() -> None:
    assert next(blocks(Series.of([np.array([[1.0], [NAN], [3.0]])]), 9)).values.tolist() == [[[1, 2, 3]]]


def test_many_series_come_in_several_blocks() -> None:
    many = Series.of([np.zeros((1000, 1))] * 300)
    assert [len(block.rows) for block in blocks(many, 2000)] == [262, 38]


def test_no_series_give_no_block() -> None:
    assert list(blocks(SERIES[:0], 10)) == []


def test_values_are_scaled_by_the_training_rows() -> None:
    assert whole([1.0, 3.0, -7.0]) == [0, 1, -4]


def test_differences_are_scaled_by_themselves() -> None:
    assert whole([0.0, 3.0, 2.0], difference=True) == [1, -1]


def test_a_series_of_one_step_has_one_difference() -> None:
    assert whole([4.0], difference=True, means=[0.0]) == [0]


def test_a_series_can_be_scaled_by_itself() -> None:
    np.testing.assert_allclose(whole([7.0, 9.0, 7.0, 9.0, NAN], scaling="series"), [-1, 1, -1, 1, 0], atol=0.01)


def test_a_series_that_does_not_vary_is_nothing_by_itself() -> None:
    assert whole([7.0, 7.0], scaling="series") == [0, 0]


def test_what_is_missing_or_far_away_is_cut() -> None:
    assert whole([NAN, 1e300, -1e300]) == [0, 32, -32]


def test_all_numbers_are_whole_and_sums_of_them_exact() -> None:
    view = View.from_json(VIEW, 1, gain=108)
    found = view.whole(RNG.normal(0, 1e3, (1, 5, 20)))
    assert (found == np.rint(found)).all()
    assert np.abs(found).max() * 108 <= EXACT


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"difference": 1}, "difference must be true or false. Got '1'"),
        ({"scaling": "all"}, "scaling must be one of rows, series"),
        ({"means": [1.0, 2.0]}, "means must be a list of 1 entries"),
        ({"scales": [0.0]}, "scales must lie in"),
        ({"scales": [float("nan")]}, "scales must be finite"),
    ],
    ids=["difference", "scaling", "means", "scales", "nan"],
)
def test_a_malformed_view_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        View.from_json({**VIEW, **more}, 1, gain=9)


def test_a_tap_sees_its_step_and_zeros_beyond_the_ends() -> None:
    seen = shifted(np.array([[[1, 2, 3]]], np.float32), 1, taps=3, steps=3)
    assert seen[:, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 0]]


def test_a_dilation_beyond_the_series_leaves_the_middle_tap() -> None:
    seen = shifted(np.array([[[1, 2, 3]]], np.float32), 60_000, taps=3, steps=3)
    assert seen[:, 0].tolist() == [[0, 0, 0], [1, 2, 3], [0, 0, 0]]


@pytest.mark.parametrize("steps", [8, 64, 2040, 2048, 5000])
def test_flags_are_counted(steps: int) -> None:
    flags = RNG.random((3, 4, padded_steps(steps))) < 0.9
    np.testing.assert_array_equal(counted(flags), flags.sum(axis=2))


def test_all_flags_set_are_counted() -> None:
    assert (counted(np.ones((2, 2, 4096), bool)) == 4096).all()


def test_binary_digits_name_the_channels() -> None:
    places, use = used_channels({"channels": [4, 7], "use": [1, 2, 3]}, 8, count=3, most=2)
    assert places.tolist() == [4, 7]
    assert use.tolist() == [[1, 0], [0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channels": [8], "use": [1]}, r"channels must be whole numbers in \[0, 7\]"),
        ({"channels": [0] * 13, "use": [1]}, "at most 12. Got 13"),
        ({"channels": [0, 1], "use": [0]}, r"use must be whole numbers in \[1, 3\]"),
        ({"channels": [0, 1], "use": [4]}, r"use must be whole numbers in \[1, 3\]"),
        ({"channels": [0, 1], "use": [1, 1]}, "use must be a list of 1 entries"),
        ({"channels": [0, 1, 2], "use": [7]}, "use must name at most 2 channels. Got 3"),
    ],
    ids=["far", "many", "none", "unknown", "count", "sum"],
)
def test_malformed_channels_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        used_channels(values, 8, count=1, most=2)
