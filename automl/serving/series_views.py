"""Series as whole numbers, so that sums of them are exact in single precision.

Features that compare sums with each other or with a threshold would otherwise depend on the order of summation: on the
library, on the machine, and on which series are computed together. With whole numbers below 2^24 they do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from . import table_fields as fields
from .series import Series
from .series_fill import filled
from .series_steps import run_means, runs_of

Scaling = Literal["rows", "series"]
SCALINGS = ("rows", "series")
EXACT = 1 << 24
"""Up to it every whole number is one of single precision."""
DEVIATIONS = 32.0
"""Scaled values lie within so many deviations."""
MAX_WIDTH = 1_000_000
"""Numbers that a plan may give for a series, those of joined plans together: 1 GB for a batch of 256 series."""

_BLOCK_VALUES = 1 << 18  # of the series computed at once, 2 MB
_SMALLEST, _LARGEST = 1e-30, 1e38  # of a scale
_LEAST_SPREAD = 1e-6  # of a series' channel, as a share of the scale: below it is constant


class Block(NamedTuple):
    """Series of the same length.

    Attributes:
        rows: (r,), their places among all.
        values: float64 (channels, r, steps); NaN is what lies behind the end of a series, and a channel of which a
            series has no value at all.
    """

    rows: np.ndarray
    values: np.ndarray


def blocks(series: Series, longest: int, *, padded: int = 0) -> Iterator[Block]:
    """Yield all series without gaps, those of the same length together.

    Args:
        series: n of them.
        longest: of a longer one as many neighbouring steps become their mean as leave so many.
        padded: steps to which what is shorter is extended, so that all is as long as this or longer.
    """
    packed = series.packed()
    runs = runs_of(packed.ends, longest=longest, pool=1)
    values = run_means(filled(packed.values, packed.ends), runs)
    even = Series.of_packed(values, runs.ends)
    lengths = np.maximum(even.lengths, padded)
    for steps in np.unique(lengths).tolist():
        alike = np.flatnonzero(lengths == steps)
        size = max(1, _BLOCK_VALUES // (steps * series.channels))
        for start in range(0, len(alike), size):
            rows = alike[start : start + size]
            yield Block(rows, _extended(even[rows], steps))


def _extended(series: Series, steps: int) -> np.ndarray:
    """Return float64 (channels, n, steps), NaN behind the end of each series."""
    place = np.arange(steps)
    is_there = place < series.lengths[:, None]
    out = np.full((len(series), steps, series.channels), np.nan)
    out[is_there] = series.values[(series.starts[:, None] + place)[is_there]]
    return np.ascontiguousarray(out.transpose(2, 0, 1))


@dataclass(frozen=True)
class View:
    """What is computed on: the steps of a series or the differences between them, as whole numbers.

    `{"difference": bool, "scaling": "rows" | "series", "means": [c], "scales": [c]}`. What lies on the mean is 0, and
    so is a channel that is missing, and what lies behind the end of a series.

    Attributes:
        is_difference: whether steps are differences; a series of one step has one, 0.
        scaling: by mean and deviation of the training rows, or of the series itself.
        means, scales: float64 (channels,), of the training rows; of the differences, if it is they.
        limit: the largest number that is given.
    """

    is_difference: bool
    scaling: Scaling
    means: np.ndarray
    scales: np.ndarray
    limit: int

    @classmethod
    def from_json(cls, values: Mapping[str, Any], channels: int, *, gain: int) -> View:
        """Read a view of a plan.

        Args:
            values: of the plan.
            channels: of the series.
            gain: how many times larger than the numbers given sums of them may be.

        Raises:
            ValueError: it is malformed.
        """
        is_difference = values.get("difference")
        if not isinstance(is_difference, bool):
            raise ValueError(f"plan: difference must be true or false. Got {str(is_difference)[:80]!r}")
        scaling = cast(Scaling, fields.word(values, "scaling", SCALINGS))
        means = fields.numbers(values.get("means"), "means", channels)
        scales = fields.numbers(values.get("scales"), "scales", channels)
        if not ((scales >= _SMALLEST) & (scales <= _LARGEST)).all():
            raise ValueError(
                f"plan: scales must lie in [{_SMALLEST:g}, {_LARGEST:g}]. Got {str(scales[:8].tolist())[:80]}"
            )
        return cls(is_difference, scaling, means, scales, EXACT // gain)

    @property
    def unit(self) -> float:
        """Return the number that a deviation is."""
        return self.limit / DEVIATIONS

    def whole(self, values: np.ndarray) -> np.ndarray:
        """Return float32 (channels, r, steps), whole numbers from -limit to limit, of a block's values."""
        if self.is_difference:
            values = np.diff(values, axis=2) if values.shape[2] > 1 else np.zeros_like(values)
        with np.errstate(over="ignore", invalid="ignore"):  # numbers of any size are allowed, and cut below
            scaled = (values - self.means[:, None, None]) / self.scales[:, None, None]
            if self.scaling == "series":
                scaled = _standardised(scaled)
            scaled *= self.unit
        np.nan_to_num(scaled, copy=False, nan=0.0, posinf=self.limit, neginf=-self.limit)
        return np.asarray(np.rint(np.clip(scaled, -self.limit, self.limit)), np.float32)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Return each series of (channels, r, steps) with mean 0 and deviation 1; 0 where it does not vary."""
    is_known = ~np.isnan(values)
    count = np.maximum(is_known.sum(axis=2, keepdims=True), 1)
    known = np.where(is_known, values, 0.0)
    centred = np.where(is_known, known - known.sum(axis=2, keepdims=True) / count, 0.0)
    spread = np.sqrt((centred**2).sum(axis=2, keepdims=True) / count)
    return np.asarray(centred / np.where(spread > _LEAST_SPREAD, spread, np.inf))


def shifted(values: np.ndarray, dilation: int, *, taps: int, steps: int) -> np.ndarray:
    """Return what a kernel sees at each step, float32 (channels * taps, r, steps), the channels in front.

    Args:
        values: float32 (channels, r, t); before its first step and after its last one a series is 0.
        dilation: steps between two taps of the kernel, the middle one of which lies on the step.
        taps: of the kernel, an odd number.
        steps: t or more; what lies behind t is of no use.
    """
    channels, rows, length = values.shape
    dilation = min(dilation, length)  # a longer one sees as much: the middle and zeros
    before = taps // 2 * dilation
    wide = np.zeros((channels, rows, steps + 2 * before), np.float32)
    wide[:, :, before : before + length] = values
    seen = np.empty((channels, taps, rows, steps), np.float32)
    for tap in range(taps):
        seen[:, tap] = wide[:, :, tap * dilation : tap * dilation + steps]
    return seen.reshape(channels * taps, rows, steps)


class Banked(NamedTuple):
    """A view of a plan, not read yet, and its banks."""

    values: Mapping[str, Any]
    banks: list[Any]


def banks_of(plan: Mapping[str, Any], most: int) -> list[Banked]:
    """Return the views of a plan, each with at least one bank and all with at most so many together.

    Raises:
        ValueError: they are no lists of objects, or too many.
    """
    views = [fields.mapping(values, "views") for values in fields.items(plan, "views")]
    found = [Banked(values, fields.items(values, "banks")) for values in views]
    count = sum(len(view.banks) for view in found)
    if count > most:
        raise ValueError(f"plan: banks must be at most {most} in all views together. Got {count}")
    return found


def bounded_width(width: int) -> int:
    """Return how many numbers a plan gives for a series.

    Raises:
        ValueError: more than `MAX_WIDTH`.
    """
    if width > MAX_WIDTH:
        raise ValueError(f"plan: width must be at most {MAX_WIDTH} numbers for a series. Got {width}")
    return width


def used_channels(values: Mapping[str, Any], channels: int, *, count: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Read which channels the kernels of a bank sum: `{"channels": [places], "use": [count numbers]}`.

    The binary digits of a number of `use` say which of `channels` a kernel, or a group of kernels, reads.

    Args:
        values: of the bank.
        channels: of the series.
        count: of kernels or groups.
        most: channels that a kernel may sum.

    Returns:
        int64 (p,) the places, and float32 (count, p), 1 where a channel is used.

    Raises:
        ValueError: it is malformed.
    """
    places = fields.wholes(values.get("channels"), "channels", 0, channels - 1)
    if len(places) > MOST_POOLED:
        raise ValueError(f"plan: channels of a bank must be at most {MOST_POOLED}. Got {len(places)}")
    digits = fields.wholes(values.get("use"), "use", 1, 2 ** len(places) - 1, count=count)
    use = (digits[:, None] >> np.arange(len(places)) & 1).astype(np.float32)
    if use.sum(axis=1).max() > most:
        raise ValueError(f"plan: use must name at most {most} channels. Got {int(use.sum(axis=1).max())}")
    return places, use


MOST_POOLED = 12
"""Channels that the kernels of one bank choose from."""
_LOW_BYTES, _LANES = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0001000100010001)
_MOST_WORDS = 255  # whose bytes are summed before one overflows


def padded_steps(steps: int) -> int:
    """Return the next multiple of eight."""
    return -(-steps // 8) * 8


def counted(flags: np.ndarray) -> np.ndarray:
    """Return how many are set, float32 (a, b), of bool (a, b, multiple of eight); eight of them are summed at once."""
    words = flags.view(np.uint64)
    total = np.zeros(words.shape[:2], np.uint64)
    for start in range(0, words.shape[2], _MOST_WORDS):
        part = words[:, :, start : start + _MOST_WORDS]
        sums = part[:, :, 0] if part.shape[2] == 1 else part.sum(axis=2)
        lanes = (sums & _LOW_BYTES) + (sums >> np.uint64(8) & _LOW_BYTES)
        total += lanes * _LANES >> np.uint64(48)
    return total.astype(np.float32)
