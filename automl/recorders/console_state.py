"""What the console shows, as values: standing, spend and progress, computed from the history alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automl.core.budget import Account, Budget
from automl.core.events import JobPlanned
from automl.core.history import History, Trial
from automl.core.job import Report
from automl.core.leaderboard import Row, best, leaderboard
from automl.core.metrics import METRICS

ReportKey = tuple[int, int, int]
"""(job, trial, fold)."""
Reports = Mapping[ReportKey, Report]
"""The latest sign of life of each running member."""


@dataclass(frozen=True)
class Spend:
    """One limited account. Amounts are seconds, or trials."""

    account: Account
    used: float
    limit: float
    seconds_left: float

    @property
    def share(self) -> float:
        """Return used ÷ limit, in [0, 1]."""
        return min(1.0, max(0.0, self.used / self.limit))


@dataclass(frozen=True)
class Progress:
    """A running job.

    Attributes:
        share: of its steps that are done, over all members.
        step, stop_step: of the member that reported last.
        score: the mean of the latest scores, None before the first.
    """

    job: int
    trials: tuple[int, ...]
    candidate: str
    purpose: str
    rung: int
    folds: tuple[int, ...]
    share: float
    step: int
    stop_step: int
    score: float | None
    seconds: float


def standings(history: History, limit: int) -> list[Row]:
    """Return the fully trained trials, best first, at most limit of them."""
    return [] if history.started is None else leaderboard(history, METRICS[history.started.metric], limit=limit)


def leader(history: History) -> Trial | None:
    """Return the best of the fully trained trials."""
    return None if history.started is None else best(history, METRICS[history.started.metric])


def budget_of(history: History) -> Budget:
    """Return the budget with all that was added on resuming."""
    assert history.started is not None
    budget = Budget.parse(history.started.request.budget)
    for event in history.resumed:
        if event.added_budget:
            budget = budget.plus(Budget.parse(event.added_budget.removeprefix("+")))
    return budget


def spends(history: History, now: float) -> list[Spend]:
    """Return the limited accounts, the one nearest to its end first.

    Args:
        history: the run.
        now: run seconds.
    """
    found = [_spend(history, account, limit, now) for account, limit in budget_of(history).limits()]
    return sorted(found, key=lambda spend: (spend.seconds_left, -spend.share))


def progress(history: History, reports: Reports, now: float) -> list[Progress]:
    """Return the running jobs, the oldest first."""
    return [_progress(planned, reports, now) for planned in history.running.values()]


def counts(history: History) -> Iterator[tuple[str, int]]:
    """Yield status in words → number of trials, leaving out what is none."""
    yield "trials", len(history.trials)
    for words, status in (("full", "full"), ("paused", "paused"), ("stopped", "stopped"), ("failed", "failed")):
        number = sum(trial.status == status for trial in history.trials.values())
        if number:
            yield words, number


def _spend(history: History, account: Account, limit: float, now: float) -> Spend:
    if account == "wall":
        return Spend(account, now, limit, max(0.0, limit - now))
    if account == "trials":
        used, rate = float(len(history.trials)), len(history.trials) / max(now, 1e-9)
    else:
        held = [planned.job.lease.share * max(0.0, now - planned.at) for planned in history.running.values()]
        used = sum(ended.device_seconds for ended in history.ended_jobs) + sum(held)
        rate = max(used / max(now, 1e-9), 1e-9)
    left = max(0.0, limit - used)
    return Spend(account, used, limit, left / rate if rate > 0 else float("inf"))


def _progress(planned: JobPlanned, reports: Reports, now: float) -> Progress:
    job = planned.job
    latest = [reports.get((job.id, member.trial, member.fold)) for member in job.members]
    heard = [report for report in latest if report is not None]
    length = max(1, job.stop_steps - job.start_steps)
    done = sum(min(length, max(0, report.step - job.start_steps)) for report in heard)
    scores = [report.score for report in heard if report.score is not None]
    return Progress(
        job=job.id,
        trials=tuple(dict.fromkeys(member.trial for member in job.members)),
        candidate=job.candidate,
        purpose=job.purpose,
        rung=job.rung,
        folds=tuple(dict.fromkeys(member.fold for member in job.members)),
        share=done / length / len(job.members),
        step=max((report.step for report in heard), default=job.start_steps),
        stop_step=job.stop_steps,
        score=sum(scores) / len(scores) if scores else None,
        seconds=max(0.0, now - planned.at),
    )
