"""Plans of kind "rocket": how much of a series lies above thresholds, after it was seen through fixed kernels.

A plan is `{"version": 1, "kind": "rocket", "channels": c, "longest": T, "padded": P, "pooling": "share" | "several",
"views": [...]}`. A series of more than T steps is averaged down to T, one of fewer than P is extended by zeros to P; 0
leaves each as long as it is. A view is as `series_views.View` has it, with `"banks": [...]` beside it. A bank is the 84
kernels of nine weights, three of them 2 and six -1, at one dilation: `{"dilation": d, "parity": 0 | 1, "channels":
[places], "use": [84 numbers], "biases": [84 * m whole numbers]}`, where kernel k has the m biases from place k * m.
Kernels whose number plus parity is even see a series with zeros around it; the others see only steps at which they lie
within the series, unless it is too short for any. For each bias there is one number, or there are four of them:

share: of the steps at which the response is above the bias.
several: beside it, by how much it is above there in the mean, where those steps lie in the mean, and how long the
longest stretch of them is, the latter two as shares of the steps.

Source: Dempster et al. 2021, MiniRocket, https://arxiv.org/abs/2012.08791; the numbers of "several": Tan et al. 2022,
MultiRocket, https://arxiv.org/abs/2102.00457.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from . import table_fields as fields
from .series import MAX_CHANNELS, Series
from .series_views import EXACT, View, banks_of, blocks, bounded_width, counted, padded_steps, shifted, used_channels

VERSION = 1
TAPS, KERNELS = 9, 84
MOST_SUMMED = 9
"""Channels that a kernel may sum."""
MAX_STEPS = 1 << 16
MAX_BANKS = 10_000
"""Of all views together."""
POOLINGS = {"share": 1, "several": 4}
"""What is computed for each bias → how many numbers."""
GAIN = 12 * MOST_SUMMED
"""A response is at most so many times as large as the largest value: the weights' sizes sum to 12."""

_BLOCK_RESPONSES = 1 << 17  # computed at once, 0.5 MB: near the size of a second-level cache
_UNIT = np.float32(1 << 12)  # of how much a response lies above a bias: about a deviation
_BELOW_ALL = np.float32(-2 * EXACT)


def kernels() -> np.ndarray:
    """Return the weights, float32 (84, 9): 2 at three places, -1 at the others, in the order of the places."""
    weights = np.full((KERNELS, TAPS), -1, np.float32)
    for kernel, places in enumerate(combinations(range(TAPS), 3)):
        weights[kernel, list(places)] = 2
    return weights


class Half(NamedTuple):
    """The kernels of a bank that see the same steps.

    Attributes:
        is_padded: whether zeros around the series are seen.
        kernels: (k,), their numbers.
        weights: float32 (k, channels * 9).
        biases: float32 (k, m).
    """

    is_padded: bool
    kernels: np.ndarray
    weights: np.ndarray
    biases: np.ndarray


