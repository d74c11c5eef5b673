from __future__ import annotations

import json

import numpy as np
import pytest

from automl.candidates.sequence.steps_plan import StepsOptions, steps_plan
from automl.serving.series import Series
from automl.serving.series_steps import Steps

OPTIONS = StepsOptions("rows", differences=True, longest=100, clock=True)


def drawn(*lengths: int, channels: int = 2) -> Series:
    rng = np.random.default_rng(0)
    scale = np.array([3.0, 0.1, 1.0])[:channels]
    return Series.of([50 + scale * rng.normal(size=(length, channels)) for length in lengths])


def test_training_rows_have_mean_0_and_deviation_1() -> None:
    series = drawn(30, 40, 50)
    values = Steps(steps_plan(series, OPTIONS)).packed(series).values
    np.testing.assert_allclose(values[:, :2].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(values[:, :2].std(axis=0), 1, rtol=1e-4)


@pytest.mark.parametrize("scaling", ["rows", "series"])
def test_differences_have_the_size_1(scaling: str) -> None:
    series = drawn(30, 40, 50)
    options = StepsOptions(scaling, differences=True, longest=100, clock=True)  # type: ignore[arg-type]
    values = Steps(steps_plan(series, options)).packed(series).values
    np.testing.assert_allclose(np.sqrt(np.square(values[:, 2:4]).mean(axis=0)), 1, rtol=1e-4)


@pytest.mark.parametrize(
    ("most", "longest", "pool"), [(50, 50, 1), (100, 100, 1), (101, 51, 2), (1000, 100, 10)], ids=str
)
def test_the_longest_row_decides_how_many_steps_become_one(most: int, longest: int, pool: int) -> None:
    plan = steps_plan(drawn(3, most), OPTIONS)
    assert (plan["longest"], plan["pool"]) == (longest, pool)


def test_a_channel_that_is_constant_or_missing_is_scaled_by_1() -> None:
    values = np.concatenate([np.full((20, 1), 1e6), np.full((20, 1), np.nan)], axis=1)
    plan = steps_plan(Series.of([values]), OPTIONS)
    assert plan["means"] == [1e6, 0.0]
    assert plan["scales"] == plan["differences"] == [1.0, 1.0]
    assert plan["gaps"] == []


def test_channels_with_gaps_are_named() -> None:
    series = drawn(30, 40)
    series.values[::9, 1] = np.nan
    assert steps_plan(series, OPTIONS)["gaps"] == [1]


def test_the_plan_is_json_without_oddities() -> None:
    series = drawn(1)
    series.values[0, 0] = np.nan
    Steps(json.loads(json.dumps(steps_plan(series, OPTIONS), allow_nan=False)))


def test_options_are_read_from_a_configuration() -> None:
    values = {"scaling": "series", "differences": False, "longest": 64, "clock": True, "units": 3}
    options = StepsOptions.of(values)
    assert options == StepsOptions("series", differences=False, longest=64, clock=True)
    assert [options.outputs(5, varies=varies) for varies in (False, True)] == [5, 6]


@pytest.mark.parametrize(("lengths", "expected"), [((30, 40), True), ((30, 30), False)], ids=["differ", "same"])
def test_there_is_a_clock_where_lengths_differ(lengths: tuple[int, ...], expected: bool) -> None:
    assert steps_plan(drawn(*lengths), OPTIONS)["clock"] is expected
