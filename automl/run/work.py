"""What a worker does with a job: train its members, score them, leave their files.

Nothing raised by a candidate passes this module: each member ends as an outcome.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from automl import registry
from automl.core.folds import holdout, train_rows, valid_rows
from automl.core.job import REFIT_FOLD, Cost, FileRef, Job, JobResult, Member, MemberResult, Outcome, Report
from automl.core.metrics import Metric, metric
from automl.core.protocols import Candidate, DataSource, Fitted, Holdout, ReportSink
from automl.core.seeds import derive, stream
from automl.serving.rows import RowSet

RESOURCES = ("vectors", "weights")
"""What a user may name beside the data, as in `SearchRequest`."""
SAVING_SECONDS = 0.25
"""How long before its deadline a member is told to come to an end."""

SAMPLE_ROWS = 32
BATCH_ROWS = 256
BATCH_MS = 500
"""What a batch may take whose time per row is measured: a large network gets a smaller one."""

_OUTCOMES: tuple[tuple[type[Exception], Outcome], ...] = (
    (MemoryError, "oom"), (FloatingPointError, "nan"), (TimeoutError, "stopped"),
)  # fmt: skip


def open_workshop(arguments: dict[str, str]) -> Workshop:
    """Build a worker's workload from the texts of a work order."""
    from automl.data.folder import DataFolder

    run = Path(arguments["run"])
    return Workshop(
        folder=run,
        task=arguments["task"],
        data=DataFolder(arguments["data"]),
        folds=np.load(run / "folds.npy", allow_pickle=False),
        metric=metric(arguments["metric"]),
        seed=int(arguments["seed"]),
        cache=Path(arguments["cache"]),
        device=arguments["device"],
        is_timed=arguments["is_timed"] == "yes",
        resources={name: Path(arguments[name]) for name in RESOURCES if arguments.get(name)},
    )


