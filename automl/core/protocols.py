"""The extension points. Each has a contract suite in `automl.testing`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.events import Event
from automl.core.history import History
from automl.core.job import Cost, Job, JobResult, Report
from automl.core.metrics import Metric
from automl.core.space import Configuration, SearchSpace
from automl.core.task import TaskInfo

ReportSink = Callable[[Report], None]
"""Where a workload sends signs of life; never blocks for long."""

WAIT: Literal["wait"] = "wait"
"""Nothing to hand out now; ask again after the next result."""


@dataclass(frozen=True)
class Done:
    """No further job will come, and why."""

    reason: str


class Task(Protocol):
    """What is to be learned."""

    info: TaskInfo

    def validate(self, spec: DataSpec, y: np.ndarray) -> list[Finding]:
        """Return what the user should know.

        Raises:
            DataError: nothing can be learned from this data.
        """
        ...

    def default_metric(self, spec: DataSpec, y: np.ndarray) -> str:
        """Return the name of the metric that tells good models of this data from bad ones."""
        ...

    def check_metric(self, name: str, spec: DataSpec, y: np.ndarray) -> None:
        """Check that the metric is defined on this data.

        Raises:
            UserError: it is not one of the task's, or needs other classes or values.
        """
        ...


class DataSource(Protocol):
    """Prepared data, memory-mapped; the same arrays in the driver and in every worker.

    `X` holds the rows: images are one uint8 array (rows, *spec.shape), channels last; tables are a
    `serving.table.Table`. `y` is int64 class codes or float64 values.
    """

    spec: DataSpec
    folder: Path

    @property
    def X(self) -> Any:  # noqa: N802 - as the field writes it; see `serving.rows.RowSet`
        """Return the rows, read-only; what they are depends on `spec.kind`."""
        ...

    @property
    def y(self) -> np.ndarray:
        """Return the targets, read-only."""
        ...

    @property
    def weights(self) -> np.ndarray | None:
        """Return the weight of each row in training, float64, mean 1; None where all rows count alike."""
        ...

    @property
    def groups(self) -> np.ndarray | None:
        """Return what `spec.split` goes by: int64 group codes, or the rank of each row in time; else None."""
        ...


class Searcher(Protocol):
    """Says what to try. Any state it keeps is a cache of what the history implies."""

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        """Return the next configuration. Trials that still run are in the history too."""
        ...


@dataclass(frozen=True)
class Start:
    """Start a new trial of the configuration the searcher proposes."""


@dataclass(frozen=True)
class Continue:
    """Train these folds of a trial up to a rung."""

    trial: int
    folds: tuple[int, ...]
    rung: int


@dataclass(frozen=True)
class Stop:
    """Give a trial up."""

    trial: int
    reason: str


Move = Start | Continue | Stop | Done | Literal["wait"]


@dataclass(frozen=True)
class Outlook:
    """What a scheduler may know about time. All infinite under a budget of trials alone.

    Attributes:
        seconds_left: until the search must end, the reserve already taken off.
        slots: workers.
        may_start: whether the budget admits a further trial.
    """

    seconds_left: float
    slots: int
    may_start: bool


class CostModel(Protocol):
    """Estimates in device seconds, learned from what was measured."""

    def seconds(self, configuration: Configuration, *, start: int, stop: int) -> float:
        """Return the seconds one fold takes from step start to step stop."""
        ...


class Scheduler(Protocol):
    """Says how far to train."""

    def next(self, history: History, outlook: Outlook, costs: CostModel) -> Move:
        """Return the next move. Pure: the same arguments give the same move."""
        ...

    def first_rung(self, configuration: Configuration, history: History, outlook: Outlook, costs: CostModel) -> int:
        """Return the rung a new trial is trained to at once."""
        ...


class Fitted(Protocol):
    """A trained model of one member.

    One that remembers what it made of rows seen in training has an attribute `unaided`: the same model without that
    memory, which is what is timed.
    """

    best_step: int
    steps: int

    def predict(self, X: Any) -> np.ndarray:
        """Return float32 scores of rows as in `DataSource.X`: (rows, classes) probabilities, or (rows,) values."""
        ...

    def save(self, folder: Path) -> dict[str, object]:
        """Write model files named model*.onnx or model*.json and return the member's manifest entry (JSON values)."""
        ...

    def save_checkpoint(self, folder: Path) -> None:
        """Write checkpoint.safetensors and checkpoint.json, or nothing if training is in one go."""
        ...


class Holdout(NamedTuple):
    """Two parts of a member's training rows: to learn from, and to see when to stop or how to tune."""

    fit_rows: np.ndarray
    held_rows: np.ndarray


