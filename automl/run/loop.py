"""A run: the shell around the controller that keeps time, writes the journal and pumps an executor."""

from __future__ import annotations

import shutil
from collections import deque
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Literal, Protocol

from automl.controller import Controller, Moment
from automl.core.clock import Clock
from automl.core.events import Event, Exported, JobEnded, JobPlanned, PhaseChanged, Ticked, TrialStopped, Warned
from automl.core.folds import refit_growth
from automl.core.history import History, Trial
from automl.core.job import Job, JobResult, Report
from automl.core.leaderboard import best
from automl.core.metrics import metric
from automl.core.protocols import WAIT, Done, Executor, Journal, Recorder
from automl.core.request import SearchRequest
from automl.errors import ArtifactError
from automl.run.folder import RunFolder
from automl.run.foresight import Choose, Foresight, end_seconds_of
from automl.run.kept_models import KeptModels

TICK_SECONDS = 2.0
LEAST_RESERVE_SHARE = 0.25
"""Share of a wall budget that is held back for finalising as long as no trial is full."""

LEAST_EXPORT_SHARE, LEAST_EXPORT_SECONDS = 0.02, 3.0
"""What is held back from the start for exporting models: this share of a wall budget, at most so long."""

MOST_HELD_SHARE = 0.5
"""Most of a wall budget that is held back for all that comes after the search."""

REFIT_SLACK, REFIT_EXTRA_SECONDS = 1.3, 0.5
"""What training on all rows may take beyond its estimate."""

END_SLACK, END_EXTRA_SECONDS = 1.3, 0.5
"""What exporting and testing may take beyond what is expected of small models."""

UNTIMED_FINAL_SECONDS = 60.0
EXPORT_SHARE = 0.03
"""Share of the elapsed time that standing artifacts may take; the first is always made."""


@dataclass(frozen=True)
class Timekeeper:
    """Run seconds: what was used before a resume, plus the time since this process began.

    Attributes:
        began: the clock's reading at the first line of the program.
        before: run seconds used by earlier processes of this run.
    """

    clock: Clock
    began: float
    before: float = 0.0

    def at(self) -> float:
        """Return the run seconds now."""
        return self.before + self.clock.now() - self.began

    def clock_at(self, run_seconds: float) -> float:
        """Return the clock's reading at a moment given in run seconds."""
        return self.began + run_seconds - self.before


class Publisher(Protocol):
    """Puts an artifact in place."""

    def publish(self, history: History, weights: dict[int, float], at: float) -> Exported:
        """Write the artifact of the weighted trials and swap it in."""
        ...


@dataclass(frozen=True)
class Parts:
    """What a run is put together from.

    Attributes:
        choose: foresees the winner.
        reserve_seconds: held back for finalising.
        export_seconds: the part of it that is for exporting and testing, as long as nothing better is known.
    """

    folder: RunFolder
    journal: Journal
    executor: Executor
    publisher: Publisher
    watchers: list[Recorder]
    choose: Choose
    reserve_seconds: float
    export_seconds: float = 0.0


