"""A logistic regression on many numbers, whose penalty is chosen by rows held out."""

from __future__ import annotations

import numpy as np

from automl.candidates.sequence.linear_scores import Problem, Scores, Standardised, standardised
from automl.candidates.softmax_loss import SoftmaxLoss
from automl.core.protocols import Context

_PENALTIES = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)  # beside twice the sum of the losses, the strongest first
_GIVEN = 10.0  # where no row is held out
_ITERATIONS = 100  # of L-BFGS
_TOLERANCE = 1e-4  # of the largest part of the gradient of the mean loss
_RESERVE = 2.0  # times the seconds of the longest fit so far that must be left for another


def learned_logistic(problem: Problem, is_held: np.ndarray, ctx: Context) -> Scores | None:
    """Return the map that multinomial logistic regression gives; None where no column tells one row from another.

    Penalties fall until rows held out are predicted worse; each fit begins where the one before ended, the last one is
    of all rows.

    Source: solver: Byrd et al. 1995, https://doi.org/10.1137/0916069 (L-BFGS-B).

    Args:
        problem: what is to be learned.
        is_held: (n,) which rows are held out while the penalty is chosen.
        ctx: for the time; where it ends the best map so far is given.
    """
    rows = standardised(problem)
    if rows is None:
        return None
    path = _Path(rows, problem, ctx)
    known, penalty, theta = ~is_held, _GIVEN, path.start
    if is_held.any():
        penalty, theta = _chosen(path, known, is_held)
    if path.has_time:
        theta = path.fitted(np.ones(len(known), bool), penalty, theta)
    return rows.scores(theta[:-1], theta[-1], f"logistic, {penalty:g} in all")


def _chosen(path: _Path, known: np.ndarray, is_held: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the penalty by which the rows held out are predicted best, and what it gave."""
    best, penalty, theta, kept = np.inf, _GIVEN, path.start, path.start
    for tried in _PENALTIES:
        theta = path.fitted(known, tried, theta)
        loss = path.loss(is_held, theta)
        if loss >= best:
            break
        best, penalty, kept = loss, tried, theta
        if not path.has_time:
            break
    return penalty, kept


class _Path:
    """Fits that begin where another ended."""

    def __init__(self, rows: Standardised, problem: Problem, ctx: Context) -> None:
        self._rows, self._problem, self._ctx = rows.values, problem, ctx
        self._longest = 0.0
        self.start = np.zeros((self._rows.shape[1] + 1, int(problem.codes.max()) + 1))

    @property
    def has_time(self) -> bool:
        """Whether there is time for another fit."""
        return not self._ctx.is_timed or self._ctx.seconds_left() > _RESERVE * self._longest

    def fitted(self, which: np.ndarray, penalty: float, start: np.ndarray) -> np.ndarray:
        """Return slopes with the bias as their last row, (columns + 1, classes), of the rows in which."""
        from scipy.optimize import minimize

        before = self._ctx.seconds_left() if self._ctx.is_timed else 0.0
        options = {"maxiter": _ITERATIONS, "gtol": _TOLERANCE}
        loss = self._loss(which, penalty / int(which.sum()))
        found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        if self._ctx.is_timed:
            self._longest = max(self._longest, before - self._ctx.seconds_left())
        return np.asarray(found.x.reshape(start.shape))

    def loss(self, which: np.ndarray, theta: np.ndarray) -> float:
        """Return the mean log loss of some rows."""
        return self._loss(which, 0.0)(theta.ravel())[0]

    def _loss(self, which: np.ndarray, penalty: float) -> SoftmaxLoss:
        weights = self._problem.weights[which]
        shares = (weights / weights.sum()).astype(np.float32)
        rows = self._rows if which.all() else self._rows[which]
        return SoftmaxLoss(rows, self._problem.codes[which], shares, penalty, self.start.shape[1])
