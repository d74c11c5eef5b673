from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from automl.candidates.sequence.rocket_fit import RocketOptions, fitted_rocket
from automl.serving.series import Series
from automl.serving.series_rocket import GAIN, Rocket, kernels, longest_stretch
from automl.serving.series_views import View, blocks

RNG = np.random.default_rng(1)
SERIES = Series.of([RNG.normal(size=(n, 3)).cumsum(axis=0) for n in (30, 11, 1, 47, 30, 30, 5)])


def plan_of(pooling: Any = "several", *, padded: bool = True, longest: int = 40, features: int = 2000) -> Any:
    options = RocketOptions(features, pooling, True, "rows", longest, padded)
    return json.loads(json.dumps(fitted_rocket(SERIES, options, np.random.default_rng(0))))


def by_hand(values: np.ndarray, bank: dict[str, Any], kernel: int, bias: int) -> list[float]:
    """Return the four numbers of one whole series, (channels, steps), as the paper has them."""
    used = [c for place, c in enumerate(bank["channels"]) if bank["use"][kernel] >> place & 1]
    reach, steps = 4 * bank["dilation"], values.shape[1]
    wide = np.pad(values[used].sum(axis=0), reach)
    response = sum(kernels()[kernel, tap] * wide[tap * bank["dilation"] :][:steps] for tap in range(9))
    if (kernel + bank["parity"]) % 2 and steps > 2 * reach:
        response = response[reach:-reach]
    is_above = response > bias
    if not is_above.any():
        return [0.0, 0.0, 0.0, 0.0]
    mean, places = (response[is_above] - bias).mean() / 4096, np.flatnonzero(is_above) + 1
    stretch = max(len(run) for run in "".join("x" if a else " " for a in is_above).split())
    return [is_above.mean(), mean, places.mean() / len(response), stretch / len(response)]


@pytest.mark.parametrize("padded", [True, False], ids=["padded", "own length"])
def test_numbers_are_those_of_the_papers(padded: bool) -> None:
    plan = plan_of(padded=padded, longest=50)
    found, bank = Rocket(plan).compute(SERIES), plan["views"][0]["banks"][1]
    before = 4 * 84 * len(plan["views"][0]["banks"][0]["biases"]) // 84
    biases = len(bank["biases"]) // 84
    own = found[:, before : before + 4 * 84 * biases].reshape(-1, 4, 84, biases)
    view = View.from_json(plan["views"][0], 3, gain=GAIN)
    for rows, values in blocks(SERIES, 50, padded=plan["padded"]):
        for kernel in (0, 17, 50, 83):
            expected = by_hand(view.whole(values)[:, 0].astype(float), bank, kernel, bank["biases"][kernel * biases])
            np.testing.assert_allclose(own[rows[0], :, kernel, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("padded", [True, False], ids=["padded", "own length"])
def test_a_series_alone_gives_the_same_numbers_to_the_bit(padded: bool) -> None:
    rocket = Rocket(plan_of("share", padded=padded))
    together = rocket.compute(SERIES)
    alone = np.concatenate([rocket.compute(SERIES[row : row + 1]) for row in range(len(SERIES))])
    np.testing.assert_array_equal(alone, together)


def test_a_share_alone_is_the_first_of_several_numbers() -> None:
    several = plan_of()
    share = {**several, "pooling": "share"}
    first = several["views"][0]["banks"][0]
    size = len(first["biases"])
    np.testing.assert_array_equal(Rocket(several).compute(SERIES)[:, :size], Rocket(share).compute(SERIES)[:, :size])


def test_the_width_is_told_and_all_numbers_are_finite() -> None:
    rocket = Rocket(plan_of())
    found = rocket.compute(SERIES)
    assert found.shape == (7, rocket.width)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_no_series_give_no_row() -> None:
    rocket = Rocket(plan_of())
    assert rocket.compute(SERIES[:0]).shape == (0, rocket.width)


def test_series_longer_than_any_in_training_are_read() -> None:
    assert np.isfinite(Rocket(plan_of(longest=3000)).compute(Series.of([RNG.normal(size=(2500, 3))]))).all()


def test_there_are_84_kernels_whose_weights_sum_to_nothing() -> None:
    assert kernels().shape == (84, 9)
    assert len(np.unique(kernels(), axis=0)) == 84
    assert (kernels().sum(axis=1) == 0).all()


@pytest.mark.parametrize(
    ("flags", "longest"), [("0000", 0), ("1111", 4), ("1011", 2), ("0110", 2), ("1110", 3)], ids=str
)
def test_the_longest_stretch_is_found(flags: str, longest: int) -> None:
    assert longest_stretch(np.array([[[flag == "1" for flag in flags]]])).tolist() == [[longest]]


def broken(place: tuple[Any, ...], value: object) -> dict[str, Any]:
    plan = copy.deepcopy(plan_of(features=1000))
    inner = plan
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return plan


BANK = ("views", 0, "banks", 0)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("channels",), 0, "channels must be a whole number in"),
        (("longest",), 1 << 20, "longest must be a whole number in"),
        (("padded",), 41, r"padded must be a whole number in \[0, 40\]"),
        (("pooling",), "max", "pooling must be one of share, several"),
        (("views",), [], "views must be a list of 1 to"),
        (("views", 0), 3, "views must be an object"),
        (("views", 0, "banks"), None, "banks must be a list"),
        ((*BANK, "dilation"), 0, "dilation must be a whole number in"),
        ((*BANK, "parity"), 2, r"parity must be a whole number in \[0, 1\]"),
        ((*BANK, "biases"), [1] * 85, "as many for each of 84 kernels. Got 85"),
        ((*BANK, "biases"), [1 << 30] * 84, "biases must be whole numbers in"),
        ((*BANK, "use"), [1] * 83, "use must be a list of 84 entries"),
    ],
    ids=lambda value: str(value)[-24:],
)
def test_a_malformed_plan_is_refused(place: tuple[Any, ...], value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rocket(broken(place, value))
