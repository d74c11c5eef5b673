"""The shape of an Inception body and what a row costs, from its configuration alone; no torch."""

from __future__ import annotations

from collections.abc import Mapping

from automl.candidates.training.ragged_cost import Work
from automl.core.space import Value

EVERY = 3
"""Blocks that a shortcut leads around."""
_PER_FEATURE = 4  # numbers written: convolution, place among others, normalisation, activation
_CONVOLUTION = 2.5  # long kernels with few channels reach 10-30e9 operations a second where matrix products reach 50


def work(values: Mapping[str, Value], width: int, steps: float) -> Work:
    """Return what one row of so many steps costs in the body."""
    units, kernels = int(values["units"]), kernel_lengths(int(values["kernel"]), max(1, round(steps)))
    features, macs, written = units * (len(kernels) + 1), 0.0, 0.0
    for place in range(int(values["blocks"])):
        inputs = width if place == 0 else features
        narrow = units if reads_narrow(inputs, units) else inputs
        macs += narrow * units * (sum(kernels) + 1) + (inputs * units if narrow < inputs else 0)
        written += _PER_FEATURE * features + 2 * inputs
        if place % EVERY == EVERY - 1:
            macs += features * (width if place < EVERY else features)
            written += _PER_FEATURE * features
    return Work(_CONVOLUTION * macs * steps, written * steps)


def kernel_lengths(kernel: int, longest: int) -> tuple[int, ...]:
    """Return three odd lengths, each about half of the one before; fewer where rows have so few steps.

    Args:
        kernel: about the steps of the longest.
        longest: steps of the longest row.

    >>> kernel_lengths(40, 400), kernel_lengths(40, 8), kernel_lengths(40, 1)
    ((41, 21, 11), (7, 3), (1,))
    """
    most = min(kernel, longest)
    lengths = [_odd(most / 2**place, longest) for place in range(3)]
    return tuple(sorted({k for k in lengths if k > 1} or {1}, reverse=True))


def reads_narrow(width: int, units: int) -> bool:
    """Return whether a block narrows its input before its kernels: where that makes it smaller."""
    return width > units


def _odd(length: float, longest: int) -> int:
    most = longest - (longest % 2 == 0)
    return max(1, min(2 * int(length / 2) + 1, most))
