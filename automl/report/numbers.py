"""How far predicted numbers are from the true ones, on rows that the models did not see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_POINTS = 1200
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BARS = 30


@dataclass(frozen=True)
class NumberFit:
    """Predictions against the truth.

    Attributes:
        y, predicted: (m,) float64, at most MOST_POINTS rows spread over all.
        residuals: quantiles of predicted - true at SHARES.
        absolute: quantiles of the size of the residuals at SHARES.
        edges, counts: histogram of the true values, (k + 1,) and (k,).
        rows: that were predicted.
    """

    y: np.ndarray
    predicted: np.ndarray
    residuals: tuple[float, ...]
    absolute: tuple[float, ...]
    edges: np.ndarray
    counts: np.ndarray
    rows: int


def number_fit(y: np.ndarray, predicted: np.ndarray) -> NumberFit | None:
    """Hold predictions against the truth; None where no row was predicted.

    Args:
        y: (n,) true values.
        predicted: (n,); rows with NaN are left out.
    """
    known = np.isfinite(predicted)
    if not known.any():
        return None
    y, predicted = y[known].astype(np.float64), predicted[known].astype(np.float64)
    shown = np.unique(np.linspace(0, len(y) - 1, MOST_POINTS).astype(int))
    residuals = predicted - y
    low, high = np.quantile(y, [0.005, 0.995])
    counts, edges = np.histogram(y[(y >= low) & (y <= high)], bins=_BARS)
    return NumberFit(
        y=y[shown],
        predicted=predicted[shown],
        residuals=tuple(np.quantile(residuals, SHARES).tolist()),
        absolute=tuple(np.quantile(np.abs(residuals), SHARES).tolist()),
        edges=edges,
        counts=counts,
        rows=len(y),
    )
