"""A BERT encoder with a linear head as an ONNX graph. Imports torch and onnx: load lazily.

Weights are stored in half precision, which halves the file, and brought to single precision when a runtime loads the
graph; the network that is written must have been rounded (`bert.rounded`), so that nothing is lost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

from automl.candidates.pretrained.bert import Bert, BertLayer
from automl.candidates.pretrained.bert_config import Pool
from automl.candidates.pretrained.head import Head
from automl.candidates.training.onnx_graph import IR_VERSION, OPSET, Writer

INPUT, VECTORS, PROBABILITIES = "tokens", "vectors", "probabilities"
_NEVER = -1e9  # added to the score of a token that is not there


def vectors_graph(network: Bert, pools: Sequence[Pool]) -> bytes:
    """Return the graph from float32 (n, L) ids to float32 (n, len(pools) * width) vectors, as `Bert.forward`."""
    writer = Writer()
    x = _encoder(writer, network, pools)
    writer.nodes.append(helper.make_node("Identity", [x], [VECTORS]))
    return serialized(writer, VECTORS, len(pools) * network.config.width)


def classes_graph(network: Bert, pools: Sequence[Pool], head: Head) -> bytes:
    """Return the graph from float32 (n, L) ids to float32 (n, classes) probabilities."""
    writer = Writer()
    x = _encoder(writer, network, pools)
    weights, bias = (writer.constant(part.astype(np.float32)) for part in (head.weights, head.bias))
    writer.nodes.append(helper.make_node("Softmax", [writer.node("Gemm", x, weights, bias)], [PROBABILITIES], axis=1))
    return serialized(writer, PROBABILITIES, len(head.bias))


class _Places(NamedTuple):
    """Names of what every layer reads.

    Attributes:
        mask: (n, L, 1), 1 where there is a token.
        bias: (n, 1, 1, L), added to the scores of tokens.
        split: shape in which the heads are apart, (n, L, heads, width of a head).
        flat: shape of all tokens in one row after the other, (n * L, width).
        steps: shape of texts, (n, L, width).
    """

    mask: str
    bias: str
    split: str
    flat: str
    steps: str


def _encoder(writer: Writer, network: Bert, pools: Sequence[Pool]) -> str:
    """Write all layers that are pooled from; return the name of the vectors."""
    ids = writer.node("Cast", INPUT, to=TensorProto.INT64)
    places = _places(writer, network, ids)
    x = _entrance(writer, network, ids, places)
    found = _pooled(writer, x, places, [pool for pool in pools if pool.layer == 0])
    for number in range(max(pool.layer for pool in pools)):
        layer = network.layers[number]
        assert isinstance(layer, BertLayer), layer
        x = _layer(writer, layer, x, places)
        found += _pooled(writer, x, places, [pool for pool in pools if pool.layer == number + 1])
    return writer.node("Concat", *found, axis=1) if len(found) > 1 else found[0]


def _places(writer: Writer, network: Bert, ids: str) -> _Places:
    config = network.config
    mask = writer.node("Cast", writer.node("Greater", ids, whole(writer, 0)), to=TensorProto.FLOAT)
    absent = writer.node("Mul", writer.node("Sub", writer.number(1.0), mask), writer.number(_NEVER))
    shape = writer.node("Shape", ids)
    each = whole(writer, config.heads, config.width // config.heads)
    return _Places(
        mask=writer.node("Unsqueeze", mask, whole(writer, 2)),
        bias=writer.node("Unsqueeze", absent, whole(writer, 1, 2)),
        split=writer.node("Concat", shape, each, axis=0),
        flat=whole(writer, -1, config.width),
        steps=writer.node("Concat", shape, whole(writer, config.width), axis=0),
    )


def _entrance(writer: Writer, network: Bert, ids: str, places: _Places) -> str:
    """Write the vectors of pieces and places, normalised, (n * L, width); only those needed become single precision."""
    words = writer.node("Gather", writer.constant(_half(network.words)), ids, axis=0)
    length = writer.node("Shape", ids, start=1, end=2)
    rows = writer.node("Slice", writer.constant(_half(network.positions)), whole(writer, 0), length, whole(writer, 0))
    x = writer.node("Add", *(writer.node("Cast", part, to=TensorProto.FLOAT) for part in (words, rows)))
    return _normalised(writer, network.entered, writer.node("Reshape", x, places.flat))


def _layer(writer: Writer, layer: BertLayer, x: str, places: _Places) -> str:
    """Write a layer, (n * L, width) → the same shape."""
    parts = _split(writer, _linear(writer, layer.inputs, x))
    queries, keys, values = (
        writer.node("Transpose", writer.node("Reshape", part, places.split), perm=perm)
        for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
    )
    size = layer.inputs.in_features // layer.heads
    scores = writer.node("MatMul", writer.node("Mul", queries, writer.number(size**-0.5)), keys)
    shares = writer.node("Softmax", writer.node("Add", scores, places.bias), axis=-1)
    mixed = writer.node("Transpose", writer.node("MatMul", shares, values), perm=[0, 2, 1, 3])
    mixed = _linear(writer, layer.outputs, writer.node("Reshape", mixed, places.flat))
    x = _normalised(writer, layer.attended, writer.node("Add", mixed, x))
    inner = _linear(writer, layer.down, _gelu(writer, _linear(writer, layer.up, x)))
    return _normalised(writer, layer.done, writer.node("Add", inner, x))


def _split(writer: Writer, x: str) -> list[str]:
    """Write the columns of x in three equal parts."""
    names = [f"{x}_{part}" for part in ("queries", "keys", "values")]
    writer.nodes.append(helper.make_node("Split", [x], names, f"split_{x}", axis=1))
    return names


def _gelu(writer: Writer, x: str) -> str:
    """Write the exact GELU in the form that onnxruntime computes in one pass; other orders of the same are slower."""
    bent = writer.node("Erf", writer.node("Div", x, writer.number(math.sqrt(2))))
    whole = writer.node("Mul", x, writer.node("Add", bent, writer.number(1.0)))
    return writer.node("Mul", whole, writer.number(0.5))


def _pooled(writer: Writer, x: str, places: _Places, pools: Sequence[Pool]) -> list[str]:
    """Write what is pooled from the output of a layer, (n, width) each."""
    steps = writer.node("Reshape", x, places.steps) if pools else ""
    return [(_first if pool.how == "first" else _mean)(writer, steps, places) for pool in pools]


def _first(writer: Writer, steps: str, places: _Places) -> str:
    return writer.node("Squeeze", writer.node("Gather", steps, whole(writer, 0), axis=1), whole(writer, 1))


def _mean(writer: Writer, steps: str, places: _Places) -> str:
    one = whole(writer, 1)
    total = writer.node("ReduceSum", writer.node("Mul", steps, places.mask), one, keepdims=0)
    return writer.node("Div", total, writer.node("ReduceSum", places.mask, one, keepdims=0))


def _linear(writer: Writer, module: nn.Linear, x: str) -> str:
    return writer.node("Gemm", x, _single(writer, module.weight), _single(writer, module.bias), transB=1)


def _normalised(writer: Writer, module: nn.LayerNorm, x: str) -> str:
    scale, shift = _single(writer, module.weight), _single(writer, module.bias)
    return writer.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=module.eps)


def _single(writer: Writer, tensor: torch.Tensor) -> str:
    """Write a constant that is stored in half precision and read in single."""
    return writer.node("Cast", writer.constant(_half(tensor)), to=TensorProto.FLOAT)


def _half(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy().astype(np.float16)


def whole(writer: Writer, *values: int) -> str:
    """Write whole numbers as a constant, (values,)."""
    return writer.constant(np.array(values, np.int64))


def serialized(writer: Writer, output: str, width: int) -> bytes:
    """Return the checked graph of what was written, from float32 (n, L) `tokens` to an output of so many columns."""
    ends = [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", "L"])]
    scores = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", width])]
    graph = helper.make_graph(writer.nodes, "model", ends, scores, writer.constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="automl"
    )
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
