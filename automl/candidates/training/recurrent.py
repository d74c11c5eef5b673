"""A recurrent body: LSTM or GRU, one way or both. Imports torch and onnx: load lazily.

A row's answer does not depend on the rows beside it: the way back starts at the row's own last step, since each row is
mirrored within its own length before it and after it. Against packed sequences that takes half to two thirds of the
time of a training step on one CPU core (batches of 64 rows of 22 to 25 steps, 64 units: LSTM 15 ms instead of 28, GRU
19 instead of 23; 97 to 100 steps: 76 instead of 180 and 77 instead of 153), and runs as oneDNN and cuDNN want it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from onnx import TensorProto, helper
from torch import nn

from automl.candidates.training.body_graphs import numbers, whole, written_as_many, written_not_none
from automl.candidates.training.body_settings import Cell, RecurrentSettings
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.pooling import Pool
from automl.candidates.training.ragged_parts import Body, Dropout, Steps, WrittenSteps
from automl.core.space import Value

_MODULES: dict[Cell, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}
_ORDER: dict[Cell, tuple[int, ...]] = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
"""Where ONNX has the gates of torch: i o f c of i f c o, z r h of r z h."""


def make(values: Mapping[str, Value], width: int, longest: int) -> Recurrent:
    """Return a body for steps of so many numbers; it takes any number of them."""
    return Recurrent(RecurrentSettings.of(values), width)


class Recurrent(Body):
    """Layers of recurrent units and a pooling.

    Parameters and dropout are drawn from the global stream of torch: seed it where the body is made and trained.
    """

    def __init__(self, settings: RecurrentSettings, width: int) -> None:
        super().__init__()
        self.settings, self.features = settings, settings.features
        widths = [width, *[self.features] * (settings.layers - 1)]
        self.layers = nn.ModuleList(Ways(settings, inputs) for inputs in widths)
        rates = [settings.input_dropout, *[settings.dropout] * (settings.layers - 1)]
        self.dropouts = nn.ModuleList(Dropout(rate) for rate in rates)
        self.pool = None if settings.pooling == "last" else Pool(settings.pooling, self.features)

    def forward(self, steps: Steps) -> torch.Tensor:
        """Return float32 (n, features)."""
        x, lengths = steps.x, steps.mask.sum(dim=1).long()
        if not len(x):
            return x.new_zeros(0, self.features)
        mirror = None if steps.is_full else _mirror(lengths, x.shape[1])
        for dropout, layer in zip(self.dropouts, self.layers, strict=True):
            x = layer(dropped(x, dropout), mirror)
        return self._last(x, lengths) if self.pool is None else self.pool(x, steps.mask)

    def _last(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the states after the last step of each way; the way back ends at the first step."""
        units = self.settings.units
        onward = x[torch.arange(len(x), device=x.device), lengths - 1, :units]
        return torch.cat([onward, x[:, 0, units:]], dim=1)

    def write(self, writer: Writer, steps: WrittenSteps) -> str:
        """Write LSTM or GRU operators with the lengths of the rows."""
        some = written_not_none(writer, steps)
        lengths = writer.node("ReduceSum", some.mask, whole(writer, 1), keepdims=0)
        lengths = writer.node("Cast", lengths, to=TensorProto.INT32)
        x = some.x
        for layer in self.layers:
            assert isinstance(layer, Ways), layer
            written = layer.write(writer, x, lengths)
            x = written.x
        pooled = written.last if self.pool is None else self.pool.write(writer, x, some.mask)
        return written_as_many(writer, pooled, steps)


def dropped(x: torch.Tensor, dropout: nn.Module) -> torch.Tensor:
    """Drop the same units at all steps of a row: Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287."""
    return x * dropout(x.new_ones(len(x), 1, x.shape[2])) if dropout.training else x


