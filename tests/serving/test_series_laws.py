"""Series of different lengths are indexed, packed and padded as what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.errors import ModelError
from automl.serving.series import MAX_CHANNELS, Series, SeriesRule

PARTS = [np.arange(2 * n, dtype=np.float32).reshape(n, 2) + 100 * n for n in (3, 1, 4)]


@pytest.fixture
def series() -> Series:
    return Series.of(PARTS)


def same(series: Series, parts: list[np.ndarray]) -> bool:
    """Return whether these are the steps of each series."""
    packed = series.packed()
    cut = np.split(packed.values, packed.ends[:-1])
    return len(series) == len(parts) and all(map(np.array_equal, cut, parts))


def test_series_know_their_sizes(series: Series) -> None:
    assert (len(series), series.channels, series.lengths.tolist()) == (3, 2, [3, 1, 4])


@pytest.mark.parametrize(
    "index", [np.array([2, 0]), slice(1, 3), np.array([1, 1, 1]), np.array([], int)],
    ids=["turned", "slice", "repeated", "none"],
)  # fmt: skip
def test_rows_are_taken_as_of_an_array(series: Series, index: Any) -> None:
    wanted = [PARTS[row] for row in np.arange(3)[index].tolist()]
    assert len(series[index]) == len(wanted)
    assert not wanted or same(series[index], wanted)


def test_rows_of_rows_are_rows(series: Series) -> None:
    assert same(series[np.array([2, 1, 0])][np.array([0, 2])], [PARTS[2], PARTS[0]])


def test_taking_rows_copies_no_values(series: Series) -> None:
    assert series[np.array([2])].values is series.values


def test_packing_gives_the_same_series_back(series: Series) -> None:
    packed = series[np.array([2, 0])].packed()
    assert same(Series.of_packed(packed.values, packed.ends), [PARTS[2], PARTS[0]])


def test_no_series_can_be_packed(series: Series) -> None:
    packed = series[:0].packed()
    assert (packed.values.shape, packed.ends.tolist()) == ((0, 2), [])


def test_padding_puts_channels_first_and_nan_behind(series: Series) -> None:
    padded = series.padded()
    assert padded.shape == (3, 2, 4)
    assert padded.dtype == np.float32
    np.testing.assert_array_equal(padded[0, :, :3], PARTS[0].T)
    assert np.isnan(padded[1, :, 1:]).all()


def test_padding_to_fewer_steps_cuts(series: Series) -> None:
    np.testing.assert_array_equal(series.padded(2)[2], PARTS[2][:2].T)


def test_padding_no_series_gives_none(series: Series) -> None:
    assert series[:0].padded(5).shape == (0, 2, 5)


def test_a_missing_value_stays_missing() -> None:
    assert np.isnan(Series.of([np.array([[1.0], [np.nan], [3.0]])]).padded()[0, 0, 1])


RULES = [SeriesRule(("0",)), SeriesRule(("a", "b"), "machine", "at"), SeriesRule(("x",), "id")]


@pytest.mark.parametrize("rule", RULES, ids=["array", "table", "without time"])
def test_a_rule_reads_back_as_it_was_written(rule: SeriesRule) -> None:
    assert SeriesRule.from_json({**rule.to_json(), "later": 1}) == rule


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "table"}, r"kind must be 'series' here. Got 'table'"),
        ({"channels": []}, r"channels must be 1 to 10000 different names. Got '\[\]'"),
        ({"channels": "ab"}, r"channels must be 1 to 10000 different names. Got 'ab'"),
        ({"channels": ["a", "a"]}, r"channels must be"),
        ({"channels": ["a", 1]}, r"channels must be"),
        ({"channels": list(map(str, range(MAX_CHANNELS + 1)))}, r"channels must be"),
        ({"id": 3}, r"id and time must be names of columns. Got"),
    ],
    ids=["kind", "none", "text", "twice", "number", "many", "id"],
)
def test_a_malformed_rule_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        SeriesRule.from_json({**SeriesRule(("a",)).to_json(), **change})