class Context(Protocol):
    """A candidate's only door to the outside.

    Attributes:
        device: a torch device string.
        seed: of the (run, trial, fold); derive further streams with `core.seeds.stream(seed, ...)`.
        metric: what the score is.
        classes: number of classes; 0 for regression.
        train_rows, valid_rows: row numbers of this member; all learning uses train_rows only.
        checkpoint: folder of the checkpoint to continue from, None at the start.
        cache: folder for what is costly and shared by trials; safe to delete.
        is_timed: False under a budget of trials alone, when no decision may read a clock.
        resources: what the user named beside the data: "vectors" is a file of word vectors, "weights" a folder of
            pre-trained weights. Each may be missing.
    """

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

    def report(self, step: int, score: float | None, train_loss: float | None = None) -> bool:
        """Tell the score after a step; returns whether the stop rule ends this member here."""
        ...

    def holdout(self, share: float, *, most: int) -> Holdout:
        """Split the training rows in two, by the data's own rule (classes, groups, time), the same for each trial.

        Args:
            share: of the rows that are held out, in (0, 1).
            most: rows held out at most.
        """
        ...

    def seconds_left(self) -> float:
        """Return the seconds until the lease or the search ends; raise nothing, save and return when it is near 0."""
        ...

    def note(self, key: str, value: str) -> None:
        """Record a decision for the report, such as precision."""
        ...


class Candidate(Protocol):
    """One kind of model with everything it needs. Importing its module imports no heavy package."""

    name: str
    tasks: tuple[str, ...]
    requires: tuple[str, ...]
    is_probed: bool

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold of so many rows on one core of a common machine, from the configuration alone."""
        ...

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Measure the cost with a few steps; also settles precision and memory layout for this machine."""
        ...

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> Fitted:
        """Train one member from job.start_steps to job.stop_steps.

        Raises:
            FloatingPointError: the loss or a score is not finite.
            MemoryError: the device's memory does not suffice, even after halving the batch.
        """
        ...


@runtime_checkable
class Pretrained(Protocol):
    """A candidate that starts from weights which may not be there."""

    def lacks(self, resources: Mapping[str, Path]) -> str:
        """Return what is missing and how to get it, such as "it needs weights. To use it: …"; empty if nothing is.

        Args:
            resources: as in `Context`.
        """
        ...


class Port(Protocol):
    """What an executor pumps: it asks for jobs and tells what happened."""

    def next_job(self) -> Job | Done | Literal["wait"]:
        """Return a job that is already durable in the journal."""
        ...

    def deadline(self, job: int) -> float:
        """Return the monotonic second at which this running job must be over."""
        ...

    def on_report(self, report: Report) -> None:
        """Take in a sign of life."""
        ...

    def on_end(self, result: JobResult) -> None:
        """Take in a result; it is durable when this returns."""
        ...

    def is_over(self) -> bool:
        """Whether no further job will come; asked while no worker can take one."""
        ...

    def on_idle(self) -> None:
        """Do what may wait until the workers are busy; called at least every 0.2 s."""
        ...


class Workload(Protocol):
    """What a worker does with a job; built once per worker process from a `WorkOrder`."""

    def run(self, job: Job, report: ReportSink, deadline: float) -> JobResult:
        """Run a job to its end. Never raises: each member ends as an outcome."""
        ...


@dataclass(frozen=True)
class WorkOrder:
    """How a worker process builds its workload: no object crosses, only names and paths.

    Attributes:
        factory: "module:attribute" of a callable that takes arguments and returns a Workload.
        arguments: text to text.
    """

    factory: str
    arguments: dict[str, str]


class Executor(Protocol):
    """Runs jobs on slots."""

    slots: int

    def warm(self, preload: tuple[str, ...]) -> None:
        """Begin to import modules that workers will need; returns at once."""
        ...

    def start(self, order: WorkOrder) -> None:
        """Begin to boot workers; returns at once."""
        ...

    def run(self, port: Port) -> None:
        """Pump the port until it is done and every job has come back or was cut at its deadline."""
        ...

    def stop(self) -> None:
        """End all workers; nothing of ours is alive when it returns."""
        ...


class Journal(Protocol):
    """The append-only record of a run."""

    def append(self, event: Event, *, durable: bool = True) -> None:
        """Add an event; on disk when this returns if durable, else within a second or with the next durable one."""
        ...

    def replay(self) -> Iterator[Event]:
        """Yield all events in order.

        Raises:
            RunError: an event was altered.
        """
        ...

    def close(self) -> None:
        """Write what is buffered and let go."""
        ...


class Recorder(Protocol):
    """A projection of events to the outside. Its failure is one warning and never a search's."""

    def on_event(self, event: Event) -> None:
        """Take in an event; must return at once."""
        ...

    def on_report(self, report: Report) -> None:
        """Take in a sign of life; must return at once."""
        ...

    def close(self) -> None:
        """Bring the outside up to date and let go."""
        ...


@dataclass(frozen=True)
class ExportMember:
    """One model of an artifact: a (trial, fold) with its weight; weights sum to 1."""

    trial: int
    fold: int
    weight: float
    candidate: str
    folder: Path


class Exporter(Protocol):
    """Writes an artifact somewhere in some form."""

    def export(self, artifact: Path, destination: Path) -> Sequence[Path]:
        """Write the artifact to destination and return the files."""
        ...
