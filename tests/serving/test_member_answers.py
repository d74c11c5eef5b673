"""What a member may answer: finite probabilities, one row per image."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from automl.serving.errors import ModelError
from automl.serving.model import Model
from automl.testing.tiny import tiny_artifact

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("model")
    tiny_artifact(root / "model", root / "cache")
    return root / "model"


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "model"))


def put(folder: Path, data: bytes, **entry: Any) -> None:
    """Put another first member into the folder, with the right hash."""
    name, path = "members/00.onnx", folder / "manifest.json"
    (folder / name).write_bytes(data)
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    facts["members"][0].update(entry)
    path.write_text(json.dumps(facts), encoding="utf-8")


def graph(*nodes: Any, out: int = TensorProto.FLOAT, source: int = TensorProto.UINT8,
          batch: object = "n", **constants: np.ndarray) -> bytes:  # fmt: skip
    """Return a model of nodes that turn `r`, float32 rows of 64 pixels, into `probabilities`."""
    constants = {"flat": np.array([-1, 64]), **constants}
    start = [helper.make_node("Cast", ["input"], ["f"], to=TensorProto.FLOAT),
             helper.make_node("Reshape", ["f", "flat"], ["r"])]  # fmt: skip
    ends = [helper.make_tensor_value_info("input", source, [batch, 8, 8, 1]),
            helper.make_tensor_value_info("probabilities", out, None)]  # fmt: skip
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    made = helper.make_graph([*start, *nodes], "g", ends[:1], ends[1:], initializer=weights)
    opset = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(made, opset_imports=opset, ir_version=9).SerializeToString())


def product(value: float) -> bytes:
    """Return a model that answers `value` times the sum of the pixels, for three classes."""
    weights = np.full((64, 3), value, np.float32)
    return graph(helper.make_node("MatMul", ["r", "W"], ["probabilities"]), W=weights)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "must be finite numbers"),
        (float("inf"), "must be finite numbers"),
        (1.0, r"must be probabilities in \[0, 1\]. Got values in"),
        (-1.0, r"must be probabilities in \[0, 1\]. Got values in \[-"),
        (1e30, "must be probabilities"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(folder: Path, value: float, message: str) -> None:
    put(folder, product(value))

    with pytest.raises(ModelError, match=f"members/00.onnx: output 'probabilities' {message}"):
        Model.load(folder).predict_scores(IMAGES)


def test_a_member_that_answers_numbers_has_no_classes(folder: Path) -> None:
    put(folder, product(1.0), output_kind="values")

    with pytest.raises(ModelError, match=r"output_kind must be probabilities for 3 classes. Got 'values'"):
        Model.load(folder)


def test_texts_are_no_answer(folder: Path) -> None:
    put(folder, graph(helper.make_node("Cast", ["r"], ["probabilities"], to=TensorProto.STRING),
                      out=TensorProto.STRING))  # fmt: skip

    with pytest.raises(ModelError, match="must be finite numbers of shape"):
        Model.load(folder).predict_scores(IMAGES)


@pytest.mark.parametrize("classes", [1, 2, 4, 64])
def test_another_number_of_classes_is_refused(folder: Path, classes: int) -> None:
    weights = np.zeros((64, classes), np.float32)
    put(folder, graph(helper.make_node("MatMul", ["r", "W"], ["probabilities"]), W=weights))

    with pytest.raises(ModelError, match=rf"of shape \(4, 3\). Got float32 \(4, {classes}\)"):
        Model.load(folder).predict_scores(IMAGES)


def test_a_model_for_one_row_only_is_refused(folder: Path) -> None:
    put(folder, graph(helper.make_node("MatMul", ["r", "W"], ["probabilities"]), batch=1,
                      W=np.zeros((64, 3), np.float32)))  # fmt: skip

    with pytest.raises(ModelError, match="onnxruntime cannot run it"):
        Model.load(folder).predict_scores(IMAGES)


def test_a_model_for_another_type_of_pixels_is_refused(folder: Path) -> None:
    put(folder, graph(helper.make_node("MatMul", ["r", "W"], ["probabilities"]), source=TensorProto.DOUBLE,
                      W=np.zeros((64, 3), np.float32)))  # fmt: skip

    with pytest.raises(ModelError, match="onnxruntime cannot run it"):
        Model.load(folder).predict_scores(IMAGES)


def test_a_tensor_larger_than_the_machine_is_an_error_not_a_crash(folder: Path, capfd: pytest.CaptureFixture[str]
                                                                  ) -> None:  # fmt: skip
    put(
        folder,
        graph(
            helper.make_node("ConstantOfShape", ["huge"], ["big"]),
            helper.make_node("ReduceSum", ["big"], ["probabilities"]),
            huge=np.array([2**25, 2**26]),
        ),
    )

    with pytest.raises(ModelError, match="onnxruntime cannot run it"):
        Model.load(folder).predict_scores(IMAGES)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 257, 600])
def test_any_number_of_rows_is_computed_in_batches(original: Path, rows: int) -> None:
    X = np.random.default_rng(rows).integers(0, 256, (rows, 8, 8, 1), dtype=np.uint8)
    model = Model.load(original)

    found = model.predict_scores(X)

    assert found.shape == (rows, 3)
    np.testing.assert_array_equal(found[-3:], model.predict_scores(X[-3:]))
