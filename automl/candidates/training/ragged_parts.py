"""The two parts of a network for rows of different lengths: an entrance for each kind of data, and a body.

An entrance turns what an encoder gives into steps, (n, T, width), and a mask; a body turns steps into features,
(n, features). What a body gives must not depend on steps where the mask is 0, nor on how many there are: a row's answer
is the same alone and beside longer ones. Imports torch: load lazily.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import nn

from automl.candidates.training.masks import Masks
from automl.candidates.training.onnx_graph import Writer

_BANK = 1 << 18
"""Entries of the bank of masks of one `Dropout`: drawn in 2 ms."""


class Steps(NamedTuple):
    """Rows on their way through a network.

    Attributes:
        x: float32 (n, T, width), 0 where the mask is.
        mask: float32 (n, T), 1 where there is a step; each row has one at least, and its steps come first.
        is_full: whether the mask is known to be 1 everywhere, so that training may leave it out; False says nothing.
    """

    x: torch.Tensor
    mask: torch.Tensor
    is_full: bool = False


class WrittenSteps(NamedTuple):
    """Names of the two tensors of `Steps` in a graph."""

    x: str
    mask: str


class Entrance(nn.Module, ABC):
    """From the array of an encoder to steps.

    Attributes:
        width: of a step.
    """

    width: int

    @abstractmethod
    def forward(self, inputs: torch.Tensor) -> Steps:
        """Return steps of a batch as the encoder gives it, float32."""

    @abstractmethod
    def write(self, writer: Writer, inputs: str) -> WrittenSteps:
        """Write the same as nodes of a graph."""


class Body(nn.Module, ABC):
    """From steps to features. Parameters of two or more dimensions are decayed, others are not.

    Attributes:
        features: how many.
    """

    features: int

    @abstractmethod
    def forward(self, steps: Steps) -> torch.Tensor:
        """Return float32 (n, features)."""

    @abstractmethod
    def write(self, writer: Writer, steps: WrittenSteps) -> str:
        """Write the same, as in evaluation, as nodes of a graph; return the name of the features."""


class Dropout(nn.Module):
    """Dropout at a fraction of the cost of `torch.nn.Dropout` on a CPU; drawn from torch's generator, as that is.

    The trainer seeds that generator, so that everything a body draws in training derives from the one seed.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self._masks: Masks | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x in evaluation, in training with a share of its units zero and the others larger."""
        if not (self.training and self.rate):
            return x
        if self._masks is None:
            self._masks = Masks(self.rate, None, x.device, bank=_BANK)
        return self._masks(x)
