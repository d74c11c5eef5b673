"""From series to the numbers of a linear model or of trees: learned on the rows of a fold, kept for all its trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.encoding_cache import cache_key, read_array, read_json, write_array, write_json
from automl.core.protocols import Context, DataSource
from automl.core.seeds import stream
from automl.serving.series import Series
from automl.serving.series_encoder import SeriesEncoder

FORMAT = 1
"""Raised when the same options give other numbers, so that a cache is not mistaken for a new one."""
_BATCH = 4096  # series computed at once

Fit = Callable[[Series, np.random.Generator], dict[str, Any]]
"""Takes training rows and a generator, gives a plan of `automl.serving.series_encoder`."""


class Encoded(NamedTuple):
    """Series encoded for a model.

    Attributes:
        plan: of the encoder.
        X: float32 (all rows of the data, width), memory-mapped, read-only.
    """

    plan: dict[str, Any]
    X: np.ndarray


def encoded(data: DataSource, ctx: Context, options: Mapping[str, Any], fit: Fit) -> Encoded:
    """Return all series of a data source as numbers, from the cache or computed by whoever comes first.

    What is drawn depends on the options and the training rows alone, since trials of a fold share it.

    Args:
        data: series.
        ctx: gives the cache and the training rows.
        options: JSON values, all that fit goes by beside the rows.
        fit: makes the plan from the training rows.
    """
    rows = np.unique(ctx.train_rows)
    key = cache_key(data, rows, "series", FORMAT, dict(options))
    told, stored = ctx.cache / f"series-{key}.json", ctx.cache / f"series-{key}.npy"
    if not told.exists() or not stored.exists():
        plan = fit(data.X[rows], stream(0, "series", key))
        write_array(stored, _computed(SeriesEncoder(plan), data.X))
        write_json(told, plan)
    return Encoded(read_json(told), read_array(stored))


def _computed(encoder: SeriesEncoder, series: Series) -> np.ndarray:
    assert encoder.width is not None
    out = np.empty((len(series), encoder.width), np.float32)
    for start in range(0, len(series), _BATCH):
        out[start : start + _BATCH] = encoder.compute(series[start : start + _BATCH])
    return out
