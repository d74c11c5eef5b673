"""ONNX files made to keep a machine busy, to fill it, or to read what lies beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from automl.errors import ArtifactError
from automl.exporters.check import MAX_DEPTH, check_onnx

STANDARD = helper.make_opsetid("", 17)
OWN = helper.make_opsetid("own", 1)


def model(nodes: Sequence[Any], functions: Sequence[Any] = (), initializer: Sequence[Any] = ()) -> bytes:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph(list(nodes), "g", ends[:1], ends[1:], initializer=list(initializer))
    made = helper.make_model(graph, opset_imports=[STANDARD, OWN], functions=list(functions), ir_version=9)
    return bytes(made.SerializeToString())


def function(name: str, *nodes: Any) -> Any:
    return helper.make_function("own", name, ["a"], ["b"], list(nodes), [STANDARD, OWN])


def call(name: str, source: str, target: str) -> Any:
    return helper.make_node(name, [source], [target], domain="own")


def doubling(levels: int) -> list[Any]:
    """Return functions of which each calls the one before twice."""
    first = function("F0", helper.make_node("Relu", ["a"], ["b"]))
    return [first, *(function(f"F{k}", call(f"F{k - 1}", "a", "t"), call(f"F{k - 1}", "t", "b"))
                     for k in range(1, levels))]  # fmt: skip


def loop() -> Any:
    info = helper.make_tensor_value_info
    ends = [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []), info("v", TensorProto.FLOAT, [1])]
    out = [info("co", TensorProto.BOOL, []), info("vo", TensorProto.FLOAT, [1])]
    nodes = [helper.make_node("Identity", ["c"], ["co"]), helper.make_node("Identity", ["v"], ["vo"])]
    return helper.make_node("Loop", ["trips", "go", "x"], ["y"], body=helper.make_graph(nodes, "body", ends, out))


def test_a_loop_is_refused_whatever_its_count() -> None:
    values = {"trips": np.array(2**62), "go": np.array(True)}
    data = model([loop()], initializer=[numpy_helper.from_array(value, name) for name, value in values.items()])

    with pytest.raises(ArtifactError, match=r"m.onnx: operators must end in a time known beforehand. Got Loop"):
        check_onnx(data, "m.onnx")


def test_a_loop_inside_of_a_function_is_refused() -> None:
    values = {"trips": np.array(2**62), "go": np.array(True)}
    constants = [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
                 for name, value in values.items()]  # fmt: skip
    inner = loop()
    inner.input[2], inner.output[0] = "a", "b"

    with pytest.raises(ArtifactError, match="Got Loop"):
        check_onnx(model([call("L", "x", "y")], [function("L", *constants, inner)]), "m.onnx")


@pytest.mark.parametrize("levels", [1, 2, 10])
def test_functions_that_call_functions_pass(levels: int) -> None:
    check_onnx(model([call(f"F{levels - 1}", "x", "y")], doubling(levels)), "m.onnx")


def test_functions_that_double_twenty_times_are_counted_as_what_they_become() -> None:
    with pytest.raises(ArtifactError, match=r"functions call each other|at most 200000 operators are run. Got"):
        check_onnx(model([call("F29", "x", "y")], doubling(30)), "m.onnx")


def test_many_calls_in_few_levels_are_counted_too() -> None:
    functions = doubling(2)
    for k in range(2, 8):
        steps = [call(f"F{k - 1}", "a" if n == 0 else f"t{n}", "b" if n == 9 else f"t{n + 1}") for n in range(10)]
        functions.append(function(f"F{k}", *steps))

    with pytest.raises(ArtifactError, match=r"at most 200000 operators are run. Got 2000000"):
        check_onnx(model([call("F7", "x", "y")], functions), "m.onnx")


def test_a_function_that_calls_itself_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"m.onnx: .*(never themselves|a valid ONNX file)"):
        check_onnx(model([call("R", "x", "y")], [function("R", call("R", "a", "b"))]), "m.onnx")


def test_functions_that_call_each_other_in_a_circle_are_refused() -> None:
    functions = [function("A", call("B", "a", "b")), function("B", call("A", "a", "b"))]

    with pytest.raises(ArtifactError, match=r"m.onnx: .*(never themselves|a valid ONNX file)"):
        check_onnx(model([call("A", "x", "y")], functions), "m.onnx")


def test_a_long_chain_of_functions_is_refused_without_deep_recursion() -> None:
    chain = [function("F0", helper.make_node("Relu", ["a"], ["b"]))]
    chain += [function(f"F{k}", call(f"F{k - 1}", "a", "b")) for k in range(1, 50)]

    with pytest.raises(ArtifactError, match=f"at most {MAX_DEPTH} deep"):
        check_onnx(model([call("F49", "x", "y")], chain), "m.onnx")


def test_a_foreign_operator_is_not_excused_by_a_function_of_another_name() -> None:
    functions = [function("Mine", helper.make_node("Relu", ["a"], ["b"]))]

    with pytest.raises(ArtifactError, match=r"operators must be of ai.onnx or ai.onnx.ml. Got own:Yours"):
        check_onnx(model([call("Yours", "x", "y")], functions), "m.onnx")


def test_sparse_constants_must_lie_in_the_file_too() -> None:
    values = numpy_helper.from_array(np.ones(1, np.float32), "v")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.array([0]), "i"), [1])
    sparse.values.ClearField("raw_data")
    sparse.values.data_location = TensorProto.EXTERNAL
    sparse.values.external_data.add(key="location", value="../../etc/passwd")
    nodes = [helper.make_node("Constant", [], ["k"], sparse_value=sparse), helper.make_node("Add", ["x", "k"], ["y"])]

    with pytest.raises(ArtifactError, match=r"external data|a valid ONNX file is needed"):
        check_onnx(model(nodes), "m.onnx")


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_are_refused_or_pass_but_never_crash(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(model([call("F2", "x", "y")], doubling(3)))
    for place in rng.integers(0, len(data), 3):
        data[place] = int(rng.integers(256))
    cut = int(rng.integers(1, len(data) + 1)) if seed % 3 == 0 else len(data)
    with contextlib.suppress(ArtifactError):
        check_onnx(bytes(data[:cut]), "m.onnx")
