"""What happens in a run, in the order it happens. The journal is a list of these; all else is computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from automl.core.data import DataSpec, Finding
from automl.core.job import Cost, Job, JobResult
from automl.core.request import SearchRequest
from automl.core.space import Configuration

Phase = Literal["searching", "finalising"]
Status = Literal["done", "interrupted", "failed"]
Origin = Literal["portfolio", "searcher"]


@dataclass(frozen=True)
class RunStarted:
    """The first event: everything a resume needs to build the same controller.

    Attributes:
        seed: the one seed.
        spaces: candidate → text of the space file in force, so that a resume does not depend on files that change.
        space_origins: candidate → the file that won.
        portfolio: configurations tried first.
        wall_started: Unix time, for people.
        task_name: as `TaskInfo.name`.
        versions: package → version.
    """

    name: str
    request: SearchRequest
    seed: int
    spec: DataSpec
    findings: tuple[Finding, ...]
    spaces: dict[str, str]
    space_origins: dict[str, str]
    space_sha256: str
    portfolio: tuple[Configuration, ...]
    versions: dict[str, str]
    wall_started: float
    metric: str
    folds: int
    slots: int
    device: Literal["cpu", "gpu"]
    data_folder: str
    test_folder: str = ""
    test_rows: int = 0


@dataclass(frozen=True)
class Planned:
    """What full training means in this run, set once from the budget and the measured cost.

    Attributes:
        full_steps: candidate → epochs or rounds of full training; a candidate left out does not fit in the budget.
        costs: candidate → what its default configuration was measured (or estimated) to take.
        reserve_seconds: wall seconds held back for finalising.
    """

    full_steps: dict[str, int]
    costs: dict[str, Cost]
    reserve_seconds: float
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class JobPlanned:
    """A job was decided on, with the reservation in its lease. Durable before the job is handed out.

    Attributes:
        proposed: the configuration, where this job starts a trial.
        at: run seconds.
    """

    job: Job
    at: float
    proposed: Configuration | None = None
    origin: Origin = "searcher"
    ask_seconds: float = 0.0


@dataclass(frozen=True)
class JobEnded:
    """A job came back; durable before anything is built on it."""

    result: JobResult
    at: float
    device_seconds: float


@dataclass(frozen=True)
class TrialStopped:
    """A trial will not be trained further."""

    trial: int
    reason: str
    at: float


@dataclass(frozen=True)
class ProposalSkipped:
    """A listed configuration was passed over: it cannot be trained in full in the time left."""

    configuration: Configuration
    seconds: float
    at: float


@dataclass(frozen=True)
class Ticked:
    """The run was alive; what bounds the loss of time accounting by a crash."""

    at: float


@dataclass(frozen=True)
class Exported:
    """A standing artifact was put in place."""

    folder: str
    manifest_sha256: str
    trials: tuple[int, ...]
    score: float
    seconds: float
    at: float


@dataclass(frozen=True)
class PhaseChanged:
    """The run went from searching to finalising, and why."""

    phase: Phase
    reason: str
    at: float


@dataclass(frozen=True)
class Warned:
    """Something went wrong beside the search and was survived."""

    source: str
    message: str
    at: float


@dataclass(frozen=True)
class Resumed:
    """The run goes on after a stop; the time between is not charged."""

    at: float
    wall_started: float
    added_budget: str = ""


@dataclass(frozen=True)
class Winner:
    """The model that was chosen, and how sure we are.

    Attributes:
        weights: trial → weight in the ensemble; one entry for a single model.
        cv: cross-validated score; se: its standard error.
        corrected: cv corrected for having been selected, with its 95 % interval.
        p_better: probability of being better than the baseline.
        method: how the score was corrected, and what calibration and decision brought it.
        calibration: from the mean of the models to probabilities; see `serving.calibration`.
        decision: from probabilities to labels; likewise.
    """

    kind: Literal["single", "ensemble"]
    candidate: str
    weights: dict[int, float]
    cv: float
    se: float
    corrected: float
    low: float
    high: float
    p_better: float | None
    method: str = ""
    calibration: dict[str, Any] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TestScore:
    """The one look at the test set."""

    __test__ = False  # its name is no test's
    metric: str
    score: float
    low: float
    high: float
    metrics: dict[str, float]
    rows: int


@dataclass(frozen=True)
class Decided:
    """The winner was chosen and its artifact verified by a fresh process."""

    winner: Winner
    artifact: str
    manifest_sha256: str
    test: TestScore | None
    at: float


@dataclass(frozen=True)
class Registered:
    """MLflow knows the model."""

    model_uri: str
    experiment_id: str
    mlflow_run_id: str
    champion: bool
    note: str
    at: float


@dataclass(frozen=True)
class RunEnded:
    """The last event of a run that was not killed."""

    status: Status
    reason: str
    at: float
    extra: dict[str, str] = field(default_factory=dict)


Event = (
    RunStarted | Planned | JobPlanned | JobEnded | TrialStopped | ProposalSkipped | Ticked | Exported | PhaseChanged
    | Warned | Resumed | Decided | Registered | RunEnded
)  # fmt: skip
EVENT_TYPES: dict[str, type[Event]] = {
    t.__name__: t
    for t in (RunStarted, Planned, JobPlanned, JobEnded, TrialStopped, ProposalSkipped, Ticked, Exported, PhaseChanged,
              Warned, Resumed,
              Decided, Registered, RunEnded)
}  # fmt: skip
