"""What a network costs, from its architecture alone; no torch."""

from __future__ import annotations

from automl.candidates.training.architecture import Count
from automl.core.job import Cost

FLOPS = 5.0e10
"""Float32 operations per second that small convolutions reach on one AVX2 core, both ways (44-65e9 measured)."""
ROW_SECONDS = 2.0e-5
"""Per row and pass: gathering, augmentation, loss."""
FIXED_SECONDS = 1.0
"""Building, loading rows, predicting, writing the model."""
EVALUATED = 0.15
"""Validation rows scored in an epoch cost about this share of its training."""
PROCESS_BYTES = 300_000_000
"""A process that has imported torch."""


def cost(count: Count, *, rows: int, batch: int, row_bytes: int) -> Cost:
    """Return the cost of one epoch over so many rows on one core of a common machine.

    A step forwards and backwards takes three times the multiply-adds of the way forward, two operations each.
    """
    row_seconds = 3 * 2 * count.macs / FLOPS + 4 * count.values / 5e9 + ROW_SECONDS
    peak_bytes = PROCESS_BYTES + rows * row_bytes + 2 * 4 * count.values * batch
    return Cost(FIXED_SECONDS, row_seconds * rows * (1 + EVALUATED), peak_bytes)
