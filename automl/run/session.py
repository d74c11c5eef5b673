"""A run put together from its parts, from its beginning or from its journal, and brought to its end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl import registry
from automl.controller import Controller
from automl.core.budget import Budget
from automl.core.clock import MonotonicClock
from automl.core.data import DataSpec
from automl.core.events import Event, JobEnded, Resumed, RunStarted, TestScore
from automl.core.history import History
from automl.core.job import JobResult, MemberResult
from automl.core.ledger import Receipt
from automl.core.metrics import METRICS, metric
from automl.core.protocols import Executor, Recorder, WorkOrder
from automl.core.scores import row_interval
from automl.core.seeds import stream
from automl.data.cache import cache_root
from automl.data.folder import DataFolder
from automl.data.sources import open_source, prepare_test
from automl.errors import RunError, UserError
from automl.exporters.pyfunc import pyfunc_files
from automl.exporters.verify import verify_artifact
from automl.journals import open_journal
from automl.journals.lock import RunLock
from automl.journals.sqlite import SqliteJournal
from automl.model import Model
from automl.recorders.mlflow import MlflowRecorder, Target, resolve_uri
from automl.run.finalise import Ending, finalise
from automl.run.folder import RunFolder
from automl.run.loop import Parts, Run, Timekeeper
from automl.run.pages import write_report
from automl.run.publisher import ArtifactPublisher
from automl.run.result import SearchResult
from automl.run.setup import Setup, default_brains, fold_of_rows
from automl.run.signals import asking

EXIT_SECONDS = 0.6
VERIFY_SECONDS = 1.6
REGISTER_SECONDS = 2.6
MOST_RESERVE_SHARE = 0.45
"""Most of a wall budget that is held back for finalising; matters only for budgets of seconds."""


def begin(setup: Setup, path: Path, executor: Executor, *, began: float, watchers: Sequence[Recorder]) -> SearchResult:
    """Make a run folder and search in it.

    Args:
        setup: what was prepared.
        path: of the run folder.
        executor: warmed, not started.
        began: the monotonic second at which the program began.
        watchers: told of every event.
    """
    folder = RunFolder(path)
    folder.create()
    with RunLock(path):
        np.save(folder.folds, setup.folds, allow_pickle=False)
        controller = Controller(setup.started, default_brains(setup.started))
        data = DataFolder(setup.data.folder)
        drive = Drive(folder, controller, data, executor, Timekeeper(MonotonicClock(), began), watchers)
        return drive.to_the_end(fresh=True)


def go_on(
    path: Path, boot: Callable[[RunStarted], Executor], *, added_budget: str, began: float, watchers: Sequence[Recorder]
) -> SearchResult:
    """Take up a run that was stopped or killed, or that is to get more budget; the time between is not charged.

    Args:
        path: of the run folder.
        boot: gives a warmed executor for the run's first event.
        added_budget: in the grammar of `Budget.parse`, a leading + allowed; empty for none.
        began: the monotonic second at which this program began.
        watchers: told of every event, the past ones included.

    Raises:
        RunError: no run, in use, damaged, or finished with no budget added.
    """
    if not path.is_dir():
        raise RunError(f"{path}: not found. Name a folder that `automl search` made.")
    if added_budget:
        Budget.parse(added_budget.removeprefix("+"))
    folder = RunFolder(path)
    read(path)
    with RunLock(path):
        controller = read(path)
        _check_unfinished(path, controller.history, added_budget)
        data = _data_again(_started(controller))
        if not folder.folds.exists():
            np.save(folder.folds, fold_of_rows(_started(controller), data), allow_pickle=False)
        keeper = Timekeeper(MonotonicClock(), began, before=controller.history.at)
        drive = Drive(folder, controller, data, boot(_started(controller)), keeper, watchers)
        return drive.to_the_end(fresh=False, opening=events_of_resume(controller.history, added_budget))


def read(path: Path) -> Controller:
    """Return a controller that knows all that the journal of a run folder knows.

    Raises:
        RunError: there is no journal, or it is not one.
    """
    if not (path / "run.db").exists():
        what = "not a run: it holds no run.db" if path.exists() else "not found"
        raise RunError(f"{path}: {what}. Name a folder that `automl search` made.")
    journal = open_journal(path / "run.db", read_only=True)
    try:
        events = journal.replay()
        first = next(events, None)
        if not isinstance(first, RunStarted):
            raise RunError(
                f"{path / 'run.db'}: the first event must be RunStarted. Got {first!r:.80}. Start a new run."
            )
        controller = Controller(first, default_brains(first))
        for event in events:
            controller.apply(event)
    finally:
        journal.close()
    return controller


def events_of_resume(history: History, added_budget: str) -> list[Event]:
    """Return the events with which a killed run is taken up: what ran is given back, charged until the last sign."""
    events: list[Event] = []
    for planned in history.running.values():
        held = max(0.0, history.at - planned.at)
        members = tuple(
            MemberResult(m.trial, m.fold, "lost", message="the run was killed") for m in planned.job.members
        )
        result = JobResult(planned.job.id, members, held, is_interrupted=True)
        cost = min(held * planned.job.lease.share, planned.job.lease.seconds)
        events.append(JobEnded(result, history.at, cost))
    return [*events, Resumed(history.at, time.time(), added_budget)]


@dataclass(frozen=True)
class Drive:
    """One process's work on a run."""

    folder: RunFolder
    controller: Controller
    data: DataFolder
    executor: Executor
    keeper: Timekeeper
    watchers: Sequence[Recorder]

    def to_the_end(self, *, fresh: bool, opening: Sequence[Event] = ()) -> SearchResult:
        """Search, finalise, and return the result; whatever happens, nothing of ours stays alive."""
        with ExitStack() as stack:
            stack.callback(self.executor.stop)
            journal = open_journal(self.folder.journal)
            stack.callback(journal.close)
            run = self._run(journal)
            recorder = self._recorder(run)
            if recorder is not None:
                run.parts.watchers.append(recorder)
            if fresh:
                run.announce(self.started)
            else:
                self._catch_up(journal, run)
            for event in opening:
                run.emit(event)
            with asking(run.interrupt):
                self.executor.start(self._order())
                reason = run.search()
                finalise(self._ending(run, recorder), reason)
            if recorder is not None:
                recorder.close()
            run.tell_warnings()
        return SearchResult(self.folder.path, self.controller.history, self._receipt())

    def _receipt(self) -> Receipt:
        return self.controller.ledger.receipt(self.keeper.at())

    @property
    def started(self) -> RunStarted:
        """Return the run's first event."""
        return _started(self.controller)

    def _run(self, journal: SqliteJournal) -> Run:
        publisher = ArtifactPublisher(self.folder, self.started, self.keeper.clock)
        is_recorded = self.started.request.tracking_uri != "none"
        reserve = reserve_seconds(self.controller.ledger.budget, is_recorded=is_recorded)
        parts = Parts(self.folder, journal, self.executor, publisher, list(self.watchers), reserve)
        return Run(self.controller, parts, self.keeper)

    def _recorder(self, run: Run) -> MlflowRecorder | None:
        target = mlflow_target(self.started, self.folder)
        return None if target is None else MlflowRecorder(target, run.warn_later)

    def _catch_up(self, journal: SqliteJournal, run: Run) -> None:
        for event in journal.replay():
            for watcher in run.parts.watchers:
                watcher.on_event(event)
        if journal.cut:
            run.warn("journal", journal.cut)

    def _order(self) -> WorkOrder:
        started = self.started
        arguments = {
            "run": str(self.folder.path.resolve()),
            "data": str(self.data.folder.resolve()),
            "metric": started.metric,
            "seed": str(started.seed),
            "cache": str(cache_root() / "work"),
            "device": "cuda:0" if started.device == "gpu" else "cpu",
            "is_timed": "yes" if self.controller.ledger.budget.is_timed else "no",
        }
        return WorkOrder("automl.run.work:open_workshop", arguments)

    def _ending(self, run: Run, recorder: MlflowRecorder | None) -> Ending:
        folds = np.load(self.folder.folds, allow_pickle=False)
        assert isinstance(run.parts.publisher, ArtifactPublisher)
        return Ending(
            run=run,
            data=self.data,
            folds=folds,
            publisher=run.parts.publisher,
            verify=verify_artifact,
            report=lambda history: write_report(self.folder, history, self._receipt(), self.data, folds),
            score_test=self._score_test if self.started.test_folder else None,
            register=recorder,
        )

    def _score_test(self, artifact: Path) -> TestScore:
        """Look at the test set, once."""
        test = DataFolder(self.started.test_folder)
        return score_rows(Model(artifact), test.X, np.asarray(test.y), self.started.metric)


