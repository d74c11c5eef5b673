"""Models that differ in their heads alone become one graph that computes the rest once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from automl.core.protocols import ExportMember
from automl.errors import ArtifactError
from automl.exporters.artifact import write_artifact
from automl.exporters.check import check_onnx
from automl.exporters.shared_body import merged
from automl.serving.manifest import read_manifest
from automl.serving.model import Model
from automl.testing.tiny import tiny_data

WIDE, CLASSES = 64, 3
BODY = np.random.default_rng(0).normal(size=(192, WIDE)).astype(np.float32)


def classifier(seed: int, *, body: np.ndarray = BODY, name: str = "pixels", opset: int = 18) -> bytes:
    """Return a graph: 8 x 8 colour pixels, a body, a head that differs with the seed, probabilities."""
    head = np.random.default_rng(seed).normal(size=(body.shape[1], CLASSES)).astype(np.float32) / 1000
    nodes = [
        helper.make_node("Cast", [name], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["real"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "body"], ["wide"]),
        helper.make_node("Relu", ["wide"], ["bent"]),
        helper.make_node("MatMul", ["bent", "head"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = [numpy_helper.from_array(body, "body"), numpy_helper.from_array(head, "head")]
    ends = (
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", 8, 8, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", CLASSES])],
    )
    model = helper.make_model(helper.make_graph(nodes, "g", *ends, constants),
                              opset_imports=[helper.make_opsetid("", opset)], ir_version=10)  # fmt: skip
    data: bytes = model.SerializeToString()
    return data


def answers(graph: bytes, rows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {"pixels": rows})[0]
    return found


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def test_the_one_graph_gives_the_weighted_mean(rows: np.ndarray) -> None:
    graphs, weights = [classifier(seed) for seed in range(3)], [0.5, 0.3, 0.2]
    expected = sum(w * answers(g, rows) for w, g in zip(weights, graphs, strict=True))
    np.testing.assert_allclose(answers(merged(graphs, weights), rows), expected, atol=1e-6)


def test_what_is_shared_is_there_once() -> None:
    one, all_of_five = classifier(0), merged([classifier(seed) for seed in range(5)], [0.2] * 5)
    assert len(all_of_five) < 1.5 * len(one)
    kinds = [node.op_type for node in onnx.load_model_from_string(all_of_five).graph.node]
    assert (kinds.count("MatMul"), kinds.count("Relu"), kinds.count("Softmax")) == (6, 1, 5)


def test_what_differs_is_kept_apart(rows: np.ndarray) -> None:
    other = np.random.default_rng(9).normal(size=(192, WIDE)).astype(np.float32)
    graphs = [classifier(0), classifier(0, body=other)]
    np.testing.assert_allclose(
        answers(merged(graphs, [0.5, 0.5]), rows), sum(answers(g, rows) for g in graphs) / 2, atol=1e-6
    )


def test_the_one_graph_is_fit_for_an_artifact() -> None:
    check_onnx(merged([classifier(0), classifier(1)], [0.5, 0.5]), "merged")


@pytest.mark.parametrize(
    ("changed", "message"), [({"name": "images"}, "Got 2 inputs"), ({"opset": 19}, "Got 1 inputs, 2 versions")],
    ids=["input", "operators"],
)  # fmt: skip
def test_models_that_read_something_else_share_nothing(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        merged([classifier(0), classifier(1, **changed)], [0.5, 0.5])


def members(folder: Path, *, bodies: tuple[str, ...], trials: tuple[int, ...]) -> list[ExportMember]:
    """Return trained models with these bodies; "" says nothing of one."""
    made = []
    for number, (body, trial) in enumerate(zip(bodies, trials, strict=True)):
        place = folder / f"m{number}"
        place.mkdir()
        (place / "model.onnx").write_bytes(classifier(number))
        entry = {"file": "model.onnx", "features": {"kind": "pixels"}, "input": "pixels", "output": "probabilities",
                 "output_kind": "probabilities", **({"body": body} if body else {})}  # fmt: skip
        (place / "member.json").write_text(json.dumps(entry), encoding="utf-8")
        made.append(ExportMember(trial, number, 1 / len(bodies), "efficientnet", place))
    return made


@pytest.mark.parametrize(
    ("bodies", "trials", "files"),
    [(("a", "a", "a"), (0, 0, 0), 1), (("", "", ""), (0, 0, 0), 3), (("a", "b", "a"), (0, 0, 0), 2),
     (("a", "a", "a"), (0, 0, 1), 1)],
    ids=["one body", "no body", "two bodies", "two trials"],
)  # fmt: skip
def test_models_of_a_candidate_that_share_a_body_are_one_file(
    tmp_path: Path, rows: np.ndarray, bodies: tuple[str, ...], trials: tuple[int, ...], files: int
) -> None:
    spec = tiny_data(tmp_path / "cache", channels=3).spec
    write_artifact(tmp_path / "model", spec=spec, members=members(tmp_path, bodies=bodies, trials=trials),
                   task="image-clf", metric="accuracy", scores={}, versions={}, run_name="r")  # fmt: skip
    entries = read_manifest(tmp_path / "model").members
    assert len(entries) == files
    assert sum(entry.weight for entry in entries) == pytest.approx(1.0)
    expected = sum(answers(classifier(seed), rows) for seed in range(3)) / 3
    np.testing.assert_allclose(Model.load(tmp_path / "model").predict_scores(rows), expected, atol=1e-5)
