"""Spend, progress and standing are computed from the history alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.core.events import JobPlanned, Resumed
from automl.core.history import History
from automl.core.job import Job, Lease, Member, Report
from automl.core.request import SearchRequest
from automl.core.space import Configuration
from automl.recorders.console_state import budget_of, counts, progress, spends, standings
from automl.testing.history_builder import HistoryBuilder, run_started

CNN = Configuration("cnn", {"lr": 0.1})


def history_with(budget: str, *, metric: str = "accuracy") -> History:
    history = History()
    history.apply(replace(run_started(metric=metric), request=SearchRequest("image-clf", budget=budget)))
    return history


def running(history: History, *, folds: tuple[int, ...] = (0,), at: float = 10.0, share: float = 1.0) -> History:
    members = tuple(Member(0, fold, CNN) for fold in folds)
    job = Job(0, members, 0, start_steps=2, stop_steps=10, full_steps=10, lease=Lease(share=share))
    history.apply(JobPlanned(job, at, CNN))
    return history


def test_wall_time_is_spent_by_the_clock() -> None:
    spend = spends(history_with("60s"), 15.0)[0]
    assert (spend.account, spend.used, spend.share, spend.seconds_left) == ("wall", 15.0, 0.25, 45.0)


def test_device_time_counts_what_running_jobs_hold() -> None:
    spend = spends(running(history_with("100cpu-s"), share=0.5), 30.0)[0]
    assert (spend.used, spend.seconds_left) == (10.0, 270.0)


def test_nothing_spent_leaves_no_end_in_sight() -> None:
    assert spends(history_with("8trials"), 3.0)[0].seconds_left == float("inf")


def test_trials_count_when_they_start() -> None:
    spend = spends(running(history_with("4trials")), 20.0)[0]
    assert (spend.used, spend.share, spend.seconds_left) == (1.0, 0.25, 60.0)


def test_the_limit_that_ends_first_comes_first() -> None:
    assert [s.account for s in spends(running(history_with("10h,2trials")), 20.0)] == ["trials", "wall"]


def test_spend_never_shows_more_than_all() -> None:
    assert spends(history_with("10s"), 12.0)[0].share == 1.0


def test_what_a_resume_adds_counts() -> None:
    history = history_with("10s")
    history.apply(Resumed(10.0, 0.0, "+5s"))
    assert budget_of(history).wall == 15.0


def test_a_running_job_starts_where_it_left_off() -> None:
    reports = {(0, 0, 0): Report(0, 0, 0, step=6, score=0.5)}
    shown = progress(running(history_with("60s")), reports, 12.0)[0]
    assert (shown.share, shown.step, shown.stop_step, shown.score, shown.seconds) == (0.5, 6, 10, 0.5, 2.0)


def test_the_share_of_a_job_is_over_all_its_folds() -> None:
    reports = {(0, 0, 0): Report(0, 0, 0, step=10, score=0.4), (0, 0, 1): Report(0, 0, 1, step=6, score=0.6)}
    shown = progress(running(history_with("60s"), folds=(0, 1, 2)), reports, 12.0)[0]
    assert (shown.share, shown.score, shown.folds) == (0.5, 0.5, (0, 1, 2))


def test_a_job_without_a_sign_of_life_has_no_score() -> None:
    shown = progress(running(history_with("60s")), {}, 12.0)[0]
    assert (shown.share, shown.step, shown.score) == (0.0, 2, None)


@pytest.mark.parametrize(("metric", "first"), [("accuracy", 1), ("log_loss", 0)])
def test_standing_follows_the_direction_of_the_metric(metric: str, first: int) -> None:
    builder = HistoryBuilder(metric=metric)
    builder.full(CNN, [0.1, 0.3])
    builder.full(CNN, [0.5, 0.7])
    assert standings(builder.history, 1)[0].trial == first


def test_counts_leave_out_what_is_none() -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [0.1, 0.3])
    builder.failed(CNN)
    assert dict(counts(builder.history)) == {"trials": 2, "full": 1, "failed": 1}
