"""Plans of kind "summary": numbers that describe a series, channel by channel.

A plan is `{"version": 1, "kind": "summary", "channels": c, "longest": T, "parts": [...], "points": p}`. A series of
more than T steps is averaged down to T. The parts stand side by side in their order; each gives some numbers a channel:

length: the number of steps, once and not for each channel.
level: mean, deviation, least, largest, first and last value, slope.
quantiles: at 10, 25, 50, 75 and 90 %.
shape: skewness, kurtosis, where the least and the largest value lie, how often the mean is crossed, and of the
    differences between steps the deviation, the mean size and the largest size.
memory: auto-correlations at distances of 1, 2, 3, 5, 8 and 13 steps.
bands: shares of the power at periods of 2 to 4 steps, 4 to 8, ... 64 and more.
points: the values at p points, evenly spread from the first step to the last.
pairs: correlations of two channels, for the first 10 channels.

What a series is too short for, and all of a channel of which it has no value, is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from . import table_fields as fields
from .series import MAX_CHANNELS, Series
from .series_views import blocks, bounded_width

MAX_STEPS, MAX_POINTS = 1 << 16, 1024
MOST_PAIRED = 10
"""Channels that are correlated with each other."""

_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
_DISTANCES = (1, 2, 3, 5, 8, 13)
_BANDS = 6
_LARGEST = float(np.finfo(np.float32).max)


def _level(values: np.ndarray) -> list[np.ndarray]:
    steps = values.shape[2]
    place = np.arange(steps) - (steps - 1) / 2
    slope = values @ place / (float(place @ place) or 1.0)
    least, largest = values.min(axis=2), values.max(axis=2)
    return [values.mean(axis=2), values.std(axis=2), least, largest, values[:, :, 0], values[:, :, -1], slope]


def _quantiles(values: np.ndarray) -> list[np.ndarray]:
    return list(np.quantile(values, _LEVELS, axis=2))


def _shape(values: np.ndarray) -> list[np.ndarray]:
    steps = values.shape[2]
    scaled = _standardised(values)
    change = np.diff(values, axis=2) if steps > 1 else np.zeros_like(values)
    crossings = (np.diff(scaled > 0, axis=2)).sum(axis=2) / steps + np.where(np.isnan(scaled[:, :, 0]), np.nan, 0)
    size = np.abs(change)
    return [
        (scaled**3).mean(axis=2), (scaled**4).mean(axis=2),
        _place(values, np.argmin), _place(values, np.argmax),
        crossings, change.std(axis=2), size.mean(axis=2), size.max(axis=2),
    ]  # fmt: skip


def _place(values: np.ndarray, which: Callable[..., np.ndarray]) -> np.ndarray:
    place = which(values, axis=2) / max(1, values.shape[2] - 1)
    return np.where(np.isnan(values[:, :, 0]), np.nan, place)


def _memory(values: np.ndarray) -> list[np.ndarray]:
    scaled, steps = _standardised(values), values.shape[2]
    found = []
    for distance in _DISTANCES:
        if steps <= distance + 1:
            found.append(np.full(values.shape[:2], np.nan))
        else:
            found.append((scaled[:, :, :-distance] * scaled[:, :, distance:]).mean(axis=2))
    return found


def _bands(values: np.ndarray) -> list[np.ndarray]:
    steps = values.shape[2]
    power = np.abs(np.fft.rfft(_standardised(values), axis=2)[:, :, 1:]) ** 2
    periods = steps / np.arange(1, power.shape[2] + 1)
    band = np.minimum(np.floor(np.log2(np.maximum(periods, 2))).astype(int) - 1, _BANDS - 1)
    total = power.sum(axis=2)
    return [power[:, :, band == number].sum(axis=2) / total for number in range(_BANDS)]


def _standardised(values: np.ndarray) -> np.ndarray:
    """Return series with mean 0 and deviation 1, NaN where a series does not vary."""
    centred = values - values.mean(axis=2, keepdims=True)
    return np.asarray(centred / values.std(axis=2, keepdims=True))


def _points(values: np.ndarray, count: int) -> list[np.ndarray]:
    place = np.linspace(0, values.shape[2] - 1, count)
    left = np.floor(place).astype(int)
    right, share = np.minimum(left + 1, values.shape[2] - 1), place - left
    found = values[:, :, left] * (1 - share) + values[:, :, right] * share
    return list(found.transpose(2, 0, 1))


def _pairs(values: np.ndarray) -> np.ndarray:
    scaled = _standardised(values[:MOST_PAIRED])
    found = [(scaled[one] * scaled[other]).mean(axis=1) for one, other in combinations(range(len(scaled)), 2)]
    return np.array(found).reshape(-1, values.shape[1])


_PARTS: dict[str, tuple[Callable[[np.ndarray], list[np.ndarray]], int]] = {
    "level": (_level, 7),
    "quantiles": (_quantiles, len(_LEVELS)),
    "shape": (_shape, 8),
    "memory": (_memory, len(_DISTANCES)),
    "bands": (_bands, _BANDS),
}
PARTS = ("length", *_PARTS, "points", "pairs")
"""What can be computed."""


class Summary:
    """A plan made ready.

    Attributes:
        width: numbers per series.
        channels: of the series that it reads.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.channels = fields.whole(plan, "channels", 1, MAX_CHANNELS)
        self.longest = fields.whole(plan, "longest", 1, MAX_STEPS)
        self.points = fields.whole(plan, "points", 0, MAX_POINTS)
        listed = fields.strings(plan, "parts")
        self.parts = [fields.word({"parts": part}, "parts", PARTS) for part in listed]
        self.width = bounded_width(sum(self._size(part) for part in self.parts))
        if len(set(self.parts)) != len(self.parts) or not self.width:
            raise ValueError(f"plan: parts must be different, and give a number. Got {self.parts[:10]}")

    def _size(self, part: str) -> int:
        if part == "length":
            return 1
        if part == "pairs":
            paired = min(self.channels, MOST_PAIRED)
            return paired * (paired - 1) // 2
        return self.channels * (self.points if part == "points" else _PARTS[part][1])

    def compute(self, series: Series) -> np.ndarray:
        """Return float32 (n, width); NaN is missing, infinities are cut to finite."""
        out = np.empty((len(series), self.width), np.float32)
        lengths = series.lengths
        with np.errstate(all="ignore"):  # numbers of any size are allowed, and what overflows is cut below
            for rows, values in blocks(series, self.longest):
                start = 0
                for part in self.parts:
                    stop = start + self._size(part)
                    found = lengths[rows][None] if part == "length" else self._found(part, values)
                    out[rows, start:stop] = np.clip(found, -_LARGEST, _LARGEST).T
                    start = stop
        return out

    def _found(self, part: str, values: np.ndarray) -> np.ndarray:
        """Return the numbers of a part, (numbers, r), those of a channel together."""
        if part == "pairs":
            return _pairs(values)
        found = _points(values, self.points) if part == "points" else _PARTS[part][0](values)
        return np.array(found).reshape(-1, *values.shape[:2]).transpose(1, 0, 2).reshape(-1, values.shape[1])