def score_rows(model: Model, X: np.ndarray, y: np.ndarray, metric_name: str) -> TestScore:
    """Return the score of a model on labelled rows, with a 95 % interval and every other metric of the task."""
    predicted = model.predict_scores(X)
    chosen = metric(metric_name)
    interval = row_interval(chosen, y, predicted, rng=stream(0, "test"))
    names = registry.resolve("task", model.manifest.task).info.metrics
    every = {name: METRICS[name].score(y, predicted) for name in names}
    return TestScore(metric_name, chosen.score(y, predicted), interval.low, interval.high, every, len(y))


def score_data(model: Model, data: str, metric_name: str) -> TestScore:
    """Return the score of a model on labelled data at a path; by its own metric unless another is named.

    Raises:
        UserError: the data cannot be read, has other classes, or the metric does not fit the task.
    """
    manifest = model.manifest
    info = registry.resolve("task", manifest.task).info
    chosen = metric_name or str(manifest.facts["metric"])
    if chosen not in info.metrics:
        raise UserError(f"--metric {chosen}: {info.name} is scored by one of: {', '.join(info.metrics)}.")
    facts = manifest.facts["data"]
    spec = DataSpec(
        facts["name"], "image", facts["rows"], tuple(facts["shape"]), manifest.classes, tuple(facts["class_counts"]),
        facts["fingerprint"], dict(manifest.input),
    )  # fmt: skip
    test = prepare_test(data, spec).data
    return score_rows(model, test.X, np.asarray(test.y), chosen)


