"""The contract of a scheduler. Inherit in a test file and give `make`."""

from __future__ import annotations

import copy
from dataclasses import replace
from math import inf

import pytest

from automl.core.events import JobPlanned
from automl.core.history import History
from automl.core.job import Job, Member, Outcome
from automl.core.protocols import Done, Outlook, Scheduler, Start
from automl.run.loop import Run
from automl.testing.worlds import CurveWorld, Scenario


class SchedulerSuite:
    """What every scheduler must do."""

    def make(self, *, greater_is_better: bool) -> Scheduler:
        """Return a scheduler for a metric of this direction."""
        raise NotImplementedError(f"{type(self).__name__}.make gives no scheduler for {greater_is_better}")

    @pytest.fixture
    def scenario(self) -> Scenario:
        """Give each test a small search with this scheduler."""
        return Scenario(budget="12trials", scheduler=self.make(greater_is_better=True))

    def test_it_starts_a_trial_when_there_is_none(self, scenario: Scenario) -> None:
        """Something has to come first."""
        history, outlook = _planned(scenario)
        assert self.make(greater_is_better=True).next(history, outlook, scenario.controller().costs) == Start()

    def test_it_starts_no_trial_that_the_budget_does_not_admit(self, scenario: Scenario) -> None:
        """It says that it is done."""
        history, outlook = _planned(scenario)
        move = self.make(greater_is_better=True).next(
            history, replace(outlook, may_start=False), scenario.controller().costs
        )
        assert isinstance(move, Done)

    def test_the_same_arguments_give_the_same_move(self, scenario: Scenario) -> None:
        """It is pure: it changes neither history nor itself."""
        run, scheduler = scenario.play(), self.make(greater_is_better=True)
        before, outlook = copy.deepcopy(run.history), Outlook(inf, 2, may_start=True)
        first = scheduler.next(run.history, outlook, run.controller.costs)
        assert scheduler.next(run.history, outlook, run.controller.costs) == first
        assert run.history == before

    def test_every_move_is_one_that_can_be_made(self, scenario: Scenario) -> None:
        """Nothing is trained that runs, is at that step already, or has come to its end."""
        run = scenario.play()
        jobs = [event.job for event in run.parts.journal.replay() if isinstance(event, JobPlanned)]
        names = [(member.trial, member.fold, job.stop_steps) for job in jobs for member in job.members]
        assert len(names) == len(set(names))

    @pytest.mark.parametrize("slots", [1, 2, 7])
    def test_it_ends(self, scenario: Scenario, slots: int) -> None:
        """Whatever the number of workers, with a full trial."""
        run = replace(scenario, slots=slots).play()
        assert run.history.full()
        assert not run.history.running

    @pytest.mark.parametrize("outcome", ["error", "lost", "stopped"])
    def test_it_ends_also_when_every_job_ends_badly(self, scenario: Scenario, outcome: Outcome) -> None:
        """No outcome is asked for over and over."""

        def _ending(job: Job, member: Member) -> Outcome:
            return outcome

        run = replace(scenario, world=CurveWorld(ending=_ending), budget="200s").play()
        assert not run.history.full()
        assert not run.history.running

    @pytest.mark.parametrize("budget", ["20s", "300s", "500cpu-s"])
    def test_a_budget_of_time_gives_a_full_trial(self, scenario: Scenario, budget: str) -> None:
        """Also a short one."""
        assert replace(scenario, budget=budget, slots=2).play().history.full()

    def test_the_first_rung_is_one_of_the_ladder(self, scenario: Scenario) -> None:
        """For every candidate."""
        history, outlook = _planned(scenario)
        for space in scenario.world.space.candidates.values():
            rung = self.make(greater_is_better=True).first_rung(
                space.default(), history, outlook, scenario.controller().costs
            )
            assert 0 <= rung <= history.top_rung

    def test_the_best_of_a_metric_to_minimise_is_the_lowest(self) -> None:
        """The direction is heeded: the trials taken furthest are those with the better scores."""
        low, high = (self._mean_of_the_furthest(greater_is_better=g) for g in (False, True))
        assert low <= high

    def _mean_of_the_furthest(self, *, greater_is_better: bool) -> float:
        run = Scenario(budget="40trials", scheduler=self.make(greater_is_better=greater_is_better)).play()
        return _mean_first_score(run)


def _mean_first_score(run: Run) -> float:
    """Return the mean first score of the stepped trials that got to the top."""
    scores = [t.reports[0] for t in run.history.trials.values() if 0 in t.reports and t.rung == run.history.top_rung]
    return sum(scores) / max(1, len(scores))


def _planned(scenario: Scenario) -> tuple[History, Outlook]:
    """Return a history in which only the plan was made, and its outlook."""
    run = scenario.prepare()
    run.next_job()
    history = History()
    for event in run.parts.journal.replay():
        history.apply(event)
        if history.planned is not None:
            break
    return history, Outlook(inf, scenario.slots, may_start=True)
