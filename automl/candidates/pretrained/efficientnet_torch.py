"""A pre-trained network for images in torch, whole or from a stage on. Imports torch: load lazily."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from automl.candidates.pretrained.efficientnet import Backbone, Block, Conv, paddings
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.image_levels import areas
from automl.candidates.pretrained.image_sight import Sight
from automl.candidates.pretrained.resizing import resizing

_MOST_LEVEL = 6.0  # of ReLU6


class _Convolution(nn.Module):
    """A convolution with its normalisation folded in."""

    def __init__(self, conv: Conv) -> None:
        super().__init__()
        self.shape = conv.shape
        self.weight = nn.Parameter(torch.from_numpy(conv.weight.copy()))
        self.bias = nn.Parameter(torch.from_numpy(conv.bias.copy()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what comes out of x, (rows, channels, height, width)."""
        kernel, stride = self.shape.kernel, self.shape.stride
        (top, bottom), (left, right) = (paddings(int(side), kernel, stride) for side in x.shape[2:])
        if top == bottom and left == right:
            y = functional.conv2d(x, self.weight, self.bias, stride, (top, left), 1, self.shape.groups)
        else:
            padded = functional.pad(x, (left, right, top, bottom))
            y = functional.conv2d(padded, self.weight, self.bias, stride, 0, 1, self.shape.groups)
        return functional.hardtanh(y, 0.0, _MOST_LEVEL) if self.shape.is_bent else y

    def conv(self) -> Conv:
        """Return the weights as they are now, rounded to what an exported file holds.

        Raises:
            FloatingPointError: a weight is not finite, or beyond the range of half precision.
        """
        weight = self.weight.detach().half().float().cpu().contiguous().numpy()
        if not np.isfinite(weight).all():
            largest = float(self.weight.detach().abs().max())
            raise FloatingPointError(f"{self.shape.name}.weight must lie within 65504. Got {largest:g}. Lower lr.")
        return Conv(self.shape, weight, self.bias.detach().cpu().numpy().copy())


class _Bottleneck(nn.Module):
    """Convolutions in a row, with a shortcut perhaps."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.stage, self.is_residual = block.stage, block.is_residual
        self.convs = nn.ModuleList(_Convolution(conv) for conv in block.convs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what comes out of x, (rows, channels, height, width)."""
        y = x
        for conv in self.convs:
            y = conv(y)
        return x + y if self.is_residual else y

    def block(self) -> Block:
        """Return the weights as they are now."""
        convs = tuple(conv.conv() for conv in self.convs if isinstance(conv, _Convolution))
        return Block(self.stage, convs, self.is_residual)


class Entry(nn.Module):
    """From pixels as stored to what a network sees."""

    def __init__(self, sight: Sight) -> None:
        super().__init__()
        backbone, shape, sides = sight.backbone, sight.shape, sight.sides
        self.register_buffer("down", torch.from_numpy(resizing(shape[0], sides[0])))
        self.register_buffer("across", torch.from_numpy(resizing(shape[1], sides[1]).T.copy()))
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(backbone.deviation).view(1, 3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return (rows, 3, height, width) for float32 (rows, 1 or 3, stored height, stored width) in 0 … 255."""
        x = self.get_buffer("down") @ pixels @ self.get_buffer("across")
        if x.shape[1] == 1:
            x = x.expand(-1, 3, -1, -1)
        return (x - self.get_buffer("mean")) / self.get_buffer("deviation")


class Body(nn.Module):
    """A network, from a stage on perhaps."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Bottleneck(block) for block in backbone.blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the mean of the last maps (rows, features) for maps (rows, channels, height, width)."""
        for block in self.blocks:
            x = block(x)
        return x.mean(dim=(2, 3))

    def ends(self, x: torch.Tensor) -> dict[int, torch.Tensor]:
        """Return the maps at the end of each stage."""
        found = {}
        for block in self.blocks:
            assert isinstance(block, _Bottleneck)
            found[block.stage] = x = block(x)
        return found

    def learned(self, backbone: Backbone) -> Backbone:
        """Return the backbone with its last blocks replaced by those of this body."""
        own = tuple(block.block() for block in self.blocks if isinstance(block, _Bottleneck))
        return replace(backbone, blocks=(*backbone.blocks[: len(backbone.blocks) - len(own)], *own))


class Classifier(nn.Module):
    """A body with a linear head that starts as one learned before."""

    def __init__(self, body: Body, head: Head, dropout: float) -> None:
        super().__init__()
        self.body, self.dropout = body, nn.Dropout(dropout)
        self.linear = nn.Linear(*head.weights.shape)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(head.weights.T.astype(np.float32)))
            self.linear.bias.copy_(torch.from_numpy(head.bias.astype(np.float32)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (rows, classes) for what the body takes."""
        logits: torch.Tensor = self.linear(self.dropout(self.body(x)))
        return logits

    def head(self) -> Head:
        """Return the head as it is now."""
        weight, bias = self.linear.weight.detach().cpu().numpy(), self.linear.bias.detach().cpu().numpy()
        return Head(weight.T.astype(np.float64), bias.astype(np.float64))


def features_on(sight: Sight, device: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from uint8 images (n, *shape) to what a network makes of them, computed on a device."""
    entry, body = Entry(sight).to(device), Body(sight.backbone).to(device).eval()

    @torch.no_grad()
    def _compute(X: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(X).to(device).permute(0, 3, 1, 2).float()
        ends = body.ends(entry(pixels))
        parts = [_pooled(ends[level.stage], level.grid) for level in sight.levels]
        numbers: np.ndarray = (torch.cat(parts, dim=1) if parts else ends[max(ends)]).cpu().numpy()
        return numbers

    return _compute


def _pooled(maps: torch.Tensor, grid: int) -> torch.Tensor:
    down, across = (torch.from_numpy(areas(side, grid)).to(maps.device) for side in maps.shape[2:])
    return (down @ maps @ across.T).flatten(1)
