"""A run as plain lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.core.data import Finding
from automl.core.events import (
    Event,
    Exported,
    JobEnded,
    PhaseChanged,
    Planned,
    Resumed,
    RunEnded,
    Ticked,
    TrialStopped,
    Warned,
)
from automl.core.space import Configuration
from automl.recorders.console_lines import heartbeat, lines, warnings
from automl.testing.history_builder import HistoryBuilder, run_started

CNN = Configuration("cnn", {"lr": 0.1})
NOTE, WARNING = Finding("a", "info", "all grey"), Finding("b", "warning", "twice")


def told(event: Event) -> list[str]:
    return list(lines(event, HistoryBuilder().history))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (PhaseChanged("finalising", "the budget is spent", 1.0), ["finalising: the budget is spent"]),
        (Resumed(75.0, 0.0), ["going on after 1:15"]),
        (Resumed(75.0, 0.0, "+1h"), ["going on after 1:15, +1h added"]),
        (RunEnded("interrupted", "stopped by the user", 1.0), ["interrupted: stopped by the user"]),
        (Warned("journal", "a record was torn", 1.0), ["warning: journal: a record was torn"]),
        (Planned({"cnn": 9}, {}, 9.0, (NOTE,)),
         ["plan: full training is cnn 9 steps; 0:09 kept back for finishing", "note: all grey"]),
        (TrialStopped(0, "worse", 1.0), []),
        (Ticked(1.0), []),
        (Exported("artifacts/0001", "ab", (0,), 0.9, 0.1, 1.0), []),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else None,
)  # fmt: skip
def test_an_event_is_told_in_few_words(event: Event, expected: list[str]) -> None:
    assert told(event) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Warned("journal", "torn", 1.0), ["warning: journal: torn"]),
        (Planned({}, {}, 1.0, (NOTE, WARNING)), ["warning: twice"]),
        (replace(run_started(), findings=(WARNING, NOTE)), ["warning: twice"]),
        (RunEnded("done", "x", 1.0), []),
    ],
    ids=["warned", "planned", "started", "ended"],
)
def test_only_warnings_are_told_when_all_else_is_silent(event: Event, expected: list[str]) -> None:
    assert list(warnings(event)) == expected


def ended(builder: HistoryBuilder) -> list[str]:
    last = next(event for event in reversed(builder.events) if isinstance(event, JobEnded))
    return list(lines(last, builder.history))


def test_a_trial_is_told_once_when_it_is_full() -> None:
    builder = HistoryBuilder(folds=3)
    builder.full(CNN, [0.8, 0.9, 1.0])
    assert ended(builder) == ["trial 0 cnn: 0.9000 +- 0.0577, best so far"]


def test_a_trial_that_is_not_the_best_is_told_without_praise() -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [0.9, 0.9])
    builder.full(CNN, [0.5, 0.5])
    assert ended(builder) == ["trial 1 cnn: 0.5000 +- 0.0000"]


def test_a_look_at_one_fold_is_not_told() -> None:
    builder = HistoryBuilder()
    builder.paused(CNN, 0.5)
    assert ended(builder) == []


def test_a_failure_is_told_with_its_reason() -> None:
    builder = HistoryBuilder()
    builder.failed(CNN, outcome="nan")
    assert ended(builder) == ["trial 0 cnn failed: ended as nan"]


def test_the_state_of_a_run_fits_one_line() -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [0.9, 0.9])
    builder.stopped(CNN, 0.1)
    assert heartbeat(builder.history, 60.0) == "2 trials, 1 full, 1 stopped; best cnn 0.9000; 1:00 of 10:00"


def test_a_state_without_a_full_trial_names_no_best() -> None:
    assert heartbeat(HistoryBuilder().history, 60.0) == "0 trials; 1:00 of 10:00"
