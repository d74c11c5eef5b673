"""Whether probabilities keep what they promise: of the rows given 80 %, 80 % should be of that class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BINS = 10
LEAST_ROWS = 50
"""With fewer rows the intervals are so wide that the curve says nothing."""
_Z = 1.959963984540054


class Bin(NamedTuple):
    """Rows with about the same probability.

    Attributes:
        promised: mean probability; kept: share of the class, with its 95 % interval low to high.
    """

    promised: float
    kept: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Reliability:
    """Probabilities of the second of two classes against what came.

    Attributes:
        label: the second class.
        error: mean distance of promised and kept over the rows (expected calibration error, Naeini et al. 2015).
    """

    label: str
    bins: tuple[Bin, ...]
    error: float


def reliability(y: np.ndarray, scores: np.ndarray, classes: tuple[str, ...]) -> Reliability | None:
    """Compare probabilities with frequencies; None for more than two classes, or too few rows.

    Args:
        y: (n,) class codes.
        scores: (n, 2) probabilities, calibrated; rows with NaN are left out.
        classes: labels in the order of the codes.
    """
    if len(classes) != 2:
        return None
    known = np.isfinite(scores).all(axis=1)
    if known.sum() < LEAST_ROWS:
        return None
    promised, truth = scores[known, 1].astype(np.float64), y[known] == 1
    edges = np.unique(np.quantile(promised, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, promised, side="right")
    bins = [_bin(promised[place == i], truth[place == i]) for i in np.unique(place)]
    error = sum(b.rows * abs(b.promised - b.kept) for b in bins) / len(promised)
    return Reliability(classes[1], tuple(bins), error)


def _bin(promised: np.ndarray, truth: np.ndarray) -> Bin:
    """Return a bin with Wilson's interval of its share (Wilson 1927, https://doi.org/10.2307/2276774)."""
    n, share = len(truth), float(truth.mean())
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return Bin(float(promised.mean()), share, max(0.0, centre - half), min(1.0, centre + half), n)
