"""The state of a run, computed from its events and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from automl.core.events import (
    Decided,
    Event,
    Exported,
    JobEnded,
    JobPlanned,
    Origin,
    PhaseChanged,
    Planned,
    ProposalSkipped,
    Registered,
    Resumed,
    RunEnded,
    RunStarted,
    Ticked,
    TrialStopped,
    Warned,
)  # fmt: skip
from automl.core.job import Cost, Job, MemberResult
from automl.core.plan import rungs
from automl.core.space import Configuration
from automl.core.standings import Standings

TrialStatus = Literal["running", "paused", "full", "stopped", "failed"]
FAILURES = frozenset({"error", "nan", "oom", "timeout", "lost"})
RETRIED = frozenset({"lost", "timeout"})
REFUSED = "TimeoutError"
"""How the message of a candidate begins for which there is too little time to begin; there will not be more of it."""
ENDED = frozenset({"full", "stopped", "failed"})


@dataclass
class Trial:
    """One configuration and how far it got.

    Attributes:
        rung: the highest rung planned.
        results: fold → latest result that was "done".
        reports: rung → score of fold 0 at its end, also where a longer training passed it; at the top rung the mean
            over folds.
        failure: the result that ended the trial, where one did.
    """

    number: int
    configuration: Configuration
    origin: Origin
    status: TrialStatus = "running"
    rung: int = 0
    results: dict[int, MemberResult] = field(default_factory=dict)
    reports: dict[int, float] = field(default_factory=dict)
    running_folds: set[int] = field(default_factory=set)
    failure: MemberResult | None = None
    reason: str = ""
    device_seconds: float = 0.0

    def steps(self, fold: int) -> int:
        """Return the steps done on fold, 0 before its first result."""
        return self.results[fold].steps if fold in self.results else 0

    @property
    def kept_folds(self) -> frozenset[int]:
        """Return the folds trained to the end, whose models are kept."""
        return frozenset(f for f, r in self.results.items() if r.size_bytes > 0)


@dataclass
class History:
    """All that is known of a run. `apply` is the only way to change it.

    Attributes:
        standings: the trials in order, so that no decision looks at all of them.
        tried: candidate → keys of its configurations that were started.
    """

    started: RunStarted | None = None
    planned: Planned | None = None
    trials: dict[int, Trial] = field(default_factory=dict)
    running: dict[int, JobPlanned] = field(default_factory=dict)
    jobs: int = 0
    retries: list[Job] = field(default_factory=list)
    probes: dict[str, Cost | None] = field(default_factory=dict)
    refits: dict[int, MemberResult] = field(default_factory=dict)
    failures_in_a_row: list[str] = field(default_factory=list)
    ended_jobs: list[JobEnded] = field(default_factory=list)
    stopped: list[TrialStopped] = field(default_factory=list)
    phase: PhaseChanged | None = None
    exported: Exported | None = None
    decided: Decided | None = None
    registered: Registered | None = None
    ended: RunEnded | None = None
    warnings: list[Warned] = field(default_factory=list)
    resumed: list[Resumed] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    at: float = 0.0
    top_rung: int = 3
    standings: Standings = field(default_factory=Standings)
    tried: dict[str, set[str]] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take in one event."""
        self.at = max(self.at, getattr(event, "at", 0.0))
        match event:
            case JobPlanned():
                self._plan(event)
            case JobEnded():
                self._end(event)
            case TrialStopped():
                self.stopped.append(event)
                trial = self.trials[event.trial]
                trial.reason = event.reason
                self._place(trial, "stopped")
            case ProposalSkipped():
                self.skipped.add(event.configuration.key())
            case Warned():
                self.warnings.append(event)
            case Resumed():
                self.resumed.append(event)
                self.ended = self.phase = None
                self.skipped.clear()
            case Ticked():
                pass
            case _:
                setattr(self, _LATEST[type(event)], event)

    @property
    def folds(self) -> int:
        """Return the number of folds of this run."""
        assert self.started is not None
        return self.started.folds

    def full(self) -> list[Trial]:
        """Return the trials trained on all folds, in order of number."""
        return self.with_status("full")

    def with_status(self, status: TrialStatus) -> list[Trial]:
        """Return the trials of this status, in order of number."""
        return [self.trials[n] for n in self.standings.with_status(status)]

    def _plan(self, event: JobPlanned) -> None:
        job = event.job
        self.jobs = max(self.jobs, job.id + 1)
        self.running[job.id] = event
        self.retries = [r for r in self.retries if r.members != job.members]
        if job.purpose != "train":
            return
        for member in job.members:
            trial = self.trials.get(member.trial)
            if trial is None:
                trial = self.trials[member.trial] = Trial(member.trial, member.configuration, event.origin)
                self.tried.setdefault(job.candidate, set()).add(member.configuration.key())
            trial.rung = max(trial.rung, job.rung)
            trial.running_folds.add(member.fold)
            self._place(trial, "running")

    def _end(self, event: JobEnded) -> None:
        planned = self.running.pop(event.result.job)
        self.ended_jobs.append(event)
        share = event.device_seconds / max(1, len(event.result.members))
        if event.result.is_interrupted:
            self._requeue(planned.job, share)
            return
        for result in event.result.members:
            if planned.job.purpose == "probe":
                self.probes[planned.job.candidate] = result.cost
            elif planned.job.purpose == "refit":
                self.refits[result.trial] = result
            else:
                self._end_member(planned.job, result, share)
                self._settle(self.trials[result.trial])

    def _requeue(self, job: Job, device_seconds: float) -> None:
        """Take back a job that was cut short through no fault of its own."""
        if job.purpose != "train":
            return
        self.retries.append(job)
        for member in job.members:
            trial = self.trials[member.trial]
            trial.device_seconds += device_seconds
            trial.running_folds.discard(member.fold)
            self._settle(trial)

    def _end_member(self, job: Job, result: MemberResult, device_seconds: float) -> None:
        trial = self.trials[result.trial]
        trial.device_seconds += device_seconds
        trial.running_folds.discard(result.fold)
        if result.outcome == "done":
            self.failures_in_a_row.clear()
            trial.results[result.fold] = result
            self._report(trial, job, result)
        elif trial.status in ENDED:
            pass  # another fold decided already
        elif job.attempt == 0 and (result.outcome in RETRIED or _is_cut_at_its_lease(job, result, device_seconds)):
            self.retries.append(replace(job, attempt=1))
        elif result.outcome == "stopped":
            trial.reason = result.message
            if _is_cut_at_its_lease(job, result, device_seconds) or result.message.startswith(REFUSED):
                self._place(trial, "stopped")
        else:
            self.failures_in_a_row.append(f"{job.candidate}: {result.message}")
            trial.failure, trial.reason = result, result.message
            self._place(trial, "failed")

    def _settle(self, trial: Trial) -> None:
        """Give a trial on which nothing runs any more its status."""
        if trial.status in ENDED or trial.running_folds:
            self._place(trial, trial.status)
        else:
            self._place(trial, "full" if self._is_full(trial) else "paused")

    def _place(self, trial: Trial, status: TrialStatus) -> None:
        """Give a trial a status; one that has come to its end is not tried again."""
        trial.status = status
        if status in ENDED:
            self.retries = [r for r in self.retries if all(m.trial != trial.number for m in r.members)]
        self.standings.file(trial.number, status, trial.rung, reports=trial.reports, top=self.top_rung)

    def _report(self, trial: Trial, job: Job, result: MemberResult) -> None:
        if result.score is None:
            return
        if result.fold == 0:
            self._read_off(trial, job, result)
        if job.rung < self.top_rung:
            trial.reports[job.rung] = result.score
        elif self._is_full(trial):
            scores = [r.score for r in trial.results.values() if r.score is not None]
            trial.reports[job.rung] = sum(scores) / len(scores)

    def _read_off(self, trial: Trial, job: Job, result: MemberResult) -> None:
        """Take the scores of the rungs that a training passed; it stands on the highest with as many steps."""
        if self.planned is None or self.planned.full_steps.get(job.candidate, 1) == 1:
            return
        curve = {**dict(result.curve), result.steps: result.score}
        for rung, fidelity in enumerate(rungs(self.planned, job.candidate, self.folds)[: self.top_rung]):
            score = curve.get(fidelity.steps)
            if score is not None and rung not in trial.reports:
                trial.reports[rung] = score
            if fidelity.steps == result.steps:
                trial.rung = max(trial.rung, rung)

    def _is_full(self, trial: Trial) -> bool:
        return len(trial.kept_folds) >= self.folds


def _is_cut_at_its_lease(job: Job, result: MemberResult, device_seconds: float) -> bool:
    """Whether a member did not finish in the time it was given; it would take as long again."""
    return result.outcome == "stopped" and device_seconds * len(job.members) >= 0.9 * job.lease.seconds


_LATEST = {
    RunStarted: "started", Planned: "planned", PhaseChanged: "phase", Exported: "exported", Decided: "decided",
    Registered: "registered", RunEnded: "ended",
}  # fmt: skip
"""Events of which only the latest counts, and where it is kept."""
