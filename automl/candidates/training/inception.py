"""A convolutional body for steps: parallel kernels of different lengths, masked so that padding never matters.

Source: Ismail Fawaz et al. 2020, InceptionTime, https://arxiv.org/abs/1909.04939, section 3. Imports torch and onnx:
load lazily.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from automl.candidates.training.body_graphs import numbers, whole
from automl.candidates.training.inception_cost import EVERY, kernel_lengths, reads_narrow
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import Body, Steps, WrittenSteps
from automl.core.space import Value

MOMENTUM, EPSILON = 0.1, 1e-5
_LOW = 1e9
"""What padding is lowered by before a maximum is taken."""


def make(values: Mapping[str, Value], width: int, longest: int) -> Inception:
    """Return the body of a configuration.

    Args:
        values: "units" of each kernel length, "blocks", and "kernel", the steps of the longest.
        width: of a step.
        longest: steps of the longest row; no kernel is longer.
    """
    return Inception(
        width, units=int(values["units"]), blocks=int(values["blocks"]),
        kernels=kernel_lengths(int(values["kernel"]), longest),
    )  # fmt: skip


class MaskedNorm(nn.Module):
    """Batch normalisation over the steps that are there, (n, channels, T) → the same; padding becomes 0.

    Source: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167; means and variances leave padding out.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain, self.offset = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return normalised steps; mask is (n, 1, T), None where nothing is padded."""
        if mask is None or not self.training:
            y = functional.batch_norm(
                x, self.mean, self.variance, self.gain, self.offset, self.training and x.shape[0] * x.shape[2] > 1,
                MOMENTUM, EPSILON,
            )  # fmt: skip
            return y if mask is None else y * mask
        count = mask.sum()
        mean = (x * mask).sum((0, 2)) / count
        centred = (x - mean[:, None]) * mask
        variance = centred.square().sum((0, 2)) / count
        with torch.no_grad():
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance * (count / (count - 1).clamp(min=1)), MOMENTUM)
        factor = self.gain * (variance + EPSILON).rsqrt()
        return centred * factor[:, None] + self.offset[:, None] * mask

    def folded(self) -> tuple[np.ndarray, np.ndarray]:
        """Return gain and offset of each channel as in evaluation, float64."""
        gain = numbers(self.gain) / np.sqrt(numbers(self.variance).astype(np.float64) + EPSILON)
        return gain, numbers(self.offset) - numbers(self.mean) * gain


class Block(nn.Module):
    """Kernels of different lengths side by side, and one step wide behind a maximum of three; (n, width, T).

    Where the input is wider than a kernel's output, a linear map narrows it first, here for the maximum too, which then
    takes a quarter of the time.
    """

    def __init__(self, width: int, units: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        self.narrow = nn.Conv1d(width, units, 1, bias=False) if reads_narrow(width, units) else None
        inputs = units if self.narrow else width
        self.convs = nn.ModuleList(nn.Conv1d(inputs, units, k, padding=k // 2, bias=False) for k in kernels)
        self.pooled = nn.Conv1d(inputs, units, 1, bias=False)
        self.norm = MaskedNorm(units * (len(kernels) + 1))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return normalised features before their activation, 0 at padding."""
        inner = x if self.narrow is None else self.narrow(x)
        low = inner if mask is None else inner - (1 - mask) * _LOW
        pooled = self.pooled(functional.max_pool1d(low, 3, 1, 1))
        return self.norm(torch.cat([*(conv(inner) for conv in self.convs), pooled], dim=1), mask)  # type: ignore[no-any-return]


class Inception(Body):
    """Blocks of parallel kernels, a shortcut around each three, and the mean of all steps.

    Shapes: steps (n, T, width) → (n, units * (kernel lengths + 1)).
    """

    def __init__(self, width: int, *, units: int, blocks: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        self.features = units * (len(kernels) + 1)
        self.blocks = nn.ModuleList(
            Block(width if place == 0 else self.features, units, kernels) for place in range(blocks)
        )
        self.shortcuts = nn.ModuleList(
            Shortcut(width if place == 0 else self.features, self.features) for place in range(blocks // EVERY)
        )

    def forward(self, steps: Steps) -> torch.Tensor:
        """Return the mean of the features of each row's steps."""
        mask = None if steps.is_full else steps.mask[:, None]
        x = kept = steps.x.transpose(1, 2)
        for place, block in enumerate(self.blocks):
            x = block(x, mask)
            if place % EVERY == EVERY - 1:
                x = x + self.shortcuts[place // EVERY](kept, mask)
            x = torch.relu(x)
            kept = x if place % EVERY == EVERY - 1 else kept
        return x.mean(2) if mask is None else x.sum(2) / mask.sum(2)

    def write(self, writer: Writer, steps: WrittenSteps) -> str:
        """Write the body, normalisation folded into the convolutions before it."""
        mask = writer.node("Unsqueeze", steps.mask, whole(writer, 1))
        x = kept = writer.node("Transpose", steps.x, perm=[0, 2, 1])
        for place, block in enumerate(self.blocks):
            assert isinstance(block, Block), block
            x = _write_block(block, writer, x, mask)
            if place % EVERY == EVERY - 1:
                shortcut = self.shortcuts[place // EVERY]
                assert isinstance(shortcut, Shortcut), shortcut
                x = writer.node("Add", x, _convolution(shortcut.linear, shortcut.norm.folded(), writer, kept))
            x = writer.node("Mul", writer.node("Relu", x), mask)
            kept = x if place % EVERY == EVERY - 1 else kept
        total = writer.node("ReduceSum", x, whole(writer, 2), keepdims=0)
        return writer.node("Div", total, writer.node("ReduceSum", mask, whole(writer, 2), keepdims=0))


class Shortcut(nn.Module):
    """A linear map around blocks, normalised."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Conv1d(width, features, 1, bias=False), MaskedNorm(features)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return the mapped steps, 0 at padding."""
        return self.norm(self.linear(x), mask)  # type: ignore[no-any-return]


def _write_block(block: Block, writer: Writer, x: str, mask: str) -> str:
    """Write a block before its activation; what stands at padding is not 0 yet."""
    gain, offset = block.norm.folded()
    units, inner, parts = block.pooled.out_channels, x, list[str]()
    if block.narrow is not None:
        inner = writer.node("Conv", x, writer.constant(numbers(block.narrow.weight)))
    for place, conv in enumerate(block.convs):
        assert isinstance(conv, nn.Conv1d), conv
        part = slice(units * place, units * (place + 1))
        parts.append(_convolution(conv, (gain[part], offset[part]), writer, inner))
    gone = writer.node("Mul", writer.node("Sub", writer.number(1.0), mask), writer.number(_LOW))
    low = writer.node("Sub", inner, gone)
    pooled = writer.node("MaxPool", low, kernel_shape=[3], strides=[1], pads=[1, 1])
    parts.append(_convolution(block.pooled, (gain[-units:], offset[-units:]), writer, pooled))
    return writer.node("Concat", *parts, axis=1)


def _convolution(conv: nn.Conv1d, norm: tuple[np.ndarray, np.ndarray], writer: Writer, x: str) -> str:
    """Write a convolution with the gain and the offset of the normalisation behind it."""
    weight = (numbers(conv.weight) * norm[0][:, None, None]).astype(np.float32)
    half = conv.kernel_size[0] // 2
    bias = writer.constant(norm[1].astype(np.float32))
    return writer.node("Conv", x, writer.constant(weight), bias, pads=[half, half])
