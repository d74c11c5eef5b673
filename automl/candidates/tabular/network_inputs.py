"""Which of a table's encoded columns a network reads in which way, and the bins of its numbers. Numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_BINS = 2
"""A column with fewer bins than this is two-valued or nearly constant: it is read as it is."""


@dataclass(frozen=True)
class CodeInput:
    """A column of category codes 0, 1, …, count - 1.

    Attributes:
        column: its place among the encoded columns.
        count: number of codes; anything else, NaN included, is read as one more code.
    """

    column: int
    count: int


@dataclass(frozen=True)
class Layout:
    """How a network reads encoded columns.

    Attributes:
        width: number of encoded columns.
        numbers: places of the columns whose values are embedded.
        plain: places of the columns that are read as they are.
        codes: columns of category codes.
        left: (numbers, bins) float32, where each bin begins.
        scale: (numbers, bins) float32, one over the width of a bin; 0 for bins that a column does not have.
    """

    width: int
    numbers: tuple[int, ...]
    plain: tuple[int, ...]
    codes: tuple[CodeInput, ...]
    left: np.ndarray
    scale: np.ndarray

    @property
    def bins(self) -> int:
        """Return the greatest number of bins of a column."""
        return int(self.left.shape[1])


def layout(X: np.ndarray, codes: Sequence[CodeInput], bins: int) -> Layout:
    """Return how to read these columns, bins bounded by quantiles of the values.

    Source: Gorishniy et al. 2022, https://arxiv.org/abs/2203.05556, section 3.2.1.

    Args:
        X: float32 (rows learned from, columns), no NaN but in columns of codes.
        codes: the columns that hold codes.
        bins: of a column at most.
    """
    coded = {code.column for code in codes}
    edges = {column: _edges(X[:, column], bins) for column in range(X.shape[1]) if column not in coded}
    numbers = tuple(column for column, found in edges.items() if len(found) > FEWEST_BINS)
    plain = tuple(column for column in edges if column not in numbers)
    left, scale = np.zeros((2, len(numbers), max((len(edges[c]) - 1 for c in numbers), default=1)), np.float32)
    for place, column in enumerate(numbers):
        found = edges[column]
        left[place, : len(found) - 1] = found[:-1]
        scale[place, : len(found) - 1] = 1 / np.diff(found)
    return Layout(X.shape[1], numbers, plain, tuple(codes), left, scale)


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Return strictly rising bounds of at most so many bins: all values where they are few, else quantiles.

    Neighbours too close to divide by are one.
    """
    found = np.unique(values.astype(np.float64))
    if len(found) > bins + 1:
        found = np.unique(np.quantile(values.astype(np.float64), np.linspace(0, 1, bins + 1), method="lower"))
    apart = np.diff(found) > 1e-6 * max(1.0, float(np.abs(found).max(initial=0.0)))
    return np.asarray(found[np.concatenate([[True], apart])])
