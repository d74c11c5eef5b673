from __future__ import annotations

from automl.core.events import TrialStopped
from automl.schedulers.full import FullScheduler
from automl.schedulers.moves import ladder_of, missing_folds
from automl.testing.worlds import Scenario


def test_every_trial_is_trained_on_all_folds() -> None:
    run = Scenario(budget="9trials", scheduler=FullScheduler()).play()
    assert [t.status for t in run.history.trials.values()] == ["full"] * 9


def test_one_trial_is_finished_before_the_next_is_started_on_one_slot() -> None:
    run = Scenario(budget="4trials", scheduler=FullScheduler()).play()
    order = [e.result.members[0].trial for e in run.history.ended_jobs]
    assert order == sorted(order)


def test_no_trial_is_given_up() -> None:
    run = Scenario(budget="9trials", scheduler=FullScheduler()).play()
    assert not [e for e in run.parts.journal.replay() if isinstance(e, TrialStopped)]


def test_a_full_trial_misses_no_fold() -> None:
    history = Scenario(budget="2trials", scheduler=FullScheduler()).play().history
    assert [missing_folds(t, history) for t in history.trials.values()] == [(), ()]


def test_a_ladder_ends_with_all_folds() -> None:
    history = Scenario(budget="2trials", folds=4).play().history
    assert {ladder_of(t, history)[-1].folds for t in history.trials.values()} == {4}
