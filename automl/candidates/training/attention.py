"""A Transformer body: layers of attention and of units, normalised before each. Imports torch and onnx: load lazily."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from automl.candidates.training.body_graphs import (
    numbers,
    whole,
    written_as_many,
    written_linear,
    written_never,
    written_not_none,
)
from automl.candidates.training.body_settings import TransformerSettings
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.pooling import Pool
from automl.candidates.training.ragged_parts import Body, Dropout, Steps, WrittenSteps
from automl.core.space import Value

_SPREAD = 0.1  # of positions at the start, as of embeddings
_TURNS = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])  # of queries, keys and values (n, T, heads, size)


def make(values: Mapping[str, Value], width: int, longest: int) -> Transformer:
    """Return a body for steps of so many numbers; where there are more than longest, those share the last position."""
    return Transformer(TransformerSettings.of(values), width, longest)


class Transformer(Body):
    """Positions, layers, a last normalisation and a pooling.

    Parameters and dropout are drawn from the global stream of torch: seed it where the body is made and trained.
    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; normalised before each part, so that training needs
    no long warm-up: Xiong et al. 2020, https://arxiv.org/abs/2002.04745.
    """

    positions: torch.Tensor

    def __init__(self, settings: TransformerSettings, width: int, longest: int) -> None:
        super().__init__()
        self.settings, self.features = settings, settings.units
        self.entry = nn.Identity() if width == settings.units else nn.Linear(width, settings.units)
        self._begin_positions(longest)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.units)
        self.pool = Pool(settings.pooling, settings.units)
        self.dropout = Dropout(settings.dropout)

    def _begin_positions(self, longest: int) -> None:
        if self.settings.positions == "learned":
            self.positions = nn.Parameter(_SPREAD * torch.randn(longest, self.features))
        else:
            self.register_buffer("positions", _SPREAD * waves(longest, self.features))

    def forward(self, steps: Steps) -> torch.Tensor:
        """Return float32 (n, features)."""
        x = self.entry(steps.x)
        places = torch.arange(x.shape[1], device=x.device).clamp(max=len(self.positions) - 1)
        x = self.dropout(x + self.positions[places])
        is_step = None if steps.is_full else steps.mask.bool()[:, None, None, :]
        for layer in self.layers:
            x = layer(x, is_step)
        pooled: torch.Tensor = self.pool(self.norm(x), steps.mask)
        return pooled

    def write(self, writer: Writer, steps: WrittenSteps) -> str:
        """Write products, softmax and normalisations; rows and steps may be any number."""
        some = written_not_none(writer, steps)
        x = some.x if isinstance(self.entry, nn.Identity) else written_linear(writer, self.entry, some.x)
        x = writer.node("Add", x, self._written_positions(writer, some.mask))
        never = writer.node("Unsqueeze", written_never(writer, some.mask), whole(writer, 1, 2))
        for layer in self.layers:
            assert isinstance(layer, Layer), layer
            x = layer.write(writer, x, never)
        pooled = self.pool.write(writer, written_norm(writer, self.norm, x), some.mask)
        return written_as_many(writer, pooled, steps)

    def _written_positions(self, writer: Writer, mask: str) -> str:
        steps = writer.node("Squeeze", writer.node("Shape", mask, start=1, end=2))
        zero, one, last = (writer.constant(np.array(v, np.int64)) for v in (0, 1, len(self.positions) - 1))
        places = writer.node("Min", writer.node("Range", zero, steps, one), last)
        return writer.node("Gather", writer.constant(numbers(self.positions)), places, axis=0)


class Layer(nn.Module):
    """Attention of each step to all of its row, then two layers of units for each step alone; each is added to x."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        units, inner = settings.units, settings.units * settings.expansion
        self.heads, self.dropout = settings.heads, Dropout(settings.dropout)
        self.norm, self.inner_norm = nn.LayerNorm(units), nn.LayerNorm(units)
        self.read, self.mix = nn.Linear(units, 3 * units), nn.Linear(units, units)
        self.widen, self.narrow = nn.Linear(units, inner), nn.Linear(inner, units)
        for linear in (self.read, self.mix, self.widen, self.narrow):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        for linear in (self.mix, self.narrow):  # what is added to x begins small: Radford et al. 2019 (GPT-2), 2.3
            linear.weight.data /= math.sqrt(2 * settings.layers)

    def forward(self, x: torch.Tensor, is_step: torch.Tensor | None) -> torch.Tensor:
        """Return (n, T, units); is_step is (n, 1, 1, T), or None where all are."""
        x = x + self.dropout(self.mix(self._attended(self.norm(x), is_step)))
        inner = nn.functional.gelu(self.widen(self.inner_norm(x)))
        narrowed: torch.Tensor = self.dropout(self.narrow(self.dropout(inner)))
        return x + narrowed

    def _attended(self, x: torch.Tensor, is_step: torch.Tensor | None) -> torch.Tensor:
        """Return what each step reads; no weight is dropped, as fast attention on a CPU does not know how."""
        n, steps, units = x.shape
        read = self.read(x).view(n, steps, 3, self.heads, units // self.heads)
        queries, keys, values = read.permute(2, 0, 3, 1, 4)
        found = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=is_step)
        return found.transpose(1, 2).reshape(n, steps, units)

    def write(self, writer: Writer, x: str, never: str) -> str:
        """Write the same; never is what is added to scores, (n, 1, 1, T)."""
        attended = self._written_attention(writer, written_norm(writer, self.norm, x), never)
        x = writer.node("Add", x, written_linear(writer, self.mix, attended))
        inner = written_linear(writer, self.widen, written_norm(writer, self.inner_norm, x))
        narrow = written_linear(writer, self.narrow, writer.activation("gelu", inner))
        return writer.node("Add", x, narrow)

    def _written_attention(self, writer: Writer, x: str, never: str) -> str:
        """Write attention; queries take in the scale of scores."""
        size = self.mix.in_features // self.heads
        weights, biases = (np.split(numbers(part), 3) for part in (self.read.weight, self.read.bias))
        parts = []
        for weight, bias, scale, turn in zip(weights, biases, (size**-0.5, 1.0, 1.0), _TURNS, strict=True):
            product = writer.node("MatMul", x, writer.constant((weight * scale).T.astype(np.float32)))
            shifted = writer.node("Add", product, writer.constant((bias * scale).astype(np.float32)))
            apart = writer.node("Reshape", shifted, whole(writer, 0, 0, self.heads, size))
            parts.append(writer.node("Transpose", apart, perm=turn))
        scores = writer.node("Add", writer.node("MatMul", parts[0], parts[1]), never)
        found = writer.node("MatMul", writer.node("Softmax", scores, axis=3), parts[2])
        back = writer.node("Transpose", found, perm=[0, 2, 1, 3])
        return writer.node("Reshape", back, whole(writer, 0, 0, self.heads * size))


def written_norm(writer: Writer, norm: nn.LayerNorm, x: str) -> str:
    """Write the normalisation of each step."""
    gain, offset = writer.constant(numbers(norm.weight)), writer.constant(numbers(norm.bias))
    return writer.node("LayerNormalization", x, gain, offset, axis=-1, epsilon=norm.eps)


def waves(longest: int, units: int) -> torch.Tensor:
    """Return (longest, units): sines and cosines of lengths from 2 pi to 20,000 pi.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5.
    """
    rates = torch.exp(torch.arange(0, units, 2) * (-math.log(10_000.0) / units))
    angles = torch.arange(longest)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :units]
