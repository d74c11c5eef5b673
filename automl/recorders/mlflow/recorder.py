"""The recorder: events come in and return at once; a thread of its own keeps MLflow up to date.

The thread folds the events into a history and, now and then, writes what MLflow does not know yet. Whatever goes wrong
there is one warning; what was not written is written with the next attempt, later and later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from automl.core.events import Decided, Event, Registered, RunEnded
from automl.core.history import History
from automl.core.job import Report
from automl.core.protocols import Journal
from automl.core.redaction import redact
from automl.errors import MachineError
from automl.recorders.mlflow.settings import Target

if TYPE_CHECKING:
    from automl.recorders.mlflow.writer import Writer

PACE_SECONDS = 2.0
"""The least time between two attempts while a search runs."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 120.0
CLOSE_SECONDS = 10.0
_log = logging.getLogger(__name__)

Warn = Callable[[str, str], None]


class Work(NamedTuple):
    """What the thread is to record; is_last asks for tables, plots and report too."""

    events: list[Event]
    is_last: bool


class MlflowRecorder:
    """Records a run in MLflow, beside the search and never in its way.

    A resumed run gives it the old events first; what MLflow has already is found again.

    Args:
        target: where to record.
        warn: takes source and message of what went wrong, once per outage; called on the recorder's thread.
    """

    def __init__(self, target: Target, warn: Warn) -> None:
        self._target, self._warn = target, warn
        self._changed = threading.Condition()
        self._inbox: list[Event] = []
        self._seen = self._recorded = self._failures = 0
        self._is_urgent = self._is_closing = self._gave_up = False
        self._history = History()
        self._registered: Registered | None = None
        self._writer: Writer | None = None
        self._thread: threading.Thread | None = None

    def on_event(self, event: Event) -> None:
        """Take in an event; returns at once."""
        with self._changed:
            self._inbox.append(event)
            self._seen += 1
            self._is_urgent = self._is_urgent or isinstance(event, Decided | RunEnded)
            if isinstance(event, Decided):
                self._registered = None
            if self._thread is None and not self._is_closing:
                self._thread = threading.Thread(target=self._run, name="mlflow", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def on_report(self, report: Report) -> None:
        """Pass over a sign of life: curves come with the results."""

    def finish(self, seconds: float) -> Registered | None:
        """Wait until all events so far are recorded, and return the registered winner, None if it is not registered.

        Returns as soon as an attempt fails, or after seconds. Nothing is lost then: the next attempt or `automl sync`
        brings it up to date. The time in the result is the last event's.
        """
        with self._changed:
            seen, failures, self._is_urgent = self._seen, self._failures, True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._recorded >= seen or self._failures > failures, seconds)
            self._gave_up = self._recorded < seen
            return self._registered

    def close(self) -> None:
        """Record the end and let go: within CLOSE_SECONDS, at once if `finish` had to give up."""
        self.finish(0.0 if self._gave_up else CLOSE_SECONDS)
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None and self._recorded >= self._seen:
            self._thread.join(CLOSE_SECONDS)

    def catch_up(self, journal: Journal) -> Registered | None:
        """Record a whole journal now, in this thread; a second time changes nothing.

        Raises:
            MachineError: MLflow does not take it.
        """
        for event in journal.replay():
            self._history.apply(event)
        problem = self._attempt(is_last=True)
        if problem:
            raise MachineError(f"MLflow at {redact(self._target.uri)}: {problem}. Try again with automl sync.")
        return self._registered

    def _run(self) -> None:
        wait, taken = 0.0, 0
        while (work := self._take(wait)) is not None:
            for event in work.events:
                self._history.apply(event)
            taken += len(work.events)
            problem = self._attempt(is_last=work.is_last) if self._history.started is not None else ""
            self._note(problem, taken)
            wait = self._pause() if problem else PACE_SECONDS

    def _take(self, wait: float) -> Work | None:
        """Wait, then for something to record; None when there is nothing left to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_urgent or self._is_closing, wait)
            self._changed.wait_for(lambda: self._recorded < self._seen or self._is_closing)
            if self._is_closing:
                return None
            work = Work(self._inbox, self._is_urgent)
            self._inbox, self._is_urgent = [], False
            return work

    def _attempt(self, *, is_last: bool) -> str:
        """Write what MLflow does not know; returns what went wrong in one line, empty if nothing did."""
        began = time.monotonic()
        try:
            if self._writer is None:
                from automl.recorders.mlflow.writer import Writer

                self._writer = Writer(self._target)
            self._writer.begin(self._history)
            if _has_winner(self._history) and self._registered is None:
                from automl.recorders.mlflow.register import register

                self._registered = register(self._writer, self._history)
            self._writer.update(self._history)
            if is_last or self._history.ended is not None:
                self._writer.finish(self._history)
        except Exception as problem:  # noqa: BLE001 - the second of the two fences: MLflow must not end a search
            _log.debug("recording failed", exc_info=True)
            return redact(f"{type(problem).__name__}: {' '.join(str(problem).split())}")[:500]
        _log.debug("recorded in %.2f s", time.monotonic() - began)
        return ""

    def _note(self, problem: str, taken: int) -> None:
        with self._changed:
            is_first = bool(problem) and self._failures == 0
            self._failures = self._failures + 1 if problem else 0
            self._recorded = self._recorded if problem else taken
            self._changed.notify_all()
        if is_first:
            self._warn("mlflow", f"not recorded yet, tried again later: {problem}")

    def _pause(self) -> float:
        return min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (self._failures - 1))


def _has_winner(history: History) -> bool:
    """Whether a winner was decided on since the run was last resumed."""
    decided, resumed = history.decided, history.resumed
    return decided is not None and (not resumed or decided.at >= resumed[-1].at)
