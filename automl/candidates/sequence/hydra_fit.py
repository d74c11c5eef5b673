"""The plan of competing kernels, learned on training rows; what it computes is in `serving.series_hydra`."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.candidates.sequence.views_fit import drawn_channels, padded_steps_of, view_json
from automl.core.data import DataSpec
from automl.serving.series import Series
from automl.serving.series_hydra import MOST_SUMMED, STRENGTH, TAPS
from automl.serving.series_views import MOST_POOLED, Scaling

_SECONDS_PER_STEP, _SECONDS_PER_CHANNEL = 3.5e-9, 4e-10  # row x kernel x step, and that by channels; one common core
_SECONDS_PER_ROW, _SECONDS_PER_KERNEL = 1e-8, 4e-5  # row x kernel; and to draw a kernel


@dataclass(frozen=True)
class HydraOptions:
    """What to compute.

    Attributes:
        groups: at each dilation, half of them on the differences between steps.
        size: kernels of a group.
        scaling: of each channel by the training rows or by the series itself.
        longest: steps that a series is averaged down to.
        is_padded: whether shorter series are extended to the longest one of the training rows.
    """

    groups: int
    size: int
    scaling: Scaling
    longest: int
    is_padded: bool

    def to_json(self) -> dict[str, Any]:
        """Return the options as JSON values, for the key of a cache."""
        return dataclasses.asdict(self)

    def within(self, features: int, steps: int) -> HydraOptions:
        """Return the same with as many groups as give no more features for series of so many steps, at least two."""
        wide = hydra_features(steps, self)
        return self if wide <= features else dataclasses.replace(self, groups=max(2, self.groups * features // wide))


def hydra_dilations(steps: int) -> list[int]:
    """Return the powers of two at which a kernel is not longer than a series.

    >>> hydra_dilations(40), hydra_dilations(3)
    ([1, 2, 4], [1])
    """
    return [2**power for power in range(1 + int(math.log2(max(1.0, (steps - 1) / (TAPS - 1)))))]


def hydra_features(steps: int, options: HydraOptions) -> int:
    """Return how many numbers the longest series being of so many steps gives; a few fewer if differences see less."""
    return 4 * max(1, options.groups // 2) * options.size * len(hydra_dilations(min(steps, options.longest)))


def hydra_seconds(spec: DataSpec, options: HydraOptions) -> float:
    """Return the seconds to encode all rows on one common core."""
    channels, mean, most = spec.shape
    steps = min(options.longest, most if options.is_padded else mean)
    kernels = hydra_features(most, options) / 2
    a_step = _SECONDS_PER_STEP + min(channels, MOST_POOLED) * _SECONDS_PER_CHANNEL
    return 0.05 + kernels * _SECONDS_PER_KERNEL + spec.rows * kernels * (steps * a_step + _SECONDS_PER_ROW)


def fitted_hydra(series: Series, options: HydraOptions, rng: np.random.Generator) -> dict[str, Any]:
    """Return a plan, see `automl.serving.series_hydra`.

    Args:
        series: training rows, at least one; only scales and lengths are learned from them.
        options: what to compute.
        rng: draws kernels and channels.
    """
    reference = padded_steps_of(series, options.longest)
    groups = max(1, options.groups // 2)
    listed = []
    for is_difference in (False, True):
        view = view_json(series, options.longest, is_difference=is_difference, scaling=options.scaling)
        banks = []
        for dilation in hydra_dilations(reference - is_difference):
            repeats = min(groups, math.ceil(series.channels / MOST_POOLED))
            sizes = np.diff(np.rint(np.linspace(0, groups, repeats + 1)).astype(int)).tolist()
            banks += [_bank(series.channels, dilation, (size, options.size), rng) for size in sizes]
        listed.append({**view, "banks": banks})
    return {
        "version": 1,
        "kind": "hydra",
        "channels": series.channels,
        "longest": options.longest,
        "padded": reference if options.is_padded else 0,
        "reference": reference,
        "size": options.size,
        "views": listed,
    }


def _bank(channels: int, dilation: int, shape: tuple[int, int], rng: np.random.Generator) -> dict[str, Any]:
    """Return a bank of shape (groups, size)."""
    drawn = drawn_channels(channels, shape[0], MOST_SUMMED, rng)
    return {"dilation": dilation, **drawn, "kernels": drawn_kernels(shape[0] * shape[1], rng).ravel().tolist()}


def drawn_kernels(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return nine normal numbers less their mean for each kernel, brought to whole ones, int64 (count, 9).

    Those above 0 sum to half of `STRENGTH`, those below it to as much.
    """
    drawn = rng.normal(size=(count, TAPS))
    drawn -= drawn.mean(axis=1, keepdims=True)
    return np.asarray(_whole(np.maximum(drawn, 0)) - _whole(np.maximum(-drawn, 0)))


def _whole(weights: np.ndarray) -> np.ndarray:
    """Return whole numbers in the proportions of each row that sum to half of `STRENGTH`."""
    exact = weights / weights.sum(axis=1, keepdims=True) * (STRENGTH // 2)
    found = np.floor(exact)
    missing = STRENGTH // 2 - found.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(found - exact, axis=1, kind="stable"), axis=1)
    return np.asarray(found + (rank < missing), np.int64)