@dataclass(frozen=True)
class Bank:
    """The kernels at one dilation.

    Attributes:
        dilation: steps between two taps.
        channels: int64 (p,), which ones are seen.
        halves: with and without padding.
        biases: of a kernel.
    """

    dilation: int
    channels: np.ndarray
    halves: tuple[Half, Half]
    biases: int

    @classmethod
    def from_json(cls, values: Mapping[str, Any], channels: int) -> Bank:
        """Read a bank of a plan.

        Raises:
            ValueError: it is malformed.
        """
        dilation = fields.whole(values, "dilation", 1, MAX_STEPS)
        parity = fields.whole(values, "parity", 0, 1)
        places, use = used_channels(values, channels, count=KERNELS, most=MOST_SUMMED)
        biases = fields.wholes(values.get("biases"), "biases", -EXACT, EXACT)
        if len(biases) % KERNELS:
            raise ValueError(f"plan: biases must be as many for each of {KERNELS} kernels. Got {len(biases)}")
        weights = (use[:, :, None] * kernels()[:, None, :]).reshape(KERNELS, -1)
        by_kernel = biases.reshape(KERNELS, -1).astype(np.float32)
        chosen = [np.arange(parity if is_padded else 1 - parity, KERNELS, 2) for is_padded in (True, False)]
        padded, valid = (
            Half(p, which, weights[which], by_kernel[which]) for p, which in zip((True, False), chosen, strict=True)
        )
        return cls(dilation, places, (padded, valid), by_kernel.shape[1])

    def features(self, values: np.ndarray, pooling: str, out: np.ndarray) -> None:
        """Write the numbers of whole values (channels, r, t) to out, float32 (numbers, 84, biases, r)."""
        values = values[self.channels]
        for half in self.halves:
            size = max(1, _BLOCK_RESPONSES // (len(half.kernels) * padded_steps(values.shape[2])))
            for start in range(0, values.shape[1], size):
                part = responses(values[:, start : start + size], self.dilation, half)
                _pool(part, half, pooling, out[..., start : start + size])


class Responses(NamedTuple):
    """What kernels give: float32 (k, r, steps or a few more), and the number of steps that count."""

    values: np.ndarray
    steps: int


def responses(values: np.ndarray, dilation: int, half: Half) -> Responses:
    """Return the responses to whole values (channels, r, t); below all there are behind the steps that count."""
    length = values.shape[2]
    reach = TAPS // 2 * min(dilation, length)
    is_cut = not half.is_padded and length > 2 * reach
    steps = length - 2 * reach if is_cut else length
    wide = padded_steps(steps)
    if is_cut:
        seen = shifted(values, dilation, taps=TAPS, steps=reach + wide)[:, :, reach:]
    else:
        seen = shifted(values, dilation, taps=TAPS, steps=wide)
    found = half.weights @ seen.reshape(len(seen), -1)
    found = found.reshape(len(half.kernels), values.shape[1], wide)
    found[:, :, steps:] = _BELOW_ALL
    return Responses(found, steps)


def _pool(found: Responses, half: Half, pooling: str, out: np.ndarray) -> None:
    """Write the numbers of each bias to out, float32 (numbers, 84, biases, r)."""
    above = np.empty(found.values.shape, bool)
    for place in range(half.biases.shape[1]):
        bias = half.biases[:, place, None, None]
        np.greater(found.values, bias, out=above)
        count = counted(above)
        out[0, half.kernels, place] = count / np.float32(found.steps)
        if pooling == "several":
            some = np.maximum(count, 1)
            out[1, half.kernels, place] = np.maximum(found.values - bias, 0).sum(axis=2) / (some * _UNIT)
            out[2, half.kernels, place] = _place_sums(above) / (some * np.float32(found.steps))
            out[3, half.kernels, place] = longest_stretch(above) / np.float32(found.steps)


def _place_sums(above: np.ndarray) -> np.ndarray:
    """Return the sum of the places, 1, 2, …, of those that are set, float32 (k, r)."""
    places = np.arange(1, above.shape[2] + 1, dtype=np.float32)
    return np.asarray(above.astype(np.float32) @ places)


def longest_stretch(above: np.ndarray) -> np.ndarray:
    """Return how many neighbours are set at most, (k, r), of bool (k, r, steps)."""
    kind = np.int16 if above.shape[2] < 1 << 15 else np.int32
    places = np.arange(1, above.shape[2] + 1, dtype=kind)
    last_unset = np.maximum.accumulate(np.where(above, kind(0), places), axis=2)
    return np.asarray((places - last_unset).max(axis=2, initial=0))


class Rocket:
    """A plan made ready.

    Attributes:
        width: numbers per series.
        channels: of the series that it reads.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.channels = fields.whole(plan, "channels", 1, MAX_CHANNELS)
        self.longest = fields.whole(plan, "longest", 1, MAX_STEPS)
        self.padded = fields.whole(plan, "padded", 0, self.longest)
        self.pooling = fields.word(plan, "pooling", tuple(POOLINGS))
        self._views: list[tuple[View, list[Bank]]] = []
        for values, listed in banks_of(plan, MAX_BANKS):
            view = View.from_json(values, self.channels, gain=GAIN)
            self._views.append((view, [Bank.from_json(fields.mapping(v, "banks"), self.channels) for v in listed]))
        biases = sum(bank.biases for _, banks in self._views for bank in banks)
        self.width = bounded_width(POOLINGS[self.pooling] * KERNELS * biases)

    def compute(self, series: Series) -> np.ndarray:
        """Return float32 (n, width)."""
        out = np.empty((len(series), self.width), np.float32)
        for rows, values in blocks(series, self.longest, padded=self.padded):
            start = 0
            for view, banks in self._views:
                whole = view.whole(values)
                for bank in banks:
                    found = np.empty((POOLINGS[self.pooling], KERNELS, bank.biases, len(rows)), np.float32)
                    bank.features(whole, self.pooling, found)
                    stop = start + found[..., 0].size
                    out[rows, start:stop] = found.reshape(-1, len(rows)).T
                    start = stop
        return out
