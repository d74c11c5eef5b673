"""The end of a run: choose, export, verify, look at the test set once, report, register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import NamedTuple, Protocol

import numpy as np

from automl.calibration.refine import Unseen, refine
from automl.core.events import Decided, Registered, RunEnded, TestScore, Winner
from automl.core.folds import refit_growth
from automl.core.history import History, Trial
from automl.core.job import Job, JobResult, Report
from automl.core.leaderboard import contestants, latency_ms, size_bytes
from automl.core.protocols import DataSource, Done
from automl.core.seeds import stream
from automl.ensembles.field import Contestant, Rules
from automl.ensembles.select import Choice, choose
from automl.errors import ArtifactError, SearchFailed
from automl.run.foresight import end_seconds
from automl.run.kept_models import KEPT_TRIALS
from automl.run.loop import Run, refit_steps
from automl.run.pages import out_of_fold
from automl.run.publisher import ArtifactPublisher, sample_scores
from automl.run.work import sample_rows

INTERRUPT_SECONDS = 2.0
"""What an interrupted run takes for choosing; with exporting and registering it ends within ten seconds."""

LEAST_CHOICE_SHARE = 0.3
"""Share of what is left for choosing, at least; the rest is for export, verification, report and registration."""

AFTER_CHOICE_SECONDS = 2.6
"""What comes after choosing took 2.0 s with an ensemble of four models of texts; the rest is for a busy machine."""

REFINE_SHARE = 0.5
"""Share of the time that choosing might still take, for calibration and decision."""

LONGEST_CHOICE_SECONDS = 20.0
LEAST_REGISTRATION_SECONDS = 1.0
LONGEST_REGISTRATION_SECONDS = 30.0
EXIT_SECONDS = 0.5


class Registrar(Protocol):
    """Makes the model known to the outside, within a time limit."""

    def finish(self, seconds: float) -> Registered | None:
        """Return what it is known as, or None if that could not be done in time and is left for later."""
        ...


@dataclass(frozen=True)
class Ending:
    """What finalising works with.

    Attributes:
        folds: (rows,) the fold in which each row was validated.
        verify: loads an artifact in a fresh process and holds its scores of some rows against those of the run.
        score_test: the one look at the test set, with an artifact; None without one.
        report: writes the page about the run.
        register: makes the model known; None where nothing is recorded.
    """

    run: Run
    data: DataSource
    folds: np.ndarray
    publisher: ArtifactPublisher
    verify: Callable[[Path, np.ndarray, np.ndarray], object]
    report: Callable[[History], Path]
    score_test: Callable[[Path], TestScore] | None = None
    register: Registrar | None = None


class Final(NamedTuple):
    """A verified model."""

    winner: Winner
    artifact: Path
    manifest_sha256: str


def finalise(ending: Ending, reason: str) -> None:
    """Bring a run to its end.

    Raises:
        SearchFailed: no trial was trained on all folds.
    """
    run = ending.run
    if not run.history.full():
        run.emit(RunEnded("failed", reason, run.time.at()))
        raise SearchFailed(no_model(run.history, reason))
    final = verified(ending)
    test = _score_test(ending, final)
    ending.publisher.put_in_place(final.artifact)
    name = final.artifact.relative_to(run.parts.folder.path).as_posix()
    run.emit(Decided(final.winner, name, final.manifest_sha256, test, run.time.at()))
    ending.report(run.history)
    _register(ending)
    run.emit(RunEnded("interrupted" if run.interrupted else "done", reason, run.time.at()))


def verified(ending: Ending) -> Final:
    """Choose, export and verify; what does not export as it was trained is left out of the next choice.

    Raises:
        ArtifactError: nothing that may be chosen can be exported.
    """
    run, left_out = ending.run, set[int]()
    while True:
        winner = choose_winner(ending, left_out=left_out).winner()
        publisher = refit(ending, winner) if run.request.deploy == "refit" else ending.publisher
        winner = refined(replace(ending, publisher=publisher), winner)
        try:
            artifact, sha256 = publisher.write_final(run.history, winner)
            expected = sample_scores(publisher.members(run.history, winner.weights), winner.calibration)
            ending.verify(artifact, ending.data.X[sample_rows(len(ending.folds))], expected)
        except ArtifactError as error:
            left_out |= set(winner.weights)
            if left_out >= {t.number for t in run.history.full()}:
                raise
            run.warn("artifact", f"trials {sorted(winner.weights)} are left out: {error}")
        else:
            return Final(winner, artifact, sha256)


def _score_test(ending: Ending, final: Final) -> TestScore | None:
    """Look at the test set, once in the life of a model: a run killed right after it does not look again."""
    before = ending.run.history.decided
    if before is not None and before.test is not None and before.winner.weights == final.winner.weights:
        return before.test
    return ending.score_test(final.artifact) if ending.score_test else None


def choose_winner(ending: Ending, *, left_out: Collection[int] = ()) -> Choice:
    """Return the best single model or the ensemble, by the out-of-fold predictions of the best full trials."""
    run = ending.run
    baseline = next((t for t in run.history.full() if t.configuration.candidate == "baseline"), None)
    numbers = dict.fromkeys(contestants(run.history, run.metric, most=KEPT_TRIALS))
    numbers |= {baseline.number: None} if baseline else {}
    rules = Rules(
        baseline=baseline.number if baseline and baseline.number not in left_out else None,
        max_latency_ms=run.request.max_latency_ms,
        max_end_seconds=run.most_end_seconds(),
        time_left=_time_left(run),
        sample_rows=run.started.test_rows or None,
        split=run.started.spec.split,
    )
    able = [_contestant(ending, run.history.trials[n]) for n in numbers if n not in left_out]
    rng = stream(run.started.seed, "choose")
    choice = choose(able, np.asarray(ending.data.y), run.metric, folds=ending.folds, rng=rng, rules=rules)
    if choice.note:
        run.warn("choice", choice.note)
    return choice


def refined(ending: Ending, winner: Winner) -> Winner:
    """Return the winner with the calibration and decision that make it better on rows its models did not learn from.

    Images are left as they are.
    """
    run, spec = ending.run, ending.data.spec
    if spec.kind == "image" or not spec.classes:
        return winner
    parts = [w * out_of_fold(run.parts.folder, run.history, t, ending.folds) for t, w in winner.weights.items()]
    scores, time_left = np.asarray(sum(parts), dtype=np.float32), _time_left(run)
    found = refine(
        Unseen(scores, np.asarray(ending.data.y), ending.folds, spec.split),
        run.metric,
        deploy="refit" if ending.publisher.is_refit else "bag",
        rng=stream(run.started.seed, "refine"),
        time_left=None if time_left is None else lambda: REFINE_SHARE * time_left(),
    )
    return found.of(winner, run.metric)


def refit(ending: Ending, winner: Winner) -> ArtifactPublisher:
    """Train the winner's trials on all rows; returns the publisher of those models, or of the folds' if that failed."""
    run = ending.run
    steps = {t: refit_steps(run.history.trials[t]) for t in winner.weights}
    port = RefitPort(run, steps, seconds_left=_refit_seconds_left(run, trials=len(steps)))
    if port.seconds() > port.seconds_left:
        run.warn("refit", f"training on all rows takes about {port.seconds():.0f} s: {_instead(run)}")
        return ending.publisher
    run.parts.executor.run(port)
    failed = [t for t in winner.weights if getattr(run.history.refits.get(t), "outcome", "lost") != "done"]
    if failed:
        run.warn("refit", f"trials {failed} failed on all rows: {_instead(run)}")
        return ending.publisher
    return replace(ending.publisher, is_refit=True)


def _instead(run: Run) -> str:
    is_ordered = run.started.spec.split == "time"
    return "the model of the latest fold is deployed" if is_ordered else "the models of the folds are deployed"


def no_model(history: History, reason: str) -> str:
    """Return the table of reasons for which no trial succeeded."""
    lines = [f"no trial was trained on all folds ({reason}); {len(history.trials)} were started"]
    counts = Counter((t.configuration.candidate, t.reason or t.status) for t in history.trials.values())
    lines += [f"  {candidate:12} {count:3} × {why}" for (candidate, why), count in counts.most_common(10)]
    return "\n".join(lines)


class RefitPort:
    """Hands out one job on all rows for each trial of the winner.

    Attributes:
        seconds_left: wall seconds that all jobs together may take.
    """

    def __init__(self, run: Run, steps: dict[int, int], *, seconds_left: float) -> None:
        self.seconds_left = seconds_left
        self._ends = run.time.clock.now() + seconds_left
        self._run = run
        self._steps = steps
        self._waiting = list(run.controller.refit_jobs(steps, run.time.at()))

    def seconds(self) -> float:
        """Return the wall seconds all jobs are expected to take."""
        run = self._run
        each = [
            run.controller.costs.seconds(run.history.trials[t].configuration, start=0, stop=steps)
            for t, steps in self._steps.items()
        ]
        more_rows = refit_growth(run.started.folds, run.started.spec.split)
        return more_rows * max(max(each), sum(each) / run.started.slots)

    def next_job(self) -> Job | Done:
        """Return the next job, written down."""
        if not self._waiting or self._run.interrupted:
            return Done("all trials of the winner are trained on all rows")
        planned = self._waiting.pop(0)
        self._run.emit(planned)
        return planned.job

    def is_over(self) -> bool:
        """Whether the run was interrupted or no time is left."""
        return bool(self._run.interrupted) or self._run.time.clock.now() >= self._ends

    def deadline(self, job: int) -> float:
        """Return the end of what the budget leaves, or now if the run is interrupted."""
        return self._run.time.clock.now() if self._run.interrupted else self._ends

    def on_report(self, report: Report) -> None:
        """Show a sign of life."""
        self._run.on_report(report)

    def on_end(self, result: JobResult) -> None:
        """Write a result down."""
        self._run.on_end(result)

    def on_idle(self) -> None:
        """Do nothing: the search is over."""


def _refit_seconds_left(run: Run, *, trials: int) -> float:
    """Return the wall seconds that training on all rows may take; what exporting takes is left out."""
    device = run.controller.ledger.free_device_seconds() / min(trials, run.started.slots)
    if run.controller.ledger.budget.wall is None:
        return device
    return min(device, max(0.0, run.seconds_left() - (1.0 - LEAST_CHOICE_SHARE) * run.parts.reserve_seconds))


def _contestant(ending: Ending, trial: Trial) -> Contestant:
    predictions = out_of_fold(ending.run.parts.folder, ending.run.history, trial.number, ending.folds)
    results = trial.results.values()
    is_one = ending.run.request.deploy == "refit"
    return Contestant(
        trial.number, trial.configuration.candidate, predictions, size_bytes=size_bytes(trial),
        latency_ms=fmean(r.latency_ms for r in results) if is_one else latency_ms(trial),
        end_seconds=end_seconds(trial, ending.run.started.test_rows),
    )  # fmt: skip


def _time_left(run: Run) -> Callable[[], float] | None:
    """Return how long choosing may take, or None where no decision may depend on time."""
    if not run.controller.ledger.budget.is_timed:
        return None
    began = run.time.at()
    left = max(0.0, run.seconds_left() - run.refit_seconds() - run.end_seconds())
    least = LEAST_CHOICE_SHARE * max(left, min(run.seconds_left(), run.parts.reserve_seconds))
    allowed = min(LONGEST_CHOICE_SECONDS, max(least, left - AFTER_CHOICE_SECONDS))
    if run.interrupted:
        allowed = INTERRUPT_SECONDS
    return lambda: began + allowed - run.time.at()


def _register(ending: Ending) -> None:
    run = ending.run
    if ending.register is None:
        return
    seconds = min(LONGEST_REGISTRATION_SECONDS, max(LEAST_REGISTRATION_SECONDS, run.seconds_left() - EXIT_SECONDS))
    registered = ending.register.finish(seconds)
    if registered is None:
        run.warn("mlflow", f"not recorded within {seconds:.0f} s. Later: automl sync {run.parts.folder.path}")
    else:
        run.emit(replace(registered, at=run.time.at()))
