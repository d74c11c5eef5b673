"""Builds histories from events, for tests of what reads them: searchers, schedulers, leaderboards."""

from __future__ import annotations

from collections.abc import Sequence

from automl.core.data import DataSpec
from automl.core.events import Event, JobEnded, JobPlanned, Origin, RunStarted, TrialStopped
from automl.core.history import History
from automl.core.job import FileRef, Job, JobResult, Member, MemberResult, Outcome
from automl.core.request import SearchRequest
from automl.core.space import Configuration


def run_started(*, folds: int = 2, metric: str = "accuracy", seed: int = 0) -> RunStarted:
    """Return the first event of a run on a tiny image data set."""
    return RunStarted(
        name="tiny",
        request=SearchRequest(task="image-clf", seed=seed),
        seed=seed,
        spec=DataSpec("tiny", "image", 20, (8, 8, 3), ("cat", "dog"), (10, 10), "0" * 64),
        findings=(),
        spaces={},
        space_origins={},
        space_sha256="0" * 64,
        portfolio=(),
        versions={},
        wall_started=0.0,
        metric=metric,
        folds=folds,
        slots=1,
        device="cpu",
        data_folder="data",
    )


class HistoryBuilder:
    """A history and the events it came from; every method adds the events of something that happens in a run.

    >>> builder = HistoryBuilder(folds=2)
    >>> number = builder.full(Configuration("cnn", {"lr": 0.1}), [0.8, 0.9])
    >>> builder.history.trials[number].status, round(builder.history.trials[number].reports[3], 3)
    ('full', 0.85)
    """

    def __init__(self, *, folds: int = 2, metric: str = "accuracy", seed: int = 0) -> None:
        self.events: list[Event] = []
        self.history = History()
        self.add(run_started(folds=folds, metric=metric, seed=seed))

    def add(self, event: Event) -> None:
        """Take in any event."""
        self.events.append(event)
        self.history.apply(event)

    def start(self, configuration: Configuration, *, rung: int = 0, origin: Origin = "searcher") -> int:
        """Start a trial on its first fold, or on all folds where rung is the top one, and return its number."""
        number = len(self.history.trials)
        self._plan(number, configuration, rung, origin)
        return number

    def promote(self, trial: int, *, rung: int) -> None:
        """Train a trial on to a higher rung."""
        known = self.history.trials[trial]
        self._plan(trial, known.configuration, rung, known.origin)

    def end(self, trial: int, scores: Sequence[float], *, outcome: Outcome = "done") -> None:
        """End the running job of a trial with one score per member."""
        job = next(p.job for p in self.history.running.values() if p.job.members[0].trial == trial)
        if len(scores) != len(job.members):
            raise ValueError(f"trial {trial}: one score for each of {len(job.members)} members. Got {list(scores)}")
        members = tuple(_result(job, m, s, outcome) for m, s in zip(job.members, scores, strict=True))
        self.add(JobEnded(JobResult(job.id, members, held_seconds=1.0), at=float(len(self.events)), device_seconds=1.0))

    def full(self, configuration: Configuration, scores: Sequence[float], *, origin: Origin = "searcher") -> int:
        """Train a trial on all folds, one score each."""
        number = self.start(configuration, rung=self.history.top_rung, origin=origin)
        self.end(number, scores)
        return number

    def paused(self, configuration: Configuration, score: float, *, rung: int = 0) -> int:
        """Train a trial to a rung below the top."""
        number = self.start(configuration, rung=rung)
        self.end(number, [score])
        return number

    def stopped(self, configuration: Configuration, score: float, *, rung: int = 0) -> int:
        """Train a trial to a rung below the top and give it up there."""
        number = self.paused(configuration, score, rung=rung)
        self.add(TrialStopped(number, "worse than the others", at=float(len(self.events))))
        return number

    def failed(self, configuration: Configuration, *, outcome: Outcome = "error") -> int:
        """Start a trial that fails."""
        number = self.start(configuration)
        self.end(number, [0.0], outcome=outcome)
        return number

    def replayed(self, count: int | None = None) -> History:
        """Return a new history of the first count events, or of all."""
        history = History()
        for event in self.events[:count]:
            history.apply(event)
        return history

    def _plan(self, trial: int, configuration: Configuration, rung: int, origin: Origin) -> None:
        folds = self.history.folds if rung == self.history.top_rung else 1
        members = tuple(Member(trial, fold, configuration) for fold in range(folds))
        job = Job(self.history.jobs, members, rung, start_steps=0, stop_steps=rung + 1, full_steps=4)
        self.add(JobPlanned(job, at=float(len(self.events)), proposed=configuration, origin=origin))


def _result(job: Job, member: Member, score: float, outcome: Outcome) -> MemberResult:
    if outcome != "done":
        return MemberResult(member.trial, member.fold, outcome, message=f"ended as {outcome}")
    file = "model" if job.stop_steps == job.full_steps else "checkpoint"
    files = (FileRef(f"members/{member.name}/{file}.onnx", "0" * 64, 1),)
    return MemberResult(member.trial, member.fold, "done", score=score, steps=job.stop_steps, files=files)
