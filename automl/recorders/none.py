"""The recorder that records nothing, for `--tracking-uri none`."""

from __future__ import annotations

from automl.core.events import Event
from automl.core.job import Report


class NoRecorder:
    """Takes everything in and keeps nothing; imports nothing."""

    def on_event(self, event: Event) -> None:
        """Pass over an event."""

    def on_report(self, report: Report) -> None:
        """Pass over a sign of life."""

    def close(self) -> None:
        """Hold nothing to let go of."""
