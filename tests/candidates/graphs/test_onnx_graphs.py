from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from automl.candidates.graphs.onnx_graphs import Trees, constant, linear_softmax, tree_mean, tree_softmax

STUMPS = Trees(  # x0 <= 0.5 ? 3 : -3 for class 0; x1 <= 0.25 ? 1 : 2 for class 1; and a lone leaf of 0.5 for class 1
    tree=np.array([0, 0, 0, 1, 1, 1, 2]),
    column=np.array([0, -1, -1, 1, -1, -1, -1]),
    threshold=np.array([0.5, 0, 0, 0.25, 0, 0, 0]),
    left=np.array([1, 0, 0, 1, 0, 0, 0]),
    right=np.array([2, 0, 0, 2, 0, 0, 0]),
    leaf=np.array([1, 2, 4, 5, 6]),
    target=np.array([0, 0, 1, 1, 1]),
    weight=np.array([3.0, -3.0, 1.0, 2.0, 0.5]),
)
BOTH = np.array([True, True])


def run(graph: bytes, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (output,) = session.run(["probabilities"], {"input": inputs})
    return np.asarray(output)


def softmax(scores: np.ndarray) -> np.ndarray:
    odds = np.exp(scores)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_constant_gives_one_row_for_each_image(rows: int) -> None:
    found = run(constant(np.array([0.25, 0.75]), (4, 6, 3)), np.zeros((rows, 4, 6, 3), np.uint8))
    np.testing.assert_array_equal(found, np.tile(np.float32([0.25, 0.75]), (rows, 1)))


def test_linear_softmax_is_the_softmax_of_a_linear_map() -> None:
    rng = np.random.default_rng(0)
    weights, bias, inputs = rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=(7, 5)).astype(np.float32)
    found = run(linear_softmax(weights, bias, np.ones(3, bool)), inputs)
    np.testing.assert_allclose(found, softmax(inputs @ weights + bias), atol=1e-6)


def test_an_absent_class_has_probability_zero_and_changes_no_other() -> None:
    weights, inputs = np.eye(2), np.ones((1, 2), np.float32)
    found = run(linear_softmax(weights, np.zeros(2), np.array([True, False, True])), inputs)
    np.testing.assert_allclose(found, [[0.5, 0.0, 0.5]])


def test_a_sum_of_trees_routes_and_adds() -> None:
    inputs = np.array([[0.5, 0.25], [0.6, 0.25], [0.5, 0.3]], np.float32)
    np.testing.assert_allclose(run(tree_mean(STUMPS, 2, 2), inputs), [[3, 1.5], [-3, 1.5], [3, 2.5]])


def test_tree_softmax_is_the_softmax_of_the_sums() -> None:
    found = run(tree_softmax(STUMPS, 2, BOTH), np.array([[0.6, 0.3]], np.float32))
    np.testing.assert_allclose(found, softmax(np.array([[-3.0, 2.5]])), atol=1e-6)


@pytest.mark.parametrize("threshold", [0.1, 0.7, 1 / 3, -0.1, 1e-30], ids=str)
def test_float32_inputs_go_where_the_float64_threshold_sends_them(threshold: float) -> None:
    near = np.float32(threshold)
    inputs = np.array([[np.nextafter(near, np.float32(s)), 0] for s in (-9, 9)] + [[near, 0]], np.float32)
    trees = Trees(**{**vars(STUMPS), "threshold": np.array([threshold, 0, 0, 0.25, 0, 0, 0])})
    expected = np.where(inputs[:, 0].astype(np.float64) <= threshold, 3.0, -3.0)
    np.testing.assert_array_equal(run(tree_mean(trees, 2, 2), inputs)[:, 0], expected)


@pytest.mark.parametrize(
    "graph",
    [constant(np.ones(1), (2, 2, 1)), linear_softmax(np.eye(2), np.zeros(2), BOTH), tree_softmax(STUMPS, 2, BOTH)],
    ids=["constant", "linear", "trees"],
)
def test_graphs_use_standard_domains_and_a_dynamic_batch(graph: bytes) -> None:
    model = onnx.load_from_string(graph)
    assert {opset.domain for opset in model.opset_import} <= {"", "ai.onnx.ml"}
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    assert [output.name for output in model.graph.output] == ["probabilities"]