class Run:
    """One run, as the `Port` that an executor pumps."""

    def __init__(self, controller: Controller, parts: Parts, time: Timekeeper) -> None:
        self.controller = controller
        self.parts = parts
        self.time = time
        self.interrupted = ""
        self._export_seconds = 0.0
        self._ticked = time.at()
        self._published: tuple[int, float] | None = None
        self._reason = ""
        self._warnings: deque[tuple[str, str]] = deque()
        assert controller.history.started is not None
        self.started = controller.history.started
        self.metric = metric(self.started.metric)
        self._models = KeptModels(parts.folder, self.metric)
        self._foresight = Foresight(self.metric, parts.choose)

    @property
    def request(self) -> SearchRequest:
        """Return what was asked for."""
        return self.started.request

    def seconds_left(self) -> float:
        """Return the wall seconds left of the budget, or a generous time where it has no such limit."""
        wall = self.controller.ledger.budget.wall
        return UNTIMED_FINAL_SECONDS if wall is None else max(0.0, wall - self.time.at())

    def refit_seconds(self) -> float:
        """Return the seconds held back for training the best trial on all rows; none unless that is asked for."""
        leader = best(self.history, self.metric) if self.request.deploy == "refit" else None
        if leader is None:
            return 0.0
        seconds = self.controller.costs.seconds(leader.configuration, start=0, stop=refit_steps(leader))
        return REFIT_SLACK * seconds * refit_growth(self.started.folds, self.started.spec.split) + REFIT_EXTRA_SECONDS

    @property
    def history(self) -> History:
        """Return what happened so far."""
        return self.controller.history

    def search(self) -> str:
        """Pump the executor until the search is over; returns why it is."""
        self.parts.executor.run(self)
        reason = self._reason or "the budget is spent"
        self.emit(PhaseChanged("finalising", reason, self.time.at()))
        return reason

    def interrupt(self, reason: str) -> None:
        """End the search as soon as possible; safe to call from a signal handler."""
        self.interrupted = self.interrupted or reason

    def announce(self, event: Event) -> None:
        """Write down and show an event that the controller knows already."""
        self.parts.journal.append(event)
        for watcher in self.parts.watchers:
            watcher.on_event(event)

    def emit(self, event: Event, *, durable: bool = True) -> None:
        """Write an event down, then act on it, then show it."""
        self.parts.journal.append(event, durable=durable)
        self.controller.apply(event)
        for watcher in self.parts.watchers:
            watcher.on_event(event)

    def warn(self, source: str, message: str) -> None:
        """Write down something that was survived."""
        self.emit(Warned(source, message, self.time.at()))

    def warn_later(self, source: str, message: str) -> None:
        """Have something written down at the next occasion; safe to call from any thread."""
        self._warnings.append((source, message))

    def tell_warnings(self) -> None:
        """Write down what other threads had to say."""
        while self._warnings:
            self.warn(*self._warnings.popleft())

    def next_job(self) -> Job | Done | Literal["wait"]:
        """Return a job that is durable in the journal, or that there is none."""
        if self.interrupted:
            return self._done(self.interrupted)
        while True:
            decision = self.controller.decide(self._moment())
            if isinstance(decision, Done):
                return self._done(decision.reason)
            if decision == WAIT:
                return WAIT
            self.emit(decision)
            if isinstance(decision, JobPlanned):
                return decision.job
            if isinstance(decision, TrialStopped):
                self._forget(self.history.trials[decision.trial])

    def is_over(self) -> bool:
        """Whether the run was interrupted or its search must end now."""
        return bool(self.interrupted) or self.time.at() >= self._search_ends()

    def deadline(self, job: int) -> float:
        """Return the clock's reading at which a running job must be over."""
        if self.interrupted:
            return self.time.clock.now()
        planned = self.history.running[job]
        lease = planned.job.lease
        return self.time.clock_at(min(self._search_ends(), planned.at + lease.seconds / lease.share))

    def on_report(self, report: Report) -> None:
        """Show a sign of life."""
        for watcher in self.parts.watchers:
            watcher.on_report(report)

    def on_end(self, result: JobResult) -> None:
        """Write a result down, and delete the checkpoints that it continued from."""
        planned = self.history.running[result.job]
        self.emit(JobEnded(result, self.time.at(), result.held_seconds * planned.job.lease.share))
        for member in planned.job.members:
            trial = self.history.trials.get(member.trial)
            if trial is not None and member.checkpoint and trial.steps(member.fold) >= planned.job.stop_steps:
                shutil.rmtree(self.parts.folder.path / member.checkpoint, ignore_errors=True)
            if trial is not None and trial.status == "full":
                self._models.take(self.history, trial.number)

    def on_idle(self) -> None:
        """Keep the standing artifact at the best trial and tell the time."""
        at = self.time.at()
        self.tell_warnings()
        if at - self._ticked >= TICK_SECONDS:
            self._ticked = at
            self.emit(Ticked(at), durable=False)
        self._look_ahead(at)
        leader = best(self.history, self.metric)
        if leader is None or self._published == (leader.number, leader.reports[self.history.top_rung]):
            return
        if self._published is None or self._export_seconds <= EXPORT_SHARE * at:
            self._publish(leader, at)

    def _look_ahead(self, at: float) -> None:
        """Find out what the winner will be made of, where time for its end must be held back."""
        if self.controller.ledger.budget.wall is None or not self.history.full():
            return
        if self._foresight.is_due(at / self._search_ends()):
            self._foresight.look(self.history)

    def _publish(self, leader: Trial, at: float) -> None:
        self._published = (leader.number, leader.reports[self.history.top_rung])
        try:
            exported = self.parts.publisher.publish(self.history, {leader.number: 1.0}, at)
        except ArtifactError as error:
            self.warn("artifact", f"trial {leader.number} cannot be exported: {error}")
            return
        self._export_seconds += exported.seconds
        self.emit(exported)

    def _forget(self, trial: Trial) -> None:
        """Delete the files of a trial that was given up; its scores stay in the journal."""
        for result in trial.results.values():
            if result.files:
                shutil.rmtree(self.parts.folder.files_of(result).parent, ignore_errors=True)

    def _moment(self) -> Moment:
        return Moment(self.time.at(), self._search_ends(), self.parts.reserve_seconds, self._held_device_seconds())

    def _held_device_seconds(self) -> float:
        """Return what is held back of a device budget, at most MOST_HELD_SHARE of it."""
        budget = self.controller.ledger.budget
        limit = budget.gpu if self.started.device == "gpu" else budget.cpu
        return 0.0 if limit is None else min(self.refit_seconds(), MOST_HELD_SHARE * limit)

    def _search_ends(self) -> float:
        """Return the run seconds at which the search ends; a little later as long as there is no model at all."""
        wall = self.controller.ledger.budget.wall
        if wall is None:
            return inf
        reserve = self.parts.reserve_seconds - self.parts.export_seconds + self._held_for_export()
        if not self.history.full():
            return wall - min(reserve, LEAST_RESERVE_SHARE * wall)
        held = self.refit_seconds()
        return wall - (min(reserve + held, MOST_HELD_SHARE * wall) if held else reserve)

    def _held_for_export(self) -> float:
        """Return what is held back for exporting and testing: a share of the budget until it is known what there is."""
        least, expected = self.parts.export_seconds, self.end_seconds()
        if self._foresight.is_sure:
            least = min(least, END_SLACK * expected + END_EXTRA_SECONDS)
        return max(least, expected)

    def end_seconds(self) -> float:
        """Return the seconds that the models which the winner is likely to have take to be exported and tested."""
        likely = self._foresight.trials(self.history)
        return end_seconds_of((self.history.trials[n] for n in likely), self.started.test_rows)

    def most_end_seconds(self) -> float | None:
        """Return what the models of the winner may take to be exported and tested in time; None without a deadline."""
        wall = self.controller.ledger.budget.wall
        return None if wall is None else max(least_export_seconds(wall), self.end_seconds())

    def _done(self, reason: str) -> Done:
        self._reason = self._reason or reason
        return Done(reason)


def least_export_seconds(wall: float) -> float:
    """Return the seconds of a wall budget that are there for exporting models, however small those of the search are.

    >>> least_export_seconds(60.0), least_export_seconds(3600.0)
    (1.2, 3.0)
    """
    return min(LEAST_EXPORT_SECONDS, LEAST_EXPORT_SHARE * wall)


def refit_steps(trial: Trial) -> int:
    """Return how long a full trial is trained on all rows: the median of its folds' best steps."""
    return max(1, round(median(result.best_step for result in trial.results.values())))
