from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from automl.candidates.sequence.rocket_fit import RocketOptions, fitted_rocket, rocket_seconds
from automl.serving.series import Series
from automl.serving.series_rocket import Rocket
from automl.testing.context import waving_series

OPTIONS = RocketOptions(2000, "share", True, "rows", 100, True)
RNG = np.random.default_rng(0)
SERIES = Series.of([RNG.normal(size=(n, 2)) for n in (50, 20, 30, 1)])


def fitted(series: Series = SERIES, *, seed: int = 0, **more: Any) -> dict[str, Any]:
    return fitted_rocket(series, dataclasses.replace(OPTIONS, **more), np.random.default_rng(seed))


@pytest.mark.parametrize("features", [1, 1000, 5000])
@pytest.mark.parametrize(("pooling", "least"), [("share", 168), ("several", 672)], ids=["share", "several"])
def test_there_are_about_as_many_features_as_asked_for(features: int, pooling: str, least: int) -> None:
    width = Rocket(fitted(features=features, pooling=pooling)).width
    assert max(features - least, least) <= width <= max(features, least)


def test_biases_are_quantiles_of_responses_so_that_shares_lie_between_none_and_all() -> None:
    shares = Rocket(fitted()).compute(SERIES[:3])
    assert 0.3 < shares.mean() < 0.7
    assert shares.std(axis=0).mean() > 0.02


def test_differences_are_a_view_of_their_own() -> None:
    assert [view["difference"] for view in fitted()["views"]] == [False, True]
    assert [view["difference"] for view in fitted(differences=False)["views"]] == [False]


def test_shorter_series_are_extended_only_if_asked_for() -> None:
    assert (fitted()["padded"], fitted(is_padded=False)["padded"]) == (50, 0)


def test_kernels_with_and_without_padding_take_turns() -> None:
    parities = [bank["parity"] for bank in fitted()["views"][0]["banks"]]
    assert parities[:3] == [0, 1, 0]


def test_many_channels_are_spread_over_several_banks() -> None:
    wide = Series.of([RNG.normal(size=(30, 60)) for _ in range(4)])
    banks = fitted(wide, features=4000)["views"][0]["banks"]
    assert len({place for bank in banks for place in bank["channels"]}) > 40


def test_the_generator_decides_alone() -> None:
    assert fitted() == fitted()
    assert fitted() != fitted(seed=1)


@pytest.mark.parametrize("is_padded", [True, False], ids=["padded", "own"])
def test_one_series_of_one_step_is_enough(is_padded: bool) -> None:
    plan = fitted(Series.of([np.array([[np.nan, 1.0]])]), is_padded=is_padded)
    assert np.isfinite(Rocket(plan).compute(SERIES)).all()


def test_encoding_takes_longer_for_more_numbers_steps_and_rows() -> None:
    small, large = waving_series(30).spec, waving_series(60, longest=90).spec
    several = dataclasses.replace(OPTIONS, pooling="several", features=8000)
    assert rocket_seconds(small, OPTIONS) < rocket_seconds(large, OPTIONS) < rocket_seconds(large, several)
