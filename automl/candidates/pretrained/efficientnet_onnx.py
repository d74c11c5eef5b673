"""A pre-trained network for images as an ONNX graph, written node by node. Imports onnx: load lazily.

Weights are stored in half precision and cast in the graph, which a runtime does once when it loads the file: half the
bytes at the same speed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper

from automl.candidates.pretrained.efficientnet import Block, Conv, out_side, paddings
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.image_levels import areas
from automl.candidates.pretrained.image_sight import Sight
from automl.candidates.pretrained.resizing import resizing
from automl.candidates.training.onnx_graph import IR_VERSION, OPSET, Writer

PIXELS, PROBABILITIES, NUMBERS = "pixels", "probabilities", "numbers"


class Place(NamedTuple):
    """A value on its way through a graph, with height and width."""

    name: str
    high: int
    wide: int


def features_graph(sight: Sight) -> bytes:
    """Return a graph from uint8 (N, height, width, channels) `pixels` to float32 `numbers`.

    They are (N, features) of the levels, or the maps (N, channels, height, width) where the network ends if there are
    no levels.
    """
    writer = Writer()
    ends = _run(sight, writer)
    last = ends[max(ends)]
    name = _features(sight, writer, ends) if sight.levels else last.name
    writer.nodes.append(helper.make_node("Identity", [name], [NUMBERS], "numbers"))
    axes: list[str | int] = ["N", "features"] if sight.levels else ["N", "channels", last.high, last.wide]
    return _model(writer, sight.shape, NUMBERS, axes)


def classifier_graph(sight: Sight, head: Head) -> bytes:
    """Return a graph from uint8 (N, height, width, channels) `pixels` to float32 (N, classes) `probabilities`."""
    writer = Writer()
    features = _features(sight, writer, _run(sight, writer))
    weight, bias = writer.constant(head.weights.astype(np.float32)), writer.constant(head.bias.astype(np.float32))
    logits = writer.node("Gemm", features, weight, bias)
    writer.nodes.append(helper.make_node("Softmax", [logits], [PROBABILITIES], "softmax", axis=1))
    return _model(writer, sight.shape, PROBABILITIES, ["N", len(head.bias)])


def _entered(sight: Sight, writer: Writer) -> Place:
    """Write what brings pixels to three channels of the size and range that the network was trained on."""
    backbone, shape, sides = sight.backbone, sight.shape, sight.sides
    x = writer.node("Transpose", writer.node("Cast", PIXELS, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    if sides[0] != shape[0]:
        x = writer.node("MatMul", writer.constant(resizing(shape[0], sides[0])), x)
    if sides[1] != shape[1]:
        x = writer.node("MatMul", x, writer.constant(np.ascontiguousarray(resizing(shape[1], sides[1]).T)))
    if shape[2] == 1:
        x = writer.node("Concat", x, x, x, axis=1)
    mean, deviation = (np.array(part, np.float32).reshape(1, 3, 1, 1) for part in (backbone.mean, backbone.deviation))
    x = writer.node("Div", writer.node("Sub", x, writer.constant(mean)), writer.constant(deviation))
    return Place(x, *sides)


def _run(sight: Sight, writer: Writer) -> dict[int, Place]:
    """Write the network; return where each of its stages ends, in order."""
    place, ends = _entered(sight, writer), {}
    for block in sight.backbone.blocks:
        place = _block(block, writer, place)
        ends[block.stage] = place
    return ends


def _features(sight: Sight, writer: Writer, ends: dict[int, Place]) -> str:
    parts = [_pooled(writer, ends[level.stage], level.grid) for level in sight.levels]
    return writer.node("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]


def _block(block: Block, writer: Writer, place: Place) -> Place:
    start = place.name
    for conv in block.convs:
        place = _conv(conv, writer, place)
    return place._replace(name=writer.node("Add", start, place.name)) if block.is_residual else place


def _conv(conv: Conv, writer: Writer, place: Place) -> Place:
    shape = conv.shape
    top, bottom = paddings(place.high, shape.kernel, shape.stride)
    left, right = paddings(place.wide, shape.kernel, shape.stride)
    weight = writer.node("Cast", writer.constant(conv.weight.astype(np.float16)), to=TensorProto.FLOAT)
    x = writer.node("Conv", place.name, weight, writer.constant(conv.bias), group=shape.groups,
                    pads=[top, left, bottom, right], strides=[shape.stride] * 2)  # fmt: skip
    if shape.is_bent:
        x = writer.node("Clip", x, writer.number(0.0), writer.number(6.0))
    return Place(x, out_side(place.high, shape.stride), out_side(place.wide, shape.stride))


def _pooled(writer: Writer, place: Place, grid: int) -> str:
    if grid == 1:
        return writer.node("Flatten", writer.node("GlobalAveragePool", place.name))
    rows = writer.node("MatMul", writer.constant(areas(place.high, grid)), place.name)
    return writer.node("Flatten", writer.node("MatMul", rows, writer.constant(areas(place.wide, grid).T)))


def _model(writer: Writer, shape: tuple[int, ...], output: str, ends: list[str | int]) -> bytes:
    pixels = helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, ["N", *shape])
    numbers = helper.make_tensor_value_info(output, TensorProto.FLOAT, ends)
    graph = helper.make_graph(writer.nodes, "efficientnet", [pixels], [numbers], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    written: bytes = model.SerializeToString()
    return written
