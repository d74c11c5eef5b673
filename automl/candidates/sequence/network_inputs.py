"""How series get into a network: their steps on a common scale, kept in a cache for all trials of a fold. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from automl.candidates.encoding_cache import cache_key, read_array, read_json, write_array, write_json
from automl.candidates.sequence.series_model import SeriesModel
from automl.candidates.sequence.steps_plan import StepsOptions, steps_plan
from automl.candidates.training.ragged_encoding import Encoding, Size
from automl.core.data import DataSpec
from automl.core.protocols import Context, DataSource
from automl.core.space import Value
from automl.serving.series import Series
from automl.serving.series_steps import Runs, Steps, runs_of

if TYPE_CHECKING:
    from automl.candidates.training.ragged_parts import Entrance

FORMAT = 1
"""Raised when the same options give other steps, so that a cache is not mistaken for a new one."""
_BLOCK_VALUES = 4_000_000  # encoded at once
_SECONDS_PER_VALUE = 6e-8  # of the input, one common core
_FIXED_SECONDS = 0.02


@dataclass(frozen=True)
class EntranceSettings:
    """How a network reads steps.

    Attributes:
        patch: neighbouring steps that become one; 1 leaves them as they are.
        noise: in training, deviation of what is added to each value.
        gain: in training, deviation of the logarithm of a factor for each row and channel.
        window: in training, the least share of a row's steps that is seen, a stretch of them; 1 shows all.
    """

    patch: int = 1
    noise: float = 0.0
    gain: float = 0.0
    window: float = 1.0

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> EntranceSettings:
        """Read the parameters of a configuration that are the entrance's; those it lacks have their defaults."""
        return cls(
            patch=int(values.get("patch", 1)),
            noise=float(values.get("noise", 0.0)),
            gain=float(values.get("gain", 0.0)),
            window=float(values.get("window", 1.0)),
        )


class SeriesReader:
    """Implements `automl.candidates.training.ragged_encoding.Reader`."""

    def size(self, values: Mapping[str, Value], spec: DataSpec) -> Size:
        """Return what `encoding` will give, from the configuration and the facts of the data alone."""
        channels, mean, longest = spec.shape
        options, settings = StepsOptions.of(values), EntranceSettings.of(values)
        joined = options.pool(longest) * settings.patch
        outputs = options.outputs(channels, varies=mean < longest)
        width = outputs * settings.patch
        seconds = _FIXED_SECONDS + spec.rows * mean * outputs * _SECONDS_PER_VALUE
        return Size(width, max(1.0, mean / joined), -(-longest // joined), seconds, values=width)

    def encoding(self, values: Mapping[str, Value], data: DataSource, ctx: Context) -> Encoding:
        """Return the rows encoded, learned on the training rows, from the cache where they are there."""
        steps, settings = encoded_steps(data, ctx, StepsOptions.of(values)), EntranceSettings.of(values)
        lengths = np.diff(steps.ends, prepend=0)
        return Encoding(
            plan=steps.plan,
            values=steps.values,
            starts=steps.ends - lengths,
            ends=steps.ends,
            longest=-(-int(steps.plan["longest"]) // settings.patch),
            make_entrance=partial(_entrance, settings, steps.values.shape[1]),
            model=SeriesModel,
        )


READER = SeriesReader()


def _entrance(settings: EntranceSettings, channels: int, rows: np.ndarray) -> Entrance:
    from automl.candidates.sequence.network_entrances import SeriesEntrance

    return SeriesEntrance(settings, channels)


class EncodedSteps(NamedTuple):
    """All series of the data, encoded.

    Attributes:
        plan: for `serving.series_steps`.
        values: float32 (steps of all, channels), memory-mapped, read-only.
        ends: int64 (rows of the data,), where each series ends in values.
    """

    plan: dict[str, Any]
    values: np.ndarray
    ends: np.ndarray


def encoded_steps(data: DataSource, ctx: Context, options: StepsOptions) -> EncodedSteps:
    """Return the rows of a data source as steps for a network, from the cache or computed by whoever comes first.

    Args:
        data: series.
        ctx: gives the cache and the training rows, the only ones learned from.
        options: how to read them.
    """
    rows = np.sort(ctx.train_rows)
    told = ctx.cache / f"steps-{cache_key(data, rows, FORMAT, options.to_json())}.json"
    stored = told.with_suffix(".npy")
    if not told.exists() or not stored.exists():
        plan = steps_plan(data.X[rows], options)
        write_array(stored, _computed(Steps(plan), data.X))
        write_json(told, plan)
    plan = read_json(told)
    return EncodedSteps(plan, read_array(stored), _runs(Steps(plan), data.X).ends)


def _runs(steps: Steps, series: Series) -> Runs:
    return runs_of(np.cumsum(series.lengths, dtype=np.int64), longest=steps.longest, pool=steps.pool)


def _computed(steps: Steps, series: Series) -> np.ndarray:
    """Return the steps of all series end to end, float32 (steps, outputs), some series at a time."""
    ends = _runs(steps, series).ends
    out = np.empty((int(ends[-1]), steps.outputs), np.float32)
    rows = max(1, _BLOCK_VALUES * len(series) // (int(series.lengths.sum()) * steps.outputs))
    for start in range(0, len(series), rows):
        part = steps.packed(series[start : start + rows]).values
        first = int(ends[start - 1]) if start else 0
        out[first : first + len(part)] = part
    return out
