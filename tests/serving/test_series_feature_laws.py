"""Features of series are those of plain Python, number by number, and keep the laws that follow from what they mean."""

from __future__ import annotations

import cmath
import math
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest

from automl.serving.series import Series
from automl.serving.series_encoder import SeriesEncoder
from automl.serving.series_fill import filled
from automl.serving.series_hydra import GAIN as HYDRA_GAIN
from automl.serving.series_rocket import GAIN as ROCKET_GAIN
from automl.serving.series_rocket import kernels
from automl.serving.series_steps import Steps
from automl.serving.series_summary import Summary
from automl.serving.series_views import EXACT, View, blocks, shifted

Lists = list[list[float]]  # channels, each its steps
NAN = math.nan
RNG = np.random.default_rng(11)
WALKS = [RNG.normal(size=(n, 2)).cumsum(axis=0).astype(np.float32) for n in (17, 1, 2, 26, 9, 40)]
for _walk in WALKS[::2]:
    _walk[RNG.random(_walk.shape) < 0.3] = np.nan
WALKS[4][:, 1] = np.nan
SERIES = Series.of(WALKS)


def closed(steps: list[float]) -> list[float]:
    """Return one channel without gaps."""
    known = [place for place, value in enumerate(steps) if value == value]
    out = []
    for place, value in enumerate(steps):
        left = max((k for k in known if k <= place), default=None)
        right = min((k for k in known if k >= place), default=left)
        left = right if left is None else left
        if value == value or left is None or right is None:
            out.append(value)
        else:
            share = (place - left) / max(1, right - left)
            out.append(float(np.float32(steps[left] * (1 - share) + steps[right] * share)))
    return out


