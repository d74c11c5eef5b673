"""From series to the float32 array of a model, by a plan in JSON; the same in training and in serving.

A plan is `{"version": 1, "kind": ..., ...}`. Kinds: "steps" gives (n, channels, T) the series themselves, NaN after the
end of each; "summary" (n, width) numbers that describe a series, "rocket" how much of it lies above thresholds behind
kernels, "hydra" how often kernels win over others; "joined", `{"plans": [...]}`, what several plans of the latter three
give, side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from . import table_fields as fields
from .series import Series, SeriesRule
from .series_views import bounded_width

VERSION = 1
MAX_PLANS = 16
_READERS = {
    "steps": "series_steps:Steps",
    "summary": "series_summary:Summary",
    "rocket": "series_rocket:Rocket",
    "hydra": "series_hydra:Hydra",
    "joined": "series_encoder:Joined",
}
_WIDE = ("summary", "rocket", "hydra")


class Reader(Protocol):
    """A plan of one kind, made ready.

    Attributes:
        width: numbers per series; None where that depends on the series.
        channels: of the series that it reads.
    """

    @property
    def width(self) -> int | None:
        """Return the numbers per series."""
        ...

    @property
    def channels(self) -> int:
        """Return the channels of a series."""
        ...

    def compute(self, series: Series, /) -> np.ndarray:
        """Return float32, the series in front."""
        ...


class SeriesEncoder:
    """A plan made ready; prepare it once where series come one by one.

    Attributes:
        width: numbers per series; None for kind "steps".
        channels: of the series that it reads.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._reader = _reader(plan, tuple(_READERS))
        self.width, self.channels = self._reader.width, self._reader.channels

    def compute(self, series: Series) -> np.ndarray:
        """Return what the plan makes of these series, float32 with the series in front."""
        return self._reader.compute(series)


class Joined:
    """What several plans give, side by side.

    Attributes:
        width: numbers per series.
        channels: of the series that all of them read.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        plans = fields.items(plan, "plans")
        if len(plans) > MAX_PLANS:
            raise ValueError(f"plan: plans must be at most {MAX_PLANS}. Got {len(plans)}")
        self._readers = [_reader(fields.mapping(values, "plans"), _WIDE) for values in plans]
        self.width = bounded_width(sum(reader.width or 0 for reader in self._readers))
        self.channels = self._readers[0].channels
        if any(reader.channels != self.channels for reader in self._readers):
            raise ValueError(f"plan: plans must read the same channels. Got {[r.channels for r in self._readers]}")

    def compute(self, series: Series) -> np.ndarray:
        """Return float32 (n, width)."""
        return np.concatenate([reader.compute(series) for reader in self._readers], axis=1)


def check(plan: Mapping[str, Any], rule: SeriesRule) -> None:
    """Make sure that a plan can be computed on all series of this rule.

    Raises:
        ValueError: the plan is malformed, or for another number of channels.
    """
    encoder = SeriesEncoder(plan)
    if encoder.channels != len(rule.channels):
        raise ValueError(f"plan: channels must be the {len(rule.channels)} of the input. Got {encoder.channels}")


def _reader(plan: Mapping[str, Any], kinds: tuple[str, ...]) -> Reader:
    fields.version(fields.mapping(plan, "it"), VERSION)
    module, _, name = _READERS[fields.word(plan, "kind", kinds)].partition(":")
    made: Reader = getattr(import_module(f".{module}", __package__), name)(plan)
    return made
