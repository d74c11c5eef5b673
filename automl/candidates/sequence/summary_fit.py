"""The plan of numbers that describe a series; nothing of it is learned. What it computes: `serving.series_summary`."""

from __future__ import annotations

from typing import Any

from automl.core.data import DataSpec
from automl.serving.series_summary import PARTS, Summary

_SECONDS_PER_VALUE = 4e-7  # row x step x channel, one common core
_SECONDS_PER_NUMBER = 2e-8
_SECONDS_PER_LENGTH = 1.5e-3  # series of each length are computed together


def summary_plan(channels: int, *, points: int, longest: int) -> dict[str, Any]:
    """Return a plan of everything there is, see `automl.serving.series_summary`.

    Args:
        channels: of the series.
        points: at which the values themselves are read; 0 for none.
        longest: steps that a series is averaged down to.
    """
    parts = [part for part in PARTS if (part != "points" or points) and (part != "pairs" or channels > 1)]
    return {
        "version": 1, "kind": "summary", "channels": channels, "longest": longest, "points": points, "parts": parts,
    }  # fmt: skip


def summary_width(spec: DataSpec, points: int) -> int:
    """Return how many numbers a series becomes."""
    return Summary(summary_plan(spec.shape[0], points=points, longest=spec.shape[2])).width


def summary_seconds(spec: DataSpec, wide: int) -> float:
    """Return the seconds to encode all rows on one common core."""
    channels, mean, most = spec.shape
    lengths = min(spec.rows, most - mean + 1)
    values = spec.rows * channels * mean
    return 0.05 + values * _SECONDS_PER_VALUE + spec.rows * wide * _SECONDS_PER_NUMBER + lengths * _SECONDS_PER_LENGTH
