"""What the winner will be made of is found out before the search ends."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from automl.core.clock import MonotonicClock
from automl.core.history import History
from automl.core.job import BODY
from automl.core.metrics import metric
from automl.run.folder import RunFolder
from automl.run.foresight import LIKELY_TRIALS, Foresight, early_choice, end_seconds, end_seconds_of
from automl.testing.recorded_run import recorded_run


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History()
    for event in recorded_run(tmp_path, trials=6):
        history.apply(event)
    return history


@pytest.fixture
def foresight(tmp_path: Path, history: History) -> Foresight:
    accuracy = metric("accuracy")
    return Foresight(accuracy, partial(early_choice, RunFolder(tmp_path), accuracy, MonotonicClock()))


def answer_rightly(folder: Path, history: History, trial: int) -> None:
    """Let a trial be right on every row, and all others say nothing."""
    folds, y = np.load(folder / "folds.npy"), np.load(folder / "data" / "y.npy")
    for number in (t.number for t in history.full()):
        for place, result in history.trials[number].results.items():
            rows = y[folds == place]
            right = np.eye(3, dtype=np.float32)[rows] if number == trial else np.full((len(rows), 3), 1 / 3, np.float32)
            np.save(RunFolder(folder).files_of(result) / "oof.npy", right)


def test_before_the_first_look_the_best_trials_count(foresight: Foresight, history: History) -> None:
    assert len(foresight.trials(history)) == LIKELY_TRIALS


def test_after_a_look_only_the_members_count(tmp_path: Path, foresight: Foresight, history: History) -> None:
    answer_rightly(tmp_path, history, trial=5)
    foresight.look(history)
    assert list(foresight.trials(history)) == [5]


def test_a_trial_that_comes_up_later_counts_too(tmp_path: Path, foresight: Foresight, history: History) -> None:
    answer_rightly(tmp_path, history, trial=5)
    foresight.look(history)
    foresight._seen = frozenset({5})
    assert 5 in foresight.trials(history)
    assert len(foresight.trials(history)) > 1


@pytest.mark.parametrize(("share", "is_due"), [(0.3, False), (0.5, True), (0.9, True)], ids=["early", "half", "late"])
def test_the_first_look_is_half_way(foresight: Foresight, share: float, *, is_due: bool) -> None:
    assert foresight.is_due(share) is is_due


def test_looks_are_few(foresight: Foresight, history: History) -> None:
    for _ in range(3):
        assert foresight.is_due(1.0)
        foresight.look(history)
    assert not foresight.is_due(1.0)


def test_a_network_that_trials_share_is_asked_once(history: History) -> None:
    trials = history.full()[:3]
    for each in trials[:2]:
        for fold, result in each.results.items():
            each.results[fold] = replace(result, notes={BODY: "same"})
    shared = max(end_seconds(t, 100) for t in trials[:2]) + end_seconds(trials[2], 100)
    assert end_seconds_of(trials, 100) == pytest.approx(shared)
