"""Optimisers over two groups: weights decay, biases and normalisation do not. Imports torch: load lazily."""

from __future__ import annotations

import torch
from torch import nn

from automl.candidates.training.settings import Settings

RMSPROP_MEMORY = 0.9
"""Hinton's lecture 6e gives 0.9; torch's own default of 0.99 is slow to follow in short training."""


def optimiser(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """Return the optimiser of these settings over the network's parameters.

    Source: no decay of biases, Goyal et al. 2017, https://arxiv.org/abs/1706.02677, section 5.3.
    """
    groups = [
        {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    match settings.optimizer:
        case "sgd":
            nesterov = settings.momentum > 0
            return torch.optim.SGD(
                groups, lr=settings.lr, momentum=settings.momentum, nesterov=nesterov, fused=True
            )  # fmt: skip
        case "adam":
            return torch.optim.Adam(groups, lr=settings.lr, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, lr=settings.lr, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=settings.lr, alpha=RMSPROP_MEMORY)


def set_learning_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all groups."""
    for group in optimiser.param_groups:
        group["lr"] = lr
