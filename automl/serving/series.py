"""Series of several channels and different lengths, their steps end to end in one array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from .errors import ModelError

MAX_CHANNELS = 10_000
ChannelKind = Literal["number", "comma", "boolean"]
CHANNEL_KINDS: tuple[ChannelKind, ...] = ("number", "comma", "boolean")


class PackedSeries(NamedTuple):
    """Series one after the other.

    Attributes:
        values: float32 (steps of all, channels); NaN is a missing value.
        ends: int64 (n,), where each series ends in values.
    """

    values: np.ndarray
    ends: np.ndarray


class Series:
    """Rows that are series, indexed as an array is: `series[rows]` copies nothing but row numbers.

    Every series has at least one step. Values are finite or NaN, which is missing.

    >>> series = Series.of([np.ones((2, 1)), np.zeros((3, 1))])
    >>> series.lengths.tolist(), series.channels
    ([2, 3], 1)
    """

    def __init__(self, values: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
        self.values, self.starts, self.ends = values, starts, ends

    @classmethod
    def of(cls, series: Iterable[np.ndarray]) -> Series:
        """Return series from arrays (steps, channels) with the same channels."""
        parts = [np.asarray(part, np.float32) for part in series]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        return cls.of_packed(np.concatenate(parts), ends)

    @classmethod
    def of_packed(cls, values: np.ndarray, ends: np.ndarray) -> Series:
        """Return series over arrays as `packed` gives them."""
        starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
        return cls(values, starts, ends)

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return int(self.values.shape[1])

    @property
    def lengths(self) -> np.ndarray:
        """Return the steps of each series, int64 (n,)."""
        return np.asarray(self.ends - self.starts)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: np.ndarray | slice) -> Series:
        return Series(self.values, self.starts[index], self.ends[index])

    def packed(self) -> PackedSeries:
        """Return these series alone, end to end."""
        parts = [self.values[s:e] for s, e in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]
        values = np.concatenate(parts) if parts else np.empty((0, self.channels), np.float32)
        return PackedSeries(np.asarray(values, np.float32), np.cumsum(self.lengths, dtype=np.int64))

    def padded(self, steps: int | None = None) -> np.ndarray:
        """Return float32 (n, channels, steps), NaN after the end of each series.

        Args:
            steps: of all, what is longer is cut; None takes the longest.
        """
        lengths = self.lengths
        steps = int(lengths.max(initial=1)) if steps is None else steps
        place = np.arange(steps)
        is_there = place < lengths[:, None]
        out = np.full((len(self), steps, self.channels), np.nan, np.float32)
        out[is_there] = self.values[(self.starts[:, None] + place)[is_there]]
        return np.ascontiguousarray(out.transpose(0, 2, 1))


@dataclass(frozen=True)
class SeriesRule:
    """How what a user has becomes series.

    Attributes:
        channels: names, in order; of an array "0", "1", ...
        id, time: columns of a table with one step a row: whose step it is, and its order; empty for arrays.
        kinds: how a table writes each channel: as numbers, as numbers with a decimal comma, or as truth values; empty
            where all are plain numbers.
    """

    channels: tuple[str, ...]
    id: str = ""
    time: str = ""
    kinds: tuple[ChannelKind, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON values, with what kind of input it is."""
        values = {"kind": "series", "channels": list(self.channels), "id": self.id, "time": self.time}
        return {**values, "kinds": list(self.kinds)} if self.kinds else values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SeriesRule:
        """Read a rule; keys this version does not know are left alone.

        Raises:
            ModelError: it is no rule of series.
        """
        if values.get("kind") != "series":
            raise ModelError(f"input: kind must be 'series' here. Got {str(values.get('kind'))[:80]!r}.")
        channels: Any = values.get("channels")
        places = [values.get("id", ""), values.get("time", "")]
        is_list = isinstance(channels, list) and 0 < len(channels) <= MAX_CHANNELS
        if not is_list or not _are_texts(channels) or len(set(channels)) != len(channels):
            raise ModelError(
                f"input: channels must be 1 to {MAX_CHANNELS} different names. Got {str(channels)[:80]!r}."
            )
        if not _are_texts(places):
            raise ModelError(f"input: id and time must be names of columns. Got {str(places)[:80]!r}.")
        kinds = values.get("kinds", [])
        is_fit = isinstance(kinds, list) and len(kinds) in (0, len(channels))
        if not is_fit or not all(kind in CHANNEL_KINDS for kind in kinds):
            raise ModelError(
                f"input: kinds must be one of {', '.join(CHANNEL_KINDS)} for each channel. Got {str(kinds)[:80]!r}."
            )
        return cls(tuple(channels), places[0], places[1], tuple(kinds))


def _are_texts(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)
