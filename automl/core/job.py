"""The unit an executor runs, and what comes back from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from automl.core.space import Configuration

Outcome = Literal["done", "stopped", "error", "nan", "oom", "timeout", "lost"]
Purpose = Literal["probe", "train", "refit"]

REFIT_FOLD = -1
"""The fold number of a member that trains on all rows."""
BODY = "body"
"""A member's note: the hash of a network that it did not change, kept and computed once for all folds of a trial."""


@dataclass(frozen=True)
class Member:
    """One (trial, fold) to be trained; fold REFIT_FOLD trains on all rows.

    Attributes:
        checkpoint: folder to continue from, relative to the run folder; empty at the start.
    """

    trial: int
    fold: int
    configuration: Configuration
    checkpoint: str = ""

    @property
    def name(self) -> str:
        """Return the folder name of this member's files in the run folder."""
        return f"t{self.trial:05d}-" + ("all" if self.fold == REFIT_FOLD else f"f{self.fold}")


@dataclass(frozen=True)
class StopRule:
    """When a member may stop before its last step. Pure: asked in the worker after each report.

    Attributes:
        patience: stop after this many reports without a better score; None never.
        greater_is_better: the metric's direction.
    """

    patience: int | None = None
    greater_is_better: bool = True

    def stops(self, curve: tuple[tuple[int, float], ...]) -> bool:
        """Whether a member with this curve of (step, score) should stop now; an undefined score is the worst.

        >>> StopRule(patience=1).stops(((1, 0.5), (2, 0.6), (3, 0.6)))
        True
        """
        if self.patience is None or not curve:
            return False
        sign = 1.0 if self.greater_is_better else -1.0
        scores = [sign * score if score == score else float("-inf") for _, score in curve]
        return len(scores) - 1 - scores.index(max(scores)) >= self.patience


@dataclass(frozen=True)
class Lease:
    """A device slice held by a job from grant to release.

    Attributes:
        device: "cpu" or "gpu".
        share: how much of one device: 1 for a worker slot or a whole GPU.
        seconds: device seconds reserved; the lease is cut when held × share reaches it. Infinite without a limit.
    """

    device: Literal["cpu", "gpu"] = "cpu"
    share: float = 1.0
    seconds: float = float("inf")


@dataclass(frozen=True)
class Job:
    """One or more members of one candidate, trained from one step to another on a lease.

    Attributes:
        start_steps: steps done before; above zero a checkpoint of each member is continued.
        stop_steps: steps done when this job ends.
        full_steps: the length that learning-rate schedules span.
        rows: share of the training rows.
        keep_model: whether the fitted state is kept (top rung) or only a checkpoint.
        attempt: 0 at first; counts repetitions after a lost worker.
    """

    id: int
    members: tuple[Member, ...]
    rung: int
    start_steps: int
    stop_steps: int
    full_steps: int
    rows: float = 1.0
    purpose: Purpose = "train"
    keep_model: bool = False
    lease: Lease = Lease()
    stop_rule: StopRule = StopRule()
    attempt: int = 0

    @property
    def candidate(self) -> str:
        """Return the candidate all members belong to."""
        return self.members[0].configuration.candidate


@dataclass(frozen=True)
class FileRef:
    """A file of the run folder with its hash.

    Attributes:
        path: relative to the run folder, with forward slashes.
    """

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Cost:
    """What training takes.

    Attributes:
        fixed_seconds: once per member (start-up, features, evaluation).
        step_seconds: per epoch or round on all training rows of one fold.
        peak_bytes: memory of the device at the peak.
    """

    fixed_seconds: float
    step_seconds: float
    peak_bytes: int = 0

    def seconds(self, steps: int, rows: float = 1.0) -> float:
        """Return the seconds that so many steps on a share of the rows take."""
        return self.fixed_seconds + self.step_seconds * steps * rows


@dataclass(frozen=True)
class MemberResult:
    """How one member ended.

    Attributes:
        score: in the metric's own sign and unit, on the fold's validation rows; None without one.
        curve: (step, score) after each reported step.
        steps: steps done in all.
        best_step: the step whose weights were kept.
        files: model.*, oof.npy and checkpoint files, by hash.
        message: one line for a person where the outcome is not "done".
        traceback: the full text where there is one.
        cost: measured cost of this member, as `Cost` sees it.
        latency_ms: median time to predict one row.
        batch_ms: time to predict one row among many.
        train_curve: (step, training loss).
        notes: decisions taken while training, such as precision or a halved batch.
    """

    trial: int
    fold: int
    outcome: Outcome
    score: float | None = None
    curve: tuple[tuple[int, float], ...] = ()
    train_curve: tuple[tuple[int, float], ...] = ()
    steps: int = 0
    best_step: int = 0
    files: tuple[FileRef, ...] = ()
    message: str = ""
    traceback: str = ""
    cost: Cost | None = None
    latency_ms: float = 0.0
    batch_ms: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Return the size of the kept model files."""
        return sum(f.size_bytes for f in self.files if f.path.rsplit("/", 1)[-1].startswith("model"))


@dataclass(frozen=True)
class JobResult:
    """How a job ended.

    Attributes:
        held_seconds: time from grant to release of the lease.
        worker: which slot ran it.
        is_interrupted: the driver died or was stopped; the job is repeated as if it had not been tried.
    """

    job: int
    members: tuple[MemberResult, ...]
    held_seconds: float
    worker: str = ""
    is_interrupted: bool = False


@dataclass(frozen=True)
class Report:
    """A sign of life from a running member, for the live view only."""

    job: int
    trial: int
    fold: int
    step: int
    score: float | None
