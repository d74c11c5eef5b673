"""ONNX graphs of models that give one number: a linear map, a sum of trees, and the way back to the target's own unit.

Every graph has one input, a dynamic first dimension and one output `values`, float32 (n,). Imported lazily: it needs
`onnx`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper

from automl.candidates.graphs.hinges import Hinges
from automl.candidates.graphs.onnx_graphs import (
    ONE,
    Ends,
    Trees,
    graph_bytes,
    repeated,
    tensor,
    tree_sums,
    widened,
)

OUTPUT = "values"

Shape = Literal["none", "log1p", "arcsinh"]


@dataclass(frozen=True)
class Inverse:
    """The way from what a model learned to predict, z, to the target's own unit: a clipped function of z * std + mean.

    Attributes:
        kind: none: as it is; log1p: exp(u) - 1; arcsinh: sinh(u) * spread.
        mean, std: of the transformed target.
        spread: see kind.
        low, high: what comes out is clipped to.
    """

    kind: Shape
    mean: float
    std: float
    spread: float
    low: float
    high: float

    def shifted(self, base: float) -> Inverse:
        """Return the inverse of z where a model gives z - base."""
        return dataclasses.replace(self, mean=self.mean + base * self.std)


def append_inverse(nodes: list[onnx.NodeProto], tensors: list[onnx.TensorProto], scale: Inverse, source: str) -> None:
    """Add nodes that turn source, float32 (n, 1), into the output `values`, float32 (n,) in the target's own unit.

    It is computed in float64: single precision would lose digits of a target with a large mean, and overflow early.
    """
    known = {"mean": scale.mean, "std": scale.std, "low": scale.low, "high": scale.high, **_constants(scale)}
    tensors += [tensor(f"target_{name}", np.array(value, np.float64)) for name, value in known.items()]
    tensors.append(tensor("target_axis", np.array([1], np.int64)))
    nodes += [
        _node("Squeeze", source, "target_axis", to="target_flat"),
        helper.make_node("Cast", ["target_flat"], ["target_wide"], to=TensorProto.DOUBLE),
        _node("Mul", "target_wide", "target_std", to="target_scaled"),
        _node("Add", "target_scaled", "target_mean", to="target_u"),
        *_undone(scale.kind),
        _node("Clip", "target_y", "target_low", "target_high", to="target_clipped"),
        helper.make_node("Cast", ["target_clipped"], [OUTPUT], to=TensorProto.FLOAT),
    ]


def linear_values(weights: np.ndarray, bias: float, scale: Inverse, hinges: Hinges | None = None) -> bytes:
    """Return the graph of a linear map taken back to the target's own unit.

    Args:
        weights: (columns,), those of hinges last.
        bias: what is added.
        scale: the way back.
        hinges: columns that are appended to those of the input.
    """
    source = widened(hinges)
    nodes = [*source.nodes, helper.make_node("MatMul", [source.name, "weights"], ["sums"])]
    tensors = [*source.tensors, tensor("weights", weights.reshape(-1, 1).astype(np.float32))]
    append_inverse(nodes, tensors, scale.shifted(bias), "sums")
    return graph_bytes(nodes, tensors, values_ends(len(weights) - source.more))


def tree_values(trees: Trees, columns: int, scale: Inverse, base: float = 0.0) -> bytes:
    """Return the graph of base plus the sum of trees with one target, taken back to the target's own unit."""
    nodes, tensors = [tree_sums(trees, 1, "sums")], list[onnx.TensorProto]()
    append_inverse(nodes, tensors, scale.shifted(base), "sums")
    return graph_bytes(nodes, tensors, values_ends(columns))


def constant_value(value: float, columns: int) -> bytes:
    """Return a graph that gives this value for every row of float32 columns, missing values or not."""
    nodes = [*repeated("row", "rows_of_one"), _node("Squeeze", "rows_of_one", "one", to=OUTPUT)]
    tensors = [tensor("row", np.array([[value]], np.float32)), ONE]
    return graph_bytes(nodes, tensors, values_ends(columns))


def values_ends(columns: int) -> Ends:
    """Return the ends of a graph from float32 columns to `values`."""
    return Ends((columns,), (), output=OUTPUT)


def _constants(scale: Inverse) -> dict[str, float]:
    """Return what the nodes of `_undone` need; onnxruntime warns of constants that nothing uses."""
    return {"none": {}, "log1p": {"1": 1.0}, "arcsinh": {"half": scale.spread / 2}}[scale.kind]


def _undone(kind: Shape) -> list[onnx.NodeProto]:
    """Return the nodes from target_u to target_y; sinh is written out, since onnxruntime has it in float32 only."""
    if kind == "none":
        return [_node("Identity", "target_u", to="target_y")]
    grown = _node("Exp", "target_u", to="target_grown")
    if kind == "log1p":
        return [grown, _node("Sub", "target_grown", "target_1", to="target_y")]
    return [
        grown,
        _node("Neg", "target_u", to="target_negated"),
        _node("Exp", "target_negated", to="target_shrunk"),
        _node("Sub", "target_grown", "target_shrunk", to="target_difference"),
        _node("Mul", "target_difference", "target_half", to="target_y"),
    ]


def _node(operator: str, *inputs: str, to: str) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), [to])
