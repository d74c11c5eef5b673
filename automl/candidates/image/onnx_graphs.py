"""ONNX graphs of models that are a constant, a linear map or a sum of trees; written node by node.

Written by hand because importing the converters costs 2.5 CPU-seconds in every worker, and because a converter gives
the labels and a map of probabilities where one tensor is wanted. Every graph has one input, a dynamic first dimension
and one output `probabilities`, float32 (n, classes). Imported lazily: it needs `onnx`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUT = "input"
OUTPUT = "probabilities"

_OPSETS = {"": 17, "ai.onnx.ml": 1}
_IR_VERSION = 8
_NEVER = -1e9  # a score whose softmax is exactly 0


@dataclass(frozen=True)
class Trees:
    """The nodes of several trees, one entry per node; a node tests `column <= threshold` and goes left if so.

    Attributes:
        tree: which tree a node belongs to. A tree's nodes are numbered 0, 1, … from its root in the order given.
        column: the feature that is tested; -1 marks a leaf.
        threshold: float64; rounded down to float32 on export, which decides the same for every float32 feature.
        left, right: node numbers within the tree.
        leaf: for each weight, the row of its leaf in these arrays; a leaf may have several weights.
        target: for each weight, the class it is added to.
        weight: the weights.
    """

    tree: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray
    target: np.ndarray
    weight: np.ndarray


def constant(probabilities: np.ndarray, shape: tuple[int, ...]) -> bytes:
    """Return a graph that gives these probabilities for every uint8 image of shape (height, width, channels)."""
    nodes = [
        helper.make_node("Shape", [INPUT], ["rows"], start=0, end=1),
        helper.make_node("Concat", ["rows", "one"], ["shape"], axis=0),
        helper.make_node("Expand", ["row", "shape"], [OUTPUT]),
    ]
    tensors = [_tensor("one", np.array([1], np.int64)), _tensor("row", probabilities[None].astype(np.float32))]
    return _model(nodes, tensors, TensorProto.UINT8, shape, len(probabilities))


def linear_softmax(weights: np.ndarray, bias: np.ndarray, present: np.ndarray) -> bytes:
    """Return the graph of softmax(x @ weights + bias), with probability 0 for classes that were not there to learn.

    Args:
        weights: (columns, classes present).
        bias: (classes present,).
        present: (classes,) whether a class is one of them.
    """
    columns = len(weights)
    full = np.zeros((columns, len(present)), np.float32)
    full[:, present] = weights
    nodes = [helper.make_node("Gemm", [INPUT, "weights", "bias"], ["scores"]), _softmax()]
    tensors = [_tensor("weights", full), _tensor("bias", _spread(bias, present))]
    return _model(nodes, tensors, TensorProto.FLOAT, (columns,), len(present))


def tree_mean(trees: Trees, columns: int, classes: int) -> bytes:
    """Return the graph of trees whose leaf weights already sum to probabilities."""
    return _model([_ensemble(trees, classes, OUTPUT)], [], TensorProto.FLOAT, (columns,), classes)


def tree_softmax(trees: Trees, columns: int, present: np.ndarray) -> bytes:
    """Return the graph of softmax(sum of trees), with probability 0 for classes that are not present."""
    nodes = [
        _ensemble(trees, len(present), "sums"),
        helper.make_node("Add", ["sums", "bias"], ["scores"]),
        _softmax(),
    ]
    tensors = [_tensor("bias", _spread(np.zeros(int(present.sum())), present))]
    return _model(nodes, tensors, TensorProto.FLOAT, (columns,), len(present))


def _softmax() -> onnx.NodeProto:
    return helper.make_node("Softmax", ["scores"], [OUTPUT], axis=1)


def _spread(bias: np.ndarray, present: np.ndarray) -> np.ndarray:
    full = np.full(len(present), _NEVER, np.float32)
    full[present] = bias
    return full


def _tensor(name: str, values: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(values, name)


def _model(
    nodes: Sequence[onnx.NodeProto], tensors: Sequence[onnx.TensorProto], dtype: int, row: tuple[int, ...], classes: int
) -> bytes:
    graph = helper.make_graph(
        list(nodes),
        "model",
        [helper.make_tensor_value_info(INPUT, dtype, ["n", *row])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", classes])],
        list(tensors),
    )
    used = {node.domain for node in nodes} | {""}
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items() if domain in used]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="automl")
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def _ensemble(trees: Trees, classes: int, output: str) -> onnx.NodeProto:
    """Return the TreeEnsembleRegressor node: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html."""
    is_leaf = trees.column < 0
    number = _numbers_within(trees.tree)
    threshold = np.where(is_leaf, 0.0, _float32_below(trees.threshold))
    node = helper.make_node(
        "TreeEnsembleRegressor", [INPUT], [output], domain="ai.onnx.ml", n_targets=classes, aggregate_function="SUM"
    )
    modes = node.attribute.add(name="nodes_modes", type=onnx.AttributeProto.STRINGS)
    modes.strings.extend([b"LEAF" if leaf else b"BRANCH_LEQ" for leaf in is_leaf.tolist()])
    _numbers(node, "nodes_treeids", trees.tree)
    _numbers(node, "nodes_nodeids", number)
    _numbers(node, "nodes_featureids", np.where(is_leaf, 0, trees.column))
    _numbers(node, "nodes_values", threshold)
    _numbers(node, "nodes_truenodeids", np.where(is_leaf, 0, trees.left))
    _numbers(node, "nodes_falsenodeids", np.where(is_leaf, 0, trees.right))
    _numbers(node, "target_treeids", trees.tree[trees.leaf])
    _numbers(node, "target_nodeids", number[trees.leaf])
    _numbers(node, "target_ids", trees.target)
    _numbers(node, "target_weights", trees.weight.astype(np.float32))
    return node


def _numbers(node: onnx.NodeProto, name: str, values: np.ndarray) -> None:
    """Add an attribute; 20 times faster than `helper.make_node`, which looks at every number."""
    if values.dtype.kind == "f":
        node.attribute.add(name=name, type=onnx.AttributeProto.FLOATS).floats.extend(values.tolist())
    else:
        node.attribute.add(name=name, type=onnx.AttributeProto.INTS).ints.extend(values.tolist())


def _numbers_within(tree: np.ndarray) -> np.ndarray:
    """Return 0, 1, … within each run of equal tree numbers."""
    starts = np.flatnonzero(np.r_[True, tree[1:] != tree[:-1]])
    return np.arange(len(tree)) - np.repeat(starts, np.diff(np.r_[starts, len(tree)]))


def _float32_below(values: np.ndarray) -> np.ndarray:
    """Return the largest float32 that is not above each value."""
    rounded = values.astype(np.float32)
    return np.where(rounded.astype(np.float64) > values, np.nextafter(rounded, np.float32(-np.inf)), rounded)
