"""The plan of kernels with thresholds, learned on training rows; what it computes is in `serving.series_rocket`."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from automl.candidates.sequence.views_fit import dilations, drawn_channels, padded_steps_of, view_json
from automl.core.data import DataSpec
from automl.serving.series import Series
from automl.serving.series_rocket import GAIN, KERNELS, MOST_SUMMED, POOLINGS, TAPS, Bank, responses
from automl.serving.series_views import MOST_POOLED, Scaling, View, blocks

LONGEST = 2048
"""Steps of a series; of longer ones neighbours are averaged."""

Pooling = Literal["share", "several"]
_MOST_DILATIONS = 32  # as in the paper
_SECONDS = {"share": (5e-10, 7e-9), "several": (5e-9, 8e-8)}  # row x bias x step, and row x bias; one common core
_SECONDS_PER_RESPONSE, _SECONDS_PER_CHANNEL = 5e-10, 6e-10  # row x step x kernel x dilation, and that by channels
_SECONDS_PER_BANK = 0.004  # to find its biases
_SERIES = 28  # whose responses give a bank its biases; the source has one for each of 84 kernels
_GOLDEN = (math.sqrt(5) + 1) / 2


@dataclass(frozen=True)
class RocketOptions:
    """What to compute.

    Attributes:
        features: about how many; at least one for each kernel, view and number of the pooling.
        pooling: what is computed for each bias.
        differences: whether those between steps are looked at beside the steps.
        scaling: of each channel by the training rows or by the series itself.
        longest: steps that a series is averaged down to.
        is_padded: whether shorter series are extended to the longest one of the training rows.
    """

    features: int
    pooling: Pooling
    differences: bool
    scaling: Scaling
    longest: int
    is_padded: bool

    def to_json(self) -> dict[str, Any]:
        """Return the options as JSON values, for the key of a cache."""
        return dataclasses.asdict(self)


def rocket_seconds(spec: DataSpec, options: RocketOptions) -> float:
    """Return the seconds to encode all rows on one common core."""
    channels, mean, most = spec.shape
    steps = min(options.longest, most if options.is_padded else mean)
    biases = options.features / POOLINGS[options.pooling]
    a_step, a_bias = _SECONDS[options.pooling]
    banks = (1 + options.differences) * len(dilations(steps, TAPS, _MOST_DILATIONS))
    seen = banks * KERNELS * steps * (_SECONDS_PER_RESPONSE + min(channels, MOST_POOLED) * _SECONDS_PER_CHANNEL)
    return 0.1 + banks * _SECONDS_PER_BANK + spec.rows * (biases * (steps * a_step + a_bias) + seen)


def fitted_rocket(series: Series, options: RocketOptions, rng: np.random.Generator) -> dict[str, Any]:
    """Return a plan, see `automl.serving.series_rocket`.

    Args:
        series: training rows, at least one.
        options: what to compute.
        rng: draws channels, and the series whose responses give a kernel its biases.
    """
    views = [False, True] if options.differences else [False]
    biases = max(1, options.features // (KERNELS * POOLINGS[options.pooling] * len(views)))
    padded = padded_steps_of(series, options.longest) if options.is_padded else 0
    listed = []
    for is_difference in views:
        view = view_json(series, options.longest, is_difference=is_difference, scaling=options.scaling)
        listed.append({**view, "banks": _banks(_Looked(series, view, options.longest, padded), biases, rng)})
    return {
        "version": 1,
        "kind": "rocket",
        "channels": series.channels,
        "longest": options.longest,
        "padded": padded,
        "pooling": options.pooling,
        "views": listed,
    }


def _banks(looked_at: _Looked, biases: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the banks of a view with so many biases for each kernel in all."""
    channels = looked_at.channels
    shares = dilations(looked_at.steps, TAPS, min(biases, _MOST_DILATIONS))
    counts = _spread(np.array(list(shares.values())), biases)
    banks: list[dict[str, Any]] = []
    done = 0
    for dilation, count in zip(shares, counts.tolist(), strict=True):
        repeats = min(count, math.ceil(2 * channels / (MOST_POOLED * len(shares))))
        for size in _spread(np.ones(repeats), count).tolist():
            drawn = drawn_channels(channels, KERNELS, MOST_SUMMED, rng)
            bank = {"dilation": dilation, "parity": len(banks) % 2, **drawn, "biases": [0] * KERNELS}
            levels = np.arange(1 + done, 1 + done + size * KERNELS) * _GOLDEN % 1
            bank["biases"] = looked_at.quantiles(bank, levels.reshape(size, KERNELS).T, rng)
            done += size * KERNELS
            banks.append(bank)
    return banks


def _spread(shares: np.ndarray, total: int) -> np.ndarray:
    """Return whole numbers that sum to total, in about these proportions, none of them 0 if total suffices."""
    ends = np.rint(np.cumsum(shares) / shares.sum() * total).astype(np.int64)
    return np.diff(ends, prepend=0)


class _Looked:
    """Training rows that biases come from.

    Attributes:
        channels: of a series.
        steps: of the longest.
    """

    def __init__(self, series: Series, view: dict[str, Any], longest: int, padded: int) -> None:
        self.channels = series.channels
        self.steps = max(1, int(np.minimum(series.lengths, longest).max()) - bool(view["difference"]))
        self._series, self._longest, self._padded = series, longest, padded
        self._view = View.from_json(view, series.channels, gain=GAIN)

    def quantiles(self, values: dict[str, Any], levels: np.ndarray, rng: np.random.Generator) -> list[int]:
        """Return the biases of a bank: for each kernel, quantiles at its levels, (84, m), of one series' responses."""
        bank = Bank.from_json(values, self.channels)
        chosen = rng.choice(len(self._series), min(len(self._series), _SERIES), replace=False)
        row_of = rng.integers(len(chosen), size=KERNELS)
        found = np.empty(levels.shape)
        for rows, block in blocks(self._series[chosen], self._longest, padded=self._padded):
            whole = self._view.whole(block)[bank.channels]
            for half in bank.halves:
                mine = np.flatnonzero(np.isin(row_of[half.kernels], rows))
                kernels = half.kernels[mine]
                given = responses(whole, bank.dilation, half._replace(kernels=kernels, weights=half.weights[mine]))
                own = given.values[np.arange(len(mine)), np.searchsorted(rows, row_of[kernels]), : given.steps]
                place = (levels[kernels] * (given.steps - 1)).astype(np.int64)
                found[kernels] = np.take_along_axis(np.sort(own, axis=1), place, axis=1)
        return [int(bias) for bias in found.ravel()]
