"""Time as a value that is passed in, so that tests and simulations own it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the program asks for the time."""

    def now(self) -> float:
        """Return monotonic seconds; only differences mean anything."""
        ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()


class FakeClock:
    """A clock that stands still until it is told to move.

    >>> clock = FakeClock()
    >>> clock.advance(2.5)
    >>> clock.now()
    2.5
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the seconds this clock was advanced to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by seconds.

        Raises:
            ValueError: seconds is negative.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot go back. Got {seconds} seconds")
        self._now += seconds
