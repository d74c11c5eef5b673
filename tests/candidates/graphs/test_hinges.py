from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from automl.candidates.graphs.hinges import Hinges
from automl.candidates.graphs.onnx_graphs import linear_softmax
from automl.candidates.graphs.onnx_values import Inverse, linear_values

PLAIN = Inverse("none", 0.0, 1.0, 1.0, -1e9, 1e9)
TWO = Hinges(np.array([0, 1]), np.array([1.0, -1.0], np.float32))
X = np.array([[0, 0], [3, -2], [1.5, 4]], np.float32)


def run(graph: bytes, inputs: np.ndarray) -> np.ndarray:
    return np.asarray(onnxruntime.InferenceSession(graph).run(None, {"input": inputs})[0])


def test_a_hinge_is_zero_up_to_its_point_and_rises_from_there() -> None:
    assert TWO.appended(X).tolist() == [[0, 0, 0, 1], [3, -2, 2, 0], [1.5, 4, 0.5, 5]]


def test_points_lie_at_inner_quantiles() -> None:
    hinges = Hinges.at_quantiles(np.arange(101, dtype=np.float32)[:, None], 3)
    assert hinges.columns.tolist() == [0, 0, 0]
    assert hinges.points.tolist() == [25, 50, 75]


@pytest.mark.parametrize(
    "column", [np.ones(50), np.arange(50) % 2, np.r_[np.zeros(48), 1, 2]], ids=["constant", "two values", "mostly zero"]
)
def test_columns_that_cannot_bend_have_no_hinge(column: np.ndarray) -> None:
    assert len(Hinges.at_quantiles(column.astype(np.float32)[:, None], 5).columns) == 0


def test_none_are_asked_for_and_none_appended() -> None:
    hinges = Hinges.at_quantiles(X, 0)
    assert hinges.appended(X) is X


def test_points_of_many_rows_are_found_on_some_of_them() -> None:
    column = np.linspace(0, 1, 100_000, dtype=np.float32)[:, None]
    np.testing.assert_allclose(Hinges.at_quantiles(column, 1).points, [0.5], atol=1e-3)


def test_the_graph_of_values_appends_the_same_hinges() -> None:
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    found = run(linear_values(weights, 0.0, PLAIN, TWO), X)
    np.testing.assert_allclose(found, TWO.appended(X) @ weights, rtol=1e-6)


def test_the_graph_of_classes_appends_the_same_hinges() -> None:
    weights = np.random.default_rng(0).normal(size=(4, 3))
    odds = np.exp(TWO.appended(X) @ weights)
    found = run(linear_softmax(weights, np.zeros(3), np.ones(3, bool), TWO), X)
    np.testing.assert_allclose(found, odds / odds.sum(axis=1, keepdims=True), rtol=1e-5)
