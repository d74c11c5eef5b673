from __future__ import annotations

import numpy as np
import pytest

from automl.candidates.sequence.views_fit import dilations, drawn_channels, padded_steps_of, view_json
from automl.serving.series import Series
from automl.serving.series_views import used_channels

RNG = np.random.default_rng(5)


def scale_of(series: list[np.ndarray], *, is_difference: bool = False) -> tuple[float, float]:
    view = view_json(Series.of(series), 100, is_difference=is_difference, scaling="rows")
    return view["means"][0], view["scales"][0]


def test_a_scale_is_the_usual_deviation_within_a_series() -> None:
    calm = [np.tile([[-1.0], [1.0]], (5, 1)) for _ in range(9)]
    assert scale_of([*calm, 3 * calm[0]]) == (0.0, 1.0)


def test_series_at_different_levels_make_it_larger() -> None:
    calm = np.tile([[-1.0], [1.0]], (5, 1))
    assert scale_of([calm + 1000, calm - 1000]) == (0.0, pytest.approx(125, rel=1e-3))


def test_differences_have_a_scale_of_their_own() -> None:
    assert scale_of([np.array([[0.0], [1.0], [0.0], [1.0], [0.0]])] * 3, is_difference=True) == (0.0, 1.0)


@pytest.mark.parametrize("value", [np.nan, 4.0], ids=["missing", "constant"])
def test_a_channel_without_variation_has_the_scale_one(value: float) -> None:
    assert scale_of([np.full((3, 1), value)])[1] == 1.0


def test_padding_goes_to_the_longest_training_row() -> None:
    series = Series.of([np.zeros((n, 1)) for n in (3, 9, 5)])
    assert (padded_steps_of(series, 100), padded_steps_of(series, 7)) == (9, 7)


@pytest.mark.parametrize("steps", [1, 8, 9, 100, 5000])
def test_dilations_fit_into_the_series(steps: int) -> None:
    found = dilations(steps, 9, 32)
    assert sum(found.values()) == 32
    assert min(found) == 1
    assert 8 * max(found) < max(9, steps)


def test_channels_are_drawn_within_their_limits() -> None:
    drawn = drawn_channels(40, 84, 9, RNG)
    places, use = used_channels(drawn, 40, count=84, most=9)
    assert len(np.unique(places)) == 12
    assert use.sum(axis=1).min() == 1


def test_one_channel_is_always_used() -> None:
    assert drawn_channels(1, 3, 9, RNG) == {"channels": [0], "use": [1, 1, 1]}
