"""ONNX graphs of models that are a constant, a linear map or a sum of trees; written node by node.

Written by hand because importing the converters costs 2.5 CPU-seconds in every worker, and because a converter gives
the labels and a map of probabilities where one tensor is wanted. Every graph has one input, a dynamic first dimension
and one output: here `probabilities`, float32 (n, classes); numbers are in `onnx_values`. Imported lazily: it needs
`onnx`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from automl.candidates.graphs.hinges import Hinges

INPUT = "input"
OUTPUT = "probabilities"
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_EQ")
"""What a node of a tree may test: column <= threshold, column < threshold, column == threshold."""

_OPSETS = {"": 17, "ai.onnx.ml": 1}
_IR_VERSION = 8
_NEVER = -1e9  # a score whose softmax is exactly 0


@dataclass(frozen=True)
class Trees:
    """The nodes of several trees, one entry per node; a node tests its column and goes left if the test holds.

    onnxruntime answers a missing value by `missing_left` for every mode, and a node may have several parents: 600 trees
    of mixed modes, with chains of equalities that share their left node, were routed as written.

    Attributes:
        tree: which tree a node belongs to. A tree's nodes are numbered 0, 1, … from its root in the order given.
        column: the feature that is tested; -1 marks a leaf.
        threshold: float64; rounded to float32 on export such that every float32 feature is decided the same.
        left, right: node numbers within the tree.
        leaf: for each weight, the row of its leaf in these arrays; a leaf may have several weights.
        target: for each weight, the class it is added to.
        weight: the weights.
        mode: for each node one of `MODES`, what it tests; None tests `column <= threshold` everywhere.
        missing_left: for each node whether a missing value (NaN) goes left; None sends all of them right.
    """

    tree: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    mode: np.ndarray | None = None
    missing_left: np.ndarray | None = None


def constant(probabilities: np.ndarray, shape: tuple[int, ...]) -> bytes:
    """Return a graph that gives these probabilities for every uint8 image of shape (height, width, channels)."""
    tensors = [tensor("row", probabilities[None].astype(np.float32))]
    return graph_bytes(repeated("row", OUTPUT), [*tensors, ONE], Ends(shape, (len(probabilities),), TensorProto.UINT8))


def constant_probabilities(probabilities: np.ndarray, columns: int) -> bytes:
    """Return a graph that gives these probabilities for every row of float32 columns, missing values or not."""
    tensors = [tensor("row", probabilities[None].astype(np.float32))]
    return graph_bytes(repeated("row", OUTPUT), [*tensors, ONE], Ends((columns,), (len(probabilities),)))


def linear_softmax(weights: np.ndarray, bias: np.ndarray, present: np.ndarray, hinges: Hinges | None = None) -> bytes:
    """Return the graph of softmax(x @ weights + bias), with probability 0 for classes that were not there to learn.

    Args:
        weights: (columns, classes present), those of hinges last.
        bias: (classes present,).
        present: (classes,) whether a class is one of them.
        hinges: columns that are appended to those of the input.
    """
    full = np.zeros((len(weights), len(present)), np.float32)
    full[:, present] = weights
    source = widened(hinges)
    nodes = [*source.nodes, helper.make_node("Gemm", [source.name, "weights", "bias"], ["scores"]), _softmax()]
    tensors = [*source.tensors, tensor("weights", full), tensor("bias", _spread(bias, present))]
    return graph_bytes(nodes, tensors, Ends((len(weights) - source.more,), (len(present),)))


def tree_mean(trees: Trees, columns: int, classes: int) -> bytes:
    """Return the graph of trees whose leaf weights already sum to probabilities."""
    return graph_bytes([tree_sums(trees, classes, OUTPUT)], [], Ends((columns,), (classes,)))


def tree_softmax(trees: Trees, columns: int, present: np.ndarray) -> bytes:
    """Return the graph of softmax(sum of trees), with probability 0 for classes that are not present."""
    nodes = [
        tree_sums(trees, len(present), "sums"),
        helper.make_node("Add", ["sums", "bias"], ["scores"]),
        _softmax(),
    ]
    tensors = [tensor("bias", _spread(np.zeros(int(present.sum())), present))]
    return graph_bytes(nodes, tensors, Ends((columns,), (len(present),)))


def _softmax() -> onnx.NodeProto:
    return helper.make_node("Softmax", ["scores"], [OUTPUT], axis=1)


def _spread(bias: np.ndarray, present: np.ndarray) -> np.ndarray:
    full = np.full(len(present), _NEVER, np.float32)
    full[present] = bias
    return full


class Source(NamedTuple):
    """The columns that a linear map reads: nodes and constants that make them, their name, and how many are added."""

    nodes: tuple[onnx.NodeProto, ...]
    tensors: tuple[onnx.TensorProto, ...]
    name: str
    more: int


def widened(hinges: Hinges | None) -> Source:
    """Return the input with the hinges appended, as `Hinges.appended` does."""
    if hinges is None or not len(hinges.columns):
        return Source((), (), INPUT, 0)
    nodes = (
        helper.make_node("Gather", [INPUT, "hinge_columns"], ["hinge_values"], axis=1),
        helper.make_node("Sub", ["hinge_values", "hinge_points"], ["hinge_beyond"]),
        helper.make_node("Relu", ["hinge_beyond"], ["hinges"]),
        helper.make_node("Concat", [INPUT, "hinges"], ["widened"], axis=1),
    )
    points = hinges.points.astype(np.float32)[None]
    tensors = (tensor("hinge_columns", hinges.columns.astype(np.int64)), tensor("hinge_points", points))
    return Source(nodes, tensors, "widened", len(hinges.columns))


def tensor(name: str, values: np.ndarray | np.generic) -> onnx.TensorProto:
    """Return a constant of a graph."""
    return numpy_helper.from_array(np.asarray(values), name)


ONE = tensor("one", np.array([1], np.int64))
"""The constant that `repeated` needs."""


def repeated(row: str, output: str) -> list[onnx.NodeProto]:
    """Return nodes that give the tensor row, (1, m), once for each row of the input."""
    return [
        helper.make_node("Shape", [INPUT], ["rows"], start=0, end=1),
        helper.make_node("Concat", ["rows", "one"], ["shape"], axis=0),
        helper.make_node("Expand", [row, "shape"], [output]),
    ]


@dataclass(frozen=True)
class Ends:
    """What goes into a graph and what comes out.

    Attributes:
        row: shape of a row of the input; a name where it varies.
        scores: shape of a row of the output; (classes,), or () for one number.
        dtype: of the input, as ONNX numbers types.
        output: name of the output.
    """

    row: tuple[int | str, ...]
    scores: tuple[int, ...]
    dtype: int = TensorProto.FLOAT
    output: str = OUTPUT


def graph_bytes(nodes: Sequence[onnx.NodeProto], tensors: Sequence[onnx.TensorProto], ends: Ends) -> bytes:
    """Return a checked, serialized graph with a dynamic number of rows."""
    graph = helper.make_graph(
        list(nodes),
        "model",
        [helper.make_tensor_value_info(INPUT, ends.dtype, ["n", *ends.row])],
        [helper.make_tensor_value_info(ends.output, TensorProto.FLOAT, ["n", *ends.scores])],
        list(tensors),
    )
    used = {node.domain for node in nodes} | {""}
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items() if domain in used]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="automl")
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def tree_sums(trees: Trees, targets: int, output: str) -> onnx.NodeProto:
    """Return the node that gives the sum of the trees' weights for each target, float32 (n, targets).

    Source: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html.
    """
    is_leaf = trees.column < 0
    number = _numbers_within(trees.tree)
    mode = np.full(len(is_leaf), MODES[0], "S16") if trees.mode is None else trees.mode.astype("S16")
    threshold = np.where(is_leaf, 0.0, _as_float32(trees.threshold, mode))
    node = helper.make_node(
        "TreeEnsembleRegressor", [INPUT], [output], domain="ai.onnx.ml", n_targets=targets, aggregate_function="SUM"
    )
    modes = node.attribute.add(name="nodes_modes", type=onnx.AttributeProto.STRINGS)
    modes.strings.extend(np.where(is_leaf, b"LEAF", mode).tolist())
    _numbers(node, "nodes_treeids", trees.tree)
    _numbers(node, "nodes_nodeids", number)
    _numbers(node, "nodes_featureids", np.where(is_leaf, 0, trees.column))
    _numbers(node, "nodes_values", threshold)
    _numbers(node, "nodes_truenodeids", np.where(is_leaf, 0, trees.left))
    _numbers(node, "nodes_falsenodeids", np.where(is_leaf, 0, trees.right))
    if trees.missing_left is not None:
        _numbers(node, "nodes_missing_value_tracks_true", np.where(is_leaf, 0, trees.missing_left))
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


def _as_float32(threshold: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """Return float32 thresholds that decide every float32 value as these do; `<` rounds up, all else down.

    An equality with what is no float32 never holds, rounded down it might: such trees are refused.

    Raises:
        ValueError: an equality has a threshold that is no float32.
    """
    rounded = threshold.astype(np.float32)
    below = np.where(rounded.astype(np.float64) > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)
    above = np.where(rounded.astype(np.float64) < threshold, np.nextafter(rounded, np.float32(np.inf)), rounded)
    is_uneven = (mode == b"BRANCH_EQ") & (below != above)
    if is_uneven.any():
        raise ValueError(f"trees: a category must be a float32. Got {threshold[is_uneven][:5].tolist()}.")
    return np.where(mode == b"BRANCH_LT", above, below)
