"""Plans of kind "steps", learned on training rows: how series become what a network reads. Numpy alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from automl.core.space import Value
from automl.serving.series import Series
from automl.serving.series_fill import filled
from automl.serving.series_steps import VERSION, Steps, differences, run_means, runs_of

_FEWEST_GAPS = 0.005  # of a channel's steps that must be missing for a channel of its own that says so
_LEAST_SPREAD = 1e-6  # of the largest value of a channel; below it the channel is constant
_MOST_STEPS = 2_000_000  # of training rows that are looked at, evenly spread


@dataclass(frozen=True)
class StepsOptions:
    """How series are read.

    Attributes:
        scaling: by mean and deviation of the training rows, or of each series itself.
        differences: whether the differences of neighbouring steps stand beside them.
        longest: steps; neighbours of longer series are averaged until they fit.
        clock: whether a channel tells the place of a step, where training rows are of different lengths.
    """

    scaling: Literal["rows", "series"]
    differences: bool
    longest: int
    clock: bool

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> StepsOptions:
        """Read the parameters of a configuration that say how series are read."""
        scaling = cast(Literal["rows", "series"], values["scaling"])
        return cls(scaling, bool(values["differences"]), int(values["longest"]), bool(values["clock"]))

    def to_json(self) -> dict[str, Any]:
        """Return the options as JSON values, for the key of a cache."""
        return dataclasses.asdict(self)

    def outputs(self, channels: int, *, varies: bool) -> int:
        """Return the channels that so many become, but for those that say what is missing.

        Args:
            channels: of a series.
            varies: whether training rows are of different lengths.
        """
        return channels * (2 if self.differences else 1) + (self.clock and varies)

    def pool(self, longest: int) -> int:
        """Return how many neighbours are averaged where the longest training row has so many steps."""
        return -(-longest // self.longest)


def steps_plan(series: Series, options: StepsOptions) -> dict[str, Any]:
    """Return the plan that training rows give.

    Args:
        series: the training rows, at least one.
        options: how they are read.
    """
    most = int(series.lengths.max())
    pool = options.pool(most)
    longest = -(-most // pool)
    packed = _looked_at(series).packed()
    steps = run_means(filled(packed.values, packed.ends), runs_of(packed.ends, longest=longest, pool=pool))
    is_missing = np.isnan(packed.values).mean(axis=0)
    means, scales = _scale(steps)
    gaps = np.flatnonzero((is_missing > _FEWEST_GAPS) & (is_missing < 1))
    plan: dict[str, Any] = {
        "version": VERSION, "kind": "steps", "channels": series.channels, "longest": longest, "pool": pool,
        "scaling": options.scaling, "means": means.tolist(), "scales": scales.tolist(), "differences": [],
        "gaps": gaps.tolist(), "clock": options.clock and int(series.lengths.min()) < most,
    }  # fmt: skip
    if options.differences:
        plan["differences"] = _difference_scales(plan, series).tolist()
    return plan


def _looked_at(series: Series) -> Series:
    """Return these series, or of very many steps some."""
    every = -(-int(series.lengths.sum()) // _MOST_STEPS)
    return series[::every] if every > 1 else series


def _scale(values: np.ndarray) -> np.ndarray:
    """Return means and deviations of channels, (2, channels); 0 and 1 where there is nothing to scale by."""
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, values, 0.0).sum(axis=0) / counts
    centred = np.where(known, values - means, 0.0)
    deviations = np.sqrt((centred**2).sum(axis=0) / counts)
    least = _LEAST_SPREAD * np.abs(np.where(known, values, 0.0)).max(axis=0)
    return np.stack([means, np.where(deviations > np.maximum(least, 1e-30), deviations, 1.0)])


def _difference_scales(plan: Mapping[str, Any], series: Series) -> np.ndarray:
    """Return the root mean square of each channel's differences on the plan's scale; 1 where there are none."""
    scaled = Steps({**plan, "gaps": [], "clock": False}).packed(_looked_at(series))
    found = np.sqrt(np.mean(np.square(differences(scaled.values, scaled.ends), dtype=np.float64), axis=0))
    return np.where(found > _LEAST_SPREAD, found, 1.0)
