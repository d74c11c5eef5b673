"""How far along its schedule a training is: by its steps, or by the clock where time is short."""

from __future__ import annotations

from dataclasses import dataclass

from automl.core.protocols import Context

LEAST_SECONDS = 0.2
"""What is kept of the time for writing the graph and coming home."""


@dataclass(frozen=True)
class PacedCourse:
    """What came of a paced training.

    Attributes:
        losses: of the held-out rows after each epoch, where a network is tuned before the first too; empty without
            such rows.
        epochs: done, a last one that was cut short included.
        best_epoch: whose weights the network has now; 0 for those before the first.
        is_cut: whether time ended it.
    """

    losses: tuple[float, ...]
    epochs: int
    best_epoch: int
    is_cut: bool


class Pace:
    """The progress of a training, from 0 to 1.

    Where the time that is left is too short for all steps, the schedule is run through faster, so that the learning
    rate has come down when time is over. Under a budget of trials alone no clock is read.

    Attributes:
        steps: of the whole training.
    """

    def __init__(self, ctx: Context, steps: int, *, reserve_seconds: float) -> None:
        self.steps = steps
        self._ctx, self._reserve = ctx, LEAST_SECONDS + reserve_seconds
        self._seconds = self._left() if ctx.is_timed else float("inf")
        if self._seconds <= 0:
            raise TimeoutError(f"a network needs more than {self._reserve:.1f} s. Got {ctx.seconds_left():.1f} s.")

    def progress(self, step: int) -> float:
        """Return the progress after so many steps, 1 where training is over."""
        by_steps = step / self.steps
        if self._seconds == float("inf"):
            return min(1.0, by_steps)
        return min(1.0, max(by_steps, 1 - self._left() / self._seconds))

    def _left(self) -> float:
        return self._ctx.seconds_left() - self._reserve
