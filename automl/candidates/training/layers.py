"""Networks built from an architecture. Imports torch: load lazily."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Literal

import numpy as np
import torch
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
    Shape,
)

LEAKY_SLOPE = 0.1
OUTPUT_GAIN = 0.2
"""What the output layer's weights are scaled by, so that training starts near equal probabilities."""
_ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
    "gelu": nn.GELU,
    "silu": lambda: nn.SiLU(inplace=True),
}


class Normalise(nn.Module):
    """(rows, channels, height, width) in [0, 1] to zero mean and unit deviation per channel."""

    def __init__(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        super().__init__()
        scale = torch.from_numpy(1.0 / deviation).float().view(1, -1, 1, 1)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", -torch.from_numpy(mean).float().view(1, -1, 1, 1) * scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the normalised images."""
        return torch.addcmul(self.get_buffer("shift"), x, self.get_buffer("scale"))


class ConvBlock(nn.Sequential):
    """Convolution, perhaps pooling, perhaps normalisation, activation."""

    def __init__(self, layer: Conv, channels: int) -> None:
        padding = layer.kernel // 2
        parts: list[nn.Module] = [
            nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride, padding, bias=not layer.norm)
        ]
        if layer.pool:
            parts.append(nn.MaxPool2d(2))
        if layer.norm:
            parts.append(nn.BatchNorm2d(layer.channels))
        super().__init__(*parts, _ACTIVATIONS[layer.activation]())


class ResidualBlock(nn.Module):
    """The input plus a chain of convolution blocks of the same width."""

    def __init__(self, layer: Residual, channels: int) -> None:
        super().__init__()
        block = Conv(channels, layer.kernel, norm=layer.norm, activation=layer.activation)
        self.chain = nn.Sequential(*(ConvBlock(block, channels) for _ in range(layer.depth)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x + chain(x)."""
        inner: torch.Tensor = self.chain(x)
        return x + inner


class DenseBlock(nn.Sequential):
    """Linear, normalisation, activation; without activation the output layer."""

    def __init__(self, layer: Dense, features: int) -> None:
        norm = [nn.BatchNorm1d(layer.units)] if layer.norm else []
        activation = [_ACTIVATIONS[layer.activation]()] if layer.activation else []
        super().__init__(nn.Linear(features, layer.units, bias=not layer.norm), *norm, *activation)


class GlobalPooling(nn.Module):
    """(rows, channels, height, width) to (rows, channels); `amax` has a deterministic way back on every device."""

    def __init__(self, kind: Literal["max", "mean"]) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return one value per channel."""
        return x.amax(dim=(2, 3)) if self.kind == "max" else x.mean(dim=(2, 3))


class Network(nn.Module):
    """From images in [0, 1], (rows, channels, height, width), to logits (rows, classes)."""

    def __init__(self, layers: Sequence[Layer], shape: Shape, mean: np.ndarray, deviation: np.ndarray) -> None:
        super().__init__()
        self.layers, self.shape = tuple(layers), shape
        self.normalise = Normalise(mean, deviation)
        self.body = nn.Sequential()
        for layer in layers:
            self.body.append(module(layer, shape))
            shape = layer.after(shape)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        logits: torch.Tensor = self.body(self.normalise(x))
        return logits


@singledispatch
def module(layer: Layer, shape: Shape) -> nn.Module:
    """Return the module of a layer that is given rows of this shape.

    Raises:
        TypeError: no module is known for this kind of layer.
    """
    raise TypeError(f"no module for a layer of type {type(layer).__name__}. Register one with `layers.module.register`")


@module.register
def _(layer: Conv, shape: Shape) -> nn.Module:
    return ConvBlock(layer, shape.channels)


@module.register
def _(layer: Residual, shape: Shape) -> nn.Module:
    return ResidualBlock(layer, shape.channels)


@module.register
def _(layer: GlobalPool, shape: Shape) -> nn.Module:
    return GlobalPooling(layer.kind)


@module.register
def _(layer: Flatten, shape: Shape) -> nn.Module:
    return nn.Flatten()


@module.register
def _(layer: Dropout, shape: Shape) -> nn.Module:
    return nn.Dropout(layer.share)


@module.register
def _(layer: Dense, shape: Shape) -> nn.Module:
    return DenseBlock(layer, shape.size)


def initialise(network: nn.Module, kind: Literal["he", "xavier"], generator: torch.Generator) -> None:
    """Draw the weights of convolutions and linear layers anew, on the CPU, from this generator alone.

    Sources: He et al. 2015, https://arxiv.org/abs/1502.01852; Glorot and Bengio 2010,
    https://proceedings.mlr.press/v9/glorot10a.html. Linear layers are always drawn the second way.
    """
    for part in network.modules():
        if isinstance(part, nn.Conv2d) and kind == "he":
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=generator)
        elif isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight, generator=generator)
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
    with torch.no_grad():
        output = [part for part in network.modules() if isinstance(part, nn.Linear)][-1]
        output.weight.mul_(OUTPUT_GAIN)
