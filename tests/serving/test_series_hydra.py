from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from automl.candidates.sequence.hydra_fit import HydraOptions, fitted_hydra
from automl.serving.series import Series
from automl.serving.series_hydra import GAIN, Hydra
from automl.serving.series_views import View, blocks

RNG = np.random.default_rng(1)
SERIES = Series.of([RNG.normal(size=(n, 3)).cumsum(axis=0) for n in (30, 11, 1, 47, 30, 30, 5)])


def plan_of(*, padded: bool = True, longest: int = 50) -> dict[str, Any]:
    plan = fitted_hydra(SERIES, HydraOptions(4, 8, "rows", longest, padded), np.random.default_rng(0))
    made: dict[str, Any] = json.loads(json.dumps(plan))
    return made


def by_hand(values: np.ndarray, bank: dict[str, Any], unit: float) -> np.ndarray:
    """Return both numbers of each kernel of the bank's first group, (2, 8), of whole values (channels, steps)."""
    used = [c for place, c in enumerate(bank["channels"]) if bank["use"][0] >> place & 1]
    wide, steps = np.pad(values[used].sum(axis=0), 4 * bank["dilation"]), values.shape[1]
    weights = np.array(bank["kernels"]).reshape(-1, 9)[:8]
    seen = np.stack([wide[tap * bank["dilation"] :][:steps] for tap in range(9)])
    found = weights @ seen
    wins = np.where(found == found.max(axis=0), found, 0).sum(axis=1) / unit
    return np.stack([wins, (found == found.min(axis=0)).sum(axis=1)])


@pytest.mark.parametrize("padded", [True, False], ids=["padded", "own length"])
def test_numbers_are_those_of_the_paper(padded: bool) -> None:
    plan = plan_of(padded=padded)
    found, bank = Hydra(plan).compute(SERIES), plan["views"][0]["banks"][0]
    groups = len(bank["use"])
    own = found[:, : 2 * groups * 8].reshape(-1, 2, groups, 8)[:, :, 0]
    view = View.from_json(plan["views"][0], 3, gain=GAIN)
    for rows, values in blocks(SERIES, 50, padded=plan["padded"]):
        whole = view.whole(values)[:, 0].astype(float)
        expected = np.sqrt(by_hand(whole, bank, view.unit) * plan["reference"] / whole.shape[1])
        np.testing.assert_allclose(own[rows[0]], expected, rtol=1e-4)


@pytest.mark.parametrize("padded", [True, False], ids=["padded", "own length"])
def test_a_series_alone_gives_the_same_numbers(padded: bool) -> None:
    hydra = Hydra(plan_of(padded=padded))
    together = hydra.compute(SERIES)
    alone = np.concatenate([hydra.compute(SERIES[row : row + 1]) for row in range(len(SERIES))])
    np.testing.assert_allclose(alone, together, rtol=1e-5)


def test_where_a_series_does_not_vary_all_of_a_group_are_least() -> None:
    plan = plan_of()
    plan["views"], plan["padded"] = plan["views"][1:], 0
    flat = Hydra(plan).compute(Series.of([np.full((9, 3), 4.0)]))
    groups = len(plan["views"][0]["banks"][0]["use"])
    flat_counts = flat[0, groups * 8 : 2 * groups * 8]
    assert (flat_counts**2 <= plan["reference"] + 1e-3).all()
    assert np.isfinite(flat).all()


def test_the_width_is_told() -> None:
    hydra = Hydra(plan_of())
    assert hydra.compute(SERIES).shape == (7, hydra.width)
    assert hydra.compute(SERIES[:0]).shape == (0, hydra.width)


def broken(place: tuple[Any, ...], value: object) -> dict[str, Any]:
    plan = copy.deepcopy(plan_of())
    inner: Any = plan
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return plan


BANK = ("views", 0, "banks", 0)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("size",), 0, "size must be a whole number in"),
        (("reference",), 0, "reference must be a whole number in"),
        (("views",), {}, "views must be a list"),
        ((*BANK, "dilation"), 1.5, "dilation must be a whole number in"),
        ((*BANK, "use"), [1] * 10_001, "at most 10000 groups. Got 10001"),
        ((*BANK, "kernels"), [1] * 9, "kernels must be a list of"),
        ((*BANK, "kernels"), [96] * (2 * 8 * 9), "sizes sum to at most 96. Got 864"),
        ((*BANK, "kernels"), [97] * (2 * 8 * 9), r"kernels must be whole numbers in \[-96, 96\]"),
    ],
    ids=lambda value: str(value)[-24:],
)
def test_a_malformed_plan_is_refused(place: tuple[Any, ...], value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Hydra(broken(place, value))
