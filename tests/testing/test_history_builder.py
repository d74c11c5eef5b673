"""The builder's histories are what their names say."""

from __future__ import annotations

import pytest

from automl.core.events import JobEnded, JobPlanned, RunStarted, Ticked, TrialStopped
from automl.core.history import FAILURES, RETRIED
from automl.core.space import Configuration
from automl.testing.history_builder import HistoryBuilder, run_started

CNN = Configuration("cnn", {"lr": 0.1})


def test_it_begins_with_the_start_of_a_run() -> None:
    builder = HistoryBuilder(folds=4, metric="log_loss", seed=9)
    assert [type(e) for e in builder.events] == [RunStarted]
    assert (builder.history.folds, builder.history.started.metric, builder.history.started.seed) == (4, "log_loss", 9)


@pytest.mark.parametrize(
    ("how", "arguments", "status", "reports"),
    [
        ("full", ([0.5, 0.7],), "full", {3: 0.6}),
        ("paused", (0.5,), "paused", {0: 0.5}),
        ("stopped", (0.5,), "stopped", {0: 0.5}),
        ("failed", (), "failed", {}),
        ("start", (), "running", {}),
    ],
)
def test_each_method_makes_what_it_says(how: str, arguments: tuple[object, ...], status: str, reports: object) -> None:
    builder = HistoryBuilder()
    number = getattr(builder, how)(CNN, *arguments)
    trial = builder.history.trials[number]
    assert (trial.status, trial.configuration) == (status, CNN)
    assert trial.reports == pytest.approx(reports)


@pytest.mark.parametrize("rung", [0, 1, 2])
def test_a_trial_pauses_at_the_rung_it_was_told(rung: int) -> None:
    builder = HistoryBuilder()
    number = builder.paused(CNN, 0.25, rung=rung)
    assert (builder.history.trials[number].rung, builder.history.trials[number].reports) == (rung, {rung: 0.25})


def test_a_promotion_trains_the_same_trial_on() -> None:
    builder = HistoryBuilder()
    number = builder.paused(CNN, 0.25)
    builder.promote(number, rung=1)
    assert builder.history.trials[number].status == "running"
    builder.end(number, [0.5])
    assert builder.history.trials[number].reports == {0: 0.25, 1: 0.5}


@pytest.mark.parametrize("outcome", sorted(FAILURES))
def test_a_trial_fails_as_it_was_told_if_it_is_not_tried_again(outcome: str) -> None:
    builder = HistoryBuilder()
    trial = builder.history.trials[builder.failed(CNN, outcome=outcome)]
    assert trial.status == ("paused" if outcome in RETRIED else "failed")


@pytest.mark.parametrize("scores", [[], [0.1], [0.1, 0.2, 0.3]], ids=len)
def test_scores_are_one_for_each_fold(scores: list[float]) -> None:
    with pytest.raises(ValueError, match=r"trial 0: one score for each of 2 members\. Got \["):
        HistoryBuilder(folds=2).full(CNN, scores)


@pytest.mark.parametrize("count", [1, 2, 3, 5, None])
def test_a_replay_is_the_history_at_that_moment(count: int | None) -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [0.5, 0.7])
    builder.stopped(CNN, 0.1)
    again = builder.replayed(count)
    assert (again == builder.history) is (count is None)


def test_trials_are_numbered_and_their_origin_is_kept() -> None:
    builder = HistoryBuilder()
    numbers = [builder.full(CNN, [0.5, 0.5], origin="portfolio"), builder.paused(CNN, 0.5), builder.start(CNN)]
    assert numbers == [0, 1, 2]
    assert [t.origin for t in builder.history.trials.values()] == ["portfolio", "searcher", "searcher"]


def test_events_come_in_the_order_of_their_times() -> None:
    builder = HistoryBuilder()
    builder.stopped(CNN, 0.5)
    builder.full(CNN, [0.5, 0.5])
    times = [e.at for e in builder.events[1:]]
    assert times == sorted(times)
    assert [type(e) for e in builder.events[1:4]] == [JobPlanned, JobEnded, TrialStopped]


def test_any_event_is_taken_in() -> None:
    builder = HistoryBuilder()
    builder.add(Ticked(42.0))
    assert (builder.events[-1], builder.history.at) == (Ticked(42.0), 42.0)


def test_two_starts_differ_only_where_they_were_told_to() -> None:
    assert run_started() == run_started()
    assert run_started(folds=3) != run_started(folds=2)
