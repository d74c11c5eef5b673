"""What is looked at before training: whether there is time for it, and which classes there are to learn."""

from __future__ import annotations

import numpy as np

from automl.core.protocols import Context


def require_time(ctx: Context, seconds: float, name: str) -> None:
    """Refuse to start what cannot end in time, even on a machine several times faster than the estimate's.

    Raises:
        TimeoutError: the lease or the search ends before a third of these seconds has passed.
    """
    if ctx.is_timed and ctx.seconds_left() < seconds / 3:
        raise TimeoutError(
            f"{name} takes about {seconds:.1f} s on a common core and cannot be interrupted. "
            f"Got {ctx.seconds_left():.1f} s. Raise the budget."
        )


def classes_present(codes: np.ndarray, classes: int) -> np.ndarray:
    """Return (classes,) whether a class has a training row."""
    return np.bincount(codes, minlength=classes) > 0
