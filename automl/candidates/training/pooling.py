"""From the steps of a row to its features, whatever is behind its end. Imports torch: load lazily."""

from __future__ import annotations

import torch
from torch import nn

from automl.candidates.training.body_graphs import NEVER, whole, written_linear, written_never
from automl.candidates.training.body_settings import Pooling
from automl.candidates.training.onnx_graph import Writer

SCORE_UNITS = 64
"""Units of the layer that scores steps."""


class Pool(nn.Module):
    """Steps (n, T, width) and their mask (n, T) to (n, width).

    attention: a mean of steps by weights that a layer of tanh units gives them. Source: Bahdanau et al. 2015,
    https://arxiv.org/abs/1409.0473, with no query, as Yang et al. 2016, https://aclanthology.org/N16-1174, have it.
    """

    def __init__(self, kind: Pooling, width: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "attention":
            self.hidden = nn.Linear(width, SCORE_UNITS)
            self.score = nn.Linear(SCORE_UNITS, 1, bias=False)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return (n, width); steps where the mask is 0 may hold any finite number."""
        if not len(x):
            return x.new_zeros(0, x.shape[2])
        if self.kind == "max":
            return (x + (NEVER * (1 - mask)).unsqueeze(2)).amax(dim=1)
        if self.kind == "mean":
            weights = mask / mask.sum(dim=1, keepdim=True)
        else:
            scores = self.score(torch.tanh(self.hidden(x))).squeeze(2)
            weights = torch.softmax(scores + NEVER * (1 - mask), dim=1)
        return torch.bmm(weights.unsqueeze(1), x).squeeze(1)

    def write(self, writer: Writer, x: str, mask: str) -> str:
        """Write the same as nodes of a graph; return the name of the features."""
        never = written_never(writer, mask)
        if self.kind == "max":
            lowered = writer.node("Add", x, writer.node("Unsqueeze", never, whole(writer, 2)))
            return writer.node("ReduceMax", lowered, axes=[1], keepdims=0)
        if self.kind == "mean":
            weights = writer.node("Div", mask, writer.node("ReduceSum", mask, whole(writer, 1), keepdims=1))
        else:
            scores = writer.node("Squeeze", self._written_scores(writer, x), whole(writer, 2))
            weights = writer.node("Softmax", writer.node("Add", scores, never), axis=1)
        product = writer.node("MatMul", writer.node("Unsqueeze", weights, whole(writer, 1)), x)
        return writer.node("Squeeze", product, whole(writer, 1))

    def _written_scores(self, writer: Writer, x: str) -> str:
        hidden = writer.node("Tanh", written_linear(writer, self.hidden, x))
        return written_linear(writer, self.score, hidden)
