"""A trained network as an ONNX graph, written node by node in milliseconds. Imports torch and onnx: load lazily.

One is written for each fold of each full trial, so tracing the network anew would add up. Normalisation is folded into
the convolution or linear layer before it, except behind pooling.
"""

from __future__ import annotations

from functools import singledispatch
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from automl.candidates.training.architecture import (
    Activation,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Residual,
)
from automl.candidates.training.layers import LEAKY_SLOPE, Network

INPUT, OUTPUT = "pixels", "probabilities"
OPSET, IR_VERSION = 17, 8
"""Old enough for every runtime that is still looked after."""


class Writer:
    """Collects the nodes and constants of a graph; every method returns the name of the value it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node with one output."""
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        """Add a constant."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def number(self, value: float) -> str:
        """Add a float32 scalar."""
        return self.constant(np.array(value, dtype=np.float32))

    def activation(self, kind: Activation | None, x: str) -> str:
        """Add an activation; GELU is the exact one, by the error function."""
        match kind:
            case None:
                return x
            case "relu":
                return self.node("Relu", x)
            case "leaky_relu":
                return self.node("LeakyRelu", x, alpha=LEAKY_SLOPE)
            case "silu":
                return self.node("Mul", x, self.node("Sigmoid", x))
            case "gelu":
                erf = self.node("Erf", self.node("Mul", x, self.number(2**-0.5)))
                return self.node("Mul", self.node("Mul", x, self.number(0.5)), self.node("Add", erf, self.number(1.0)))


def save(network: Network, path: Path) -> None:
    """Write a graph from uint8 (N, height, width, channels) `pixels` to float32 (N, classes) `probabilities`."""
    writer = Writer()
    x = writer.node("Transpose", writer.node("Cast", INPUT, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    scale, shift = _numpy(network.normalise.get_buffer("scale")), _numpy(network.normalise.get_buffer("shift"))
    x = writer.node("Add", writer.node("Mul", x, writer.constant(scale / np.float32(255))), writer.constant(shift))
    for layer, module in zip(network.layers, network.body, strict=True):
        x = write(layer, module, writer, x)
    writer.nodes.append(helper.make_node("Softmax", [x], [OUTPUT], "softmax", axis=1))
    onnx.save_model(_model(writer, network), path)


def _model(writer: Writer, network: Network) -> onnx.ModelProto:
    pixels = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", *network.shape])
    scores = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", _classes(network)])
    graph = helper.make_graph(writer.nodes, "network", [pixels], [scores], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model


def _classes(network: Network) -> int:
    last = network.layers[-1]
    assert isinstance(last, Dense), last
    return last.units


@singledispatch
def write(layer: Layer, module: nn.Module, writer: Writer, x: str) -> str:
    """Add the nodes of a layer that is given x; return the name of its output.

    Raises:
        TypeError: it is not known how to write this kind of layer.
    """
    raise TypeError(f"no ONNX for a layer of type {type(layer).__name__}. Register it with `onnx_graph.write.register`")


@write.register
def _(layer: Conv, module: nn.Module, writer: Writer, x: str) -> str:
    return _convolution(layer, module, writer, x)


@write.register
def _(layer: Residual, module: nn.Module, writer: Writer, x: str) -> str:
    inner = x
    for block in module.get_submodule("chain").children():
        conv = Conv(0, layer.kernel, norm=layer.norm, activation=layer.activation)
        inner = _convolution(conv, block, writer, inner)
    return writer.node("Add", x, inner)


@write.register
def _(layer: GlobalPool, module: nn.Module, writer: Writer, x: str) -> str:
    kind = {"max": "ReduceMax", "mean": "ReduceMean"}[layer.kind]
    return writer.node(kind, x, axes=[2, 3], keepdims=0)


@write.register
def _(layer: Flatten, module: nn.Module, writer: Writer, x: str) -> str:
    return writer.node("Flatten", x)


@write.register
def _(layer: Dropout, module: nn.Module, writer: Writer, x: str) -> str:
    return x


@write.register
def _(layer: Dense, module: nn.Module, writer: Writer, x: str) -> str:
    weight, bias = _linear(module).folded()
    x = writer.node("Gemm", x, writer.constant(weight), writer.constant(bias), transB=1)
    return writer.activation(layer.activation, x)


class _Linear(NamedTuple):
    """The linear part of a block, and the gain and offset per channel of the normalisation after it."""

    weight: np.ndarray
    bias: np.ndarray
    gain: np.ndarray
    offset: np.ndarray

    def folded(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weight and bias that do both."""
        gain = self.gain.reshape(-1, *[1] * (self.weight.ndim - 1))
        return (self.weight * gain).astype(np.float32), (self.bias * self.gain + self.offset).astype(np.float32)


def _convolution(layer: Conv, block: nn.Module, writer: Writer, x: str) -> str:
    """Write a block; where it pools, normalisation stays behind the pooling, as a negative gain would turn it."""
    part, pads = _linear(block), [layer.kernel // 2] * 4
    weight, bias = (part.weight.astype(np.float32), part.bias.astype(np.float32)) if layer.pool else part.folded()
    x = writer.node("Conv", x, writer.constant(weight), writer.constant(bias), pads=pads, strides=[layer.stride] * 2)
    if layer.pool:
        x = writer.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        x = writer.node("Mul", x, writer.constant(part.gain.astype(np.float32).reshape(1, -1, 1, 1)))
        x = writer.node("Add", x, writer.constant(part.offset.astype(np.float32).reshape(1, -1, 1, 1)))
    return writer.activation(layer.activation, x)


def _linear(block: nn.Module) -> _Linear:
    parts = list(block.children())
    linear = parts[0]
    assert isinstance(linear, nn.Conv2d | nn.Linear), linear
    weight = _numpy(linear.weight).astype(np.float64)
    bias = np.zeros(len(weight)) if linear.bias is None else _numpy(linear.bias).astype(np.float64)
    norms = [part for part in parts if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return _Linear(weight, bias, np.ones(len(weight)), np.zeros(len(weight)))
    mean, variance = norms[0].running_mean, norms[0].running_var
    assert mean is not None
    assert variance is not None
    gain = _numpy(norms[0].weight) / np.sqrt(_numpy(variance).astype(np.float64) + norms[0].eps)
    return _Linear(weight, bias, gain, _numpy(norms[0].bias) - _numpy(mean) * gain)


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy()
