from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from automl.serving.series import Series
from automl.serving.series_summary import PARTS, Summary

RNG = np.random.default_rng(2)
NAN = np.nan


def plan_of(*parts: str, channels: int = 1, points: int = 3, **more: object) -> dict[str, Any]:
    plan = {"version": 1, "kind": "summary", "channels": channels, "longest": 100, "points": points}
    return {**plan, "parts": list(parts), **more}


def computed(part: str, *values: list[float], **more: Any) -> list[list[float]]:
    found = Summary(plan_of(part, **more)).compute(Series.of([np.array(v)[:, None] for v in values]))
    return np.round(found.astype(float), 4).tolist()


def test_the_length_is_the_number_of_steps() -> None:
    assert computed("length", [1.0, 2.0], [5.0] * 150) == [[2], [150]]


def test_the_level_has_mean_deviation_ends_and_slope() -> None:
    assert computed("level", [1.0, 3.0, 5.0]) == [[3, 1.633, 1, 5, 1, 5, 2]]


def test_quantiles_lie_between_the_values() -> None:
    assert computed("quantiles", [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) == [[1, 2.5, 5, 7.5, 9]]


def test_the_shape_has_places_and_crossings() -> None:
    found = computed("shape", [0.0, 2.0, 0.0, 4.0, -1.0])[0]
    assert found[2:5] == [1.0, 0.75, 0.8]
    assert found[6:] == [3.25, 5.0]


def test_a_wave_remembers_its_period() -> None:
    found = computed("memory", np.sin(np.arange(64) * np.pi).tolist(), [1.0, -1.0] * 32)[1]
    np.testing.assert_allclose(found, [-1, 1, -1, -1, 1, -1])


def test_what_a_series_is_too_short_for_is_missing() -> None:
    np.testing.assert_array_equal(np.isnan(computed("memory", [1.0, 2.0, 4.0])[0]), [False] + [True] * 5)


@pytest.mark.parametrize(("period", "band"), [(2, 0), (3, 0), (6, 1), (12, 2), (24, 3), (48, 4), (96, 5)], ids=str)
def test_a_wave_has_its_power_in_its_band(period: int, band: int) -> None:
    wave = np.cos(2 * np.pi * np.arange(96) / period).tolist()
    assert int(np.argmax(computed("bands", wave))) == band


def test_points_are_read_evenly_from_the_first_to_the_last() -> None:
    assert computed("points", [0.0, 1.0, 2.0, 9.0], [5.0]) == [[0, 1.5, 9], [5, 5, 5]]


def test_pairs_are_correlations_of_channels() -> None:
    one = RNG.normal(size=20)
    series = Series.of([np.stack([one, -one, 3 * one + 1], axis=1)])
    found = Summary(plan_of("pairs", channels=3)).compute(series)
    np.testing.assert_allclose(found, [[-1, 1, -1]], rtol=1e-6)


def test_the_numbers_of_a_channel_stand_together() -> None:
    series = Series.of([np.array([[1.0, 10.0], [2.0, 20.0]])])
    found = Summary(plan_of("points", channels=2)).compute(series)
    assert found.tolist() == [[1, 1.5, 2, 10, 15, 20]]


def test_a_channel_without_a_value_is_missing_and_the_others_are_not() -> None:
    series = Series.of([np.stack([np.full(30, NAN), RNG.normal(size=30)], axis=1)])
    summary = Summary(plan_of("level", "quantiles", "shape", "memory", "bands", channels=2))
    found = summary.compute(series)[0]
    sizes = np.cumsum([0, 7, 5, 8, 6, 6]) * 2
    is_first = np.concatenate([np.arange(b - a) < (b - a) / 2 for a, b in itertools.pairwise(sizes)])
    np.testing.assert_array_equal(np.isnan(found), is_first)


def test_a_series_alone_gives_the_same_numbers() -> None:
    summary = Summary(plan_of(*PARTS, channels=2))
    series = Series.of([RNG.normal(size=(n, 2)) for n in (9, 30, 9, 1, 2)])
    alone = np.concatenate([summary.compute(series[row : row + 1]) for row in range(5)])
    np.testing.assert_allclose(alone, summary.compute(series), rtol=1e-5, atol=1e-6)


def test_numbers_of_any_size_stay_finite_or_missing() -> None:
    found = Summary(plan_of(*PARTS[:-1])).compute(Series.of([np.array([[1e38], [-1e38], [3e38], [0.0]])]))
    assert not np.isinf(found).any()


def test_no_series_give_no_row() -> None:
    summary = Summary(plan_of(*PARTS, channels=2))
    assert summary.compute(Series.of([np.zeros((2, 2))])[:0]).shape == (0, summary.width)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"channels": 0}, "channels must be a whole number"),
        ({"points": 5000}, "points must be a whole number"),
        ({"parts": ["level", "mode"]}, "parts must be one of length, level"),
        ({"parts": ["level", "level"]}, "parts must be different, and give a number"),
        ({"parts": ["pairs"]}, "parts must be different, and give a number"),
        ({"parts": []}, "parts must be a list of 1 to"),
        ({"parts": [7]}, "parts must be texts"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_malformed_plan_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Summary({**plan_of("level"), **more})