@dataclass
class MemberContext:
    """The `Context` of one member in a worker.

    Attributes:
        data: what the rows are of.
        run_seed: the one seed of the run, from which parts of the data are drawn that all trials share.
    """

    job: Job
    member: Member
    data: DataSource
    run_seed: int
    device: str
    seed: int
    metric: Metric
    classes: int
    train_rows: np.ndarray
    valid_rows: np.ndarray
    checkpoint: Path | None
    cache: Path
    is_timed: bool
    resources: Mapping[str, Path]
    deadline: float
    send: ReportSink
    curve: list[tuple[int, float]] = field(default_factory=list)
    train_curve: list[tuple[int, float]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    is_stopped: bool = False

    def report(self, step: int, score: float | None, train_loss: float | None = None) -> bool:
        """Send a sign of life; returns whether the stop rule ends this member here."""
        self.send(Report(self.job.id, self.member.trial, self.member.fold, step, score))
        if train_loss is not None:
            self.train_curve.append((step, float(train_loss)))
        if score is not None:
            self.curve.append((step, float(score)))
            self.is_stopped = self.job.stop_rule.stops(tuple(self.curve))
        return self.is_stopped

    def holdout(self, share: float, *, most: int) -> Holdout:
        """Split the training rows in two by the data's own rule; the same for every trial of this fold."""
        split = self.data.spec.split
        return holdout(
            self.train_rows, np.asarray(self.data.y), split=split, share=share, most=most,
            groups=None if split == "stratified" else self.data.groups,
            rng=stream(self.run_seed, "holdout", self.member.fold),
        )  # fmt: skip

    def seconds_left(self) -> float:
        """Return the seconds until training must come to an end."""
        return self.deadline - SAVING_SECONDS - time.monotonic()

    def note(self, key: str, value: str) -> None:
        """Record a decision."""
        self.notes[key] = value


@dataclass(frozen=True)
class Workshop:
    """A `Workload` over one data set and one run folder."""

    folder: Path
    task: str
    data: DataSource
    folds: np.ndarray
    metric: Metric
    seed: int
    cache: Path
    device: str
    is_timed: bool
    resources: Mapping[str, Path]

    def run(self, job: Job, report: ReportSink, deadline: float) -> JobResult:
        """Run a job member by member."""
        began = time.monotonic()
        members = tuple(self._member(job, m, report, deadline) for m in job.members)
        return JobResult(job.id, members, time.monotonic() - began)

    def _member(self, job: Job, member: Member, report: ReportSink, deadline: float) -> MemberResult:
        """Fence: whatever a candidate raises becomes an outcome with its text."""
        context = self._context(job, member, report, deadline)
        try:
            candidate: Candidate = registry.candidate(self.task, job.candidate)
            if job.purpose == "probe":
                cost = candidate.probe(self.data, member.configuration, context)
                return MemberResult(member.trial, member.fold, "done", cost=cost, notes=context.notes)
            return self._train(candidate, context)
        except Exception as error:  # noqa: BLE001 - the first of the two fences
            outcome: Outcome = next((o for kind, o in _OUTCOMES if isinstance(error, kind)), "error")
            return MemberResult(
                member.trial, member.fold, outcome, message=_one_line(error), traceback=traceback.format_exc(),
                curve=tuple(context.curve), notes=context.notes,
            )  # fmt: skip

    def _context(self, job: Job, member: Member, report: ReportSink, deadline: float) -> MemberContext:
        is_refit, split = member.fold == REFIT_FOLD, self.data.spec.split
        everything = np.arange(len(self.folds))
        return MemberContext(
            job=job, member=member, data=self.data, run_seed=self.seed, device=self.device, metric=self.metric,
            seed=derive(self.seed, "trial", member.trial, "fold", member.fold),
            classes=len(self.data.spec.classes),
            train_rows=everything if is_refit else train_rows(self.folds, member.fold, split),
            valid_rows=everything[:0] if is_refit else valid_rows(self.folds, member.fold),
            checkpoint=self.folder / member.checkpoint if member.checkpoint else None,
            cache=self.cache, is_timed=self.is_timed, resources=self.resources, deadline=deadline, send=report,
        )  # fmt: skip

    def _train(self, candidate: Candidate, context: MemberContext) -> MemberResult:
        job, member = context.job, context.member
        began = time.monotonic()
        fitted = candidate.fit(job, member.configuration, self.data, context)
        took = time.monotonic() - began
        if fitted.steps < job.stop_steps:
            message = "given up by its stop rule" if context.is_stopped else "cut at the deadline"
            return MemberResult(member.trial, member.fold, "stopped", steps=fitted.steps, message=message,
                                curve=tuple(context.curve), notes=context.notes)  # fmt: skip
        folder = self.folder / "members" / member.name / f"r{job.rung}"
        score = self._write(fitted, context, folder)
        steps = max(1, job.stop_steps - job.start_steps)
        alone: Fitted = getattr(fitted, "unaided", fitted)
        latency_ms = _milliseconds(alone, self.data.X[:1], repeats=5)
        batch = max(1, min(BATCH_ROWS, len(self.folds), int(BATCH_MS / max(latency_ms, 1e-3))))
        spread = np.linspace(0, len(self.folds) - 1, batch).astype(np.int64)
        return MemberResult(
            member.trial, member.fold, "done", score=score, curve=tuple(context.curve),
            train_curve=tuple(context.train_curve), steps=job.stop_steps, best_step=fitted.best_step,
            files=_files(self.folder, folder), cost=Cost(0.0, took / steps), notes=context.notes,
            latency_ms=latency_ms, batch_ms=_milliseconds(alone, self.data.X[spread], repeats=1) / batch,
        )  # fmt: skip

    def _write(self, fitted: Fitted, context: MemberContext, folder: Path) -> float | None:
        """Write a member's files into a fresh folder; returns the score on its validation rows."""
        job = context.job
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        score = None
        if len(context.valid_rows):
            predicted = fitted.predict(self.data.X[context.valid_rows]).astype(np.float32)
            if not np.isfinite(predicted).all():
                raise FloatingPointError(
                    f"{job.candidate}: {np.sum(~np.isfinite(predicted))} predictions are not finite"
                )
            score = self.metric.score(self.data.y[context.valid_rows], predicted)
            np.save(folder / "oof.npy", predicted, allow_pickle=False)
        if job.keep_model:
            (folder / "member.json").write_text(json.dumps(fitted.save(folder)), encoding="utf-8")
            sample = fitted.predict(self.data.X[sample_rows(len(self.folds))]).astype(np.float32)
            np.save(folder / "sample.npy", sample, allow_pickle=False)
        if job.stop_steps < job.full_steps:
            fitted.save_checkpoint(folder)
        return score


def sample_rows(rows: int) -> np.ndarray:
    """Return the rows on which every kept model's predictions are stored, to hold the artifact against."""
    return np.unique(np.linspace(0, rows - 1, min(rows, SAMPLE_ROWS)).astype(np.int64))


def _files(run: Path, folder: Path) -> tuple[FileRef, ...]:
    paths = sorted(p for p in folder.iterdir() if p.is_file())
    return tuple(
        FileRef(p.relative_to(run).as_posix(), hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_size)
        for p in paths
    )


def _milliseconds(fitted: Fitted, rows: RowSet, *, repeats: int) -> float:
    """Return the median time to predict rows."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        fitted.predict(rows)
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text}"[:500]
