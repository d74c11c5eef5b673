"""The loss of a linear classifier, for a solver that wants its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SoftmaxLoss:
    """The mean cross-entropy of a linear map plus l2 / 2 times its squared norm, with its gradient.

    Attributes:
        X: float32 (rows, columns).
        codes: (rows,) classes 0, 1, … without gaps.
        shares: float32 (rows,), how much each row counts; they sum to one.
        penalty: l2.
        classes: number of classes.
    """

    X: np.ndarray
    codes: np.ndarray
    shares: np.ndarray
    penalty: float
    classes: int

    @property
    def shape(self) -> tuple[int, int]:
        """Return the shape of the weights with the bias as their last row."""
        return self.X.shape[1] + 1, self.classes

    def __call__(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient, float64, at weights with the bias as their last row, flattened."""
        theta = flat.reshape(self.shape).astype(np.float32)
        scores = self.X @ theta[:-1] + theta[-1]
        scores -= scores.max(axis=1, keepdims=True)
        rows = np.arange(len(scores))
        truth = scores[rows, self.codes]
        np.exp(scores, out=scores)
        sums = scores.sum(axis=1)
        loss = float(self.shares @ (np.log(sums) - truth).astype(np.float64))
        scores *= (self.shares / sums)[:, None]
        scores[rows, self.codes] -= self.shares
        gradient = np.vstack([self.X.T @ scores, scores.sum(axis=0)]).astype(np.float64)
        slopes = flat.reshape(self.shape)[:-1]
        gradient[:-1] += self.penalty * slopes
        return loss + self.penalty / 2 * float((slopes**2).sum()), gradient.ravel()
