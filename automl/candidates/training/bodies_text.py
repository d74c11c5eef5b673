"""Bodies of small networks for texts: bags of embeddings and convolutions. Imports torch: load lazily."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from automl.candidates.text.text_network_cost import kernels
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import Body, Dropout, Steps, WrittenSteps
from automl.core.space import Value

Pooling = Literal["mean", "attention"]
_LOW = -1e9
"""What is added to the weight of padding before a softmax: nothing is left of it."""
_MOST_WINDOWED = 150_000
"""Numbers of a batch of steps that are laid out as windows."""


def make_bag(values: Mapping[str, Value], width: int, longest: int) -> Bag:
    """Return the body of a configuration with "pooling" and "hidden", the units of a layer behind it, 0 for none."""
    return Bag(width, values["pooling"], hidden=int(values["hidden"]))  # type: ignore[arg-type]


def make_cnn(values: Mapping[str, Value], width: int, longest: int) -> TextCnn:
    """Return the body of a configuration with "filters" of each of the "kernels", and "blocks" of them."""
    return TextCnn(width, int(values["filters"]), kernels(values), blocks=int(values["blocks"]))


class Bag(Body):
    """The mean of the steps, plain or weighted by what each says, and a layer behind it.

    Sources: Joulin et al. 2016, https://arxiv.org/abs/1607.01759 (the mean); Yang et al. 2016,
    https://aclanthology.org/N16-1174, section 2.2 (the weights); Iyyer et al. 2015, https://aclanthology.org/P15-1162
    (the layer).
    """

    def __init__(self, width: int, pooling: Pooling, *, hidden: int = 0) -> None:
        super().__init__()
        self.features = hidden or width
        self.score = nn.Linear(width, 1) if pooling == "attention" else None
        self.layer = nn.Linear(width, hidden) if hidden else None
        if self.score is not None:
            nn.init.zeros_(self.score.weight)

    def forward(self, steps: Steps) -> torch.Tensor:
        """Return (n, features)."""
        if self.score is None:
            pooled = steps.x.sum(dim=1) / steps.mask.sum(dim=1, keepdim=True)
        else:
            scores = self.score(steps.x)[:, :, 0] + (1 - steps.mask) * _LOW
            pooled = torch.einsum("nt,ntw->nw", torch.softmax(scores, dim=1), steps.x)
        return pooled if self.layer is None else torch.relu(self.layer(pooled))

    def write(self, writer: Writer, steps: WrittenSteps) -> str:
        """Write the same as nodes of a graph."""
        one = writer.constant(np.array([1], np.int64))
        if self.score is None:
            count = writer.node("ReduceSum", steps.mask, one, keepdims=1)
            pooled = writer.node("Div", writer.node("ReduceSum", steps.x, one, keepdims=0), count)
        else:
            scores = writer.node("Add", _linear(writer, self.score, steps.x), _lowered(writer, steps.mask))
            weighted = writer.node("Mul", writer.node("Softmax", scores, axis=1), steps.x)
            pooled = writer.node("ReduceSum", weighted, one, keepdims=0)
        return pooled if self.layer is None else writer.node("Relu", _linear(writer, self.layer, pooled))


class Filters(nn.Module):
    """Filters over so many neighbouring steps, and a ReLU: (n, T, width) → (n, T, filters).

    Small batches go through one matrix product over windows, which takes 0.6 of the time of a convolution, both ways,
    on 32 texts of 11 words; on 32 of 50 words and more it takes 1.15 to 1.3 times as long, and they are convolved. On
    one core.
    """

    def __init__(self, width: int, filters: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.weights = nn.Linear(kernel * width, filters)

    @property
    def pads(self) -> tuple[int, int]:
        """Return the zeros before and after a row that leave it as long as it was."""
        return (self.kernel - 1) // 2, self.kernel // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the filters' answers, those to padding included."""
        if x.numel() > _MOST_WINDOWED:
            answers = functional.conv1d(
                functional.pad(x.transpose(1, 2), self.pads), self._by_width(), self.weights.bias
            )
            return torch.relu(answers.transpose(1, 2))
        windows = functional.pad(x, (0, 0, *self.pads)).unfold(1, self.kernel, 1).transpose(2, 3)
        return torch.relu(self.weights(windows.flatten(2)))

    def write(self, writer: Writer, x: str) -> str:
        """Write the same as a convolution of (n, width, T)."""
        weight, bias = writer.constant(_numpy(self._by_width())), writer.constant(_numpy(self.weights.bias))
        return writer.node("Relu", writer.node("Conv", x, weight, bias, pads=list(self.pads)))

    def _by_width(self) -> torch.Tensor:
        """Return the weights as a convolution has them, (filters, width, kernel)."""
        return self.weights.weight.view(self.weights.out_features, self.kernel, -1).transpose(1, 2)


class TextCnn(Body):
    """Filters of several widths, their greatest answers over a text; with more blocks, filters upon filters.

    Source: Kim 2014, https://arxiv.org/abs/1408.5882, section 2; deeper blocks add to what they read, as in
    Conneau et al. 2016, https://arxiv.org/abs/1606.01781.
    """

    def __init__(self, width: int, filters: int, kernels: tuple[int, ...], *, blocks: int = 1) -> None:
        super().__init__()
        self.features = filters * len(kernels)
        self.first = nn.ModuleList(Filters(width, filters, kernel) for kernel in kernels)
        self.further = nn.ModuleList(Filters(self.features, self.features, 3) for _ in range(blocks - 1))
        self.dropout = Dropout(0.1)

    def forward(self, steps: Steps) -> torch.Tensor:
        """Return (n, features)."""
        mask = None if steps.is_full else steps.mask[:, :, None]
        x = torch.cat([filters(steps.x) for filters in self.first], dim=2)
        for filters in self.further:
            x = x if mask is None else x * mask
            x = x + filters(self.dropout(x))
        return (x if mask is None else x * mask).amax(dim=1)

    def write(self, writer: Writer, steps: WrittenSteps) -> str:
        """Write the same as nodes of a graph."""
        mask = writer.node("Unsqueeze", steps.mask, writer.constant(np.array([1], np.int64)))
        x = writer.node("Transpose", steps.x, perm=[0, 2, 1])
        x = writer.node("Concat", *(_filters(part).write(writer, x) for part in self.first), axis=1)
        for part in self.further:
            x = writer.node("Mul", x, mask)
            x = writer.node("Add", x, _filters(part).write(writer, x))
        return writer.node("ReduceMax", writer.node("Mul", x, mask), axes=[2], keepdims=0)


def _filters(module: nn.Module) -> Filters:
    assert isinstance(module, Filters), module
    return module


def _linear(writer: Writer, layer: nn.Linear, x: str) -> str:
    product = writer.node("MatMul", x, writer.constant(_numpy(layer.weight).T))
    return writer.node("Add", product, writer.constant(_numpy(layer.bias)))


def _lowered(writer: Writer, mask: str) -> str:
    """Write what is added to scores, (n, T, 1): nothing, or very little where there is padding."""
    missing = writer.node("Sub", writer.number(1.0), mask)
    return writer.node(
        "Unsqueeze", writer.node("Mul", missing, writer.number(_LOW)), writer.constant(np.array([2], np.int64))
    )


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy()
