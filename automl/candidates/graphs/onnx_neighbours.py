"""ONNX graphs that hold rows and answer by the nearest of them. Imported lazily: it needs `onnx`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from automl.candidates.graphs.onnx_graphs import INPUT, OUTPUT, Ends, graph_bytes, tensor
from automl.candidates.graphs.onnx_values import Inverse, append_inverse, values_ends

_LEAST_DISTANCE = 1e-3  # relative to the k-th nearest; below it rounding decides
_TINY = 1e-12


@dataclass(frozen=True)
class Neighbours:
    """Rows to be compared with, and how those that are near count.

    Attributes:
        points: (stored, columns) float32, scaled.
        scale: (columns,) what a new row is multiplied by first.
        k: how many nearest rows answer.
        power: they count by 1 / distance ** power; 0 lets all count alike.
        weights: (stored,) of the rows themselves; None lets all count alike.
    """

    points: np.ndarray
    scale: np.ndarray
    k: int
    power: float
    weights: np.ndarray | None


def nearest_probabilities(near: Neighbours, codes: np.ndarray, prior: np.ndarray) -> bytes:
    """Return the graph of class shares among the nearest rows and one more row that is spread as the prior.

    Args:
        near: the rows.
        codes: (stored,) their classes.
        prior: (classes,) shares in training; without it a class that no neighbour has would have probability 0.
    """
    nodes, tensors = _nearest(near)
    hot = np.zeros((len(codes), len(prior)), np.float32)
    hot[np.arange(len(codes)), codes] = 1
    tensors += [tensor("answers", hot), tensor("prior", (prior / (1 + near.k)).astype(np.float32)[None])]
    tensors.append(tensor("share", np.float32(near.k / (1 + near.k))))
    nodes += [
        *_mean(),
        _node("Mul", "mean", "share", to="scaled"),
        _node("Add", "scaled", "prior", to=OUTPUT),
    ]
    return graph_bytes(nodes, tensors, Ends((len(near.scale),), (len(prior),)))


def nearest_values(near: Neighbours, values: np.ndarray, scale: Inverse) -> bytes:
    """Return the graph of the mean value (stored,) of the nearest rows, taken back to the target's own unit."""
    nodes, tensors = _nearest(near)
    tensors.append(tensor("answers", values.astype(np.float32)[:, None]))
    nodes += _mean()
    append_inverse(nodes, tensors, scale, "mean")
    return graph_bytes(nodes, tensors, values_ends(len(near.scale)))


def _nearest(near: Neighbours) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return nodes and constants that end in `nearest`, (n, k) row numbers, and `counts`, (n, 1, k) what they count.

    Squared distances are |q|^2 - 2 q s + |s|^2 around the middle of the stored rows, where least is lost by rounding.
    """
    points = np.asarray(near.points, np.float64)
    middle = points.mean(axis=0)
    points = points - middle
    tensors = [
        tensor("scale", near.scale.astype(np.float32)[None]),
        tensor("middle", middle.astype(np.float32)[None]),
        tensor("points", np.ascontiguousarray(-2 * points.T, dtype=np.float32)),
        tensor("norms", (points**2).sum(axis=1).astype(np.float32)[None]),
        tensor("k", np.array([near.k], np.int64)),
        tensor("axis", np.array([1], np.int64)),
    ]
    nodes = [
        _node("Mul", INPUT, "scale", to="stretched"),
        _node("Sub", "stretched", "middle", to="query"),
        _node("MatMul", "query", "points", to="products"),
        _node("Add", "products", "norms", to="ranks"),
        helper.make_node("TopK", ["ranks", "k"], ["lowest", "nearest"], axis=1, largest=0, sorted=1),
    ]
    return nodes + _counts(near, tensors), tensors


def _counts(near: Neighbours, tensors: list[onnx.TensorProto]) -> list[onnx.NodeProto]:
    """Return the nodes from `lowest` and `nearest` to `counts`, which sum to one in each row."""
    nodes, source = [], "alike"
    if near.power:
        tensors += [tensor("power", np.float32(-near.power / 2)), tensor("tiny", np.float32(_TINY))]
        tensors += [tensor("floor", np.float32(_LEAST_DISTANCE**2)), tensor("last", np.array([near.k - 1], np.int64))]
        nodes += [
            helper.make_node("ReduceSumSquare", ["query"], ["own"], axes=[1], keepdims=1),
            _node("Add", "lowest", "own", to="squares"),
            helper.make_node("Gather", ["squares", "last"], ["farthest"], axis=1),
            _node("Max", "farthest", "tiny", to="unit"),
            _node("Div", "squares", "unit", to="relative"),
            _node("Max", "relative", "floor", to="floored"),
            _node("Pow", "floored", "power", to="by_distance"),
        ]
        source = "by_distance"
    else:
        tensors += [tensor("nothing", np.float32(0)), tensor("one", np.float32(1))]
        nodes += [_node("Mul", "lowest", "nothing", to="zeros"), _node("Add", "zeros", "one", to="alike")]
    if near.weights is not None:
        tensors.append(tensor("weights", np.maximum(near.weights, _TINY).astype(np.float32)))
        nodes += [
            helper.make_node("Gather", ["weights", "nearest"], ["own_weights"], axis=0),
            _node("Mul", source, "own_weights", to="weighted"),
        ]
        source = "weighted"
    return [
        *nodes,
        _node("ReduceSum", source, "axis", to="total"),
        _node("Div", source, "total", to="counts_flat"),
        _node("Unsqueeze", "counts_flat", "axis", to="counts"),
    ]


def _mean() -> list[onnx.NodeProto]:
    """Return the nodes from `nearest` and `counts` to `mean`, (n, outputs), of the stored `answers`."""
    return [
        helper.make_node("Gather", ["answers", "nearest"], ["found"], axis=0),
        _node("MatMul", "counts", "found", to="mean_wide"),
        _node("Squeeze", "mean_wide", "axis", to="mean"),
    ]


def _node(operator: str, *inputs: str, to: str) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), [to])
