"""Arrays of series: what is padding and what is missing, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving import series_arrays
from automl.serving.errors import InputError
from automl.serving.series import Series
from automl.serving.series_arrays import check_size, series_of_array, series_of_list

NAN = np.nan


def steps(series: Series) -> list[list[list[float | None]]]:
    """Return the values of each series, its steps in front; a missing value is None."""
    packed = series.packed()
    parts = np.split(packed.values, packed.ends[:-1])
    return [[[None if v != v else v for v in step] for step in part.tolist()] for part in parts]


def test_nan_in_all_channels_at_the_end_is_padding() -> None:
    X = np.array([[[1, 2, NAN], [3, NAN, NAN]], [[NAN, 5, 6], [NAN, 8, NAN]]])
    assert steps(series_of_array(X, "X")) == [[[1, 3], [2, None]], [[None, None], [5, 8], [6, None]]]


def test_a_series_of_padding_alone_is_one_missing_step() -> None:
    assert steps(series_of_array(np.array([[[NAN, NAN]], [[1.0, NAN]]]), "X")) == [[[None]], [[1]]]


def test_lengths_say_where_a_series_ends() -> None:
    X = np.array([[[1.0, 0, 0]], [[4, NAN, NAN]]])
    assert steps(series_of_array(X, "X", lengths=[1, 2])) == [[[1]], [[4], [None]]]


def test_two_axes_are_series_of_one_channel() -> None:
    assert steps(series_of_array(np.array([[1.0, 2], [3, NAN]]), "X")) == [[[1], [2]], [[3]]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64, np.bool_], ids=str)
def test_numbers_of_any_type_are_taken(dtype: Any) -> None:
    series = series_of_array(np.array([[[0, 1, 1]]], dtype), "X")
    assert series.values.dtype == np.float32
    assert steps(series) == [[[0], [1], [1]]]


@pytest.mark.parametrize("dtype", [np.float32, np.int32], ids=str)
def test_the_size_of_blocks_makes_no_difference(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).normal(0, 9, (20, 2, 7)).astype(dtype)
    lengths = np.random.default_rng(1).integers(1, 8, 20)
    whole = steps(series_of_array(X, "X", lengths=lengths))
    monkeypatch.setattr(series_arrays, "_BLOCK", 30)
    assert steps(series_of_array(X, "X", lengths=lengths)) == whole


def test_no_series_are_none() -> None:
    assert len(series_of_array(np.zeros((0, 2, 5)), "X")) == 0


def test_what_lies_beyond_the_lengths_is_not_looked_at() -> None:
    assert steps(series_of_array(np.array([[[1.0, np.inf]]]), "X", lengths=[1])) == [[[1]]]


GOOD = np.zeros((3, 2, 4))
REFUSED = {
    "four axes": (np.zeros((2, 2, 2, 2)), None, r"X: series need shape .* Got \(2, 2, 2, 2\)"),
    "one axis": (np.zeros(3), None, r"Got \(3,\)"),
    "no steps": (np.zeros((3, 2, 0)), None, r"Got \(3, 2, 0\)"),
    "no channels": (np.zeros((3, 0, 2)), None, "1 to 10000 channels are read. Got 0"),
    "many channels": (np.zeros((1, 10_001, 1)), None, "Got 10001. Check the order of the axes"),
    "objects": (np.full((2, 1, 2), None, object), None, "numbers are needed.* Got dtype object"),
    "texts": (np.full((2, 1, 2), "a"), None, "Got dtype <U1"),
    "complex": (np.zeros((2, 1, 2), complex), None, "Got dtype complex128"),
    "infinite": (np.array([[[0.0, 1]], [[0, -np.inf]]]), None, "Got -inf in series 2, channel '0', step 2"),
    "beyond single precision": (np.array([[[1e39]]]), None, r"Got 1e\+39 in series 1, channel '0', step 1"),
    "a length below one": (GOOD, [4, -3, 2], "lengths must be whole numbers from 1 to 4, .* Got -3 for series 2"),
    "a length of zero": (GOOD, [0, 4, 4], "Got 0 for series 1"),
    "a length beyond the array": (GOOD, [4, 4, 5], "Got 5 for series 3"),
    "half a length": (GOOD, [4, 2.5, 4], "Got 2.5 for series 2"),
    "a missing length": (GOOD, [4, NAN, 4], "Got nan for series 2"),
    "too few lengths": (GOOD, [4, 4], r"one whole number for each of the 3 series. Got int64 of shape \(2,\)"),
    "words for lengths": (GOOD, ["4", "4", "4"], "Got <U1 of shape"),
}


@pytest.mark.parametrize(("X", "lengths", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_array_of_series_is_refused(X: np.ndarray, lengths: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        series_of_array(X, "X", lengths=lengths)


def test_a_list_holds_series_of_any_lengths() -> None:
    assert steps(series_of_list([[[1, 2]], np.array([[3, 4], [5, NAN]])], "X")) == [[[1, 2]], [[3, 4], [5, None]]]


def test_flat_series_of_a_list_have_one_channel() -> None:
    assert steps(series_of_list([[1, 2, 3], np.array([4.0])], "X")) == [[[1], [2], [3]], [[4]]]


def test_a_series_without_steps_is_one_missing_step() -> None:
    assert steps(series_of_list([[], [[1, 2]], np.empty((0, 2))], "X")) == [[[None, None]], [[1, 2]], [[None, None]]]


LISTS = {
    "nothing": ([], "at least one series is needed. Got an empty list"),
    "other channels": ([np.zeros((3, 2)), np.zeros((2, 3))], "Got 2 and, in series 2, 3. Mend it; channels come last"),
    "three axes": (
        [np.zeros((1, 2, 3))],
        r"series 1: an array of shape \(steps, channels\) is needed. Got \(1, 2, 3\)",
    ),
    "a scalar": ([np.zeros(2), 5], r"series 2: .* Got \(\)"),
    "ragged": ([[[1, 2], [3]]], "series 1: an array of shape .* Got: setting an array element"),
    "texts": ([["a", "b"]], "series 1: numbers are needed, .* Got dtype <U1"),
    "infinite": ([[1.0], [2, np.inf]], "Got inf in series 2, channel '0', step 2"),
}


@pytest.mark.parametrize(("items", "message"), LISTS.values(), ids=LISTS)
def test_what_is_no_list_of_series_is_refused(items: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        series_of_list(items, "X")


def test_more_values_than_memory_is_meant_for_are_refused() -> None:
    with pytest.raises(InputError, match=r"Got 500,000,000 steps in 10 channels\. Split the data"):
        check_size(500_000_000, 10, "X")
