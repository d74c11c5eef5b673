"""A journal that lives as long as the process; for tests and simulations."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from automl.core.events import Event


class MemoryJournal:
    """A list of events.

    Args:
        events: what happened before.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events = list(events)
        self._lock = threading.Lock()
        self._closed = False

    def append(self, event: Event, *, durable: bool = True) -> None:
        """Add an event; durable makes no difference here.

        Raises:
            ValueError: the journal is closed.
        """
        with self._lock:
            if self._closed:
                raise ValueError(f"the journal is closed and takes no {type(event).__name__}")
            self._events.append(event)

    def replay(self) -> Iterator[Event]:
        """Yield the events that are there now, in order."""
        with self._lock:
            events = tuple(self._events)
        return iter(events)

    def close(self) -> None:
        """Take no more events; what is there can still be replayed."""
        self._closed = True