class Ways(nn.Module):
    """One layer of recurrent units, onward and perhaps back.

    Weights begin as Saxe et al. 2014, https://arxiv.org/abs/1312.6120, have it for states (orthogonal), and Glorot and
    Bengio 2010 for inputs; the forget gate begins open (Jozefowicz et al. 2015, proceedings.mlr.press/v37).
    """

    def __init__(self, settings: RecurrentSettings, width: int) -> None:
        super().__init__()
        self.cell, self.units = settings.cell, settings.units
        module = _MODULES[settings.cell]
        self.ways = nn.ModuleList(module(width, self.units, batch_first=True) for _ in range(settings.directions))
        for way in self.ways:
            _initialise(way, settings.cell, self.units)

    def forward(self, x: torch.Tensor, mirror: torch.Tensor | None) -> torch.Tensor:
        """Return (n, T, directions * units); what is behind a row's end is of no meaning.

        Args:
            x: (n, T, width).
            mirror: as `_mirror` gives it; None where all rows have T steps.
        """
        if x.is_cuda:
            self._lie_together()
        onward: torch.Tensor = self.ways[0](x)[0]
        if len(self.ways) == 1:
            return onward
        back = self.ways[1](_mirrored(x, mirror))[0]
        return torch.cat([onward, _mirrored(back, mirror)], dim=2)

    def _lie_together(self) -> None:
        """Put the parameters of each way in one piece of memory, as cuDNN wants them; copies of a module are not."""
        for way in self.ways:
            assert isinstance(way, nn.RNNBase), way
            way.flatten_parameters()

    def write(self, writer: Writer, x: str, lengths: str) -> _WrittenWays:
        """Write one operator for both ways."""
        kind, width = self.cell.upper(), len(self.ways) * self.units
        inputs = writer.node("Transpose", x, perm=[1, 0, 2])
        parts = [writer.constant(np.stack(part)) for part in zip(*map(self._written_way, self.ways), strict=True)]
        attributes: dict[str, Any] = {"linear_before_reset": 1} if self.cell == "gru" else {}
        attributes |= {"hidden_size": self.units, "direction": "bidirectional" if len(self.ways) == 2 else "forward"}
        name = f"states{len(writer.nodes)}"
        outputs = [name, f"{name}_last"]
        writer.nodes.append(helper.make_node(kind, [inputs, *parts, lengths], outputs, name, **attributes))
        steps = writer.node("Transpose", outputs[0], perm=[2, 0, 1, 3])
        last = writer.node("Transpose", outputs[1], perm=[1, 0, 2])
        return _WrittenWays(
            writer.node("Reshape", steps, whole(writer, 0, 0, width)),
            writer.node("Reshape", last, whole(writer, 0, width)),
        )

    def _written_way(self, way: nn.Module) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return weights of inputs, of states, and both biases, gates in the order of ONNX."""
        order = list(_ORDER[self.cell])

        def turned(name: str) -> np.ndarray:
            gates = numbers(way.get_parameter(name))
            return gates.reshape(len(order), self.units, -1)[order].reshape(gates.shape)

        bias = np.concatenate([turned("bias_ih_l0"), turned("bias_hh_l0")])
        return turned("weight_ih_l0"), turned("weight_hh_l0"), bias


class _WrittenWays(NamedTuple):
    """Names of (n, T, directions * units), and of (n, directions * units) after the last step of each way."""

    x: str
    last: str


class _Mirrored(torch.autograd.Function):
    """Steps in the order of `_mirror`, which undoes itself: the way back of gradients is the same again."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, mirror: torch.Tensor) -> torch.Tensor:
        """Return the steps of each row in the order of mirror."""
        ctx.save_for_backward(mirror)
        return x.reshape(-1, x.shape[2]).index_select(0, mirror).view(x.shape)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return the gradients in the same order; the mirror has none."""
        (mirror,) = ctx.saved_tensors
        return gradient.reshape(-1, gradient.shape[2]).index_select(0, mirror).view(gradient.shape), None


def _mirrored(x: torch.Tensor, mirror: torch.Tensor | None) -> torch.Tensor:
    if mirror is None:
        return x.flip(1)
    mirrored: torch.Tensor = _Mirrored.apply(x, mirror)  # type: ignore[no-untyped-call]
    return mirrored


def _mirror(lengths: torch.Tensor, longest: int) -> torch.Tensor:
    """Return where each step of (n, longest) goes, (n * longest,): mirrored within its row's own length, others behind.

    >>> _mirror(torch.tensor([3, 1]), 4).tolist()
    [2, 1, 0, 3, 4, 7, 6, 5]
    """
    steps = torch.arange(longest, device=lengths.device)
    rows = torch.arange(len(lengths), device=lengths.device) * longest
    return (rows[:, None] + (lengths[:, None] - 1 - steps).remainder(longest)).view(-1)


def _initialise(way: nn.Module, cell: Cell, units: int) -> None:
    for name, parameter in way.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
            continue
        for gate in torch.split(parameter.data, units):
            (nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_)(gate)
    if cell == "lstm":
        way.get_parameter("bias_ih_l0").data[units : 2 * units] = 1.0
