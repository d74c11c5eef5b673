"""Parts of dates as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import table_fields as fields
from .table import MAX_COLUMNS, Table
from .table_blocks import Need

PARTS = (
    "year", "month", "day", "weekday", "hour", "day_of_year", "elapsed_days",
    "year_sine", "year_cosine", "week_sine", "week_cosine", "day_sine", "day_cosine",
)  # fmt: skip
_DAY = 86400.0
_FIRST, _LAST = -62135596800.0, 253402300799.0  # the first second of year 1, the last of year 9999


@dataclass(frozen=True)
class Dates:
    """Parts of a date: `{"kind": "dates", "column": i, "parts": ["year", ...], "start": seconds}`.

    Months and days count from 1, weekdays from 0 (Monday), hours have fractions, elapsed days count from start. Sines
    and cosines are of the part of the year, week and day that has passed.
    """

    column: int
    parts: tuple[str, ...]
    start: float

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Dates:
        """Read the block of a plan."""
        parts = fields.strings(block, "parts")
        for part in parts:
            fields.word({"parts": part}, "parts", PARTS)
        column = fields.whole(block, "column", 0, MAX_COLUMNS - 1)
        return cls(column, tuple(parts), fields.number(block, "start", -1e15, 1e15))

    @property
    def width(self) -> int:
        """Return the number of parts."""
        return len(self.parts)

    @property
    def needs(self) -> list[Need]:
        """Return the column of dates."""
        return [Need(self.column, ("date",))]

    def values(self, table: Table) -> np.ndarray:
        """Return the parts; all are missing where the date is."""
        seconds = np.asarray(table.numbers[:, self.column], np.float64)
        out = np.full((len(seconds), self.width), np.nan)
        known = ~np.isnan(seconds)
        if known.any():
            out[known] = _parts(np.clip(seconds[known], _FIRST, _LAST), self.parts, self.start)
        return out


def _parts(seconds: np.ndarray, parts: tuple[str, ...], start: float) -> np.ndarray:
    days = np.floor(seconds / _DAY)
    date = days.astype(np.int64).astype("datetime64[D]")
    month, year = date.astype("datetime64[M]"), date.astype("datetime64[Y]")
    day_of_year = (date - year.astype("datetime64[D]")).astype(np.float64)
    of_day, weekday = seconds / _DAY - days, np.mod(days + 3, 7)  # 1970 began on a Thursday
    plain: dict[str, np.ndarray] = {
        "year": year.astype(np.int64) + 1970,
        "month": month.astype(np.int64) % 12 + 1,
        "day": (date - month.astype("datetime64[D]")).astype(np.float64) + 1,
        "weekday": weekday,
        "hour": of_day * 24,
        "day_of_year": day_of_year + 1,
        "elapsed_days": (seconds - start) / _DAY,
    }
    turns = {"year": (day_of_year + of_day) / 365.25, "week": (weekday + of_day) / 7, "day": of_day}
    columns = [plain[part] if part in plain else _wave(part, turns) for part in parts]
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def _wave(part: str, turns: Mapping[str, np.ndarray]) -> np.ndarray:
    cycle, _, wave = part.partition("_")
    angle = 2 * np.pi * turns[cycle]
    values: np.ndarray = np.sin(angle) if wave == "sine" else np.cos(angle)
    return values
