from __future__ import annotations

import dataclasses

import numpy as np

from automl.candidates.sequence.hydra_fit import (
    HydraOptions,
    drawn_kernels,
    fitted_hydra,
    hydra_features,
    hydra_seconds,
)
from automl.serving.series import Series
from automl.serving.series_hydra import Hydra
from automl.testing.context import waving_series

OPTIONS = HydraOptions(16, 8, "rows", 100, True)
RNG = np.random.default_rng(0)
SERIES = Series.of([RNG.normal(size=(n, 2)) for n in (50, 20, 30, 1)])


def test_the_weights_of_a_kernel_sum_to_nothing_and_their_sizes_to_96() -> None:
    kernels = drawn_kernels(500, RNG)
    assert kernels.shape == (500, 9)
    assert (kernels.sum(axis=1) == 0).all()
    assert (np.abs(kernels).sum(axis=1) == 96).all()


def test_there_are_as_many_features_as_told() -> None:
    plan = fitted_hydra(SERIES, OPTIONS, RNG)
    assert Hydra(plan).width == hydra_features(50, OPTIONS) == 2 * 16 * 8 * 3


def test_many_channels_are_spread_over_several_banks() -> None:
    wide = Series.of([RNG.normal(size=(9, 40)) for _ in range(4)])
    banks = fitted_hydra(wide, OPTIONS, RNG)["views"][0]["banks"]
    assert [len(bank["use"]) for bank in banks] == [2, 2, 2, 2]


def test_fewer_features_are_had_by_fewer_groups() -> None:
    within = OPTIONS.within(300, 50)
    assert within.groups == 6
    assert hydra_features(50, within) <= 300
    assert OPTIONS.within(10_000, 50) is OPTIONS


def test_one_series_of_one_step_is_enough() -> None:
    plan = fitted_hydra(Series.of([np.array([[np.nan, 1.0]])]), OPTIONS, RNG)
    assert np.isfinite(Hydra(plan).compute(SERIES)).all()


def test_encoding_takes_longer_for_more_kernels_and_rows() -> None:
    small, large = waving_series(30).spec, waving_series(60, longest=90).spec
    more = dataclasses.replace(OPTIONS, groups=128)
    assert hydra_seconds(small, OPTIONS) < hydra_seconds(large, OPTIONS) < hydra_seconds(large, more)
