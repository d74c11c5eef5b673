"""Linear models of weighted terms: how they are learned, and how their scores become probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

Loss = Literal["hinge", "logistic", "ridge"]
_TOLERANCE = 0.01  # of liblinear; 1e-4 took twice as long for the same scores on four sets
_PASSES = 300  # of liblinear over the rows
_STEPS = 40  # of conjugate gradients
_NEAR = 1e-3  # of the residual at which they end, relative to the target


class Linear(NamedTuple):
    """A linear map of terms.

    Attributes:
        weights: float32 (terms, classes).
        bias: (classes,).
    """

    weights: np.ndarray
    bias: np.ndarray

    def scores(self, X: Any) -> np.ndarray:
        """Return the scores of rows, float64 (n, classes)."""
        return np.asarray(X @ self.weights + self.bias, np.float64)

    def scaled(self, by: Scaling) -> Linear:
        """Return the map whose softmax gives probabilities."""
        return Linear(self.weights * np.float32(by.slope), self.bias * by.slope + by.bias)


class Rows(NamedTuple):
    """What is learned from.

    Attributes:
        X: scipy CSR float32 (n, terms).
        codes: (n,) classes 0, 1, … without gaps.
        weights: (n,) with mean 1, or None.
        classes: how many.
    """

    X: Any
    codes: np.ndarray
    weights: np.ndarray | None
    classes: int

    @property
    def shares(self) -> np.ndarray:
        """Return the weight of each row."""
        return np.ones(len(self.codes)) if self.weights is None else self.weights

    def sums(self) -> np.ndarray:
        """Return the weighted sum of each term over the rows of each class, float64 (terms, classes)."""
        members = np.zeros((len(self.codes), self.classes))
        members[np.arange(len(self.codes)), self.codes] = self.shares
        return np.asarray(self.X.T @ members)


Learn = Callable[[Rows], Linear]


@dataclass(frozen=True)
class OneAgainstRest:
    """A linear model of each class against the others, or one alone for two classes, by liblinear.

    Source: Fan et al. 2008, https://www.jmlr.org/papers/v9/fan08a.html; dual coordinate descent:
    Hsieh et al. 2008, https://doi.org/10.1145/1390156.1390208 (squared hinge), Yu et al. 2011,
    https://doi.org/10.1007/s10994-010-5221-8 (logistic). Ratios: Wang & Manning 2012,
    https://aclanthology.org/P12-2018/, section 2.3.

    Attributes:
        loss: "hinge", squared, or "logistic".
        cost: C, what stands before the sum of losses.
        smoothing: what is added to the sum of a term in each class for log-count ratios, by which columns are
            multiplied; None leaves them alone.
        seed: of the order of rows.
    """

    loss: Literal["hinge", "logistic"]
    cost: float
    smoothing: float | None
    seed: int

    def __call__(self, rows: Rows) -> Linear:
        """Learn."""
        sums = rows.sums() if self.smoothing is not None else None
        columns = [self._against_rest(rows, code, sums) for code in range(rows.classes) if code or rows.classes > 2]
        weights = np.stack([weights for weights, _ in columns], axis=1)
        bias = np.array([bias for _, bias in columns])
        if rows.classes == 2:
            return Linear(np.hstack([-weights, weights]).astype(np.float32) / 2, np.hstack([-bias, bias]) / 2)
        return Linear(weights.astype(np.float32), bias)

    def _against_rest(self, rows: Rows, code: int, sums: np.ndarray | None) -> tuple[np.ndarray, float]:
        if not (rows.codes == code).any():
            none = -1.0 if self.loss == "hinge" else -float(np.log1p(len(rows.codes)))
            return np.zeros(rows.X.shape[1]), none  # all are against it
        X = rows.X.astype(np.float64)
        ratios = np.ones(X.shape[1])
        if sums is not None and self.smoothing is not None:
            ratios = log_ratios(sums, code, self.smoothing)
            X.data *= ratios[X.indices]
        model = self._model()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged: it is as good by then
            model.fit(X, rows.codes == code, sample_weight=rows.weights)
        return model.coef_[0] * ratios, float(model.intercept_[0])

    def _model(self) -> Any:
        common: dict[str, Any] = {"C": self.cost, "tol": _TOLERANCE, "max_iter": _PASSES, "random_state": self.seed}
        if self.loss == "hinge":
            from sklearn.svm import LinearSVC

            return LinearSVC(dual=True, **common)
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(solver="liblinear", dual=True, **common)


def log_ratios(sums: np.ndarray, code: int, smoothing: float) -> np.ndarray:
    """Return how much more often each term occurs in a class than in the others, as a logarithm, (terms,).

    Args:
        sums: (terms, classes), as `Rows.sums` gives them.
        code: the class.
        smoothing: added to each sum.
    """
    own, rest = sums[:, code] + smoothing, sums.sum(axis=1) - sums[:, code] + smoothing
    return np.asarray(np.log(own / own.sum()) - np.log(rest / rest.sum()))


@dataclass(frozen=True)
class Ridge:
    """The least squares of targets 1 for the own class and -1 for others, plus penalty times the squared norm.

    Solved for the rows' multipliers by conjugate gradients, all classes at once. Source: Hestenes & Stiefel 1952,
    https://doi.org/10.6028/jres.049.044; the dual form: Saunders et al. 1998,
    https://eprints.soton.ac.uk/258942/, section 2.

    Attributes:
        penalty: of the squared norm beside the sum of squares; the bias counts as the weight of a term all rows have.
    """

    penalty: float

    def __call__(self, rows: Rows) -> Linear:
        """Learn."""
        X, turned = rows.X, rows.X.T.tocsr()
        damping = (self.penalty / np.maximum(rows.shares, 1e-6)).astype(np.float32)[:, None]
        targets = np.full((len(rows.codes), rows.classes), -1.0, np.float32)
        targets[np.arange(len(rows.codes)), rows.codes] = 1.0

        def _product(values: np.ndarray) -> np.ndarray:
            return np.asarray(X @ (turned @ values) + values.sum(axis=0) + damping * values)

        found = _conjugate_gradients(_product, targets)
        return Linear(np.asarray(turned @ found, np.float32), found.sum(axis=0, dtype=np.float64))


def _conjugate_gradients(product: Callable[[np.ndarray], np.ndarray], targets: np.ndarray) -> np.ndarray:
    """Return x with product(x) = targets, (n, columns), each column by itself; product is symmetric and positive."""
    found, rest = np.zeros_like(targets), targets.copy()
    direction, square = rest.copy(), (rest * rest).sum(axis=0)
    goal = _NEAR**2 * square
    for _ in range(_STEPS):
        if (square <= goal).all():
            break
        image = product(direction)
        step = square / np.maximum((direction * image).sum(axis=0), 1e-30)
        found += step * direction
        rest -= step * image
        before, square = square, (rest * rest).sum(axis=0)
        direction = rest + square / np.maximum(before, 1e-30) * direction
    return found


class Scaling(NamedTuple):
    """From scores to the logarithms of probabilities, up to what is common to all classes: slope times score + bias.

    Attributes:
        slope: above 0.
        bias: (classes,).
    """

    slope: float
    bias: np.ndarray


def fitted_scaling(scores: np.ndarray, codes: np.ndarray, weights: np.ndarray | None) -> Scaling:
    """Return the scaling at which the log-loss of rows that were not learned from is least.

    One slope for all classes, and a bias each that is held near 0 as by one more row. Source: Platt 1999, Probabilistic
    outputs for support vector machines; Guo et al. 2017, https://arxiv.org/abs/1706.04599, section 4.2.

    Args:
        scores: (n, classes).
        codes: (n,) true classes.
        weights: (n,), or None.
    """
    from scipy.optimize import minimize

    shares = np.ones(len(codes)) if weights is None else weights
    spread = float(np.sqrt(np.mean((scores - scores.mean(axis=1, keepdims=True)) ** 2))) or 1.0
    rows = np.arange(len(codes))

    def _loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        slope = np.exp(theta[0]) / spread
        logs = slope * scores + theta[1:]
        logs -= logs.max(axis=1, keepdims=True)
        odds = np.exp(logs)
        sums = odds.sum(axis=1)
        loss = shares @ (np.log(sums) - logs[rows, codes])
        errors = odds / sums[:, None]
        errors[rows, codes] -= 1
        errors *= shares[:, None]
        gradient = np.concatenate([[slope * float((errors * scores).sum())], errors.sum(axis=0)])
        gradient += theta
        return float(loss + theta @ theta / 2), gradient

    found = minimize(_loss, np.zeros(scores.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return Scaling(float(np.exp(np.clip(found[0], -10, 10))) / spread, found[1:])
