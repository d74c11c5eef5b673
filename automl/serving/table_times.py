"""Texts as points in time: ISO 8601 in its common forms, and the ways people write dates."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from .table_cells import Cells, texts_of
from .table_values import MISSING, Parsed

ISO = ""
"""The format of dates such as 2019-03-23, with or without a time."""
FORMATS = (
    ISO, "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y",
    "%b %d, %Y", "%b %d %Y", "%a, %d %b %Y", "%a, %b %d, %Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%y",
)  # fmt: skip
"""Formats that are looked for; of two that fit alike, the first is taken."""
_TWINS = {"%m/%d/%Y": "%d/%m/%Y", "%d-%m-%Y": "%m-%d-%Y", "%m/%d/%y": "%d/%m/%y"}
_DIRECTIVES = {
    "%Y": "(?P<Y>[0-9]{4})", "%y": "(?P<y>[0-9]{2})", "%m": "(?P<m>[0-9]{1,2})", "%d": "(?P<d>[0-9]{1,2})",
    "%b": "(?P<b>[A-Za-z]{3,9})[.]?", "%B": "(?P<b>[A-Za-z]{3,9})[.]?", "%a": "[A-Za-z]{2,9}[.]?",
}  # fmt: skip
_ISO_DATE = re.compile(r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{1,2})(?:-(?P<d>[0-9]{1,2}))?")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_TIME = re.compile(
    r"(?P<h>[0-9]{1,2}):(?P<m>[0-9]{2})(?::(?P<s>[0-9]{2})(?:[.,](?P<f>[0-9]{1,12}))?)?\s*(?P<half>[AaPp][Mm])?\s*"
    r"(?P<zone>[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_DAY = 86400.0
_ODD = -np.inf  # in place of a time, while parsing
_CACHED = 100_000
_PLAIN_LENGTHS = {0, 19, *range(21, 27)}
_SOME_DATE = "1970-01-01"  # stands for all dates that numpy reads
_PLAIN_SIGNS = re.compile("[-0-9:. T]*")
_LOOK = 50  # texts that show whether the rest is worth a look


class Choice(NamedTuple):
    """How a column writes its dates.

    Attributes:
        format: as in `Column.format`.
        share: of the texts that are dates so written.
        is_ambiguous: whether day and month could be the other way round.
    """

    format: str
    share: float
    is_ambiguous: bool


class DateReader:
    """Reads columns of dates of one format; what it has seen once it does not parse again.

    Args:
        form: of the date, as in `Column.format`; a time of day may follow in any common form.

    Raises:
        ValueError: the format has a directive that is not known.
    """

    def __init__(self, form: str) -> None:
        self._form = form
        self._days, self._clock = _Days(form), _Clock()

    def read(self, cells: Cells) -> Parsed:
        """Return a column as seconds since 1970 (UTC); a time without a zone counts as UTC, a number is no date."""
        if isinstance(cells, np.ndarray):
            count = int((~np.isnan(cells)).sum())
            return Parsed(np.full(len(cells), np.nan), count, str(cells[~np.isnan(cells)][0]) if count else "")
        plain = _plain(cells) if self._form == ISO else None
        if plain is not None:
            return Parsed(plain)
        values = self._parts(cells)
        odd = np.flatnonzero(values == _ODD)
        for row in odd.tolist():
            head, tail = split(cells[row].strip())
            values[row] = self._days[head] + self._clock[tail]
        odd = np.flatnonzero(values == _ODD)
        values[odd] = np.nan
        return Parsed(values, len(odd), cells[int(odd[0])] if len(odd) else "")

    def _parts(self, cells: list[str]) -> np.ndarray:
        if self._form == ISO:
            heads, tails = [text[:10] for text in cells], [text[10:] for text in cells]
        else:
            parts = [split(text) for text in cells]
            heads, tails = [part[0] for part in parts], [part[1] for part in parts]
        days = np.fromiter(map(self._days.__getitem__, heads), np.float64, len(cells))
        return days + np.fromiter(map(self._clock.__getitem__, tails), np.float64, len(cells))


def _plain(cells: list[str]) -> np.ndarray | None:
    """Return seconds of texts as `2019-03-23 20:21:09.5` or empty, by numpy at once; None if there is anything else."""
    joined = "".join(cells)
    count = len(cells) - cells.count("")
    is_plain = (
        set(map(len, cells)) <= _PLAIN_LENGTHS
        and joined.count("-") == joined.count(":") == 2 * count
        and _PLAIN_SIGNS.fullmatch(joined)
    )
    if not is_plain:
        return None
    try:
        times = np.array(cells, "M8[us]")
    except ValueError:
        return None
    seconds: np.ndarray = (times - np.datetime64(0, "us")) / np.timedelta64(1, "s")
    return seconds


def split(text: str) -> tuple[str, str]:
    """Return the date and the time of a text; the time is empty where there is none.

    >>> split("2019-03-23T20:21:09Z"), split("23 Mar 2019")
    (('2019-03-23', '20:21:09Z'), ('23 Mar 2019', ''))
    """
    colon = text.find(":")
    if colon < 0:
        return text, ""
    start = max(text.rfind(" ", 0, colon), text.rfind("T", 0, colon))
    return (text[:start], text[start + 1 :]) if start > 0 else (text, "")


class DateCounts:
    """How often each date occurs in a column, times of day left out: enough to tell how they are written."""

    def __init__(self) -> None:
        self._clock = _Clock()
        self._dates: Counter[str] = Counter()

    def add(self, cells: Cells) -> None:
        """Take in rows."""
        plain = _plain(cells) if isinstance(cells, list) else None
        if plain is not None:
            self._dates[_SOME_DATE] += int(np.count_nonzero(~np.isnan(plain)))
        else:
            self.add_counts(Counter(texts_of(cells)))

    def add_counts(self, counts: Mapping[str, int]) -> None:
        """Take in texts, with how often each occurs; one with a malformed time counts as a whole."""
        clock, dates = self._clock, self._dates
        for text, count in counts.items():
            head, tail = split(text)
            dates[head if clock[tail] > _ODD else text] += count

    def choice(self) -> Choice | None:
        """Return the format that most dates have; None if the first ones already show that they are none."""
        return choose({text: count for text, count in self._dates.items() if text.strip().casefold() not in MISSING})


def choose(dates: Mapping[str, int]) -> Choice | None:
    """Return the format that most dates have; None if the first ones already show that they are none.

    Args:
        dates: how often each occurs; missing ones left out.
    """
    some = dict(islice(dates.items(), _LOOK))
    candidates = [form for form in FORMATS if 2 * _fitting(some, form) > sum(some.values())]
    if not candidates:
        return None
    fits = {form: _fitting(dates, form) for form in candidates}
    best = max(candidates, key=lambda form: fits[form])
    is_ambiguous = best in _TWINS and fits.get(_TWINS[best]) == fits[best]
    return Choice(best, fits[best] / max(1, sum(dates.values())), is_ambiguous)


def _fitting(dates: Mapping[str, int], form: str) -> int:
    days = _Days(form)
    return sum(count for text, count in dates.items() if days[text] > _ODD)


@cache
def _pattern(form: str) -> re.Pattern[str]:
    if form == ISO:
        return _ISO_DATE
    parts = re.split("(%.?)", form)
    unknown = [part for part in parts if part.startswith("%") and part not in _DIRECTIVES]
    if unknown or len(form) > 40 or len(set(parts[1::2])) < len(parts[1::2]):
        raise ValueError(f"format: each of {' '.join(_DIRECTIVES)} may occur once. Got {form[:80]!r}.")
    return re.compile("".join(_DIRECTIVES.get(part, re.escape(part)) for part in parts))


class _Bounded(dict[str, float]):
    """Text → seconds, computed once; so many texts are remembered."""

    def __missing__(self, text: str) -> float:
        value = self.compute(text)
        if len(self) < _CACHED:
            self[text] = value
        return value

    def compute(self, text: str) -> float:
        """Return the seconds; `_ODD` for something else."""
        raise NotImplementedError(f"of {text!r}")


class _Days(_Bounded):
    """Date → seconds since 1970, NaN if it is missing."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._pattern = _pattern(form)

    def compute(self, text: str) -> float:
        """Return the seconds of a date at midnight."""
        text = text.strip()
        match = self._pattern.fullmatch(text)
        if match is None:
            return np.nan if text.casefold() in MISSING else _ODD
        return _day(match.groupdict())


