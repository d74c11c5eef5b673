"""Plans of kind "steps": series as they are, step by step, on a common scale; what networks read.

A plan is `{"version": 1, "kind": "steps", "channels": c, "longest": T, "pool": k, "scaling": "rows" or "series",
"means": [c], "scales": [c], "differences": [c] or [], "gaps": [places of channels], "clock": bool}`; without "clock" it
is false. From a series it makes, in this order:

1. Missing values are put in by their neighbours (`series_fill`).
2. Each k steps become their mean, and of a series that is still longer than T as many as make it T. Means, because
   cutting loses what comes late, and taking every k-th step folds fast waves into slow ones that are not there. The
   same k for all, because speed often tells classes apart, and stretching each series to one length hides it; T is of
   the training rows, and only what is longer than all of those is pressed.
3. Each channel is scaled: by mean and deviation of the training rows ("rows") or of the series itself ("series").
   What is missing altogether becomes 0, the mean.
4. Where asked for, further channels stand beside it: the differences of neighbouring steps over their usual size; for
   each channel of `gaps` the share of steps that were missing; a clock that runs from -1 at the first step to 1 at the
   T-th, as a mean over steps would not tell how long a series is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from . import table_fields as fields
from .series import MAX_CHANNELS, PackedSeries, Series, SeriesRule
from .series_fill import filled

VERSION = 1
MAX_STEPS = 1 << 20
BOUND = 30.0
"""Scaled values lie within so many deviations."""
SCALINGS = ("rows", "series")
_SMALLEST, _LARGEST = 1e-30, 1e38  # of a scale
_LEAST_SPREAD = 1e-6  # of a series' channel, as a share of the deviation of the training rows: below it is constant


class Steps:
    """A plan made ready.

    Attributes:
        width: None, as it depends on the rows how long the longest is.
        channels: of the series that it reads.
        outputs: channels of what it gives.
    """

    width: None = None

    def __init__(self, plan: Mapping[str, Any]) -> None:
        fields.version(fields.mapping(plan, "it"), VERSION)
        fields.word(plan, "kind", ("steps",))
        self.channels = fields.whole(plan, "channels", 1, MAX_CHANNELS)
        self.longest = fields.whole(plan, "longest", 1, MAX_STEPS)
        self.pool = fields.whole(plan, "pool", 1, MAX_STEPS)
        self.scaling = fields.word(plan, "scaling", SCALINGS)
        self.means = fields.numbers(plan.get("means"), "means", self.channels)
        self.scales = _scales(plan, "scales", self.channels)
        self.differences = _scales(plan, "differences", self.channels) if plan.get("differences") != [] else None
        self.gaps = _gaps(plan, self.channels)
        self.has_clock = _truth(plan, "clock")
        self.outputs = self.channels * (1 if self.differences is None else 2) + len(self.gaps) + self.has_clock

    def compute(self, series: Series) -> np.ndarray:
        """Return float32 (n, outputs, steps of the longest), NaN after the end of each series."""
        values, ends = self.packed(series)
        return Series.of_packed(values, ends).padded()

    def packed(self, series: Series) -> PackedSeries:
        """Return the same end to end: float32 (steps of all, outputs), and where each series ends."""
        packed = series.packed()
        runs = runs_of(packed.ends, longest=self.longest, pool=self.pool)
        means = run_means(filled(packed.values, packed.ends), runs)
        scaled = self._scaled(means, runs.ends)
        parts = [scaled]
        if self.differences is not None:
            parts.append(np.clip(differences(scaled, runs.ends) / self.differences, -BOUND, BOUND))
        if len(self.gaps):
            parts.append(run_means(np.isnan(packed.values[:, self.gaps]), runs))
        if self.has_clock:
            parts.append(_clock(runs.ends, self.longest))
        return PackedSeries(np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind"), runs.ends)

    def _scaled(self, means: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Return float64 (steps, channels) on the common scale, without gaps."""
        with np.errstate(over="ignore", invalid="ignore"):  # numbers of any size are allowed, and cut below
            values = (means - self.means) / self.scales
            if self.scaling == "series" and len(ends):
                values = _standardised(values, ends)
        return np.asarray(np.clip(np.nan_to_num(values, nan=0.0, posinf=BOUND, neginf=-BOUND), -BOUND, BOUND))


