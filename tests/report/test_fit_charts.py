"""Charts of predictions are well formed and keep to their frame, whatever the numbers are."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

from automl.core.words import score_words
from automl.report.fit_charts import distribution, importance_bars, predicted_and_actual, reliability_curve
from automl.report.numbers import SHARES, NumberFit, number_fit
from automl.report.reliability import BINS, LEAST_ROWS, Reliability, reliability

RNG = np.random.default_rng(0)
TARGETS: dict[str, np.ndarray] = {
    "ordinary": RNG.normal(size=300),
    "one-row": np.array([7.0]),
    "two-rows": np.array([1.0, 2.0]),
    "constant": np.full(50, 3.0),
    "zeros": np.zeros(50),
    "negative": -RNG.exponential(size=200),
    "tiny": 1e-12 * RNG.normal(size=100),
    "huge": 1e15 * RNG.normal(size=100),
    "skewed": np.exp(5 * RNG.normal(size=300)),
    "far-off": np.array([0.0] * 99 + [1e12]),
    "whole": RNG.integers(0, 3, 100).astype(float),
}
MISSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "right": lambda y: y,
    "constant": lambda y: np.full(len(y), y.mean()),
    "far": lambda y: 1000 * y + 5,
    "opposite": lambda y: -y,
}


def fit_of(y: np.ndarray, predicted: np.ndarray) -> NumberFit:
    fit = number_fit(y, predicted)
    assert fit is not None
    return fit


def places(chart: str) -> list[float]:
    """Return all coordinates of a chart, after making sure that it is well formed."""
    drawn = ElementTree.fromstring(chart)
    names = ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "r")
    return [float(node.get(name, "0")) for node in drawn.iter() for name in names]


def marks(chart: str, tag: str, style: str) -> int:
    """Return how many elements of this kind and style a chart has."""
    return len(re.findall(rf'<{tag}\b[^>]*class="{style}"', chart))


@pytest.mark.parametrize("miss", MISSES.values(), ids=MISSES)
@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
def test_any_numbers_can_be_drawn(y: np.ndarray, miss: Callable[[np.ndarray], np.ndarray]) -> None:
    fit = fit_of(y, miss(y))
    found = np.array([*places(predicted_and_actual(fit)), *places(distribution(fit))])
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 2000


@pytest.mark.parametrize("rows", [1, 40, 1200])
def test_each_point_has_its_dot_with_both_numbers(rows: int) -> None:
    y = np.arange(rows, dtype=float)
    chart = predicted_and_actual(fit_of(y, y + 0.5))
    assert marks(chart, "circle", "c0 soft") == rows
    assert f"{score_words(rows - 0.5)} for {score_words(rows - 1.0)}" in chart


@pytest.mark.parametrize("y", [TARGETS["ordinary"], TARGETS["skewed"], TARGETS["whole"]], ids=["even", "skewed", "few"])
def test_the_histogram_counts_all_but_the_outermost(y: np.ndarray) -> None:
    fit = fit_of(y, y)
    assert 0.98 * len(y) <= fit.counts.sum() <= len(y)
    assert marks(distribution(fit), "rect", "span c0") == len(fit.counts)
    assert (np.diff(fit.edges) > 0).all()


@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
def test_quantiles_of_residuals_rise_and_their_sizes_are_no_less_than_zero(y: np.ndarray) -> None:
    fit = fit_of(y, MISSES["opposite"](y))
    assert list(fit.residuals) == sorted(fit.residuals)
    assert list(fit.absolute) == sorted(fit.absolute)
    assert min(fit.absolute) >= 0
    assert len(fit.residuals) == len(fit.absolute) == len(SHARES)


@pytest.mark.parametrize("shift", [-100.0, 0.0, 1e6])
def test_a_shift_of_all_numbers_moves_no_residual(shift: float) -> None:
    y, predicted = TARGETS["ordinary"], np.random.default_rng(1).normal(size=300)
    wanted = fit_of(y, predicted).residuals
    assert fit_of(y + shift, predicted + shift).residuals == pytest.approx(wanted, abs=1e-8)


def curve(seed: int, rows: int = 500, power: float = 1.0) -> Reliability:
    """Return the curve of probabilities that are too small (power above 1) or too large."""
    rng = np.random.default_rng(seed)
    chance = rng.random(rows)
    y, promised = (rng.random(rows) < chance).astype(int), chance**power
    found = reliability(y, np.stack([1 - promised, promised], axis=1), ("no", "yes"))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rows", [LEAST_ROWS, 101, 5000])
def test_every_row_is_in_one_bin_and_every_share_in_its_interval(seed: int, rows: int) -> None:
    found = curve(seed, rows)
    assert sum(each.rows for each in found.bins) == rows
    assert len(found.bins) <= BINS
    assert all(0 <= each.low <= each.kept <= each.high <= 1 for each in found.bins)


@pytest.mark.parametrize("seed", range(4))
def test_bins_come_in_the_order_of_what_is_promised(seed: int) -> None:
    promised = [each.promised for each in curve(seed).bins]
    assert promised == sorted(promised)


@pytest.mark.parametrize("seed", range(3))
def test_the_error_grows_as_promises_are_bent(seed: int) -> None:
    errors = [curve(seed, 20_000, power).error for power in (1, 1.5, 3)]
    assert errors == sorted(errors)
    assert errors[0] < 0.02 < 0.1 < errors[2]


def test_more_rows_make_narrower_intervals() -> None:
    widths = [np.mean([each.high - each.low for each in curve(0, rows).bins]) for rows in (100, 1000, 10_000)]
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


@pytest.mark.parametrize("promise", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("truth", [0, 1])
def test_promises_that_are_all_the_same_are_one_bin(promise: float, truth: int) -> None:
    found = reliability(np.full(60, truth), np.tile([[1 - promise, promise]], (60, 1)), ("no", "yes"))
    assert found is not None
    assert len(found.bins) == 1
    assert found.error == abs(promise - truth)


def test_rows_without_a_probability_are_left_out() -> None:
    scores = np.tile([[0.5, 0.5]], (100, 1))
    scores[:40] = np.nan
    found = reliability(np.arange(100) % 2, scores, ("no", "yes"))
    assert found is not None
    assert sum(each.rows for each in found.bins) == 60


@pytest.mark.parametrize("seed", range(3))
def test_a_curve_has_a_dot_and_an_interval_for_each_bin(seed: int) -> None:
    found = curve(seed)
    chart = reliability_curve(found)
    assert marks(chart, "circle", "c0") == len(found.bins)
    assert np.isfinite(places(chart)).all()


@pytest.mark.parametrize("name", ["<b>", "a & b", '"', "x" * 500, "größe", ""])
def test_names_are_made_safe_and_short(name: str) -> None:
    bars = importance_bars({name: (1.0, 0.1)})
    line = reliability_curve(Reliability(name, curve(0).bins, 0.0))
    for chart in (bars, line):
        assert np.isfinite(places(chart)).all()
    shown = [node.text or "" for node in ElementTree.fromstring(bars).iter() if node.tag.endswith("text")]
    assert max(map(len, shown)) <= 20


LOSSES = {
    "ordinary": {"a": (0.2, 0.01), "b": (0.1, 0.02)},
    "nothing": {"a": (0.0, 0.0)},
    "helpful-to-leave-out": {"a": (-0.3, 0.1), "b": (-0.1, 0.0)},
    "large": {"a": (1e9, 1e8), "b": (1.0, 0.0)},
    "many": {f"c{place}": (1 / (place + 1), 0.01) for place in range(20)},
}


@pytest.mark.parametrize("losses", LOSSES.values(), ids=LOSSES)
def test_each_column_has_a_bar_inside_of_the_frame(losses: dict[str, tuple[float, float]]) -> None:
    chart = importance_bars(losses)
    assert marks(chart, "rect", "span c0") == len(losses)
    assert min(places(chart)) >= 0
