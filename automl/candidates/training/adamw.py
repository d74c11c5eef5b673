"""AdamW over groups of parameters, without the 1.8 CPU-seconds of `torch.optim`. Imports torch: load lazily.

Making any optimiser of torch 2.13 imports `torch._dynamo`, 800 modules that nothing here needs; the function that does
the work does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    A parameter whose gradient is sparse, an embedding, moves in the rows of its gradient alone, which costs what the
    batch has of them and not what the vocabulary has.

    Source: Loshchilov & Hutter 2017, https://arxiv.org/abs/1711.05101, Algorithm 2; sparse rows as in
    https://docs.pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html, with decay.
    """

    def __init__(self, groups: Sequence[tuple[Sequence[nn.Parameter], float]]) -> None:
        """Begin with no memory; each group is parameters and their weight decay."""
        self._groups = [(list(parameters), decay, [_moments(p) for p in parameters]) for parameters, decay in groups]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Take a step against the gradients, and forget them; a parameter without a gradient stays as it is."""
        for parameters, decay, moments in self._groups:
            used = [(p, p.grad, m) for p, m in zip(parameters, moments, strict=True) if p.grad is not None]
            dense = [(p, gradient, m) for p, gradient, m in used if not gradient.is_sparse]
            adamw(
                [p for p, _, _ in dense], [gradient for _, gradient, _ in dense],
                [m.first for _, _, m in dense], [m.second for _, _, m in dense], [], [m.steps for _, _, m in dense],
                fused=True, amsgrad=False, maximize=False, beta1=BETAS[0], beta2=BETAS[1], eps=EPSILON,
                lr=lr, weight_decay=decay,
            )  # fmt: skip
            for parameter, gradient, memory in used:
                if gradient.is_sparse:
                    _step_rows(parameter, gradient.coalesce(), memory, lr=lr, decay=decay)
                parameter.grad = None


def _step_rows(parameter: nn.Parameter, gradient: torch.Tensor, memory: _Moments, *, lr: float, decay: float) -> None:
    rows, change = gradient.indices()[0], gradient.values()
    memory.steps.add_(1)
    first = memory.first[rows].lerp_(change, 1 - BETAS[0])
    second = memory.second[rows].lerp_(change.square(), 1 - BETAS[1])
    memory.first[rows], memory.second[rows] = first, second
    spread = (second / (1 - BETAS[1] ** memory.steps)).sqrt_().add_(EPSILON)
    moved = first.div_(1 - BETAS[0] ** memory.steps).div_(spread)
    parameter[rows] = parameter[rows].mul_(1 - lr * decay).sub_(moved, alpha=lr)


@torch.no_grad()
def clip(parameters: Iterable[nn.Parameter], longest: float) -> None:
    """Shorten the gradients of all these parameters, taken as one, to this length where they are longer."""
    for parameter in (used := [p for p in parameters if p.grad is not None]):
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
    parts = [_numbers(p) for p in used]
    if parts:
        length = torch.stack([part.norm() for part in parts]).norm()
        factor = (longest / (length + 1e-6)).clamp(max=1.0)
        for part in parts:
            part.mul_(factor)


def _numbers(parameter: nn.Parameter) -> torch.Tensor:
    """Return the numbers of a parameter's gradient, where they lie."""
    assert parameter.grad is not None
    return parameter.grad._values() if parameter.grad.is_sparse else parameter.grad


def _moments(parameter: nn.Parameter) -> _Moments:
    return _Moments(
        torch.zeros_like(parameter, requires_grad=False),
        torch.zeros_like(parameter, requires_grad=False),
        torch.zeros((), device=parameter.device),
    )
