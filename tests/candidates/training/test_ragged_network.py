from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from automl.candidates.training.bodies_text import make_bag, make_cnn
from automl.candidates.training.entrance_tokens import TokenEntrance, frequent_pairs
from automl.candidates.training.ragged_network import RaggedNetwork, constant_graph, probabilities_graph

ROW = ("steps",)
IDS = np.array([[3, 4, 5, 3], [4, 0, 0, 0], [3, 4, 3, 0]], np.float32)
PRESENT = np.array([True, False, True, True])
BODIES: dict[str, dict[str, Any]] = {
    "mean": {"pooling": "mean", "hidden": 0},
    "attention, hidden": {"pooling": "attention", "hidden": 3},
    "kernels": {"kernels": "1,2,3,5", "filters": 4, "blocks": 1},
    "blocks": {"kernels": "2,3", "filters": 4, "blocks": 3},
}


def network(values: dict[str, Any], outputs: int = 3) -> RaggedNetwork:
    """Return a network no parameter of which is as it began."""
    pairs = frequent_pairs(IDS[IDS > 0].astype(np.int64), np.array([4, 5, 8]), 10)
    with torch.random.fork_rng([]):
        torch.manual_seed(5)
        made_body = (make_bag if "pooling" in values else make_cnn)(values, 4, 4)
        made = RaggedNetwork(TokenEntrance(np.ones((6, 4), np.float32), pairs), made_body, outputs, dropout=0.5)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter += 0.5 * torch.randn_like(parameter)
            made.entrance.get_parameter("table")[0] = 0
            made.entrance.get_parameter("pairs")[0] = 0
    return made.eval()


def run(graph: bytes, rows: np.ndarray) -> np.ndarray:
    session: Any = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    answer: np.ndarray = session.run(None, {session.get_inputs()[0].name: rows})[0]
    return answer


def shares(made: RaggedNetwork, rows: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.softmax(made(torch.from_numpy(rows)), dim=1).numpy()


@pytest.mark.parametrize("values", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("rows", [IDS, IDS[1:2, :1], IDS[:0]], ids=["rows", "one token", "no row"])
def test_the_graph_gives_the_probabilities_of_the_network(values: dict[str, Any], rows: np.ndarray) -> None:
    made = network(values)
    np.testing.assert_allclose(
        run(probabilities_graph(made, np.ones(3, bool), ROW), rows), shares(made, rows), atol=1e-6
    )


def test_a_class_without_rows_has_probability_0() -> None:
    made = network(BODIES["mean"])
    answer = run(probabilities_graph(made, PRESENT, ROW), IDS)
    assert (answer[:, 1] == 0).all()
    np.testing.assert_allclose(answer[:, PRESENT], shares(made, IDS), atol=1e-6)


def test_graphs_have_operators_of_the_standard_alone_and_dynamic_rows_and_steps() -> None:
    model = onnx.load_from_string(probabilities_graph(network(BODIES["blocks"]), PRESENT, ROW))
    assert {node.domain for node in model.graph.node} == {""}
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert [d.dim_param for d in model.graph.input[0].type.tensor_type.shape.dim] == ["n", "steps"]


@pytest.mark.parametrize("shape", [(3, 7), (3, 2, 7), (0, 2, 1)], ids=["ids", "series", "no row"])
def test_a_constant_answers_rows_of_any_length(shape: tuple[int, ...]) -> None:
    graph = constant_graph(np.array([0.2, 0.8]), (*shape[1:-1], "steps"))
    answer = run(graph, np.full(shape, np.nan, np.float32))
    np.testing.assert_allclose(answer, np.repeat([[0.2, 0.8]], shape[0], axis=0))


def test_units_are_dropped_in_training_alone() -> None:
    made, rows = network(BODIES["mean"]), torch.from_numpy(IDS)
    assert torch.equal(made(rows), made(rows))
    assert not torch.equal(made.train()(rows), made(rows))


def test_matrices_are_decayed_and_nothing_else() -> None:
    made = network(BODIES["attention, hidden"])
    assert {p.ndim for p in made.decayed()} == {2}
    assert len(made.decayed()) == 5
