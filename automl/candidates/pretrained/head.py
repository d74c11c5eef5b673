"""A linear classifier of the features of a network that others trained."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

ABSENT = -1e9
"""Bias of a class without a training row: its probability is zero."""
_ITERATIONS = 100  # of L-BFGS
_LEAST_SPREAD = 1e-2  # of a column beside the mean spread; a column that hardly changes must not be blown up
_SECONDS_PER_PRODUCT = 2.5e-10  # rows x columns x classes x iterations, one common core


class Head(NamedTuple):
    """A linear map of features as they are, (features, classes) and (classes,)."""

    weights: np.ndarray
    bias: np.ndarray

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return float32 (rows, classes) for (rows, features)."""
        scores = features @ self.weights.astype(np.float32) + self.bias.astype(np.float32)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
        return shares


def learn(
    features: np.ndarray, codes: np.ndarray, classes: int, *, l2: float, row_weights: np.ndarray | None = None
) -> Head:
    """Return a multinomial logistic regression on standardised columns, written for the columns as they are.

    Args:
        features: float32 (rows, columns).
        codes: (rows,) class codes; classes that do not occur get probability zero.
        classes: how many there are.
        l2: weight of half the squared norm beside the *mean* loss, so that it means the same for any number of rows.
        row_weights: (rows,) how much each row counts; None where all count alike.
    """
    present = np.flatnonzero(np.bincount(codes, minlength=classes))
    weights, bias = np.zeros((features.shape[1], classes)), np.full(classes, ABSENT)
    bias[present] = 0.0
    if len(present) > 1:
        mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
        spread = np.maximum(spread, _LEAST_SPREAD * max(float(spread.mean()), 1e-6))
        slopes, start = _logistic((features - mean.astype(np.float32)) / spread.astype(np.float32), codes, l2,
                                  row_weights)  # fmt: skip
        weights[:, present] = slopes / spread[:, None]
        bias[present] = start - mean @ weights[:, present]
    return Head(weights, bias)


def _logistic(
    X: np.ndarray, codes: np.ndarray, l2: float, row_weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes (columns, classes present) and intercepts."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    total = len(codes) if row_weights is None else float(row_weights.sum())
    solver = LogisticRegression(C=1 / (l2 * total), max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is meant, see _ITERATIONS
        solver.fit(X, codes, sample_weight=row_weights)
    slopes, start = solver.coef_.T.astype(np.float64), solver.intercept_.astype(np.float64)
    if slopes.shape[1] == 1:  # two classes come as one log-odds
        return np.hstack([0 * slopes, slopes]), np.r_[0.0, start]
    return slopes, start


def head_seconds(rows: int, columns: int, classes: int) -> float:
    """Return the CPU-seconds that `learn` takes on one common core."""
    return 0.01 + rows * columns * (classes * _ITERATIONS * _SECONDS_PER_PRODUCT + 1e-8)
