from __future__ import annotations

import math

import pytest

from automl.core.space import Configuration
from automl.searchers.evidence import BEST, MOST, STRIDE, Evidence, window
from automl.testing.history_builder import HistoryBuilder

CNN = Configuration("cnn", {"lr": 0.1})


def told(builder: HistoryBuilder, *, greater_is_better: bool = True) -> Evidence:
    (one,) = window(builder.history, greater_is_better=greater_is_better)
    return one


def many(count: int, *, good: tuple[int, ...] = ()) -> HistoryBuilder:
    """A history of full trials, of which only the good ones score well."""
    builder = HistoryBuilder(folds=1)
    for place in range(count):
        builder.full(Configuration("cnn", {"lr": float(place)}), [0.9 if place in good else 0.5])
    return builder


def test_a_full_trial_is_complete_with_the_mean_of_its_folds() -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [0.8, 0.9])
    assert told(builder) == Evidence(0, CNN, "complete", 3, pytest.approx(-0.85))


@pytest.mark.parametrize("how", ["paused", "stopped"])
def test_a_low_fidelity_score_is_never_complete(how: str) -> None:
    builder = HistoryBuilder()
    getattr(builder, how)(CNN, 0.7, rung=1)
    assert told(builder) == Evidence(0, CNN, "pruned", 1, -0.7)


def test_a_trial_that_was_promoted_keeps_its_last_report_while_it_runs() -> None:
    builder = HistoryBuilder()
    builder.promote(builder.paused(CNN, 0.7), rung=1)
    assert told(builder) == Evidence(0, CNN, "pruned", 0, -0.7)


def test_a_trial_without_any_score_is_running() -> None:
    builder = HistoryBuilder()
    builder.start(CNN)
    assert told(builder) == Evidence(0, CNN, "running")


def test_a_trial_whose_worker_was_lost_once_is_running() -> None:
    builder = HistoryBuilder()
    builder.failed(CNN, outcome="lost")
    assert told(builder).kind == "running"


def test_a_failed_trial_says_nothing() -> None:
    builder = HistoryBuilder()
    builder.failed(CNN)
    assert told(builder) == Evidence(0, CNN, "failed")


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf], ids=str)
def test_a_score_that_is_no_number_is_a_failure(score: float) -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [score, 0.5])
    assert told(builder).kind == "failed"


def test_a_loss_keeps_its_sign_where_less_is_better() -> None:
    builder = HistoryBuilder(metric="log_loss")
    builder.paused(CNN, 0.7)
    assert told(builder, greater_is_better=False).loss == 0.7


def test_the_better_of_two_ranks_first_and_the_higher_rung_before_both() -> None:
    builder = HistoryBuilder()
    for how, score in (("paused", 0.6), ("paused", 0.8), ("full", [0.3, 0.3])):
        getattr(builder, how)(CNN, score)
    ranked = sorted(window(builder.history, greater_is_better=True), key=Evidence.rank)
    assert [e.number for e in ranked] == [2, 1, 0]


def test_a_short_history_is_seen_whole() -> None:
    assert len(window(many(MOST).history, greater_is_better=True)) == MOST


def test_a_long_history_keeps_the_best_of_the_old_ones_and_the_latest() -> None:
    seen = [e.number for e in window(many(450, good=(3, 77)).history, greater_is_better=True)]
    assert len(seen) <= MOST
    assert seen == sorted(seen)
    assert {3, 77} <= set(seen)
    assert seen[-(MOST - BEST - STRIDE) :] == list(range(450 - (MOST - BEST - STRIDE), 450))


def test_old_trials_of_low_rungs_are_kept_where_few_reached_the_top() -> None:
    builder = HistoryBuilder(folds=1)
    for place in range(MOST + 20):
        builder.paused(Configuration("cnn", {"lr": float(place)}), 0.9 if place == 5 else 0.5)
    assert 5 in {e.number for e in window(builder.history, greater_is_better=True)}


def test_the_border_moves_in_steps_so_that_most_asks_see_the_same_old_trials() -> None:
    builder = many(MOST + 1)
    borders = set()
    for place in range(STRIDE):
        builder.full(Configuration("linear", {"c": float(place)}), [0.5])
        borders.add(window(builder.history, greater_is_better=True)[BEST].number)
    assert len(borders) <= 2
