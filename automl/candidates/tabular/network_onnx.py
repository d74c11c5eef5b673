"""A trained network for tables as an ONNX graph, written node by node. Imports torch and onnx: load lazily."""

from __future__ import annotations

import math

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from automl.candidates.graphs.onnx_graphs import INPUT, OUTPUT, Ends, graph_bytes
from automl.candidates.graphs.onnx_values import Inverse, append_inverse, values_ends
from automl.candidates.tabular.network_layers import Codes, Periodic, PiecewiseLinear, Shared, TableNetwork
from automl.candidates.training.onnx_graph import Writer

_NEVER = -1e9  # a logit whose softmax is exactly 0


def probabilities_graph(network: TableNetwork, present: np.ndarray) -> bytes:
    """Return the graph from float32 columns to the mean of the members' probabilities, (n, classes).

    Args:
        network: with one output for each class that is present, in the order of their codes.
        present: (classes,) whether a class had rows to learn from; others get probability 0.
    """
    writer = Writer()
    weight, bias = _numpy(network.heads.weight), _numpy(network.heads.bias)
    wide = np.zeros((*weight.shape[:2], len(present)), np.float32)
    low = np.full((len(bias), 1, len(present)), _NEVER, np.float32)
    wide[:, :, present], low[:, :, present] = weight, bias
    shares = writer.node("Softmax", _outputs(network, writer, wide, low), axis=2)
    writer.nodes.append(helper.make_node("ReduceMean", [shares], [OUTPUT], axes=[0], keepdims=0))
    return graph_bytes(writer.nodes, writer.constants, Ends((network.layout.width,), (len(present),)))


def values_graph(network: TableNetwork, scale: Inverse) -> bytes:
    """Return the graph from float32 columns to the mean of the members' values in the target's own unit, (n,)."""
    writer = Writer()
    outputs = _outputs(network, writer, _numpy(network.heads.weight), _numpy(network.heads.bias))
    mean = writer.node("ReduceMean", outputs, axes=[0], keepdims=0)
    nodes: list[onnx.NodeProto] = writer.nodes
    append_inverse(nodes, writer.constants, scale, mean)
    return graph_bytes(nodes, writer.constants, values_ends(network.layout.width))


def _outputs(network: TableNetwork, writer: Writer, weight: np.ndarray, bias: np.ndarray) -> str:
    """Write all up to the members' outputs, (members, rows, outputs), with these weights of the heads."""
    x = writer.node("Unsqueeze", _embedded(network, writer), _whole(writer, 0))
    if network.first is not None:
        x = writer.node("Mul", x, writer.constant(_numpy(network.first)))
    for layer in network.body:
        assert isinstance(layer, Shared), layer
        x = writer.node("Relu", _shared(layer, writer, x))
    return writer.node("Add", writer.node("MatMul", x, writer.constant(weight)), writer.constant(bias))


def _shared(layer: Shared, writer: Writer, x: str) -> str:
    if layer.scale_in is not None:
        x = writer.node("Mul", x, writer.constant(_numpy(layer.scale_in)))
    x = writer.node("MatMul", x, writer.constant(_numpy(layer.weight)))
    if layer.scale_out is not None:
        x = writer.node("Mul", x, writer.constant(_numpy(layer.scale_out)))
    return writer.node("Add", x, writer.constant(_numpy(layer.bias)))


def _embedded(network: TableNetwork, writer: Writer) -> str:
    """Write what the first layer reads, (rows, inputs)."""
    layout, parts = network.layout, list[str]()
    if layout.numbers:
        numbers = _columns(writer, layout.numbers)
        parts.append(numbers if network.numbers is None else _numbers(network.numbers, writer, numbers))
    if layout.plain:
        parts.append(_columns(writer, layout.plain))
    if network.codes is not None:
        parts.append(_codes(network.codes, writer, _columns(writer, tuple(code.column for code in layout.codes))))
    return writer.node("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]


def _columns(writer: Writer, places: tuple[int, ...]) -> str:
    return writer.node("Gather", INPUT, _whole(writer, *places), axis=1)


def _numbers(embedding: PiecewiseLinear | Periodic, writer: Writer, x: str) -> str:
    """Write the embedding of numbers, (rows, numbers) → (rows, numbers * width)."""
    if isinstance(embedding, PiecewiseLinear):
        return _flat(writer, _piecewise(embedding, writer, x), embedding.bias.numel())
    frequency = _numpy(embedding.frequency)
    column = writer.node("Unsqueeze", x, _whole(writer, 2))
    angle = writer.node("Mul", column, writer.constant(frequency * np.float32(2 * math.pi)))
    waves = writer.node("Concat", writer.node("Cos", angle), writer.node("Sin", angle), axis=2)
    mixed = writer.node("MatMul", waves, writer.constant(_numpy(embedding.linear.weight).T))
    shifted = writer.node("Add", mixed, writer.constant(_numpy(embedding.linear.bias)))
    return _flat(writer, writer.node("Relu", shifted), len(frequency) * embedding.linear.out_features)


def _piecewise(embedding: PiecewiseLinear, writer: Writer, x: str) -> str:
    """Write how full each bin is, times its weights, one product for each number; and the linear term.

    The rows are turned before the bins and not between them and the product: onnxruntime 1.31 fuses such a turn into
    the product, and what that gives divides by zero where there are no rows, which ends the process.
    """
    by_number = writer.node("Unsqueeze", writer.node("Transpose", x, perm=[1, 0]), _whole(writer, 2))
    left, scale, weight, bias = (
        writer.constant(_numpy(t)[:, None])
        for t in (embedding.get_buffer("left"), embedding.get_buffer("scale"), embedding.weight, embedding.bias)
    )
    full = writer.node("Mul", writer.node("Sub", by_number, left), scale)
    full = writer.node("Clip", full, writer.number(0.0), writer.number(1.0))
    binned = writer.node("MatMul", full, writer.constant(_numpy(embedding.bins)))
    straight = writer.node("Add", writer.node("Mul", by_number, weight), bias)
    return writer.node("Transpose", writer.node("Add", straight, binned), perm=[1, 0, 2])


def _codes(codes: Codes, writer: Writer, x: str) -> str:
    """Write the look-up of category codes; what is no code, NaN included, is read as the last row of its column."""
    last = writer.constant(_numpy(codes.get_buffer("last")))
    known = writer.node("And", writer.node("GreaterOrEqual", x, writer.number(0.0)), writer.node("Less", x, last))
    places = writer.node("Cast", writer.node("Where", known, x, last), to=TensorProto.INT64)
    rows = writer.node("Add", places, writer.constant(_numpy(codes.get_buffer("start"))))
    found = writer.node("Gather", writer.constant(_numpy(codes.table)), rows, axis=0)
    return _flat(writer, found, len(codes.get_buffer("start")) * codes.table.shape[1])


def _flat(writer: Writer, x: str, width: int) -> str:
    """Write (rows, columns, width of one) → (rows, width)."""
    return writer.node("Reshape", x, _whole(writer, 0, width))


def _whole(writer: Writer, *values: int) -> str:
    """Write whole numbers as a constant."""
    return writer.constant(np.array(values, np.int64))


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy()
