"""A ridge classifier on many numbers: how much to shrink is chosen by rows left out, and so are its probabilities.

Each class has a target, 1 for its rows and -1 for the others. The penalty is the one whose predictions of rows left out
have the least log loss, after the best temperature; that temperature then makes probabilities of the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from automl.candidates.sequence.linear_scores import Problem, Scores, standardised

_LEAST_PENALTY, _MOST_PENALTY = -4.0, 2.0  # powers of ten of the mean squared size of a row
_LEAST_LEFT = 1e-12  # of a row's residual that is its own
_COLDEST, _HOTTEST = -2.0, 4.0  # logarithms of what scores are multiplied by


class _Seen(NamedTuple):
    """Scores of rows left out."""

    scores: np.ndarray
    codes: np.ndarray
    weights: np.ndarray


class _Judged(NamedTuple):
    """What a penalty is worth: the log loss, and what scores are to be multiplied by for it."""

    loss: float
    heat: float


def learned_ridge(problem: Problem) -> Scores | None:
    """Return the map that ridge regression gives; None where no column tells one row from another.

    Source: Hoerl & Kennard 1970, https://doi.org/10.1080/00401706.1970.10488634; rows left out one at a time without
    training anew: Rifkin & Lippert 2007, https://cbcl.mit.edu/publications/ps/MIT-CSAIL-TR-2007-025.pdf.
    """
    rows = standardised(problem)
    if rows is None:
        return None
    weights = problem.weights / problem.weights.mean()
    targets = 2.0 * np.eye(int(problem.codes.max()) + 1)[problem.codes] - 1
    solver = _LeftOut(rows.values, targets, weights, problem.codes)
    penalty = _lowest(lambda power: solver.judged(power).loss)
    heat = solver.judged(penalty).heat
    slopes = solver.slopes(penalty)
    bias = weights @ targets / len(targets)
    return rows.scores(slopes * heat, bias * heat, f"ridge, 10^{penalty:g} of the mean squared size of a row")


class _Solved(NamedTuple):
    """What a penalty gives: scores of each row when it is left out, and a weight of each row for each class."""

    left_out: np.ndarray
    duals: np.ndarray


class _LeftOut:
    """A system as large as there are rows, solved for a penalty at a time; each row in turn is left out.

    Attributes:
        size: the mean squared size of a row, of which penalties are told.
    """

    def __init__(self, rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, codes: np.ndarray) -> None:
        self._roots = np.sqrt(weights)
        self._rows = rows * self._roots.astype(np.float32)[:, None]
        self._targets, self._weights, self._codes = targets, weights, codes
        self._wanted = self._roots[:, None] * (targets - weights @ targets / weights.sum())
        self._products = (self._rows @ self._rows.T).astype(np.float64)
        self.size = float(np.trace(self._products)) / len(targets)
        self._known: dict[float, _Solved] = {}

    def judged(self, power: float) -> _Judged:
        """Return what a penalty is worth."""
        return _judged(_Seen(self.left_out(power), self._codes, self._weights))

    def left_out(self, power: float) -> np.ndarray:
        """Return the scores of each row by all others, (n, classes)."""
        return self._solved(power).left_out

    def slopes(self, power: float) -> np.ndarray:
        """Return (columns, classes), learned from all rows."""
        return np.asarray(self._rows.T @ self._solved(power).duals.astype(np.float32))

    def _solved(self, power: float) -> _Solved:
        if power not in self._known:
            penalty = self.size * 10**power
            inverse = _inverse(self._products + penalty * np.eye(len(self._products)))
            duals = inverse @ self._wanted
            left = penalty * np.diag(inverse) - self._weights / self._weights.sum()
            errors = penalty * duals / (np.maximum(left, _LEAST_LEFT) * self._roots)[:, None]
            self._known[power] = _Solved(self._targets - errors, duals)
        return self._known[power]


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the inverse of a symmetric matrix with positive eigenvalues; a third of the work of any matrix."""
    from scipy.linalg.lapack import dpotrf, dpotri

    factor, failed = dpotrf(matrix, lower=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError(f"ridge: the products of rows must be positive. Got column {failed} that is not.")
    half, _ = dpotri(factor, lower=1, overwrite_c=1)
    lower = np.tril(half)
    return np.asarray(lower + np.tril(half, -1).T)


def _judged(seen: _Seen) -> _Judged:
    """Return the least log loss over temperatures; one more row, of all classes alike, keeps it from being endless."""
    from scipy.optimize import minimize_scalar

    shares, rows = seen.weights / (seen.weights.sum() + 1), np.arange(len(seen.codes))

    def _loss(logarithm: float) -> float:
        scores = seen.scores * np.exp(logarithm)
        scores -= scores.max(axis=1, keepdims=True)
        sums = np.log(np.exp(scores).sum(axis=1))
        even = (sums - scores.mean(axis=1)).mean() / (seen.weights.sum() + 1)
        return float(shares @ (sums - scores[rows, seen.codes]) + even)

    found = minimize_scalar(_loss, bounds=(_COLDEST, _HOTTEST), method="bounded", options={"xatol": 0.01})
    # it never looks at the bounds themselves
    tried = [(float(found.fun), float(found.x)), *((_loss(bound), bound) for bound in (_COLDEST, _HOTTEST))]
    loss, logarithm = min(tried, key=lambda pair: pair[0])
    return _Judged(loss, float(np.exp(logarithm)))


def _lowest(loss: Callable[[float], float]) -> float:
    """Return the power near which the loss is least: from -1 downhill by whole steps, then by half a step.

    Whole steps reach both bounds, and half a step may lead beyond one.
    """
    best, step = -1.0, 1.0
    for direction in (-1.0, 1.0):
        while _LEAST_PENALTY <= best + direction * step <= _MOST_PENALTY and loss(best + direction * step) < loss(best):
            best += direction * step
    return min((best - 0.5, best, best + 0.5), key=loss)
