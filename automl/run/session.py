"""A run put together from its parts, from its beginning or from its journal, and brought to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread

import numpy as np

from automl.controller import Controller
from automl.core.budget import Budget
from automl.core.clock import MonotonicClock
from automl.core.events import Event, RunStarted, TestScore
from automl.core.history import History
from automl.core.ledger import Receipt
from automl.core.metrics import metric
from automl.core.protocols import Executor, Recorder, WorkOrder
from automl.data.cache import cache_root
from automl.data.folder import DataFolder
from automl.errors import RunError
from automl.exporters.verify import verify_artifact
from automl.journals import open_journal
from automl.journals.lock import RunLock
from automl.journals.sqlite import SqliteJournal
from automl.model import Model
from automl.recorders.mlflow import MlflowRecorder
from automl.run.devices import cores
from automl.run.finalise import Ending, finalise
from automl.run.folder import RunFolder
from automl.run.foresight import early_choice
from automl.run.loop import Parts, Run, Timekeeper, least_export_seconds
from automl.run.pages import write_report
from automl.run.publisher import ArtifactPublisher
from automl.run.result import SearchResult
from automl.run.resume import check_addition, check_unfinished, data_again, events_of_resume, test_again
from automl.run.scoring import score_rows
from automl.run.setup import Setup, default_brains, fold_of_rows
from automl.run.signals import asking
from automl.run.tracking import NOWHERE, target_of, with_credentials

EXIT_SECONDS = 0.6
VERIFY_SECONDS = 1.6
REGISTER_SECONDS = 1.6
CHOICE_SECONDS_PER_ROW, LONGEST_CHOICE_SECONDS = 2.2e-4, 4.4
"""Choosing among a dozen trials with some sixty resamples takes 4.3 s on 20,000 rows, as many as are looked at."""
MOST_CHOICE_SHARE = 0.05
MOST_RESERVE_SHARE = 0.28
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
        keeper = Timekeeper(MonotonicClock(), began)
        given = Given(DataFolder(setup.data.folder), setup.test, setup.tracking_uri)
        return Drive(folder, controller, given, executor, keeper, watchers).to_the_end(fresh=True)


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
        RunError: no run, in use, damaged, finished with no budget added, or its data is gone.
        BudgetError: the added budget is malformed, or would be a limit more.
    """
    if not path.is_dir():
        raise RunError(f"{path}: not found. Name a folder that `automl search` made.")
    if added_budget:
        Budget.parse(added_budget.removeprefix("+"))
    folder = RunFolder(path)
    read(path)
    with RunLock(path):
        controller = read(path)
        check_unfinished(path, controller.history, added_budget)
        check_addition(controller.ledger.budget, added_budget)
        given = _given_again(_started(controller))
        if not folder.folds.exists():
            np.save(folder.folds, fold_of_rows(_started(controller), given.data), allow_pickle=False)
        keeper = Timekeeper(MonotonicClock(), began, before=controller.history.at)
        drive = Drive(folder, controller, given, boot(_started(controller)), keeper, watchers)
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


@dataclass(frozen=True)
class Given:
    """What the user gave, made ready.

    Attributes:
        test: looked at once, at the end; None without a test set.
        tracking_uri: where the run is recorded, with credentials; never written down.
    """

    data: DataFolder
    test: DataFolder | None
    tracking_uri: str


@dataclass(frozen=True)
class Drive:
    """One process's work on a run."""

    folder: RunFolder
    controller: Controller
    given: Given
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
            stack.callback(run.tell_warnings)
            if recorder is not None:
                run.parts.watchers.append(recorder)
                stack.callback(recorder.close)
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
        return SearchResult(self.folder.path, self.controller.history, self._receipt())

    def _receipt(self) -> Receipt:
        return self.controller.ledger.receipt(self.keeper.at())

    @property
    def started(self) -> RunStarted:
        """Return the run's first event."""
        return _started(self.controller)

    def _run(self, journal: SqliteJournal) -> Run:
        publisher = ArtifactPublisher(self.folder, self.started, self.keeper.clock)
        is_recorded = self.given.tracking_uri != NOWHERE
        reserve = reserve_seconds(self.controller.ledger.budget, self.started.spec.rows, is_recorded=is_recorded)
        wall, choose = self.controller.ledger.budget.wall, self._choose_early
        export = 0.0 if wall is None else least_export_seconds(wall)
        parts = Parts(self.folder, journal, self.executor, publisher, list(self.watchers), choose, reserve, export)
        return Run(self.controller, parts, self.keeper)

    def _choose_early(self, history: History, numbers: Sequence[int]) -> frozenset[int]:
        """Return what would be chosen now; what the look at the test needs is imported meanwhile, to save a second."""
        if self.given.test is not None:
            Thread(target=import_module, args=("onnxruntime",), daemon=True).start()
        return early_choice(self.folder, metric(self.started.metric), self.keeper.clock, history, numbers)

    def _recorder(self, run: Run) -> MlflowRecorder | None:
        target = target_of(self.given.tracking_uri, self.folder)
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
            "data": str(self.given.data.folder.resolve()),
            "task": started.request.task,
            "metric": started.metric,
            "seed": str(started.seed),
            "cache": str(cache_root() / "work"),
            "device": "cuda:0" if started.device == "gpu" else "cpu",
            "is_timed": "yes" if self.controller.ledger.budget.is_timed else "no",
            "vectors": started.request.vectors,
            "weights": started.request.weights,
        }
        return WorkOrder("automl.run.work:open_workshop", arguments)

    def _ending(self, run: Run, recorder: MlflowRecorder | None) -> Ending:
        folds = np.load(self.folder.folds, allow_pickle=False)
        assert isinstance(run.parts.publisher, ArtifactPublisher)
        return Ending(
            run=run,
            data=self.given.data,
            folds=folds,
            publisher=run.parts.publisher,
            verify=verify_artifact,
            report=lambda history: write_report(self.folder, history, self._receipt(), self.given.data, folds),
            score_test=self._score_test if self.given.test is not None else None,
            register=recorder,
        )

    def _score_test(self, artifact: Path) -> TestScore:
        """Look at the test set, once; the workers have nothing to do any more, so all cores may help."""
        test = self.given.test
        assert test is not None
        return score_rows(Model(artifact, threads=cores()), test.X, np.asarray(test.y), self.started.metric)


def reserve_seconds(budget: Budget, rows: int, *, is_recorded: bool) -> float:
    """Return the wall seconds held back for finalising a search on so many rows."""
    most = (
        LONGEST_CHOICE_SECONDS if budget.wall is None else min(LONGEST_CHOICE_SECONDS, MOST_CHOICE_SHARE * budget.wall)
    )
    choice = min(most, CHOICE_SECONDS_PER_ROW * rows)
    need = EXIT_SECONDS + VERIFY_SECONDS + choice + (REGISTER_SECONDS if is_recorded else 0.0)
    if budget.wall is None:
        return need
    return min(need + least_export_seconds(budget.wall), MOST_RESERVE_SHARE * budget.wall)


def _started(controller: Controller) -> RunStarted:
    assert controller.history.started is not None
    return controller.history.started


def _given_again(started: RunStarted) -> Given:
    data = data_again(started)
    return Given(data, test_again(started, data), with_credentials(started.request.tracking_uri))
