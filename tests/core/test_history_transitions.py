"""Every outcome, attempt and rung: what becomes of the trial."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from automl.core.events import (
    Decided,
    Event,
    Exported,
    JobEnded,
    JobPlanned,
    PhaseChanged,
    Planned,
    ProposalSkipped,
    Registered,
    Resumed,
    RunEnded,
    Ticked,
    TrialStopped,
    Warned,
    Winner,
)
from automl.core.history import ENDED, FAILURES, RETRIED, History
from automl.core.job import REFIT_FOLD, Cost, FileRef, Job, JobResult, Lease, Member, MemberResult, Outcome
from automl.core.space import Configuration
from automl.testing.history_builder import HistoryBuilder, run_started

CNN, LINEAR = Configuration("cnn", {"lr": 0.1}), Configuration("linear", {"C": 1.0})
TOP, FOLDS = 3, 3
OUTCOMES: tuple[Outcome, ...] = ("done", "stopped", "error", "nan", "oom", "timeout", "lost")
WINNER = Winner("single", "cnn", {0: 1.0}, 0.9, 0.01, 0.89, 0.8, 0.95, None)


def fresh() -> History:
    history = History()
    history.apply(run_started(folds=FOLDS))
    history.apply(Planned({"cnn": 27, "linear": 1}, {}, 0.0))
    return history


def planned(history: History, folds: tuple[int, ...] = (0,), *, trial: int = 0, rung: int = 0, **more: object) -> Job:
    steps = (3, 9, 27, 27)[rung]
    job = Job(history.jobs, tuple(Member(trial, f, CNN) for f in folds), rung, 0, steps, 27)
    job = replace(job, **more)
    history.apply(JobPlanned(job, history.at, CNN))
    return job


def result(job: Job, member: Member, outcome: Outcome, score: float | None = 0.5) -> MemberResult:
    if outcome != "done":
        return MemberResult(member.trial, member.fold, outcome, message=f"it was {outcome}")
    files = (FileRef(f"members/{member.name}/model.onnx", "00", 10),) if job.rung == TOP else ()
    return MemberResult(member.trial, member.fold, "done", score, steps=job.stop_steps, files=files)


def ended(history: History, job: Job, outcome: Outcome = "done", *, score: float | None = 0.5, held: float = 1.0,
          is_interrupted: bool = False) -> None:  # fmt: skip
    members = tuple(result(job, m, outcome, score) for m in job.members)
    history.apply(JobEnded(JobResult(job.id, members, held, is_interrupted=is_interrupted), history.at + held, held))


@pytest.mark.parametrize("rung", range(TOP + 1))
@pytest.mark.parametrize(
    ("outcome", "attempt", "status"),
    [
        ("done", 0, "paused"),
        ("done", 1, "paused"),
        ("stopped", 0, "paused"),
        ("stopped", 1, "paused"),
        ("error", 0, "failed"),
        ("error", 1, "failed"),
        ("nan", 0, "failed"),
        ("nan", 1, "failed"),
        ("oom", 0, "failed"),
        ("oom", 1, "failed"),
        ("timeout", 0, "paused"),
        ("timeout", 1, "failed"),
        ("lost", 0, "paused"),
        ("lost", 1, "failed"),
    ],
)
def test_one_fold_ends(outcome: Outcome, attempt: int, status: str, rung: int) -> None:
    history = fresh()
    ended(history, planned(history, rung=rung, attempt=attempt), outcome)
    assert history.trials[0].status == status


@pytest.mark.parametrize("rung", range(TOP + 1))
@pytest.mark.parametrize(
    ("outcome", "attempt", "attempts_left"),
    [
        ("done", 0, []),
        ("stopped", 0, []),
        ("error", 0, []),
        ("nan", 0, []),
        ("oom", 0, []),
        ("timeout", 0, [1]),
        ("lost", 0, [1]),
        ("timeout", 1, []),
        ("lost", 1, []),
    ],
)
def test_only_what_was_lost_or_too_late_is_tried_again_and_once(
    outcome: Outcome, attempt: int, attempts_left: list[int], rung: int
) -> None:
    history = fresh()
    ended(history, planned(history, rung=rung, attempt=attempt), outcome)
    assert [job.attempt for job in history.retries] == attempts_left


@pytest.mark.parametrize("attempt", [0, 1])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_interrupted_job_is_repeated_with_the_same_attempt_whatever_its_members_say(
    outcome: Outcome, attempt: int
) -> None:
    history = fresh()
    job = planned(history, attempt=attempt)
    ended(history, job, outcome, is_interrupted=True)
    assert (history.retries, history.trials[0].status, history.failures_in_a_row) == ([job], "paused", [])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_job_that_ended_runs_no_more_and_is_charged(outcome: Outcome) -> None:
    history = fresh()
    ended(history, planned(history), outcome, held=2.5)
    assert (history.running, history.trials[0].device_seconds) == ({}, 2.5)
    assert (history.trials[0].running_folds, len(history.ended_jobs)) == (set(), 1)


@pytest.mark.parametrize("folds", [(0,), (0, 1), (0, 1, 2)], ids=len)
def test_the_cost_of_a_job_is_shared_by_its_members(folds: tuple[int, ...]) -> None:
    history = fresh()
    ended(history, planned(history, folds), held=6.0)
    assert history.trials[0].device_seconds == pytest.approx(6.0)


@pytest.mark.parametrize("outcome", sorted(FAILURES - RETRIED))
def test_a_failure_is_counted_with_candidate_and_message(outcome: Outcome) -> None:
    history = fresh()
    ended(history, planned(history), outcome)
    assert history.failures_in_a_row == [f"cnn: it was {outcome}"]
    assert history.trials[0].failure.outcome == outcome


@pytest.mark.parametrize("outcome", sorted(RETRIED))
def test_a_first_loss_is_no_failure_yet(outcome: Outcome) -> None:
    history = fresh()
    ended(history, planned(history), outcome)
    assert (history.failures_in_a_row, history.trials[0].failure) == ([], None)


@pytest.mark.parametrize("outcome", sorted(RETRIED))
def test_a_retry_that_succeeds_pauses_the_trial_with_its_report(outcome: Outcome) -> None:
    history = fresh()
    ended(history, planned(history), outcome)
    ended(history, planned(history, attempt=1), score=0.25)
    assert (history.retries, history.trials[0].status, history.trials[0].reports) == ([], "paused", {0: 0.25})


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_a_trial_is_full_with_its_last_fold_in_whatever_order(order: tuple[int, ...]) -> None:
    history = fresh()
    jobs = {fold: planned(history, (fold,), rung=TOP) for fold in order}
    seen = []
    for fold in order:
        ended(history, jobs[fold])
        seen.append(history.trials[0].status)
    assert seen == ["running", "running", "full"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_the_report_of_full_training_is_the_mean_of_the_folds(order: tuple[int, ...]) -> None:
    history = fresh()
    jobs = {fold: planned(history, (fold,), rung=TOP) for fold in order}
    for fold in order:
        ended(history, jobs[fold], score=0.1 * fold)
    assert history.trials[0].reports[TOP] == pytest.approx(0.1)


@pytest.mark.parametrize("outcome", ["error", "nan", "oom"])
@pytest.mark.parametrize("failing", range(FOLDS))
def test_one_failed_fold_fails_a_trial_for_good(failing: int, outcome: Outcome) -> None:
    history = fresh()
    jobs = [planned(history, (fold,), rung=TOP) for fold in range(FOLDS)]
    for fold, job in enumerate(jobs):
        ended(history, job, outcome if fold == failing else "done")
    assert history.trials[0].status == "failed"
    assert history.trials[0].failure.fold == failing


@pytest.mark.parametrize("late", OUTCOMES)
@pytest.mark.parametrize("how", ["failed", "stopped"])
def test_what_comes_after_the_end_of_a_trial_changes_its_status_no_more(how: str, late: Outcome) -> None:
    history = fresh()
    first, second = planned(history, (0,), rung=TOP), planned(history, (1,), rung=TOP)
    if how == "failed":
        ended(history, first, "error")
    else:
        history.apply(TrialStopped(0, "worse", 1.0))
    ended(history, second, late)
    assert (history.trials[0].status, history.retries) == (how, [])


@pytest.mark.parametrize("held", [8.9, 9.0, 10.0, 11.0])
def test_a_stopped_member_was_cut_if_it_used_nine_tenths_of_its_lease(held: float) -> None:
    history = fresh()
    ended(history, planned(history, lease=Lease(seconds=10.0)), "stopped", held=held)
    assert bool(history.retries) is (held >= 9.0)


def test_a_second_cut_gives_the_trial_up() -> None:
    history = fresh()
    for attempt in (0, 1):
        ended(history, planned(history, lease=Lease(seconds=10.0), attempt=attempt), "stopped", held=10.0)
    assert (history.trials[0].status, history.trials[0].reason) == ("stopped", "it was stopped")
    assert history.failures_in_a_row == []


@pytest.mark.parametrize("rung", range(TOP))
@pytest.mark.parametrize("score", [0.0, 0.5, -3.0, math.inf, -math.inf])
def test_a_report_below_the_top_is_the_score_of_its_fold(rung: int, score: float) -> None:
    history = fresh()
    ended(history, planned(history, rung=rung), score=score)
    assert history.trials[0].reports[rung] == score


def test_a_result_without_a_score_makes_no_report() -> None:
    history = fresh()
    ended(history, planned(history), score=None)
    assert (history.trials[0].reports, history.trials[0].status) == ({}, "paused")


@pytest.mark.parametrize(
    ("rungs", "reports"),
    [
        ((0,), {0}),
        ((0, 1), {0, 1}),
        ((0, 1, 2), {0, 1, 2}),
        ((1,), {1}),
        ((2,), {2}),
        ((0, 2), {0, 2}),
    ],
    ids=str,
)
def test_promotions_add_reports(rungs: tuple[int, ...], reports: set[int]) -> None:
    history = fresh()
    for rung in rungs:
        ended(history, planned(history, rung=rung))
    assert set(history.trials[0].reports) == reports
    assert history.trials[0].rung == rungs[-1]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_probe_touches_no_trial(outcome: Outcome) -> None:
    history = fresh()
    ended(history, planned(history, purpose="probe"), outcome)
    assert (history.trials, history.retries, list(history.probes)) == ({}, [], ["cnn"])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_refit_leaves_the_status_of_its_trial(outcome: Outcome) -> None:
    history = fresh()
    ended(history, planned(history))
    ended(history, planned(history, (REFIT_FOLD,), purpose="refit"), outcome)
    assert (history.trials[0].status, history.refits[0].outcome) == ("paused", outcome)


@pytest.mark.parametrize("purpose", ["probe", "refit"])
def test_an_interrupted_probe_or_refit_is_not_queued(purpose: str) -> None:
    history = fresh()
    ended(history, planned(history), score=0.5)
    ended(history, planned(history, (REFIT_FOLD,), purpose=purpose), is_interrupted=True)
    assert (history.retries, history.running) == ([], {})


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (PhaseChanged("finalising", "the budget is spent", 5.0), "phase"),
        (Exported("artifacts/0001", "ab", (0,), 0.9, 0.1, 5.0), "exported"),
        (Decided(WINNER, "artifacts/0001", "ab", None, 5.0), "decided"),
        (Registered("models:/m/1", "1", "r", True, "", 5.0), "registered"),
        (RunEnded("done", "why", 5.0), "ended"),
        (Planned({"cnn": 3}, {"cnn": Cost(1.0, 2.0)}, 4.0), "planned"),
        (run_started(seed=7), "started"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_of_some_events_the_latest_counts(event: Event, name: str) -> None:
    history = fresh()
    history.apply(event)
    assert getattr(history, name) is event


def test_warnings_and_resumes_are_kept_in_order() -> None:
    history = fresh()
    events = [Warned("a", "1", 1.0), Warned("b", "2", 2.0), Resumed(3.0, 0.0), Resumed(4.0, 0.0, "+1h")]
    for event in events:
        history.apply(event)
    assert [*history.warnings, *history.resumed] == events


def test_a_resume_takes_back_the_end_and_what_was_skipped() -> None:
    history = fresh()
    for event in (
        ProposalSkipped(CNN, 9.0, 1.0),
        PhaseChanged("finalising", "", 2.0),
        RunEnded("interrupted", "", 3.0),
    ):
        history.apply(event)
    assert history.skipped == {CNN.key()}
    history.apply(Resumed(3.0, 0.0))
    assert (history.ended, history.phase, history.skipped) == (None, None, set())


@pytest.mark.parametrize("times", [(1.0, 2.0, 3.0), (3.0, 2.0, 1.0), (2.0, 2.0, 3.0)], ids=str)
def test_the_time_of_a_history_never_runs_back(times: tuple[float, ...]) -> None:
    history = fresh()
    for at in times:
        history.apply(Ticked(at))
    assert history.at == 3.0


def test_a_planned_retry_leaves_the_queue_and_others_stay() -> None:
    history = fresh()
    first, second = planned(history), planned(history, trial=1)
    for job in (first, second):
        ended(history, job, "lost")
    planned(history, trial=1, attempt=1)
    assert [job.members[0].trial for job in history.retries] == [0]


def test_the_number_of_jobs_counts_up_with_their_ids() -> None:
    history = fresh()
    assert [planned(history, trial=t).id for t in range(4)] == [0, 1, 2, 3]
    assert history.jobs == 4


def random_events(seed: int, count: int = 60) -> list[Event]:
    """Events of a run in which anything may happen."""
    rng, builder = np.random.default_rng(seed), HistoryBuilder(folds=FOLDS)
    for _ in range(count):
        running = sorted({p.job.members[0].trial for p in builder.history.running.values()})
        paused = [t.number for t in builder.history.with_status("paused") if t.rung < TOP]
        kind = rng.random()
        if running and kind < 0.5:
            trial = int(rng.choice(running))
            job = next(p.job for p in builder.history.running.values() if p.job.members[0].trial == trial)
            outcome = str(rng.choice(OUTCOMES, p=[0.7, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]))
            builder.end(trial, [round(float(s), 2) for s in rng.random(len(job.members))], outcome=outcome)
        elif paused and kind < 0.7:
            builder.promote(int(rng.choice(paused)), rung=int(rng.integers(1, TOP + 1)))
        elif paused and kind < 0.75:
            builder.add(TrialStopped(int(rng.choice(paused)), "worse", builder.history.at))
        else:
            builder.start(CNN if rng.random() < 0.5 else LINEAR, rung=int(rng.integers(0, TOP + 1)))
    return builder.events


@pytest.mark.parametrize("seed", range(6))
def test_status_and_running_folds_agree_at_every_moment(seed: int) -> None:
    history = History()
    for event in random_events(seed):
        history.apply(event)
        for trial in history.trials.values():
            assert not trial.running_folds or trial.status in {"running", *ENDED}
            assert trial.status != "running" or trial.running_folds


@pytest.mark.parametrize("seed", range(6))
def test_a_replay_gives_the_same_history(seed: int) -> None:
    events = random_events(seed)
    first, second = History(), History()
    for history in (first, second):
        for event in events:
            history.apply(event)
    assert first == second


@pytest.mark.parametrize("seed", range(6))
def test_device_seconds_of_trials_add_up_to_those_of_the_jobs(seed: int) -> None:
    history = History()
    for event in random_events(seed):
        history.apply(event)
    leased = math.fsum(e.device_seconds for e in history.ended_jobs)
    assert math.fsum(t.device_seconds for t in history.trials.values()) == pytest.approx(leased)


@pytest.mark.parametrize("seed", range(6))
def test_no_retry_belongs_to_a_trial_that_has_ended(seed: int) -> None:
    history = History()
    for event in random_events(seed):
        history.apply(event)
        assert all(history.trials[m.trial].status not in ENDED for j in history.retries for m in j.members)


@pytest.mark.parametrize("seed", range(6))
def test_full_trials_have_every_fold_and_a_report_at_the_top(seed: int) -> None:
    history = History()
    for event in random_events(seed):
        history.apply(event)
    assert all(len(t.kept_folds) == FOLDS and TOP in t.reports for t in history.full())


def test_a_candidate_that_had_no_time_to_begin_is_not_asked_again() -> None:
    history = fresh()
    job = planned(history)
    refused = replace(result(job, job.members[0], "stopped", None), message="TimeoutError: mlp takes about 9 s")
    history.apply(JobEnded(JobResult(job.id, (refused,), 0.01), 1.0, 0.01))
    assert history.trials[0].status == "stopped"
