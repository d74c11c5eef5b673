"""AdamW over groups of parameters, without the 1.8 CPU-seconds of `torch.optim`. Imports torch: load lazily.

Making any optimiser of torch 2.13 imports `torch._dynamo`, 800 modules that nothing here needs; the function that does
the work does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.optim.adamw import adamw

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class _Moments(NamedTuple):
    """The running means of a parameter's gradient and of its square, and the steps they have seen."""

    first: torch.Tensor
    second: torch.Tensor
    steps: torch.Tensor


class AdamW:
    """Adam with decoupled weight decay, all parameters of a group in one fused operation.

    Source: Loshchilov & Hutter 2017, https://arxiv.org/abs/1711.05101, Algorithm 2.
    """

    def __init__(self, groups: Sequence[tuple[Sequence[nn.Parameter], float]]) -> None:
        """Begin with no memory; each group is parameters and their weight decay."""
        self._groups = [(list(parameters), decay, [_moments(p) for p in parameters]) for parameters, decay in groups]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Take a step against the gradients, and forget them; a parameter without a gradient stays as it is."""
        for parameters, decay, moments in self._groups:
            used = [(p, p.grad, m) for p, m in zip(parameters, moments, strict=True) if p.grad is not None]
            adamw(
                [p for p, _, _ in used], [gradient for _, gradient, _ in used],
                [m.first for _, _, m in used], [m.second for _, _, m in used], [], [m.steps for _, _, m in used],
                fused=True, amsgrad=False, maximize=False, beta1=BETAS[0], beta2=BETAS[1], eps=EPSILON,
                lr=lr, weight_decay=decay,
            )  # fmt: skip
            for parameter in parameters:
                parameter.grad = None


def _moments(parameter: nn.Parameter) -> _Moments:
    return _Moments(
        torch.zeros_like(parameter, requires_grad=False),
        torch.zeros_like(parameter, requires_grad=False),
        torch.zeros((), device=parameter.device),
    )