def pressed(steps: list[float], longest: int, pool: int = 1) -> list[float]:
    """Return the means of neighbouring steps."""
    count = -(-len(steps) // pool)
    cuts = [place * pool for place in range(count)] if count <= longest else []
    cuts = cuts or [place * len(steps) // longest for place in range(longest)]
    parts = [steps[a:b] for a, b in zip(cuts, [*cuts[1:], len(steps)], strict=True)]
    return [sum(part) / len(part) for part in parts]


def spread(values: list[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def standardised(values: list[float]) -> list[float]:
    """Return one channel with mean 0 and deviation 1, 0 where it does not vary; what is missing stays missing."""
    known = [value for value in values if value == value]
    mean, deviation = spread(known) if known else (0.0, 0.0)
    return [(v - mean) / deviation if deviation > 1e-6 else 0 * v for v in values]


def plain(walk: np.ndarray, longest: int, padded: int = 0, pool: int = 1) -> Lists:
    """Return a series as all kinds of plans begin: without gaps, pressed and extended."""
    found = [pressed(closed(channel), longest, pool) for channel in walk.T.astype(float).tolist()]
    return [channel + [NAN] * (padded - len(channel)) for channel in found]


def whole_of(channels: Lists, view: dict[str, Any], gain: int) -> Lists:
    """Return what a view makes of a series."""
    limit, out = EXACT // gain, []
    for channel, mean, scale in zip(channels, view["means"], view["scales"], strict=True):
        if view["difference"]:
            channel = [b - a for a, b in pairwise(channel)] or [0.0]
        scaled = [(value - mean) / scale for value in channel]
        scaled = standardised(scaled) if view["scaling"] == "series" else scaled
        numbers = [0.0 if v != v else max(-limit, min(limit, v * limit / 32)) for v in scaled]
        out.append([float(round(number)) for number in numbers])
    return out


def summed(whole: Lists, bank: dict[str, Any], number: int) -> list[float]:
    """Return the sum of the channels that the binary digits of a number name."""
    used = [place for bit, place in enumerate(bank["channels"]) if number >> bit & 1]
    return [sum(whole[place][step] for place in used) for step in range(len(whole[0]))]


def response(steps: list[float], weights: list[float], dilation: int, at: int) -> float:
    seen = ((weight, at + (tap - 4) * dilation) for tap, weight in enumerate(weights))
    return sum(weight * steps[place] for weight, place in seen if 0 <= place < len(steps))


def rocket_by_hand(walk: np.ndarray, plan: dict[str, Any]) -> list[list[float]]:
    """Return the four numbers for each bias: they stand by number, kernel and bias for each bank."""
    out: list[list[float]] = []
    for view in plan["views"]:
        whole = whole_of(plain(walk, plan["longest"], plan["padded"]), view, ROCKET_GAIN)
        for bank in view["banks"]:
            each, reach, steps = len(bank["biases"]) // 84, 4 * bank["dilation"], len(whole[0])
            rows: list[list[float]] = []
            for kernel, weights in enumerate(kernels().tolist()):
                is_cut = (kernel + bank["parity"]) % 2 == 1 and steps > 2 * reach
                line = summed(whole, bank, bank["use"][kernel])
                seen = range(reach, steps - reach) if is_cut else range(steps)
                found = [response(line, weights, bank["dilation"], place) for place in seen]
                rows += [four(found, bias) for bias in bank["biases"][kernel * each :][:each]]
            out += list(map(list, zip(*rows, strict=True)))
    return out


def four(found: list[float], bias: float) -> list[float]:
    """Return the share above a bias, by how much, where, and the longest stretch."""
    over = [(place, value - bias) for place, value in enumerate(found, 1) if value > bias]
    stretch = most = 0
    for value in found:
        stretch = stretch + 1 if value > bias else 0
        most = max(most, stretch)
    some = max(1, len(over))
    height, where = sum(value for _, value in over) / (some * 4096), sum(place for place, _ in over)
    return [len(over) / len(found), height, where / (some * len(found)), most / len(found)]


def hydra_by_hand(walk: np.ndarray, plan: dict[str, Any]) -> list[float]:
    """Return the squares of both numbers of each kernel."""
    out: list[float] = []
    for view in plan["views"]:
        whole = whole_of(plain(walk, plan["longest"], plan["padded"]), view, HYDRA_GAIN)
        for bank in view["banks"]:
            size, steps, unit = plan["size"], len(whole[0]), EXACT // HYDRA_GAIN / 32
            wins, losses = [], []
            for group, number in enumerate(bank["use"]):
                line = summed(whole, bank, number)
                ours = [bank["kernels"][9 * (group * size + k) :][:9] for k in range(size)]
                table = [[response(line, k, bank["dilation"], at) for k in ours] for at in range(steps)]
                for k in range(size):
                    wins.append(max(0.0, sum(row[k] for row in table if row[k] == max(row)) / unit))
                    losses.append(float(sum(row[k] == min(row) for row in table)))
            out += [value * plan["reference"] / steps for value in (*wins, *losses)]
    return out


VIEWS: dict[str, dict[str, Any]] = {
    "rows": {"difference": False, "scaling": "rows", "means": [0.5, -1.0], "scales": [1.5, 2.0]},
    "series": {"difference": False, "scaling": "series", "means": [0.5, -1.0], "scales": [1.5, 2.0]},
    "changes": {"difference": True, "scaling": "rows", "means": [0.1, 0.0], "scales": [1.0, 1.5]},
    "changes by series": {"difference": True, "scaling": "series", "means": [0.1, 0.0], "scales": [1.0, 1.5]},
}


def rocket_bank(dilation: int, parity: int, biases: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(dilation)
    use, bias = rng.integers(1, 4, 84).tolist(), rng.integers(-9000, 9000, 84 * biases).tolist()
    return {"dilation": dilation, "parity": parity, "channels": [1, 0], "use": use, "biases": bias}


def rocket(*views: str, padded: int = 0, pooling: str = "several") -> dict[str, Any]:
    banks = [rocket_bank(1, 0), rocket_bank(3, 1, 1)]
    given = [{**VIEWS[view], "banks": banks} for view in views]
    return {"version": 1, "kind": "rocket", "channels": 2, "longest": 30, "padded": padded, "pooling": pooling,
            "views": given}  # fmt: skip


def hydra(*views: str, padded: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    banks = [{"dilation": d, "channels": [0, 1], "use": [3, 1, 2], "kernels": rng.integers(-9, 10, 81).tolist()}
             for d in (1, 4)]  # fmt: skip
    given = [{**VIEWS[view], "banks": banks} for view in views]
    return {"version": 1, "kind": "hydra", "channels": 2, "longest": 30, "padded": padded, "reference": 25, "size": 3,
            "views": given}  # fmt: skip


@pytest.mark.parametrize("padded", [0, 20], ids=["own length", "padded"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_that_of_plain_python(view: str, padded: int) -> None:
    made = View.from_json(VIEWS[view], 2, gain=ROCKET_GAIN)
    for rows, values in blocks(SERIES, 30, padded=padded):
        for place, row in enumerate(rows.tolist()):
            expected = whole_of(plain(WALKS[row], 30, padded), VIEWS[view], ROCKET_GAIN)
            np.testing.assert_array_equal(made.whole(values)[:, place], expected)


@pytest.mark.parametrize("padded", [0, 20], ids=["own length", "padded"])
@pytest.mark.parametrize("view", VIEWS)
def test_rocket_is_that_of_plain_python(view: str, padded: int) -> None:
    plan = rocket(view, padded=padded)
    found = SeriesEncoder(plan).compute(SERIES[1:5])
    expected = [[v for line in rocket_by_hand(walk, plan) for v in line] for walk in WALKS[1:5]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("padded", [0, 20], ids=["own length", "padded"])
@pytest.mark.parametrize("view", VIEWS)
def test_hydra_is_that_of_plain_python(view: str, padded: int) -> None:
    plan = hydra(view, padded=padded)
    found = SeriesEncoder(plan).compute(SERIES)
    np.testing.assert_allclose(found**2, [hydra_by_hand(walk, plan) for walk in WALKS], rtol=1e-4, atol=1e-2)


def steps_by_hand(walk: np.ndarray, plan: dict[str, Any]) -> Lists:
    """Return channels and what stands beside them, each its steps."""
    longest, pool = plan["longest"], plan["pool"]
    given = zip(plain(walk, longest, pool=pool), plan["means"], plan["scales"], strict=True)
    scaled = [[(value - mean) / scale for value in channel] for channel, mean, scale in given]
    scaled = list(map(standardised, scaled)) if plan["scaling"] == "series" else scaled
    scaled = [[0.0 if v != v else max(-30.0, min(30.0, v)) for v in channel] for channel in scaled]
    pairs = zip(scaled, plan["differences"], strict=True)
    changes = [[(b - a) / d for a, b in zip([c[0], *c], c, strict=False)] for c, d in pairs]
    gaps = [pressed([float(v != v) for v in walk[:, place].tolist()], longest, pool) for place in plan["gaps"]]
    return [*scaled, *changes, *gaps, [2 * place / (longest - 1) - 1 for place in range(len(scaled[0]))]]


@pytest.mark.parametrize("scaling", ["rows", "series"])
@pytest.mark.parametrize(("longest", "pool"), [(50, 1), (50, 3), (7, 1), (7, 4)], ids=str)
def test_steps_are_those_of_plain_python(scaling: str, longest: int, pool: int) -> None:
    plan = {"version": 1, "kind": "steps", "channels": 2, "longest": longest, "pool": pool, "scaling": scaling,
            "means": [0.5, -1], "scales": [1.5, 2], "differences": [0.5, 4], "gaps": [0, 1], "clock": True}  # fmt: skip
    found = Steps(plan).compute(SERIES)
    for given, walk in zip(found, WALKS, strict=True):
        expected = np.array(steps_by_hand(walk, plan))
        np.testing.assert_allclose(given[:, : expected.shape[1]], expected, rtol=1e-5, atol=1e-5)
        assert np.isnan(given[:, expected.shape[1] :]).all()


def quantile(values: list[float], level: float) -> float:
    place = level * (len(values) - 1)
    low = sorted(values)[int(place)]
    return low + (sorted(values)[min(int(place) + 1, len(values) - 1)] - low) * (place % 1)


def level(v: list[float]) -> list[float]:
    mean, deviation = spread(v)
    middle = (len(v) - 1) / 2
    slope = sum((k - middle) * x for k, x in enumerate(v)) / sum((k - middle) ** 2 for k in range(len(v)))
    return [mean, deviation, min(v), max(v), v[0], v[-1], slope]


def shape(v: list[float]) -> list[float]:
    mean, deviation = spread(v)
    scaled, change = [(x - mean) / deviation for x in v], [b - a for a, b in pairwise(v)]
    crossed = sum((a > 0) != (b > 0) for a, b in pairwise(scaled)) / len(v)
    sizes, last = list(map(abs, change)), len(v) - 1
    moments = [sum(x**power for x in scaled) / len(v) for power in (3, 4)]
    ends = [v.index(min(v)) / last, v.index(max(v)) / last]
    return [*moments, *ends, crossed, spread(change)[1], sum(sizes) / len(sizes), max(sizes)]


def memory(v: list[float]) -> list[float]:
    scaled, n = standardised(v), len(v)
    return [sum(scaled[k] * scaled[k + d] for k in range(n - d)) / (n - d) if n > d + 1 else NAN
            for d in (1, 2, 3, 5, 8, 13)]  # fmt: skip


def bands(v: list[float]) -> list[float]:
    n, power = len(v), [0.0] * 6
    for wave in range(1, n // 2 + 1):
        turns = (x * cmath.exp(-2j * math.pi * wave * k / n) for k, x in enumerate(standardised(v)))
        power[min(5, math.floor(math.log2(n / wave)) - 1)] += abs(sum(turns)) ** 2
    return [share / sum(power) for share in power]


def points(v: list[float]) -> list[float]:
    places = [k * (len(v) - 1) / 6 for k in range(7)]
    return [v[int(p)] * (1 - p % 1) + v[min(int(p) + 1, len(v) - 1)] * (p % 1) for p in places]


BY_HAND: dict[str, Any] = {
    "level": level, "shape": shape, "memory": memory, "bands": bands, "points": points,
    "quantiles": lambda v: [quantile(v, share) for share in (0.1, 0.25, 0.5, 0.75, 0.9)],
}  # fmt: skip


def summary(*parts: str, channels: int = 2, longest: int = 30) -> Summary:
    return Summary({"version": 1, "kind": "summary", "channels": channels, "longest": longest, "points": 7,
                    "parts": list(parts)})  # fmt: skip


@pytest.mark.parametrize("part", BY_HAND)
def test_a_summary_is_that_of_plain_python(part: str) -> None:
    rows = [0, 3, 5]  # those with values in both channels and more than two steps
    expected = [[n for c in plain(WALKS[row], 30) for n in BY_HAND[part](c)] for row in rows]
    found = summary(part).compute(SERIES[np.array(rows)])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_pairs_are_the_correlations_of_plain_python() -> None:
    walk = RNG.normal(size=(25, 12)).astype(np.float32)
    scaled = [standardised(channel) for channel in walk.T.astype(float).tolist()]
    expected = [sum(a * b for a, b in zip(*two, strict=True)) / 25 for two in combinations(scaled[:10], 2)]
    np.testing.assert_allclose(summary("pairs", channels=12).compute(Series.of([walk]))[0], expected, atol=1e-5)


PLANS: dict[str, dict[str, Any]] = {
    "rocket": rocket("rows", "changes by series"), "padded rocket": rocket("series", padded=12),
    "hydra": hydra("rows", "changes"), "padded hydra": hydra("series", padded=12),
}  # fmt: skip


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_rows_in_another_order_give_their_numbers_in_that_order(plan: dict[str, Any]) -> None:
    order = np.array([3, 0, 5, 5, 1, 4, 2])
    np.testing.assert_array_equal(
        SeriesEncoder(plan).compute(SERIES[order]), SeriesEncoder(plan).compute(SERIES)[order]
    )


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_closing_gaps_before_changes_nothing(plan: dict[str, Any]) -> None:
    packed = SERIES.packed()
    closed_before = Series.of_packed(filled(packed.values, packed.ends), packed.ends)
    np.testing.assert_array_equal(SeriesEncoder(plan).compute(closed_before), SeriesEncoder(plan).compute(SERIES))


@pytest.mark.parametrize("plan", [rocket("series"), hydra("series")], ids=["rocket", "hydra"])
def test_what_is_scaled_by_itself_knows_no_unit(plan: dict[str, Any]) -> None:
    doubled = Series.of([walk * np.float32(2) for walk in WALKS])
    twice = {**plan, "views": [{**v, "means": [2 * m for m in v["means"]], "scales": [2 * s for s in v["scales"]]}
                               for v in plan["views"]]}  # fmt: skip
    np.testing.assert_array_equal(SeriesEncoder(twice).compute(doubled), SeriesEncoder(plan).compute(SERIES))


def test_shares_fall_as_the_bias_rises() -> None:
    bank = {**rocket_bank(2, 0), "biases": [-20_000, -500, 0, 500, 20_000] * 84}
    plan = {**rocket("rows", pooling="share"), "views": [{**VIEWS["rows"], "banks": [bank]}]}
    found = SeriesEncoder(plan).compute(SERIES).reshape(-1, 84, 5)
    assert (np.diff(found, axis=2) <= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_a_series_turned_round_answers_kernels_turned_round() -> None:
    turned = [kernels().tolist().index(weights[::-1]) for weights in kernels().tolist()]
    bank = {"dilation": 5, "parity": 0, "channels": [0, 1], "use": [3] * 84, "biases": [700] * 84}
    plan = {**rocket("rows", pooling="share"), "views": [{**VIEWS["rows"], "banks": [bank]}]}
    walks = [WALKS[3][:19], WALKS[5][:7], WALKS[1]]  # so short that every kernel sees zeros around it
    found = SeriesEncoder(plan).compute(Series.of(walks))
    back = SeriesEncoder(plan).compute(Series.of([walk[::-1] for walk in walks]))
    np.testing.assert_array_equal(back, found[:, turned])


def test_a_channel_that_no_kernel_uses_makes_no_difference() -> None:
    plan = rocket("rows")
    for bank in plan["views"][0]["banks"]:
        bank["use"] = [2] * 84  # of channels [1, 0], the second
    other = Series.of([walk * [1, -3] + [0, 5] for walk in WALKS])
    np.testing.assert_array_equal(SeriesEncoder(plan).compute(other), SeriesEncoder(plan).compute(SERIES))


def test_in_each_group_some_kernel_is_least_at_every_step() -> None:
    plan = hydra("rows")
    counts = SeriesEncoder(plan).compute(SERIES).reshape(-1, 2, 2, 3, 3)[:, :, 1] ** 2
    assert (counts.sum(axis=-1) >= plan["reference"] * (1 - 1e-5)).all()
    assert (counts <= plan["reference"] * (1 + 1e-5)).all()


@pytest.mark.parametrize(("taps", "dilation", "steps"), [(3, 1, 5), (9, 2, 8), (9, 7, 16), (5, 5, 6)], ids=str)
def test_each_tap_sees_its_step(taps: int, dilation: int, steps: int) -> None:
    values = RNG.normal(size=(2, 3, 5)).astype(np.float32)
    seen = shifted(values, dilation, taps=taps, steps=steps).reshape(2, taps, 3, steps)
    for tap in range(taps):
        place = np.arange(5) + (tap - taps // 2) * min(dilation, 5)
        inside = (place >= 0) & (place < 5)
        expected = np.where(inside, values[:, :, np.clip(place, 0, 4)], 0)
        np.testing.assert_array_equal(seen[:, tap, :, :5], expected)


def test_gaps_are_closed_alike_from_both_sides() -> None:
    packed = Series.of([walk[::-1] for walk in WALKS[::-1]]).packed()
    there = filled(SERIES.values, SERIES.ends)
    np.testing.assert_allclose(filled(packed.values, packed.ends)[::-1], there, rtol=1e-5, atol=1e-6)


def test_closed_gaps_stay_as_they_are() -> None:
    once = filled(SERIES.values, SERIES.ends)
    np.testing.assert_array_equal(filled(once, SERIES.ends), once)