def _day(parts: Mapping[str, str | None]) -> float:
    year = int(parts.get("Y") or 0)
    if short := parts.get("y"):
        year = int(short) + (1900 if int(short) >= 69 else 2000)  # as POSIX strptime
    month = _month(parts["b"] or "") if "b" in parts else int(parts.get("m") or 1)
    try:
        return (datetime.date(year, month, int(parts.get("d") or 1)).toordinal() - _EPOCH) * _DAY
    except ValueError:
        return _ODD


def _month(name: str) -> int:
    """Return the number of an English month, also of its first letters; 0 if it is none."""
    return next((n for n, full in enumerate(_MONTHS, 1) if full.startswith(name.casefold())), 0)


class _Clock(_Bounded):
    """Time of day → seconds since midnight in UTC; 0 where there is none."""

    def compute(self, text: str) -> float:
        """Return the seconds, of a zone's time those in UTC."""
        text = text.strip().removeprefix("T")
        if not text:
            return 0.0
        match = _TIME.fullmatch(text)
        if match is None:
            return _ODD
        parts = match.groupdict()
        hour, minute, second = int(parts["h"]), int(parts["m"]), int(parts["s"] or 0)
        if hour > (12 if parts["half"] else 24) or minute > 59 or second > 60:
            return _ODD
        if parts["half"]:
            hour = hour % 12 + 12 * (parts["half"].lower() == "pm")
        return hour * 3600.0 + minute * 60 + second + float(f"0.{parts['f'] or 0}") - _offset(parts["zone"] or "")


def _offset(zone: str) -> float:
    """Return the seconds by which a zone is ahead of UTC."""
    if zone[:1] not in ("+", "-"):
        return 0.0
    digits = zone[1:].replace(":", "")
    return (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 3600.0 + int(digits[2:] or 0) * 60)
