"""The console: a live picture on a terminal, short lines elsewhere, only warnings when quiet."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from automl.core.clock import Clock, MonotonicClock
from automl.core.events import Event, JobEnded, Resumed, RunStarted
from automl.core.history import History
from automl.core.job import Report
from automl.recorders.console_lines import heartbeat, lines, warnings
from automl.recorders.console_state import ReportKey
from automl.recorders.console_words import ASCII, UNICODE, clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

SHORTEST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
CPU_SHARE = 0.01
"""A frame that costs c CPU-seconds is followed by a pause of at least c / CPU_SHARE."""
HEARTBEAT_SECONDS = 30.0


class ConsoleRecorder:
    """Shows a run on stderr. Events and reports are only queued; one thread of its own takes them in and draws.

    Args:
        stream: where to write; None is stderr.
        quiet: only warnings.
        is_resume: silent about all that comes before the run goes on.
        started: the monotonic second at which the program began; None is now.
        clock: for the time between events.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet: bool = False,
        is_resume: bool = False,
        started: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._is_replay = is_resume
        self._clock = clock or MonotonicClock()
        self._zero = self._clock.now() if started is None else started
        self._queue: deque[tuple[float, Event | Report]] = deque()
        self._history = History()
        self._reports: dict[ReportKey, Report] = {}
        self._closing = threading.Event()
        self._last_line_at = 0.0
        self._live: Live | None = None
        self._thread = threading.Thread(target=self._work, name="automl-console", daemon=True)
        self._thread.start()

    def on_event(self, event: Event) -> None:
        """Queue an event."""
        self._queue.append((self._clock.now(), event))

    def on_report(self, report: Report) -> None:
        """Queue a sign of life."""
        self._queue.append((self._clock.now(), report))

    def close(self) -> None:
        """Draw the last picture and let go of the terminal. Safe to call twice."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        if self._quiet or not self._stream.isatty():
            self._write_lines()
        else:
            self._draw()

    def _write_lines(self) -> None:
        while True:
            is_last = self._closing.wait(SHORTEST_PAUSE_SECONDS)
            for event in self._take_in():
                self._tell(event)
            if not self._quiet and self._now() - self._last_line_at >= HEARTBEAT_SECONDS and self._history.trials:
                self._line(heartbeat(self._history, self._now()))
            if is_last and not self._queue:
                return

    def _tell(self, event: Event) -> None:
        for text in warnings(event) if self._quiet else lines(event, self._history):
            self._line(text)

    def _line(self, text: str) -> None:
        stamp = "" if self._quiet else f"{clock(self._now()):>7}  "
        self._stream.write(f"{stamp}{text}\n")
        self._stream.flush()
        self._last_line_at = self._now()

    def _draw(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream)
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            pause = SHORTEST_PAUSE_SECONDS
            while not self._closing.wait(pause):
                pause = self._frame(console, live)
            self._frame(console, live)

    def _frame(self, console: Console, live: Live) -> float:
        """Draw once and return the seconds to pause, so that drawing stays below CPU_SHARE of a core."""
        from automl.recorders.console_view import view

        began = time.thread_time()
        self._take_in_all()
        glyphs = UNICODE if (console.encoding or "").startswith("utf") else ASCII
        picture = view(self._history, self._reports, self._now(), width=console.width, glyphs=glyphs)
        live.update(picture, refresh=True)
        cost = time.thread_time() - began
        return min(LONGEST_PAUSE_SECONDS, max(SHORTEST_PAUSE_SECONDS, cost / CPU_SHARE))

    def _take_in_all(self) -> None:
        for _ in self._take_in():
            pass

    def _take_in(self) -> Iterable[Event]:
        """Apply what is queued, yielding each event after it was taken in; what a resume replays is not yielded."""
        for _ in range(len(self._queue)):
            at, item = self._queue.popleft()
            if isinstance(item, Report):
                self._reports[item.job, item.trial, item.fold] = item
            elif self._history.started is not None or isinstance(item, RunStarted):
                self._apply(item, at)
                self._is_replay = self._is_replay and not isinstance(item, Resumed)
                if not self._is_replay:
                    yield item

    def _apply(self, event: Event, at: float) -> None:
        self._history.apply(event)
        if getattr(event, "at", 0.0) > 0.0:
            self._zero = at - event.at  # type: ignore[union-attr]
        if isinstance(event, JobEnded):
            for key in [key for key in self._reports if key[0] == event.result.job]:
                del self._reports[key]

    def _now(self) -> float:
        return max(self._history.at, self._clock.now() - self._zero)
