"""What the kernels of a plan look at, learned on training rows: the scale of each channel, dilations, channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from automl.serving.series import Series
from automl.serving.series_views import MOST_POOLED, Scaling, blocks

_MOST_LOOKED_AT = 2_000  # series that scales are learned from
_LEVEL_SHARE = 0.125  # of the deviation of all steps that a scale is at least: series may lie at different levels
_LEAST, _MOST = 1e-30, 1e37  # of a scale


def view_json(series: Series, longest: int, *, is_difference: bool, scaling: Scaling) -> dict[str, Any]:
    """Return a view of a plan, see `automl.serving.series_views.View`: its means and scales.

    A scale is the deviation within a series, as the median over series has it, so that a few wild ones do not make all
    others flat.

    Args:
        series: training rows.
        longest: steps of a series.
        is_difference: whether steps are looked at or their differences.
        scaling: by these numbers alone, or then by those of each series itself.
    """
    chosen = series[:: max(1, len(series) // _MOST_LOOKED_AT)]
    seen = [block.values for block in blocks(chosen, longest)]
    if is_difference:
        seen = [np.diff(values, axis=2) if values.shape[2] > 1 else np.zeros_like(values) for values in seen]
    means, scales = [], []
    for channel in range(series.channels):
        mean, scale = _scale([values[channel] for values in seen])
        means.append(mean)
        scales.append(scale)
    return {"difference": is_difference, "scaling": scaling, "means": means, "scales": scales}


def _scale(parts: list[np.ndarray]) -> tuple[float, float]:
    """Return mean and scale of one channel from its values, (r, steps) for each length."""
    known = [part[~np.isnan(part[:, 0])] for part in parts]
    flat = np.concatenate([part.ravel() for part in known])
    if not len(flat):
        return 0.0, 1.0
    within = float(np.median(np.concatenate([part.std(axis=1) for part in known])))
    scale = max(within, _LEVEL_SHARE * float(flat.std()))
    return float(flat.mean()), min(_MOST, scale) if scale > _LEAST else 1.0


def padded_steps_of(series: Series, longest: int) -> int:
    """Return to how many steps shorter series are extended: to those of the longest training row."""
    return int(np.minimum(series.lengths, longest).max())


def dilations(steps: int, kernel: int, most: int) -> dict[int, int]:
    """Return dilations for series of so many steps, each with its share of `most`, as MiniRocket chooses them.

    Powers of two, evenly spaced in the exponent, up to where a kernel is as long as the series; as they become whole
    numbers, small ones come more than once.

    >>> dilations(65, 9, 4)
    {1: 1, 2: 2, 8: 1}
    """
    largest = math.log2(max(1.0, (steps - 1) / (kernel - 1)))
    wanted = np.power(2.0, np.linspace(0, largest, most) + 1e-12).astype(np.int64)
    return {int(d): int(n) for d, n in zip(*np.unique(wanted, return_counts=True), strict=True)}


def drawn_channels(channels: int, count: int, most: int, rng: np.random.Generator) -> dict[str, list[int]]:
    """Return which channels the kernels of a bank sum, see `automl.serving.series_views.used_channels`.

    Args:
        channels: of a series.
        count: of kernels, or groups of them.
        most: channels that are summed; how many is drawn evenly in its logarithm.
        rng: draws.
    """
    pool = np.sort(rng.choice(channels, min(channels, MOST_POOLED), replace=False))
    largest = math.log2(min(len(pool), most) + 1)
    use = []
    for _ in range(count):
        size = int(2 ** rng.uniform(0, largest))
        use.append(sum(1 << int(place) for place in rng.choice(len(pool), size, replace=False)))
    return {"channels": pool.tolist(), "use": use}
