"""Learning-rate schedules as factors of the peak, over the share of full training that is done."""

from __future__ import annotations

import math

from automl.candidates.training.settings import ScheduleName

DECAY_SHARE = 0.3
"""The last part of a warm-up-stable-decay schedule; Hägele et al. 2024 find 0.2 enough for long training."""


def factor(schedule: ScheduleName, progress: float, warmup: float) -> float:
    """Return the learning rate as a share of its peak.

    Sources: one-cycle, Smith and Topin 2017, https://arxiv.org/abs/1708.07120 (linear up, linear down to 0); cosine,
    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983 (without restarts); warm-up-stable-decay, Hägele et
    al. 2024, https://arxiv.org/abs/2405.18392.

    Args:
        schedule: its name.
        progress: share of full training that is done, in [0, 1].
        warmup: share of full training in which the rate rises linearly from 0.

    >>> [factor("one-cycle", p, 0.25) for p in (0.125, 0.25, 0.625, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if progress < warmup:
        return progress / warmup
    rest = (1 - progress) / (1 - warmup) if warmup < 1 else 0.0
    match schedule:
        case "one-cycle":
            return rest
        case "cosine":
            return 0.5 * (1 - math.cos(math.pi * rest))
        case "warm-up-stable-decay":
            return min(1.0, (1 - progress) / DECAY_SHARE)
