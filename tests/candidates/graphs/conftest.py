"""A table for boosters, with all that their trees treat in a way of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import onnxruntime
import pytest

Answers = Callable[[bytes, np.ndarray], np.ndarray]


class TreeTable(NamedTuple):
    """Rows with gaps and zeros, column 1 of 40 categories, 2 of three; a target of them; and rows unlike them."""

    X: np.ndarray
    target: np.ndarray
    strange: np.ndarray

    def labels(self, classes: int) -> np.ndarray:
        """Return the target in so many classes of one size."""
        return np.digitize(self.target, np.quantile(self.target, np.arange(1, classes) / classes))


@pytest.fixture(scope="session")
def tree_table() -> TreeTable:
    rng, rows = np.random.default_rng(0), 600
    X = rng.normal(size=(rows, 5)).astype(np.float32)
    X[:, 1], X[:, 2], X[:, 3] = rng.integers(0, 40, rows), rng.integers(0, 3, rows), np.round(X[:, 3])
    target = X[:, 0] + np.sin(7 * X[:, 1]) + (X[:, 2] == 1)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[rng.random(X.shape) < 0.1] = 0
    target += np.isnan(X[:, 3])
    strange = X.copy()
    for value in (np.nan, 0.0, 1e-36, 1e-34, 33.7, 1e6):
        strange[rng.random(X.shape) < 0.05] = value
    return TreeTable(X, target, strange)


@pytest.fixture(scope="session")
def answers() -> Answers:
    def _answers(graph: bytes, X: np.ndarray) -> np.ndarray:
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, {"input": X})[0])

    return _answers
