from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from automl.candidates.graphs.onnx_terms import constant_probabilities, linear_terms
from automl.exporters.check import check_onnx

WEIGHTS = np.array([[1.0, -1.0], [0.5, 2.0]])
BIAS = np.array([0.25, -0.25])
ALL = np.array([True, True])


def run(graph: bytes, X: Any) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    out: np.ndarray = session.run(None, {"input": np.asarray(X, np.float32)})[0]
    return out


def test_scores_are_sums_of_weighted_terms() -> None:
    scores = np.log(run(linear_terms(WEIGHTS, BIAS, ALL), [[[2, 1], [3.0, 2.0]], [[0, 0], [0, 0]]]))
    expected = np.array([3 * WEIGHTS[1] + 2 * WEIGHTS[0] + BIAS, BIAS])
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], expected[:, 1] - expected[:, 0], rtol=1e-5)


def test_the_id_of_padding_weighs_nothing() -> None:
    graph = linear_terms(WEIGHTS, BIAS, ALL)
    np.testing.assert_array_equal(run(graph, [[[0], [9.0]]]), run(graph, [[[0], [0]]]))


def test_classes_that_were_absent_have_no_probability() -> None:
    out = run(linear_terms(WEIGHTS, BIAS, np.array([True, False, True])), [[[1], [1.0]]])
    assert out[0, 1] == 0
    assert out.sum() == pytest.approx(1)


def test_no_row_gives_no_row() -> None:
    assert run(linear_terms(WEIGHTS, BIAS, ALL), np.zeros((0, 2, 1))).shape == (0, 2)


@pytest.mark.parametrize(("rank", "shape"), [(2, (3, 5)), (3, (3, 2, 4))], ids=["tokens", "terms"])
def test_a_constant_answers_rows_of_any_length(rank: int, shape: tuple[int, ...]) -> None:
    out = run(constant_probabilities(np.array([0.25, 0.75]), rank), np.zeros(shape))
    assert out.tolist() == [[0.25, 0.75]] * 3


@pytest.mark.parametrize(
    "graph", [linear_terms(WEIGHTS, BIAS, ALL), constant_probabilities(BIAS, 2)], ids=["linear", "constant"]
)
def test_graphs_may_be_exported(graph: bytes) -> None:
    check_onnx(graph, "model.onnx")
