from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from automl.candidates.graphs.onnx_values import Inverse
from automl.candidates.tabular.network_inputs import CodeInput, Layout, layout
from automl.candidates.tabular.network_layers import TableNetwork
from automl.candidates.tabular.network_onnx import probabilities_graph, values_graph
from automl.candidates.tabular.network_settings import NetworkSettings

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(size=(50, 3)), RNG.integers(0, 4, (50, 2)), RNG.integers(0, 2, (50, 1))], axis=1)
X = X.astype(np.float32)
CODES = [CodeInput(3, 4), CodeInput(4, 4)]
PLAIN = NetworkSettings(
    layers=2, width=16, dropout=0.0, embedding="piecewise", lr=1e-3, weight_decay=0.0, epochs=2, patience=0,
    batch_size=32, embedding_width=4, bins=5, category_width=3,
)  # fmt: skip
SETTINGS = {
    "plain": PLAIN,
    "periodic": dataclasses.replace(PLAIN, embedding="periodic", frequencies=6, sigma=0.5),
    "numbers as they are": dataclasses.replace(PLAIN, embedding="none"),
    "one layer": dataclasses.replace(PLAIN, layers=1),
    "mini": dataclasses.replace(PLAIN, members=5),
    "full": dataclasses.replace(PLAIN, members=5, scaled=True),
}
LAYOUTS = {
    "all": layout(X, CODES, 5),
    "numbers": layout(X[:, :3], (), 5),
    "codes": layout(X[:, 3:5], [CodeInput(0, 4)], 5),
}
PRESENT = np.array([True, False, True, True])
VALUES = Inverse("log1p", 2.0, 3.0, 1.0, 0.0, 1e4)


def network(settings: NetworkSettings, read: Layout = LAYOUTS["all"], outputs: int = 3) -> TableNetwork:
    """Return a network no parameter of which is as it began."""
    with torch.random.fork_rng([]):
        torch.manual_seed(5)
        made = TableNetwork(read, settings, outputs)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter += 0.3 * torch.randn_like(parameter)
    return made


def run(graph: bytes, rows: np.ndarray) -> np.ndarray:
    session: Any = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    answer: np.ndarray = session.run(None, {session.get_inputs()[0].name: rows})[0]
    return answer


def shares(made: TableNetwork, rows: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.softmax(made(torch.from_numpy(rows)), dim=2).mean(dim=0).numpy()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_graph_gives_the_probabilities_of_the_network(settings: NetworkSettings) -> None:
    made = network(settings)
    np.testing.assert_allclose(run(probabilities_graph(made, np.ones(3, bool)), X), shares(made, X), atol=1e-6)


@pytest.mark.parametrize("width", [3, 2], ids=["numbers alone", "codes alone"])
def test_a_network_of_one_kind_of_column_has_a_graph(width: int) -> None:
    rows = X[:, :3] if width == 3 else X[:, 3:5]
    made = network(PLAIN, LAYOUTS["numbers" if width == 3 else "codes"])
    np.testing.assert_allclose(run(probabilities_graph(made, np.ones(3, bool)), rows), shares(made, rows), atol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_no_rows_have_no_scores(settings: NetworkSettings) -> None:
    assert run(probabilities_graph(network(settings), np.ones(3, bool)), X[:0]).shape == (0, 3)
    assert run(values_graph(network(settings, outputs=1), VALUES), X[:0]).shape == (0,)


def test_a_class_without_rows_has_probability_0() -> None:
    made = network(SETTINGS["mini"])
    answer = run(probabilities_graph(made, PRESENT), X)
    assert (answer[:, 1] == 0).all()
    np.testing.assert_allclose(answer[:, PRESENT], shares(made, X), atol=1e-6)


@pytest.mark.parametrize("code", [np.nan, -1.0, 4.0, 1e9, -1e9], ids=str)
def test_what_is_no_code_is_read_as_in_training(code: float) -> None:
    made, rows = network(PLAIN), X[:4].copy()
    rows[:, 3] = code
    np.testing.assert_allclose(run(probabilities_graph(made, np.ones(3, bool)), rows), shares(made, rows), atol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_values_come_back_in_their_own_unit(settings: NetworkSettings) -> None:
    made = network(settings, outputs=1)
    with torch.no_grad():
        mean = made(torch.from_numpy(X)).mean(dim=0)[:, 0].double().numpy()
    expected = np.clip(np.expm1(np.minimum(mean * 3 + 2, 50)), 0, 1e4)
    np.testing.assert_allclose(run(values_graph(made, VALUES), X), expected, rtol=1e-4, atol=1e-4)


def test_numbers_of_any_size_have_finite_scores() -> None:
    rows = np.where(np.arange(6) % 2, np.float32(3e38), np.float32(-3e38)).repeat(6).reshape(6, 6)
    assert np.isfinite(run(probabilities_graph(network(PLAIN, LAYOUTS["all"]), np.ones(3, bool)), rows)).all()


def test_graphs_have_operators_of_the_standard_alone() -> None:
    model = onnx.load_from_string(probabilities_graph(network(SETTINGS["full"]), PRESENT))
    assert {node.domain for node in model.graph.node} == {""}
    assert [entry.domain for entry in model.opset_import] == [""]