def check(plan: Mapping[str, Any], rule: SeriesRule) -> None:
    """Make sure that a plan can be computed on all series of this rule.

    Raises:
        ValueError: the plan is malformed, or for another number of channels.
    """
    steps = Steps(plan)
    if steps.channels != len(rule.channels):
        raise ValueError(f"plan: channels must be the {len(rule.channels)} of the input. Got {steps.channels}")


class Runs(NamedTuple):
    """Neighbouring steps that become one.

    Attributes:
        starts: int64 (runs,), where each begins among the steps of all series.
        sizes: int64 (runs,), its steps.
        ends: int64 (n,), where each series ends among the runs.
    """

    starts: np.ndarray
    sizes: np.ndarray
    ends: np.ndarray


def runs_of(ends: np.ndarray, *, longest: int, pool: int) -> Runs:
    """Return the runs of packed series: each of pool steps, the last of a series perhaps of fewer.

    A series that would have more than longest runs has longest, as even as can be.

    >>> runs_of(np.array([3, 14]), longest=4, pool=2).sizes.tolist()
    [2, 1, 2, 3, 3, 3]
    """
    firsts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
    lengths = ends - firsts
    counts = -(-lengths // pool)
    is_cut = counts > longest
    counts = np.minimum(counts, longest)
    run_ends = np.cumsum(counts, dtype=np.int64)
    place = np.arange(int(counts.sum())) - np.repeat(run_ends - counts, counts)
    starts = np.where(np.repeat(is_cut, counts), place * np.repeat(lengths, counts) // longest, place * pool)
    starts += np.repeat(firsts, counts)
    return Runs(starts, np.diff(starts, append=ends[-1:]), run_ends)


def run_means(values: np.ndarray, runs: Runs) -> np.ndarray:
    """Return the mean of each run, float64 (runs, channels)."""
    if len(runs.starts) == len(values):
        return values.astype(np.float64)
    return np.asarray(np.add.reduceat(values, runs.starts, axis=0, dtype=np.float64) / runs.sizes[:, None])


def differences(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return each step less the one before it, (steps, channels); 0 for the first of a series."""
    out = np.zeros_like(values)
    np.subtract(values[1:], values[:-1], out=out[1:])
    out[ends[:-1]] = 0.0
    return out


def _standardised(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return each series with mean 0 and deviation 1 in each channel; 0 where it does not vary."""
    starts = np.concatenate([[0], ends[:-1]])
    lengths = (ends - starts)[:, None]
    centred = values - np.repeat(np.add.reduceat(values, starts, axis=0) / lengths, lengths[:, 0], axis=0)
    spread = np.sqrt(np.add.reduceat(centred**2, starts, axis=0) / lengths)
    spread[~(spread > _LEAST_SPREAD)] = np.inf
    return np.asarray(centred / np.repeat(spread, lengths[:, 0], axis=0))


def _clock(ends: np.ndarray, longest: int) -> np.ndarray:
    """Return (steps, 1), from -1 at the first step of each series to 1 at the longest-th."""
    starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
    place = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(starts, ends - starts)
    return np.asarray(2.0 * place / max(1, longest - 1) - 1.0)[:, None]


def _scales(plan: Mapping[str, Any], name: str, channels: int) -> np.ndarray:
    values = fields.numbers(plan.get(name), name, channels)
    if not ((values >= _SMALLEST) & (values <= _LARGEST)).all():
        raise ValueError(f"plan: {name} must lie in [{_SMALLEST:g}, {_LARGEST:g}]. Got {str(plan[name][:8])[:80]}")
    return values


def _truth(plan: Mapping[str, Any], name: str) -> bool:
    value = plan.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"plan: {name} must be true or false. Got {str(value)[:80]}")
    return value


def _gaps(plan: Mapping[str, Any], channels: int) -> np.ndarray:
    if plan.get("gaps") == []:
        return np.zeros(0, np.int64)
    places = fields.wholes(plan.get("gaps"), "gaps", 0, channels - 1)
    if not (np.diff(places) > 0).all():
        raise ValueError(f"plan: gaps must rise. Got {str(plan['gaps'][:8])[:80]}")
    return places