@contextmanager
def umask() -> Iterator[None]:
    """Within this context, files are made private to the user."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def mlflow_target(started: RunStarted, folder: RunFolder) -> Target | None:
    """Return where a run is recorded, None where nothing is."""
    if started.request.tracking_uri == "none":
        return None
    uri = resolve_uri(started.request.tracking_uri, Path.cwd())
    return Target(uri, folder.path.resolve(), cache_root(), lambda artifact: pyfunc_files(artifact).python_model)


def reserve_seconds(budget: Budget, *, is_recorded: bool) -> float:
    """Return the wall seconds held back for finalising."""
    need = EXIT_SECONDS + VERIFY_SECONDS + (REGISTER_SECONDS if is_recorded else 0.0)
    return need if budget.wall is None else min(need, MOST_RESERVE_SHARE * budget.wall)


def _started(controller: Controller) -> RunStarted:
    assert controller.history.started is not None
    return controller.history.started


def _check_unfinished(path: Path, history: History, added_budget: str) -> None:
    if history.ended is not None and history.ended.status == "done" and not added_budget:
        raise RunError(
            f"{path}: the run is finished ({history.ended.reason}). Add budget: automl resume {path} --budget +10min"
        )


def _data_again(started: RunStarted) -> DataFolder:
    """Return the prepared data, preparing it anew if the cache was emptied."""
    folder = Path(started.data_folder)
    if (folder / "spec.json").exists() and DataFolder(folder).is_whole():
        return DataFolder(folder)
    data = open_source(started.request.data, registry.resolve("task", started.request.task)).data
    if data.spec.fingerprint != started.spec.fingerprint:
        raise RunError(
            f"{started.request.data or 'the data'}: changed since the run began. Got {data.spec.fingerprint:.12}."
        )
    return data
