"""From series as the encoder gives them to the steps a body reads. Imports torch and onnx: load lazily."""

from __future__ import annotations

import torch
from onnx import TensorProto
from torch.nn import functional

from automl.candidates.sequence.network_inputs import EntranceSettings
from automl.candidates.training.body_graphs import whole
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import Entrance, Steps, WrittenSteps


class SeriesEntrance(Entrance):
    """Reads (n, channels, T), NaN after the end of a series, as steps of their channels, or as patches of neighbours.

    A patch that begins before a series' end is a step, and what of it lies behind the end is 0. Source of the patches:
    Nie et al. 2023, https://arxiv.org/abs/2211.14730, section 3.1, here without overlap and with all channels together;
    the body maps them. What is drawn in training comes from torch's own stream.
    """

    def __init__(self, settings: EntranceSettings, channels: int) -> None:
        super().__init__()
        self.settings, self.channels = settings, channels
        self.width = channels * settings.patch

    def forward(self, inputs: torch.Tensor) -> Steps:
        """Return steps, (n, T / patch, width), and their mask."""
        patch = self.settings.patch
        if self.training:
            inputs = varied(inputs, self.settings)
        if patch > 1:
            inputs = functional.pad(inputs, (0, -inputs.shape[2] % patch), value=float("nan"))
        there = inputs[:, 0, ::patch] == inputs[:, 0, ::patch]
        x = torch.nan_to_num(inputs, nan=0.0)
        apart = x.reshape(*x.shape[:2], x.shape[2] // patch, patch)
        return Steps(apart.transpose(1, 2).flatten(2), there.float())

    def write(self, writer: Writer, inputs: str) -> WrittenSteps:
        """Write the same, as in evaluation."""
        if self.settings.patch > 1:
            x = _patches(writer, inputs, self.channels, self.settings.patch)
        else:
            x = writer.node("Transpose", inputs, perm=[0, 2, 1])
        gone = writer.node("IsNaN", x)
        x = writer.node("Where", gone, writer.number(0.0), x)
        first = writer.node("Slice", gone, whole(writer, 0), whole(writer, 1), whole(writer, 2))
        there = writer.node("Not", writer.node("Squeeze", first, whole(writer, 2)))
        return WrittenSteps(x, writer.node("Cast", there, to=TensorProto.FLOAT))


def varied(inputs: torch.Tensor, settings: EntranceSettings) -> torch.Tensor:
    """Return series (n, channels, T) as they might have been: noise, other gains, a stretch of their steps.

    Sources: Um et al. 2017, https://arxiv.org/abs/1706.00527 (noise, scaling); Le Guennec et al. 2016,
    https://shs.hal.science/halshs-01357973 (window slicing).
    """
    if settings.window < 1:
        inputs = _windows(inputs, settings.window)
    if settings.gain:
        inputs = inputs * torch.exp(settings.gain * torch.randn(*inputs.shape[:2], 1, device=inputs.device))
    if settings.noise:
        inputs = inputs + settings.noise * torch.randn_like(inputs)
    return inputs


def _windows(inputs: torch.Tensor, least: float) -> torch.Tensor:
    """Return a stretch of each series: the same share of its steps for all, between least and 1, from anywhere.

    The same share, so that series of one length stay so.
    """
    count, channels, longest = inputs.shape
    lengths = (inputs[:, 0] == inputs[:, 0]).sum(dim=1)
    kept = torch.ceil(lengths * (least + (1 - least) * torch.rand((), device=inputs.device))).long().clamp(min=1)
    first = ((lengths - kept + 1) * torch.rand(count, device=inputs.device)).long()
    steps = torch.arange(int(kept.max()), device=inputs.device)
    places = (first[:, None] + steps).clamp(max=longest - 1)
    taken = inputs.gather(2, places[:, None].expand(-1, channels, -1))
    return taken.masked_fill((steps >= kept[:, None])[:, None], torch.nan)


def _patches(writer: Writer, inputs: str, channels: int, patch: int) -> str:
    """Write (n, channels, T) → (n, T / patch rounded up, channels * patch), NaN behind the end.

    The new shape is written out: with -1 in it no graph runs on 0 rows.
    """
    steps = writer.node("Shape", inputs, start=2, end=3)
    count = writer.node("Div", writer.node("Add", steps, whole(writer, patch - 1)), whole(writer, patch))
    more = writer.node("Sub", writer.node("Mul", count, whole(writer, patch)), steps)
    pads = writer.node("Concat", whole(writer, 0, 0, 0, 0, 0), more, axis=0)
    padded = writer.node("Pad", inputs, pads, writer.number(float("nan")))
    rows = writer.node("Shape", inputs, start=0, end=1)
    split = writer.node("Concat", rows, whole(writer, channels), count, whole(writer, patch), axis=0)
    turned = writer.node("Transpose", writer.node("Reshape", padded, split), perm=[0, 2, 1, 3])
    flat = writer.node("Concat", rows, count, whole(writer, channels * patch), axis=0)
    return writer.node("Reshape", turned, flat)
