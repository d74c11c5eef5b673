from __future__ import annotations

from dataclasses import replace

import pytest

from automl.core.events import (
    JobEnded,
    JobPlanned,
    PhaseChanged,
    Planned,
    Resumed,
    RunEnded,
    Ticked,
    TrialStopped,
    Warned,
)
from automl.core.history import FAILURES, History
from automl.core.job import Cost, FileRef, Job, JobResult, Lease, Member, MemberResult, Outcome
from automl.core.space import Configuration
from automl.testing.history_builder import run_started

CNN = Configuration("cnn", {"lr": 0.1})


class Story:
    """A history of two folds to which jobs happen one by one."""

    def __init__(self, *, full_steps: int = 27) -> None:
        self.history = History()
        self.history.apply(run_started(folds=2))
        self.history.apply(Planned({"cnn": full_steps}, {"cnn": Cost(0.0, 1.0)}, 0.0))

    def plan(self, fold: int = 0, rung: int = 0, steps: int = 3, *, trial: int = 0, **more: object) -> Job:
        job = Job(self.history.jobs, (Member(trial, fold, CNN),), rung, 0, steps, 27, keep_model=steps == 27)
        job = replace(job, **more)
        self.history.apply(JobPlanned(job, 0.0, CNN))
        return job

    def end(
        self, job: Job, outcome: Outcome = "done", *, score: float = 0.5, held: float = 1.0, **more: object
    ) -> None:
        files = (FileRef(f"members/{job.members[0].name}/r{job.rung}/model.onnx", "00", 8),) * job.keep_model
        results = [MemberResult(m.trial, m.fold, outcome, score, steps=job.stop_steps, files=files, message="why",
                                curve=tuple((s, s / 100) for s in range(1, job.stop_steps + 1)))
                   for m in job.members]  # fmt: skip
        self.history.apply(JobEnded(JobResult(job.id, tuple(results), held, **more), 1.0, held))

    def status(self, trial: int = 0) -> str:
        return self.history.trials[trial].status


def test_a_planned_job_makes_its_trial_run() -> None:
    story = Story()
    story.plan()
    assert (story.status(), story.history.trials[0].running_folds, len(story.history.running)) == ("running", {0}, 1)


def test_a_trial_below_the_top_is_paused_with_a_report() -> None:
    story = Story()
    story.end(story.plan(), score=0.25)
    assert (story.status(), story.history.trials[0].reports) == ("paused", {0: 0.25})


def test_a_trial_with_every_fold_kept_is_full_and_reports_their_mean() -> None:
    story = Story()
    story.end(story.plan(0, 3, 27), score=0.5)
    story.end(story.plan(1, 3, 27), score=0.7)
    assert (story.status(), story.history.trials[0].reports[3]) == ("full", pytest.approx(0.6))
    assert story.history.full() == [story.history.trials[0]]


def test_a_training_to_the_top_is_read_off_at_the_rungs_it_passed() -> None:
    story = Story()
    story.end(story.plan(0, 3, 27), score=0.9)
    assert story.history.trials[0].reports == {0: 0.03, 1: 0.09, 2: 0.9}


def test_a_training_stands_on_the_highest_rung_with_as_many_steps() -> None:
    story = Story(full_steps=3)
    story.end(story.plan(0, 0, 1), score=0.4)
    assert (story.history.trials[0].rung, story.history.trials[0].reports) == (1, {0: 0.4, 1: 0.4})


@pytest.mark.parametrize("outcome", sorted(FAILURES - {"lost", "timeout"}))
def test_a_failure_ends_the_trial_with_its_reason(outcome: Outcome) -> None:
    story = Story()
    story.end(story.plan(), outcome)
    assert (story.status(), story.history.trials[0].reason) == ("failed", "why")
    assert story.history.failures_in_a_row == ["cnn: why"]


@pytest.mark.parametrize("outcome", ["lost", "timeout"])
def test_a_job_that_was_lost_is_to_be_tried_again_once(outcome: Outcome) -> None:
    story = Story()
    job = story.plan()
    story.end(job, outcome)
    assert story.history.retries == [replace(job, attempt=1)]
    story.end(story.plan(attempt=1), outcome)
    assert (story.history.retries, story.status()) == ([], "failed")


def test_a_success_clears_the_failures_in_a_row() -> None:
    story = Story()
    story.end(story.plan(), "error")
    story.end(story.plan(trial=1))
    assert story.history.failures_in_a_row == []


def test_several_folds_of_one_trial_that_fail_count_once() -> None:
    story = Story()
    jobs = [story.plan(0, 3, 27), story.plan(1, 3, 27)]
    for job in jobs:
        story.end(job, "error")
    assert len(story.history.failures_in_a_row) == 1


