"""What a linear classifier of many numbers learns from, and what it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_LEAST_SPREAD = 1e-7  # of a column; below it, it is constant


@dataclass(frozen=True)
class Problem:
    """What is to be learned.

    Attributes:
        X: float32 (n, columns).
        codes: (n,) classes 0, 1, … without gaps, at least two.
        weights: (n,) mean 1, all above 0.
    """

    X: np.ndarray
    codes: np.ndarray
    weights: np.ndarray


class Scores(NamedTuple):
    """A map (x - mean) @ weights + bias to scores whose softmax are probabilities.

    Attributes:
        mean: (columns,).
        weights: (columns, classes).
        bias: (classes,).
        penalty: that was chosen, for people.
    """

    mean: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    penalty: str


class Standardised(NamedTuple):
    """Rows whose columns have mean 0 and deviation 1; 0 where a column does not vary.

    Attributes:
        values: float32 (n, columns).
        mean, scale: float32 (columns,), what was subtracted, and then multiplied by.
    """

    values: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def scores(self, weights: np.ndarray, bias: np.ndarray, penalty: str) -> Scores:
        """Return a map of these values, (columns, classes) and (classes,), as one of the columns as they were."""
        return Scores(self.mean, self.scale[:, None] * weights, bias, penalty)


def standardised(problem: Problem) -> Standardised | None:
    """Return the rows of a problem, each counted by its weight; None where no column tells one from another."""
    shares = (problem.weights / problem.weights.sum()).astype(np.float32)
    mean = shares @ problem.X
    values = problem.X - mean
    spread = np.sqrt(shares @ values**2)
    varies = (problem.X[0] != problem.X).any(axis=0) & (spread > _LEAST_SPREAD)
    scale = np.where(varies, 1 / np.maximum(spread, _LEAST_SPREAD), 0).astype(np.float32)
    values *= scale
    return Standardised(values, mean, scale) if scale.any() else None
