"""Laws of the plans that training series give, and of what networks read, against references written down here."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from automl.candidates.sequence.hydra_fit import HydraOptions, _whole, fitted_hydra, hydra_dilations, hydra_features
from automl.candidates.sequence.network_entrances import SeriesEntrance, varied
from automl.candidates.sequence.network_inputs import READER, EntranceSettings
from automl.candidates.sequence.rocket_fit import RocketOptions, _spread, fitted_rocket
from automl.candidates.sequence.steps_plan import StepsOptions, steps_plan
from automl.candidates.sequence.summary_fit import summary_plan
from automl.candidates.sequence.views_fit import dilations, drawn_channels, view_json
from automl.serving.series import Series
from automl.serving.series_encoder import SeriesEncoder
from automl.serving.series_hydra import Hydra
from automl.serving.series_rocket import Rocket
from automl.serving.series_steps import Steps
from automl.serving.series_summary import Summary
from automl.testing.context import LocalContext, waving_series

RNG = np.random.default_rng(3)
PARTS = [RNG.normal(2, 3, size=(length, 2)).astype(np.float32) for length in (40, 25, 33, 12)]
SERIES = Series.of(PARTS)
ROCKET = RocketOptions(1200, "several", True, "rows", 30, True)
HYDRA = HydraOptions(8, 8, "rows", 30, True)
STEPS = StepsOptions("rows", differences=True, longest=30, clock=True)
PLANS = {
    "rocket": lambda series: fitted_rocket(series, ROCKET, np.random.default_rng(0)),
    "hydra": lambda series: fitted_hydra(series, HYDRA, np.random.default_rng(0)),
    "steps": lambda series: steps_plan(series, STEPS),
}


@pytest.mark.parametrize("unit", [2.0**-20, 0.25, 2.0**20])
@pytest.mark.parametrize("made", PLANS.values(), ids=PLANS)
def test_what_series_are_measured_in_changes_no_bit(made: Any, unit: float) -> None:
    other = Series.of([part * np.float32(unit) for part in PARTS])
    found = SeriesEncoder(made(other)).compute(other)
    np.testing.assert_array_equal(found, SeriesEncoder(made(SERIES)).compute(SERIES))


@pytest.mark.parametrize("made", PLANS.values(), ids=PLANS)
def test_rows_that_share_an_array_with_others_give_the_same_plan(made: Any) -> None:
    assert made(SERIES[1:3]) == made(Series.of(PARTS[1:3]))


@pytest.mark.parametrize("total", [3, 4, 10, 84])
@pytest.mark.parametrize("shares", [[1, 1, 1], [2, 1], [1, 1, 1, 0]], ids=str)
def test_what_is_spread_is_all_there_in_about_these_proportions(shares: list[int], total: int) -> None:
    given = np.array(shares)
    found = _spread(given, total)
    assert found.sum() == total
    assert (np.abs(found - given / given.sum() * total) <= 1).all()
    assert (found[given > 0] > 0).all()


@pytest.mark.parametrize("length", [9, 60])
def test_a_bias_is_the_quantile_of_a_response(length: int) -> None:
    one = Series.of([np.random.default_rng(1).normal(size=(length, 1))])
    options = RocketOptions(840, "share", differences=False, scaling="rows", longest=100, is_padded=False)
    plan = fitted_rocket(one, options, np.random.default_rng(0))
    bank = plan["views"][0]["banks"][0]
    size = len(bank["biases"]) // 84
    levels = (np.arange(1, 1 + 84 * size) * (np.sqrt(5) + 1) / 2 % 1).reshape(size, 84).T.ravel()
    shares = Rocket(plan).compute(one)[0, : 84 * size]
    fewest = length - 8 if length > 8 else length
    assert np.abs(shares - (1 - levels)).max() <= 1 / fewest + 1e-6


@pytest.mark.parametrize("lengths", [(12, 5), (30, 30), (100, 3)], ids=str)
def test_padding_is_to_the_longest_row_but_no_longer_than_a_series_may_be(lengths: tuple[int, ...]) -> None:
    series = Series.of([RNG.normal(size=(length, 1)) for length in lengths])
    expected = min(30, max(lengths))
    assert PLANS["rocket"](series)["padded"] == PLANS["hydra"](series)["padded"] == expected


@pytest.mark.parametrize("weights", [[1.0, 1, 2], [0.3, 0.3, 0.4], [5.0, 0, 0], [1.0, 1, 1, 1, 1, 1, 1]], ids=str)
def test_whole_numbers_are_in_proportion_to_less_than_one(weights: list[float]) -> None:
    given = np.array([weights])
    found = _whole(given)
    assert found.sum() == 48
    assert np.abs(found - 48 * given / given.sum()).max() < 1
    assert (found[given == 0] == 0).all()


def test_a_dilation_of_competing_kernels_is_the_next_power_that_fits() -> None:
    for steps in range(1, 300):
        found = hydra_dilations(steps)
        assert found == [2**power for power in range(len(found))]
        assert len(found) == 1 or 8 * found[-1] <= steps - 1
        assert 16 * found[-1] > steps - 1


@pytest.mark.parametrize("groups", [1, 3, 8])
@pytest.mark.parametrize("steps", [1, 16, 17, 25])
def test_competing_kernels_give_no_more_numbers_than_told(steps: int, groups: int) -> None:
    options = HydraOptions(groups, 4, "rows", 30, True)
    series = Series.of([RNG.normal(size=(steps, 3)) for _ in range(2)])
    told, width = hydra_features(steps, options), Hydra(fitted_hydra(series, options, RNG)).width
    fewer = len(hydra_dilations(steps)) - len(hydra_dilations(steps - 1))
    assert width == told - fewer * told // (2 * len(hydra_dilations(steps)))


@pytest.mark.parametrize("most", [100, 500, 1000, 5000, 10**6])
def test_groups_are_as_many_as_fit_and_never_fewer_than_two(most: int) -> None:
    options = HydraOptions(64, 8, "rows", 500, True)
    within = options.within(most, 100)
    assert within.groups in range(2, 65)
    assert within.groups == 2 or hydra_features(100, within) <= most
    assert within.groups == 64 or hydra_features(100, HydraOptions(within.groups + 4, 8, "rows", 500, True)) > most


@pytest.mark.parametrize("most", [1, 5, 32])
def test_dilations_are_those_of_the_paper(most: int) -> None:
    for steps in (9, 10, 24, 65, 150, 1000, 2048):
        exponent = np.log2((steps - 1) / 8)
        exact = np.logspace(0, exponent, most, base=2)
        values, counts = np.unique((exact + 1e-9).astype(np.int32), return_counts=True)
        assert dilations(steps, 9, most) == dict(zip(values.tolist(), counts.tolist(), strict=True))


@pytest.mark.parametrize(("channels", "most"), [(1, 9), (3, 9), (40, 9), (12, 1), (40, 4)], ids=str)
def test_channels_are_drawn_by_the_logarithm_of_how_many(channels: int, most: int) -> None:
    drawn = drawn_channels(channels, 3000, most, np.random.default_rng(0))
    sizes = np.array([use.bit_count() for use in drawn["use"]])
    limit = min(channels, most, 12)
    assert (sizes.min(), sizes.max()) == (1, limit)
    assert max(drawn["use"]) < 2 ** len(drawn["channels"])
    for size in range(1, limit + 1):
        assert np.mean(sizes == size) == pytest.approx(np.log((size + 1) / size) / np.log(limit + 1), abs=0.04)


@pytest.mark.parametrize("is_difference", [False, True], ids=["steps", "differences"])
def test_the_scale_of_a_view_is_the_median_of_the_deviations_of_series(is_difference: bool) -> None:
    found = view_json(SERIES, 100, is_difference=is_difference, scaling="rows")
    parts = [np.diff(part.astype(np.float64), axis=0) if is_difference else part.astype(np.float64) for part in PARTS]
    np.testing.assert_allclose(found["means"], np.concatenate(parts).mean(axis=0), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found["scales"], np.median([part.std(axis=0) for part in parts], axis=0), rtol=1e-6)


def test_a_series_without_a_channel_has_no_part_in_its_scale() -> None:
    gone = PARTS[0].copy()
    gone[:, 0] = np.nan
    found, others = (view_json(Series.of(parts), 100, is_difference=False, scaling="rows")
                     for parts in ([gone, *PARTS[1:]], PARTS[1:]))  # fmt: skip
    assert (found["means"][0], found["scales"][0]) == (others["means"][0], others["scales"][0])
    assert found["means"][1] != others["means"][1]


@pytest.mark.parametrize(("channels", "points"), [(1, 0), (1, 4), (2, 0), (10, 3), (13, 3)], ids=str)
def test_a_description_has_as_many_numbers_as_its_parts(channels: int, points: int) -> None:
    series = Series.of([RNG.normal(size=(20, channels))])
    summary = Summary(summary_plan(channels, points=points, longest=50))
    paired = min(channels, 10)
    assert summary.width == 1 + channels * (7 + 5 + 8 + 6 + 6 + points) + paired * (paired - 1) // 2
    assert summary.compute(series).shape == (1, summary.width)


def gappy(share: float) -> list[np.ndarray]:
    """Return series with gaps."""
    rng = np.random.default_rng(5)
    return [np.where(rng.random(part.shape) < share, np.nan, part).astype(np.float32) for part in PARTS]


def straight(part: np.ndarray) -> np.ndarray:
    """Return a series whose gaps are filled by straight lines."""
    places = np.arange(len(part))
    known = [~np.isnan(column) for column in part.T]
    columns = [np.interp(places, places[k], column[k]) for k, column in zip(known, part.T, strict=True)]
    return np.stack(columns, axis=1).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(("longest", "pool"), [(100, 1), (20, 2), (10, 4)], ids=str)
def test_means_and_scales_are_those_of_steps_put_together(longest: int, pool: int) -> None:
    parts = gappy(0.2)
    plan = steps_plan(Series.of(parts), StepsOptions("rows", differences=False, longest=longest, clock=False))
    full = [straight(part) for part in parts]
    steps = np.array([part[at : at + pool].mean(axis=0) for part in full for at in range(0, len(part), pool)])
    assert plan["pool"] == pool
    np.testing.assert_allclose(plan["means"], steps.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(plan["scales"], steps.std(axis=0), rtol=1e-6)


def test_differences_are_scaled_by_their_root_mean_square_with_a_first_one_of_nothing() -> None:
    plan = steps_plan(SERIES, StepsOptions("rows", differences=True, longest=100, clock=False))
    scaled = [(part.astype(np.float64) - plan["means"]) / plan["scales"] for part in PARTS]
    found = np.concatenate([np.diff(part, axis=0, prepend=part[:1]) for part in scaled])
    np.testing.assert_allclose(plan["differences"], np.sqrt((found**2).mean(axis=0)), rtol=1e-5)


@pytest.mark.parametrize(("missing", "expected"), [(1, []), (2, [1]), (200, [])], ids=["few", "some", "all"])
def test_a_channel_says_what_is_missing_from_half_a_percent_on(missing: int, expected: list[int]) -> None:
    values = RNG.normal(size=(200, 2))
    values[:missing, 1] = np.nan
    assert steps_plan(Series.of([values]), STEPS)["gaps"] == expected


def test_as_few_steps_as_possible_are_put_together() -> None:
    for most, longest in product(range(1, 60), (1, 7, 16)):
        pool = StepsOptions("rows", differences=False, longest=longest, clock=False).pool(most)
        assert -(-most // pool) <= longest
        assert pool == 1 or -(-most // (pool - 1)) > longest


@pytest.mark.parametrize(("differences", "clock", "varies"), list(product([False, True], repeat=3)), ids=str)
def test_the_plan_has_as_many_outputs_as_its_options_say(differences: bool, clock: bool, varies: bool) -> None:
    options = StepsOptions("series", differences=differences, longest=30, clock=clock)
    series = Series.of([RNG.normal(size=(length, 3)) for length in ((9, 12) if varies else (9, 9))])
    assert Steps(steps_plan(series, options)).outputs == options.outputs(3, varies=varies)


@pytest.mark.parametrize(("longest", "patch"), list(product([7, 16, 100], [1, 3, 8])), ids=str)
def test_the_reader_says_before_how_long_the_longest_row_will_be(longest: int, patch: int, tmp_path: Any) -> None:
    data = waving_series(20)
    values: dict[str, Any] = {"scaling": "rows", "differences": False, "longest": longest, "clock": True}
    ctx = LocalContext(np.arange(20), np.arange(0), 3, tmp_path)
    found = READER.encoding({**values, "patch": patch}, data, ctx)
    assert READER.size({**values, "patch": patch}, data.spec).longest == found.longest
    assert found.ends[-1] == len(found.values)
    assert -(-int(np.diff(found.ends, prepend=0).max()) // patch) == found.longest


@pytest.mark.parametrize("patch", [1, 2, 5, 50])
def test_patches_are_stretches_of_a_series_channel_by_channel(patch: int) -> None:
    found = SeriesEntrance(EntranceSettings(patch=patch), 2).eval()(torch.from_numpy(SERIES.padded()))
    for row, part in enumerate(PARTS):
        count = -(-len(part) // patch)
        full = np.zeros((count * patch, 2), np.float32)
        full[: len(part)] = part
        np.testing.assert_array_equal(
            found.x[row, :count], full.reshape(count, patch, 2).swapaxes(1, 2).reshape(count, -1)
        )
        assert found.mask[row].tolist() == [1.0] * count + [0.0] * (-(-40 // patch) - count)


def test_a_gain_is_one_factor_above_nothing_for_each_row_and_channel() -> None:
    torch.manual_seed(0)
    inputs = torch.from_numpy(SERIES.padded())
    ratios = (varied(inputs, EntranceSettings(gain=0.5)) / inputs).numpy()
    assert np.nanmin(ratios) > 0
    np.testing.assert_allclose(np.nanmin(ratios, axis=2), np.nanmax(ratios, axis=2), rtol=1e-5)
    assert len(np.unique(np.round(np.nanmean(ratios, axis=2), 4))) == 8


def test_noise_has_the_size_that_is_asked_for() -> None:
    torch.manual_seed(0)
    inputs = torch.zeros(50, 2, 100)
    found = varied(inputs, EntranceSettings(noise=0.3))
    assert found.std().item() == pytest.approx(0.3, rel=0.05)
    assert found.mean().item() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_all_rows_keep_the_same_share_of_their_steps(seed: int) -> None:
    torch.manual_seed(seed)
    found = varied(torch.from_numpy(SERIES.padded()), EntranceSettings(window=0.3))
    kept, lengths = (~torch.isnan(found[:, 0])).sum(dim=1).numpy(), SERIES.lengths
    assert np.max((kept - 1) / lengths) < np.min(kept / lengths) + 1e-6
    assert (kept >= 0.3 * lengths).all()
    assert found.shape[2] == kept.max()


def test_without_anything_to_vary_rows_are_given_as_they_are() -> None:
    inputs = torch.from_numpy(SERIES.padded())
    assert varied(inputs, EntranceSettings(patch=4)) is inputs
