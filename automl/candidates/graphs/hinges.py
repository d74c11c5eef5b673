"""Hinges: columns that are 0 up to a point and rise from there. A linear map of them bends once at each point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MOST_LOOKED_AT = 20_000  # rows that points are found on


@dataclass(frozen=True)
class Hinges:
    """Columns to be appended to others, each max(0, x[column] - point).

    Source: Friedman 1991, https://doi.org/10.1214/aos/1176347963, section 3.2: piecewise linear basis functions.

    Attributes:
        columns: (m,) which column a hinge reads.
        points: (m,) float32, where it begins to rise.
    """

    columns: np.ndarray
    points: np.ndarray

    @classmethod
    def at_quantiles(cls, X: np.ndarray, count: int) -> Hinges:
        """Return up to count hinges for each column, at inner quantiles that differ; none for two-valued columns.

        Args:
            X: float32 (n, columns), rows to learn from, no missing values.
            count: 0 for none at all.
        """
        looked_at = X[:: max(1, len(X) // _MOST_LOOKED_AT)]
        levels = np.linspace(0, 1, count + 2)[1:-1]
        found = [_points(column, levels) for column in looked_at.T] if count else []
        columns = np.repeat(np.arange(len(found)), [len(points) for points in found])
        return cls(columns, np.concatenate([*found, np.empty(0)]).astype(np.float32))

    def appended(self, X: np.ndarray) -> np.ndarray:
        """Return float32 (n, columns + m): the columns and the hinges."""
        if not len(self.columns):
            return X
        return np.hstack([X, np.maximum(X[:, self.columns] - self.points, np.float32(0))])


def _points(column: np.ndarray, levels: np.ndarray) -> np.ndarray:
    points = np.unique(np.quantile(column, levels, method="inverted_cdf").astype(np.float32))
    return np.asarray(points[(points > column.min()) & (points < column.max())])
