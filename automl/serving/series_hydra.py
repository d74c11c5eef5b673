"""Plans of kind "hydra": how often each kernel of a group answers a series most, or least, of its group.

A plan is `{"version": 1, "kind": "hydra", "channels": c, "longest": T, "padded": P, "reference": R, "size": k, "views":
[...]}`. A series of more than T steps is averaged down to T, one of fewer than P is extended by zeros to P; 0 leaves
each as long as it is. A view is as `series_views.View` has it, with `"banks": [...]` beside it. A bank is some groups
of k kernels of nine weights at one dilation: `{"dilation": d, "channels": [places], "use": [a number for each group],
"kernels": [groups * k * 9 whole numbers]}`. At each step the kernels of a group compete. For each kernel there are two
numbers: the root of the sum of its responses where none of its group is larger, and the root of the number of steps
where none is smaller; both as if the series had R steps.

Source: Dempster et al. 2023, Hydra, https://arxiv.org/abs/2203.13652.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import table_fields as fields
from .series import MAX_CHANNELS, Series
from .series_views import EXACT, View, banks_of, blocks, bounded_width, counted, padded_steps, shifted, used_channels

VERSION = 1
TAPS = 9
MOST_SUMMED = 8
"""Channels that a group of kernels may sum."""
STRENGTH = 96
"""The sum of the sizes of a kernel's weights at most."""
MAX_STEPS = 1 << 16
MAX_BANKS, MAX_GROUPS, MAX_SIZE = 10_000, 10_000, 64
"""Banks of all views together, groups of a bank, kernels of a group."""
GAIN = STRENGTH * MOST_SUMMED
"""A response is at most so many times as large as the largest value."""

_BLOCK_RESPONSES = 1 << 18  # computed at once, 1 MB
_BEYOND = np.float32(2 * EXACT)


@dataclass(frozen=True)
class Bank:
    """The groups of kernels at one dilation.

    Attributes:
        dilation: steps between two taps.
        channels: int64 (p,), which ones are seen.
        weights: float32 (groups * size, p * 9).
        groups: how many.
        size: kernels of a group.
    """

    dilation: int
    channels: np.ndarray
    weights: np.ndarray
    groups: int
    size: int

    @classmethod
    def from_json(cls, values: Mapping[str, Any], channels: int, size: int) -> Bank:
        """Read a bank of a plan.

        Raises:
            ValueError: it is malformed.
        """
        dilation = fields.whole(values, "dilation", 1, MAX_STEPS)
        groups = len(fields.items(values, "use"))
        if groups > MAX_GROUPS:
            raise ValueError(f"plan: use must be of at most {MAX_GROUPS} groups. Got {groups}")
        places, use = used_channels(values, channels, count=groups, most=MOST_SUMMED)
        listed = fields.wholes(values.get("kernels"), "kernels", -STRENGTH, STRENGTH, count=groups * size * TAPS)
        kernels = listed.reshape(groups, size, 1, TAPS)
        strongest = int(np.abs(kernels).sum(axis=3).max())
        if strongest > STRENGTH:
            raise ValueError(f"plan: kernels must have weights whose sizes sum to at most {STRENGTH}. Got {strongest}")
        weights = (use[:, None, :, None] * kernels).astype(np.float32)
        return cls(dilation, places, weights.reshape(groups * size, -1), groups, size)

    def features(self, values: np.ndarray, unit: float, out: np.ndarray) -> None:
        """Write the numbers of whole values (channels, r, t) to out, float32 (2, groups, size, r), before the roots.

        Args:
            values: float32.
            unit: what a response is divided by.
            out: sums of the largest responses, and numbers of smallest ones.
        """
        values = values[self.channels]
        rows = max(1, _BLOCK_RESPONSES // (len(self.weights) * padded_steps(values.shape[2])))
        for start in range(0, values.shape[1], rows):
            part = values[:, start : start + rows]
            self._compete(part, out[..., start : start + rows])
        out[0] /= np.float32(unit)

    def _compete(self, values: np.ndarray, out: np.ndarray) -> None:
        rows, steps = values.shape[1:]
        wide = padded_steps(steps)
        seen = shifted(values, self.dilation, taps=TAPS, steps=wide)
        found = (self.weights @ seen.reshape(len(seen), -1)).reshape(self.groups, self.size, rows * wide)
        largest, smallest = found.max(axis=1), found.min(axis=1)
        smallest.reshape(self.groups, rows, wide)[:, :, steps:] = -_BEYOND
        shape = (self.groups * self.size, rows, wide)
        is_smallest = (found == smallest[:, None]).reshape(shape)
        out[1] = counted(is_smallest).reshape(self.groups, self.size, rows)
        np.copyto(found, 0, where=found < largest[:, None])
        out[0] = found.reshape(shape)[:, :, :steps].sum(axis=2).reshape(self.groups, self.size, rows)


class Hydra:
    """A plan made ready.

    Attributes:
        width: numbers per series.
        channels: of the series that it reads.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.channels = fields.whole(plan, "channels", 1, MAX_CHANNELS)
        self.longest = fields.whole(plan, "longest", 1, MAX_STEPS)
        self.padded = fields.whole(plan, "padded", 0, self.longest)
        self.reference = fields.whole(plan, "reference", 1, MAX_STEPS)
        self.size = fields.whole(plan, "size", 1, MAX_SIZE)
        self._views: list[tuple[View, list[Bank]]] = []
        for values, listed in banks_of(plan, MAX_BANKS):
            view = View.from_json(values, self.channels, gain=GAIN)
            self._views.append((view, [self._bank(value) for value in listed]))
        self.width = bounded_width(2 * self.size * sum(bank.groups for _, banks in self._views for bank in banks))

    def _bank(self, values: object) -> Bank:
        return Bank.from_json(fields.mapping(values, "banks"), self.channels, self.size)

    def compute(self, series: Series) -> np.ndarray:
        """Return float32 (n, width)."""
        out = np.empty((len(series), self.width), np.float32)
        for rows, values in blocks(series, self.longest, padded=self.padded):
            start = 0
            for view, banks in self._views:
                whole = view.whole(values)
                scale = np.float32(self.reference / whole.shape[2])
                for bank in banks:
                    found = np.empty((2, bank.groups, self.size, len(rows)), np.float32)
                    bank.features(whole, view.unit, found)
                    stop = start + found[..., 0].size
                    out[rows, start:stop] = np.sqrt(np.maximum(found, 0) * scale).reshape(-1, len(rows)).T
                    start = stop
        return out
