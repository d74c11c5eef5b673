"""Choosing among models that predict numbers, with values that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.metrics import metric
from automl.core.scores import Pool, best_single, corrected_score, p_better, row_interval
from automl.ensembles import field
from automl.ensembles.field import Contestant, Rules
from automl.ensembles.greedy import greedy_weights
from automl.ensembles.select import Choice, choose

ROWS = 1200
Y = np.random.default_rng(0).normal(50, 10, size=ROWS)
FOLDS = np.arange(ROWS) % 5
VALUES = ("rmse", "mae", "r2", "rmsle")


def off(spread: float, seed: int = 0) -> np.ndarray:
    """Predictions with normal errors of this standard deviation."""
    return (Y + spread * np.random.default_rng(seed).normal(size=ROWS)).astype(np.float32)


def decide(*predictions: np.ndarray, name: str = "rmse", folds: np.ndarray = FOLDS, **rules: object) -> Choice:
    field = [Contestant(i, f"c{i}", p, size_bytes=100 - i) for i, p in enumerate(predictions)]
    rng = np.random.default_rng(0)
    return choose(field, Y, metric(name), folds=folds, rng=rng, rules=Rules(**rules))  # type: ignore[arg-type]


def test_opposite_errors_cancel_in_equal_shares() -> None:
    assert greedy_weights([Y + 1, Y - 1, Y + 30], Y, metric("rmse")).tolist() == [0.5, 0.5, 0.0]


def test_errors_of_three_to_one_cancel_in_shares_of_one_to_three() -> None:
    assert greedy_weights([Y + 3, Y - 1], Y, metric("mae")).tolist() == [0.25, 0.75]


def test_the_error_of_a_mean_falls_with_the_root_of_its_models() -> None:
    choice = decide(*(off(2.0, seed) for seed in range(6)))
    assert choice.kind == "ensemble"
    assert choice.cv == pytest.approx(2.0 / math.sqrt(6), rel=0.06)
    assert choice.corrected == pytest.approx(2.0 / math.sqrt(6), rel=0.08)


@pytest.mark.parametrize("name", VALUES)
def test_each_metric_of_numbers_finds_the_much_better_model(name: str) -> None:
    choice = decide(off(8.0, 1), off(0.5, 2), off(8.0, 3), name=name)
    assert (choice.kind, choice.candidate) == ("single", "c1")
    assert choice.low <= choice.corrected <= choice.high


def test_the_score_of_a_fixed_model_has_the_interval_of_the_textbook() -> None:
    found = decide(off(2.0))
    wide = 1.96 * 2.0 / math.sqrt(2 * ROWS) * math.sqrt(2)  # of the score itself and of a new sample as large
    assert (found.high - found.low) / 2 == pytest.approx(wide, rel=0.2)


def test_a_row_interval_is_that_of_the_textbook() -> None:
    low, high = row_interval(metric("rmse"), Y, off(2.0), rng=np.random.default_rng(0))
    assert (high - low) / 2 == pytest.approx(1.96 * 2.0 / math.sqrt(2 * ROWS), rel=0.15)


def test_r2_is_one_less_the_share_of_variance_that_is_left() -> None:
    assert decide(off(5.0), name="r2").cv == pytest.approx(1 - 25 / 100, abs=0.04)


def test_the_best_of_many_alike_is_corrected_upwards_in_its_error() -> None:
    pool = Pool(tuple(off(5.0, seed)[:100] for seed in range(30)), Y[:100], metric("rmse"))
    found = corrected_score(pool, best_single, rng=np.random.default_rng(0), resamples=60)
    assert pool.scores(np.ones(100)).min() < found.score
    assert found.score == pytest.approx(5.0, rel=0.08)


@pytest.mark.parametrize(("baseline", "likely"), [(10.0, 1.0), (2.0, 0.5)], ids=["worse", "as good"])
def test_the_baseline_is_beaten_as_often_as_it_is_worse(baseline: float, likely: float) -> None:
    mean = off(baseline, 9)
    found = p_better(Y, off(2.0), mean, metric=metric("rmse"), rng=np.random.default_rng(0))
    assert found == pytest.approx(likely, abs=0.45 if likely == 0.5 else 1e-9)


def test_the_baselines_probability_is_told() -> None:
    assert decide(np.full(ROWS, Y.mean(), np.float32), off(2.0), off(2.1, 1), baseline=0).p_better == 1.0


def test_a_simpler_model_a_hair_worse_is_taken() -> None:
    best, moved = off(2.0), np.random.default_rng(5).normal(scale=0.02, size=ROWS)
    errors = best - Y
    moved -= (moved @ errors) / (errors @ errors) * errors  # on average neither better nor worse
    choice = decide(best, (best + moved).astype(np.float32), time_left=lambda: 0.0)
    assert choice.weights == {1: 1.0}


def test_rows_that_are_never_validated_are_left_out() -> None:
    folds = np.arange(ROWS) // 200 - 1
    predictions = [np.where(folds < 0, np.nan, off(2.0, seed)).astype(np.float32) for seed in range(3)]
    choice = decide(*predictions, folds=folds)
    assert choice.cv == pytest.approx(2.0 / math.sqrt(3), rel=0.1)
    assert "of 1000" in choice.method


def test_values_of_any_size_keep_their_unit() -> None:
    small, large = (decide_scaled(scale) for scale in (1e-6, 1e6))
    assert large.cv / small.cv == pytest.approx(1e12, rel=1e-3)
    assert large.weights == small.weights


def decide_scaled(scale: float) -> Choice:
    field = [Contestant(i, "c", (scale * off(2.0, i).astype(np.float64)).astype(np.float32)) for i in range(3)]
    return choose(field, scale * Y, metric("rmse"), folds=FOLDS, rng=np.random.default_rng(0))


@pytest.mark.parametrize("split", ["group", "time"])
def test_folds_that_differ_more_than_their_rows_widen_the_interval(split: str) -> None:
    harder = off(2.0) + np.float32(1.0) * (FOLDS - 2)
    plain, found = decide(harder), decide(harder, split=split)
    assert (found.cv, found.corrected) == (plain.cv, plain.corrected)
    assert found.high - found.corrected == pytest.approx(2.776 * found.se, rel=0.02)
    assert plain.low > found.low
    assert found.method.endswith("; widened to the standard error over folds")


def test_folds_that_are_alike_leave_the_interval() -> None:
    assert decide(off(2.0), split="group", folds=np.arange(ROWS) % 100).method == decide(off(2.0)).method


def test_of_very_many_rows_a_part_ranks_and_all_score(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = decide(off(2.0, 1), off(9.0, 2), time_left=lambda: 0.0)
    monkeypatch.setattr(field, "MOST_FIELD_ROWS", 300)
    part = decide(off(2.0, 1), off(9.0, 2), time_left=lambda: 0.0)
    assert (part.weights, part.cv, part.se) == (whole.weights, whole.cv, whole.se)
    assert "of 300 rows" in part.method


def test_the_interval_is_for_all_rows_though_a_part_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = decide(off(2.0, 1), time_left=lambda: 0.0)
    monkeypatch.setattr(field, "MOST_FIELD_ROWS", 300)
    part = decide(off(2.0, 1), time_left=lambda: 0.0)
    assert part.high - part.low == pytest.approx(whole.high - whole.low, rel=0.25)


def test_without_time_to_resample_the_halves_of_the_rows_judge_each_other() -> None:
    left = iter([10.0] * 4 + [0.0] + [10.0] * 1000)  # out of time when the resampling begins
    choice = decide(*(off(2.0, seed) for seed in range(6)), time_left=lambda: next(left))
    assert choice.kind == "ensemble"
    assert choice.p_ensemble == 1.0
    assert "no time to bootstrap the selection" in choice.method


def test_halves_do_not_take_models_alike_for_an_ensemble() -> None:
    left = iter([10.0] * 4 + [0.0] + [10.0] * 1000)
    noise = np.random.default_rng(3).normal(scale=0.01, size=(3, ROWS))
    alike = [(off(2.0) + wobble).astype(np.float32) for wobble in noise]
    assert decide(*alike, time_left=lambda: next(left)).kind == "single"