def test_a_failed_trial_is_not_brought_back_by_a_retry_of_another_fold() -> None:
    story = Story()
    first, second = story.plan(0, 3, 27), story.plan(1, 3, 27)
    story.end(first, "lost")
    story.end(second, "error")
    assert (story.history.retries, story.status()) == ([], "failed")


def test_a_fold_that_ends_after_its_trial_failed_does_not_bring_it_back() -> None:
    story = Story()
    first, second, third = story.plan(0, 3, 27), story.plan(1, 3, 27), story.plan(trial=1)
    story.end(first, "error")
    story.end(second)
    story.end(third, "lost")
    assert story.status() == "failed"


def test_a_member_cut_at_its_lease_is_tried_again_and_then_given_up() -> None:
    story = Story()
    story.end(story.plan(lease=Lease(seconds=10.0)), "stopped", held=10.0)
    assert [j.attempt for j in story.history.retries] == [1]
    story.end(story.plan(lease=Lease(seconds=10.0), attempt=1), "stopped", held=10.0)
    assert (story.history.retries, story.status()) == ([], "stopped")


def test_a_member_cut_at_the_end_of_the_search_is_paused() -> None:
    story = Story()
    story.end(story.plan(), "stopped", held=10.0)
    assert (story.history.retries, story.status()) == ([], "paused")


def test_an_interrupted_job_is_taken_back_as_if_it_had_not_been_tried() -> None:
    story = Story()
    job = story.plan()
    story.end(job, "lost", is_interrupted=True)
    assert (story.history.retries, story.status()) == ([job], "paused")


def test_a_stopped_trial_keeps_its_reason_and_loses_its_retries() -> None:
    story = Story()
    story.end(story.plan(), "lost")
    story.history.apply(TrialStopped(0, "worse", 2.0))
    assert (story.status(), story.history.trials[0].reason, story.history.retries) == ("stopped", "worse", [])


def test_a_probe_tells_the_cost_and_makes_no_trial() -> None:
    story = Story()
    job = story.plan(purpose="probe")
    result = MemberResult(0, 0, "done", cost=Cost(1.0, 2.0))
    story.history.apply(JobEnded(JobResult(job.id, (result,), 1.0), 1.0, 1.0))
    assert (story.history.probes, story.history.trials) == ({"cnn": Cost(1.0, 2.0)}, {})


def test_a_refit_is_kept_apart_from_the_trial() -> None:
    story = Story()
    story.end(story.plan(0, 3, 27))
    before = dict(story.history.trials[0].results)
    story.end(story.plan(-1, 3, 9, purpose="refit"))
    assert story.history.refits[0].steps == 9
    assert story.history.trials[0].results == before


def test_device_seconds_are_shared_by_the_members_of_a_job() -> None:
    story = Story()
    story.end(story.plan(members=(Member(0, 0, CNN), Member(1, 0, CNN))), held=8.0)
    assert [t.device_seconds for t in story.history.trials.values()] == [4.0, 4.0]


def test_a_resume_forgets_the_end_and_remembers_itself() -> None:
    story = Story()
    for event in (PhaseChanged("finalising", "budget", 5.0), RunEnded("done", "", 6.0), Resumed(6.0, 0.0, "+1h")):
        story.history.apply(event)
    assert (story.history.ended, story.history.phase, len(story.history.resumed)) == (None, None, 1)


def test_time_is_that_of_the_latest_event_and_never_goes_back() -> None:
    story = Story()
    for at in (3.0, 9.0, 4.0):
        story.history.apply(Ticked(at))
    assert story.history.at == 9.0


def test_warnings_are_kept_in_order() -> None:
    story = Story()
    for message in ("one", "two"):
        story.history.apply(Warned("mlflow", message, 1.0))
    assert [w.message for w in story.history.warnings] == ["one", "two"]


def test_a_trial_that_has_not_begun_a_fold_has_done_no_step_of_it() -> None:
    story = Story()
    story.end(story.plan())
    assert [story.history.trials[0].steps(fold) for fold in (0, 1)] == [3, 0]


@pytest.mark.parametrize("status", ["running", "paused", "failed"])
def test_trials_are_listed_by_status_in_order_of_number(status: str) -> None:
    story = Story()
    outcomes: dict[str, Outcome] = {"paused": "done", "failed": "error"}
    for trial in (2, 0, 1):
        job = story.plan(trial=trial)
        if status in outcomes:
            story.end(job, outcomes[status])
    assert [t.number for t in story.history.with_status(status)] == [0, 1, 2]
