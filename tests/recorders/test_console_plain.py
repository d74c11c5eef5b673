"""What plain lines tell of each trial, and the accounts of a run."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from automl.core.budget import Budget
from automl.core.events import Event, JobEnded, Resumed, RunStarted
from automl.core.history import History
from automl.core.job import Report
from automl.core.space import Configuration
from automl.recorders.console_lines import heartbeat, lines, warnings
from automl.recorders.console_state import Progress, Spend, budget_of, counts, leader, progress, spends, standings
from automl.recorders.console_words import ASCII, job_words, spent
from automl.testing.history_builder import HistoryBuilder, run_started
from automl.testing.journal_suite import one_of_each

CNN = Configuration("cnn", {"lr": 0.1})


def last_lines(builder: HistoryBuilder) -> list[str]:
    return list(lines(builder.events[-1], builder.history))


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([0.5, 0.7], "trial 0 cnn: 0.6000 +- 0.1000, best so far"),
        ([0.5, 0.5], "trial 0 cnn: 0.5000 +- 0.0000, best so far"),
        ([0.0, 0.0], "trial 0 cnn: 0.0000 +- 0.0000, best so far"),
        ([1.0, 1.0], "trial 0 cnn: 1.0000 +- 0.0000, best so far"),
        ([math.nan, 0.5], "trial 0 cnn: without a finite score"),
        ([math.inf, 0.5], "trial 0 cnn: without a finite score"),
    ],
    ids=str,
)
def test_the_first_full_trial_is_told(scores: list[float], told: str) -> None:
    builder = HistoryBuilder()
    builder.full(CNN, scores)
    assert last_lines(builder) == [told]


@pytest.mark.parametrize(
    ("metric", "first", "second", "is_best"),
    [
        ("accuracy", 0.5, 0.6, True),
        ("accuracy", 0.6, 0.5, False),
        ("accuracy", 0.5, 0.5, False),
        ("log_loss", 0.5, 0.4, True),
        ("log_loss", 0.4, 0.5, False),
    ],
)
def test_a_trial_is_the_best_so_far_only_if_it_leads(metric: str, first: float, second: float, is_best: bool) -> None:
    builder = HistoryBuilder(metric=metric)
    for score in (first, second):
        builder.full(CNN, [score, score])
    assert last_lines(builder)[0].endswith(", best so far") is is_best


@pytest.mark.parametrize("outcome", ["error", "nan", "oom"])
def test_a_failure_is_told_with_its_message(outcome: str) -> None:
    builder = HistoryBuilder()
    builder.failed(CNN, outcome=outcome)
    assert last_lines(builder) == [f"trial 0 cnn failed: ended as {outcome}"]


@pytest.mark.parametrize("rung", [0, 1, 2])
def test_a_trial_that_is_paused_is_not_worth_a_line(rung: int) -> None:
    builder = HistoryBuilder()
    builder.paused(CNN, 0.5, rung=rung)
    assert last_lines(builder) == []


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_every_event_is_told_in_lines_or_not_at_all(event: Event) -> None:
    history = HistoryBuilder().history
    if not isinstance(event, JobEnded):
        assert all(isinstance(text, str) and text for text in lines(event, history))


@pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
def test_quiet_tells_warnings_and_nothing_else(event: Event) -> None:
    assert all(text.startswith("warning: ") for text in warnings(event))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda b: None, "0 trials"),
        (lambda b: b.start(CNN), "1 trials"),
        (lambda b: b.paused(CNN, 0.5), "1 trials, 1 paused"),
        (lambda b: b.failed(CNN), "1 trials, 1 failed"),
        (lambda b: b.stopped(CNN, 0.5), "1 trials, 1 stopped"),
        (lambda b: b.full(CNN, [0.5, 0.7]), "1 trials, 1 full; best cnn 0.6000"),
    ],
    ids=["nothing", "running", "paused", "failed", "stopped", "full"],
)
def test_a_heartbeat_counts_and_names_the_best(make: object, told: str) -> None:
    builder = HistoryBuilder()
    make(builder)  # type: ignore[operator]
    assert heartbeat(builder.history, 75.0) == f"{told}; 1:15 of 10:00"


def with_budget(text: str) -> HistoryBuilder:
    builder = HistoryBuilder()
    started = run_started()
    builder.add(replace(started, request=replace(started.request, budget=text)))
    return builder


@pytest.mark.parametrize(
    ("added", "total"),
    [
        ([], Budget(wall=600.0)),
        (["+10min"], Budget(wall=1200.0)),
        (["10min"], Budget(wall=1200.0)),
        (["", "+5min", ""], Budget(wall=900.0)),
        (["+1min", "+1min", "+1min"], Budget(wall=780.0)),
        (["+5trials"], Budget(wall=600.0, trials=5)),
    ],
    ids=str,
)
def test_what_was_added_on_resuming_counts(added: list[str], total: Budget) -> None:
    builder = HistoryBuilder()
    for text in added:
        builder.add(Resumed(1.0, 0.0, text))
    assert budget_of(builder.history) == total


@pytest.mark.parametrize(
    ("budget", "accounts"),
    [
        ("10min", ["wall"]),
        ("20trials", ["trials"]),
        ("1cpu-h", ["cpu"]),
        ("10min,1cpu-h", ["wall", "cpu"]),
        ("2h,1trials", ["trials", "wall"]),
        ("1s,1cpu-h,9trials", ["wall", "trials", "cpu"]),
    ],
)
def test_the_account_nearest_to_its_end_comes_first(budget: str, accounts: list[str]) -> None:
    builder = with_budget(budget)
    builder.full(CNN, [0.5, 0.5])
    assert [spend.account for spend in spends(builder.history, 100.0)] == accounts


@pytest.mark.parametrize(("now", "left"), [(0.0, 600.0), (75.0, 525.0), (600.0, 0.0), (700.0, 0.0)])
def test_wall_time_left_never_falls_below_nothing(now: float, left: float) -> None:
    (wall,) = spends(HistoryBuilder().history, now)
    assert wall.seconds_left == left
    assert 0.0 <= wall.share <= 1.0


def test_a_running_job_is_charged_to_the_device_as_it_runs() -> None:
    builder = with_budget("100cpu-s")
    builder.start(CNN)
    planned = next(iter(builder.history.running.values())).at
    (cpu,) = spends(builder.history, planned + 25.0)
    assert (cpu.used, cpu.share) == (25.0, 0.25)


@pytest.mark.parametrize("limit", [0, 1, 2, 9])
def test_standings_are_cut_at_a_limit(limit: int) -> None:
    builder = HistoryBuilder()
    for score in (0.5, 0.9, 0.7):
        builder.full(CNN, [score, score])
    assert [row.trial for row in standings(builder.history, limit)] == [1, 2, 0][:limit]


def test_before_the_start_there_is_no_leader_and_no_standing() -> None:
    assert (leader(History()), standings(History(), 5)) == (None, [])


def test_the_leader_is_the_first_of_the_standings() -> None:
    builder = HistoryBuilder(metric="log_loss")
    for score in (0.5, 0.3, 0.7):
        builder.full(CNN, [score, score])
    assert leader(builder.history).number == standings(builder.history, 1)[0].trial == 1


def test_counts_leave_out_what_is_none() -> None:
    builder = HistoryBuilder()
    builder.paused(CNN, 0.5)
    builder.failed(CNN)
    builder.failed(CNN)
    assert list(counts(builder.history)) == [("trials", 3), ("paused", 1), ("failed", 2)]


@pytest.mark.parametrize(
    ("steps", "share"), [({}, 0.0), ({0: 2}, 0.25), ({0: 4}, 0.5), ({0: 4, 1: 4}, 1.0), ({0: 9, 1: 9}, 1.0)], ids=str
)
def test_the_progress_of_a_job_is_that_of_all_its_members(steps: dict[int, int], share: float) -> None:
    builder = HistoryBuilder()
    builder.start(CNN, rung=3)
    reports = {(0, 0, fold): Report(0, 0, fold, step, 0.5) for fold, step in steps.items()}
    (job,) = progress(builder.history, reports, 10.0)
    assert (job.share, job.score) == (share, 0.5 if steps else None)


@pytest.mark.parametrize(
    ("purpose", "folds", "words"),
    [
        ("train", (0,), "fold 1, 2/9"),
        ("train", (4,), "fold 5, 2/9"),
        ("train", (0, 1, 2), "folds 1-3, 2/9"),
        ("train", (2, 0, 1), "folds 1-3, 2/9"),
        ("probe", (0,), "measuring"),
        ("refit", (-1,), "all rows, 2/9"),
    ],
)
def test_a_job_in_words(purpose: str, folds: tuple[int, ...], words: str) -> None:
    assert job_words(Progress(1, (4,), "cnn", purpose, 3, folds, 0.1, 2, 9, None, 3.0), ASCII) == words


@pytest.mark.parametrize(
    ("spend", "words"),
    [
        (Spend("gpu", 0.0, 90.0, 1.0), "0 of 90 gpu-s"),
        (Spend("gpu", 90.0, 3600.0, 1.0), "0.03 of 1.00 gpu-h"),
        (Spend("cpu", 3599.0, 3599.0, 1.0), "3599 of 3599 cpu-s"),
        (Spend("trials", 0.0, 1.0, 1.0), "0 of 1 trials"),
        (Spend("wall", 3600.0, 7200.0, 1.0), "1:00:00 of 2:00:00"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_account_in_words(spend: Spend, words: str) -> None:
    assert spent(spend) == words


def test_a_run_tells_its_data_and_set_up_first() -> None:
    started: RunStarted = run_started(folds=5, seed=3)
    assert list(lines(started, HistoryBuilder().history)) == [
        "tiny, image-clf: 20 images 8x8x3, 2 classes",
        "accuracy, 5 folds, 1 cpu worker, seed 3",
    ]
