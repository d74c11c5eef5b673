"""The running average of a network's weights: what is scored and kept. Imports torch: load lazily."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

EVERY = 4
"""Steps between two updates: a quarter of the cost, the same average within its horizon."""
GROWTH = 0.3
"""The horizon is at most this share of the steps done, so that the random start is soon forgotten."""


class Average:
    """An exponential average whose horizon grows at the start and shrinks to nothing at the end.

    With a learning rate that falls to zero it ends at the weights themselves; before, where a rung ends at a high
    learning rate, it is much better than they are, so that short training tells more about long training.

    Source of the idea: Izmailov et al. 2018, https://arxiv.org/abs/1803.05407; the falling horizon is our own.
    """

    def __init__(self, network: nn.Module, horizon: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.horizon = horizon

    @torch.no_grad()
    def update(self, network: nn.Module, step: int, progress: float) -> None:
        """Take in the weights after optimiser step `step`; progress is the share of full training that is done."""
        if step % EVERY and progress < 1:
            return
        horizon = min(self.horizon * (1 - progress), GROWTH * step)
        weight = 1 - math.exp(-EVERY / horizon) if horizon > 0 else 1.0
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, weight)
            else:
                mine.copy_(theirs)
