from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from automl.candidates.graphs.onnx_graphs import Trees
from automl.candidates.graphs.onnx_values import Inverse, constant_value, linear_values, tree_values

PLAIN = Inverse("none", 0.0, 1.0, 1.0, -1e9, 1e9)
STUMP = Trees(  # x1 <= 2 ? -1 : 3
    tree=np.zeros(3, int),
    column=np.array([1, -1, -1]),
    threshold=np.array([2.0, 0, 0]),
    left=np.array([1, 0, 0]),
    right=np.array([2, 0, 0]),
    leaf=np.array([1, 2]),
    target=np.array([0, 0]),
    weight=np.array([-1.0, 3.0]),
)


def run(graph: bytes, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (output,) = session.run(["values"], {"input": inputs})
    return np.asarray(output)


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1)


def test_a_linear_map_gives_one_float32_for_each_row() -> None:
    rng = np.random.default_rng(0)
    weights, inputs = rng.normal(size=4), rng.normal(size=(6, 4)).astype(np.float32)
    found = run(linear_values(weights, 0.5, PLAIN), inputs)
    assert (found.shape, found.dtype) == ((6,), np.float32)
    np.testing.assert_allclose(found, inputs @ weights + 0.5, atol=1e-6)


def test_no_row_gives_no_value() -> None:
    assert run(linear_values(np.ones(2), 0.0, PLAIN), np.zeros((0, 2), np.float32)).shape == (0,)


def test_trees_add_to_their_base() -> None:
    found = run(tree_values(STUMP, 2, PLAIN, base=10.0), np.array([[0, 2], [0, 2.5]], np.float32))
    np.testing.assert_array_equal(found, [9.0, 13.0])


@pytest.mark.parametrize(
    ("kind", "undo"),
    [
        ("none", lambda u: u),
        ("log1p", np.expm1),
        ("arcsinh", lambda u: 4 * np.sinh(u)),
    ],
    ids=["none", "log1p", "arcsinh"],
)
def test_a_prediction_comes_back_to_its_own_unit(kind: str, undo: np.ufunc) -> None:
    scale, z = Inverse(kind, 1.5, 0.5, 4.0, -100.0, 100.0), column(-2, -0.1, 0, 1, 3)  # type: ignore[arg-type]
    found = run(linear_values(np.ones(1), 0.25, scale), z)
    np.testing.assert_allclose(found, undo((z[:, 0] + 0.25) * 0.5 + 1.5), rtol=1e-6)


@pytest.mark.parametrize("kind", ["none", "log1p", "arcsinh"])
def test_predictions_stay_in_the_range_even_where_float64_overflows(kind: str) -> None:
    scale = Inverse(kind, 0.0, 1.0, 1.0, -0.5, 7.0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(run(linear_values(np.ones(1), 0.0, scale), column(1e4, -1e4)), [7.0, -0.5])


def test_a_large_mean_costs_no_digits() -> None:
    scale = Inverse("none", 1_000_000.0, 0.01, 1.0, 0.0, 2e6)
    found = run(linear_values(np.ones(1), 0.0, scale), column(50.0))
    assert found[0] == np.float32(1_000_000.5)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_constant_answers_missing_values_too(rows: int) -> None:
    found = run(constant_value(2.5, 4), np.full((rows, 4), np.nan, np.float32))
    np.testing.assert_array_equal(found, np.full(rows, 2.5, np.float32))


@pytest.mark.parametrize(
    "graph",
    [constant_value(1.0, 1), linear_values(np.ones(1), 0.0, PLAIN), tree_values(STUMP, 2, PLAIN)],
    ids=["constant", "linear", "trees"],
)
def test_graphs_use_standard_domains_and_no_constant_in_vain(graph: bytes) -> None:
    model = onnx.load_from_string(graph)
    assert {opset.domain for opset in model.opset_import} <= {"", "ai.onnx.ml"}
    assert [output.name for output in model.graph.output] == ["values"]
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used
