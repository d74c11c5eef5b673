"""ONNX files from strangers are looked through before a runtime sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from automl.errors import ArtifactError
from automl.exporters import check
from automl.exporters.check import check_onnx
from automl.testing.tiny import linear_onnx


def model_of(nodes: list[Any], **more: Any) -> Any:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 17), *more.pop("opsets", [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, **more)


def nested(inner: Any) -> Any:
    """A model with a node inside the branch of an If."""
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])
    branch = helper.make_graph([inner], "branch", [], [out])
    condition = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", TensorProto.BOOL, [], [1]))
    return model_of([condition, helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)],
                    opsets=[helper.make_opsetid("evil", 1)])  # fmt: skip


def external(model: Any) -> Any:
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return model


def linear() -> Any:
    return onnx.load_model_from_string(linear_onnx((8, 8, 1), 3))


@pytest.mark.parametrize(
    "model",
    [
        linear(),
        model_of([helper.make_node("Relu", ["x"], ["y"])]),
        model_of([helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", scale=[2.0], offset=[0.0])],
                 opsets=[helper.make_opsetid("ai.onnx.ml", 3)]),
        nested(helper.make_node("Relu", ["x"], ["z"])),
    ],
    ids=["linear", "relu", "ml", "nested"],
)  # fmt: skip
def test_standard_models_pass(model: Any) -> None:
    check_onnx(model.SerializeToString(), "m.onnx")


def test_local_functions_of_standard_operators_pass() -> None:
    body = [helper.make_node("Relu", ["a"], ["b"])]
    function = helper.make_function("mine", "Mine", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    model = model_of([helper.make_node("Mine", ["x"], ["y"], domain="mine")], functions=[function],
                     opsets=[helper.make_opsetid("mine", 1)])  # fmt: skip

    check_onnx(model.SerializeToString(), "m.onnx")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: model_of([helper.make_node("Run", ["x"], ["y"], domain="evil")],
                          opsets=[helper.make_opsetid("evil", 1)]),
         "operators must be of ai.onnx or ai.onnx.ml. Got evil:Run"),
        (lambda: nested(helper.make_node("Run", ["x"], ["z"], domain="evil")), "Got evil:Run"),
        (lambda: external(linear()), "external data|a valid ONNX file is needed"),
    ],
    ids=["foreign-operator", "foreign-operator-in-a-branch", "external-data"],
)  # fmt: skip
def test_what_reaches_outside_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ArtifactError, match=f"m.onnx: .*({message})"):
        check_onnx(make().SerializeToString(), "m.onnx")


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x80\x04cos\nsystem\n."], ids=["empty", "garbage", "pickle"])
def test_what_is_no_onnx_is_refused(data: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"m.onnx: a valid ONNX file is needed"):
        check_onnx(data, "m.onnx")


@pytest.mark.parametrize(
    ("bound", "message"), [("MAX_NODES", "at most 1 operators are run. Got 5"), ("MAX_BYTES", "at most 1 bytes")]
)
def test_models_beyond_the_bounds_are_refused(monkeypatch: pytest.MonkeyPatch, bound: str, message: str) -> None:
    monkeypatch.setattr(check, bound, 1)

    with pytest.raises(ArtifactError, match=f"m.onnx: {message}"):
        check_onnx(linear().SerializeToString(), "m.onnx")


def test_graphs_nested_too_deep_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MAX_DEPTH", 0)

    with pytest.raises(ArtifactError, match=r"graphs are nested at most 0 deep. Got more than 0"):
        check_onnx(nested(helper.make_node("Relu", ["x"], ["z"])).SerializeToString(), "m.onnx")
