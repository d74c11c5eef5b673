"""Texts as numbers, truth values and categories, a column at a time."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from .table_cells import Cells, texts_of

MISSING = frozenset({
    "", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil", "missing", "-", "--", "?",
    ".", "nat", "(null)", "#null!", "#value!", "#ref!", "#div/0!",
})  # fmt: skip
"""What stands for a missing value, in any case, with spaces around it."""
TRUE = frozenset({"true", "yes", "y", "t", "on", "1"})
FALSE = frozenset({"false", "no", "n", "f", "off", "0"})
LARGEST = float(np.finfo(np.float32).max)
"""Numbers beyond, which are infinite in single precision, count as missing."""
_CACHED = 100_000
"""Texts whose number is remembered."""
_NUMBER = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+\u2212]?)\s*[$€£¥₹]?\s*(?P<second>[-+\u2212]?)"
    r"(?P<whole>[0-9]{1,3}(?P<group>[, \u00a0\u2009\u202f'\u2019])[0-9]{3}(?:(?P=group)[0-9]{3})*|[0-9]*)"
    r"(?P<rest>(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,4})?)\s*(?:%|[$€£¥₹])?\s*(?P<close>\))?"
)
_WHOLE_WITH_POINT = re.compile(r"-?[0-9]+\.0+")
_WORDS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


class Parsed(NamedTuple):
    """A column as numbers.

    Attributes:
        values: float64 (n,); NaN where nothing is, where something else is, and beyond single precision.
        odd: cells that hold something else.
        example: one of them.
    """

    values: np.ndarray
    odd: int = 0
    example: str = ""


def is_missing(text: str) -> bool:
    """Return whether a text stands for a missing value.

    >>> is_missing(" N/A "), is_missing("0")
    (True, False)
    """
    return text.strip().casefold() in MISSING


def number_of(text: str, *, comma: bool = False) -> float | None:
    """Return the number that a text is, NaN if it is missing, None if it is something else.

    Currency signs and the percent sign are left out, brackets mean negative, groups of three digits are joined.

    Args:
        text: as people and programs write numbers.
        comma: whether the decimal sign is a comma and the point separates groups.

    >>> number_of("$5,720"), number_of("(300)"), number_of("12%"), number_of("1.234,5", comma=True), number_of("abc")
    (5720.0, -300.0, 12.0, 1234.5, None)
    """
    text = text.strip()
    if text.casefold() in MISSING:
        return np.nan
    if comma:
        text = text.translate(_SWAPPED)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return _infinity(text)
    parts = match.groupdict("")
    digits = "".join(sign for sign in parts["whole"] if sign.isdigit()) + parts["rest"]
    is_number = any(sign.isdigit() for sign in digits.partition("e")[0].partition("E")[0])
    if not is_number or bool(parts["open"]) != bool(parts["close"]) or (parts["sign"] and parts["second"]):
        return None
    is_negative = bool(parts["open"]) != ((parts["sign"] or parts["second"]) in ("-", "\u2212"))
    return -float(digits) if is_negative else float(digits)


def numbers(cells: Cells, *, comma: bool = False) -> Parsed:
    """Return a column as numbers; what is no number is counted.

    Args:
        cells: the column.
        comma: whether the decimal sign is a comma and the point separates groups.
    """
    if isinstance(cells, np.ndarray):
        return Parsed(_bounded(cells))
    if not comma:
        plain = _plain(cells)
        if plain is not None:
            return Parsed(_bounded(plain))
    cache = _NumberCache(comma=comma)
    values = np.fromiter(map(cache.__getitem__, cells), np.float64, len(cells))
    odd = values == _ODD
    if not odd.any():
        return Parsed(_bounded(values))
    values[odd] = np.nan
    return Parsed(_bounded(values), int(odd.sum()), cells[int(odd.argmax())])


def booleans(cells: Cells) -> Parsed:
    """Return a column of truth values as 0 and 1; what is none is counted."""
    cache: dict[str, float] = {}
    for text in set(texts := texts_of(cells)):
        word = category_text(text).casefold()
        cache[text] = 1.0 if word in TRUE else 0.0 if word in FALSE else np.nan if word in MISSING else _ODD
    values = np.fromiter(map(cache.__getitem__, texts), np.float64, len(texts))
    odd = values == _ODD
    example = texts[int(odd.argmax())] if odd.any() else ""
    values[odd] = np.nan
    return Parsed(values, int(odd.sum()), example)


def category_text(text: str) -> str:
    """Return a text as a category, the same however a program writes the value; "" where it is missing.

    Spaces around it do not count, whole numbers have no point, truth values are small. A small "none" is a value: it
    is the name of a category more often than a program's sign of absence.

    >>> category_text(" 3.0"), category_text("True"), category_text("NA"), category_text("none")
    ('3', 'true', '', 'none')
    """
    text = text.strip()
    if len(text) <= _LONGEST and text.casefold() in MISSING and text != "none":
        return ""
    if not text.isascii():
        return text.encode("utf-8", "replace").decode("utf-8")
    if text.endswith("0") and _WHOLE_WITH_POINT.fullmatch(text):
        return text.partition(".")[0]
    return _WORDS.get(text, text)


def categories(cells: Cells) -> list[str]:
    """Return a column as `category_text` gives it."""
    texts = texts_of(cells)
    known = {text: category_text(text) for text in set(texts)}
    return [known[text] for text in texts]


_LONGEST = max(map(len, MISSING))
_ODD = -np.inf  # in place of NaN while parsing; "-inf" itself becomes NaN as well
_SWAPPED = str.maketrans(",.", ".,")


def _infinity(text: str) -> float | None:
    word = text.casefold().lstrip("+-")
    return np.inf if word in ("inf", "infinity", "\u221e") else None


def _plain(cells: list[str]) -> np.ndarray | None:
    """Return numbers as programs write them, at once; None if there is anything else."""
    for attempt in (cells, [cell or "nan" for cell in cells] if "" in cells else None):
        if attempt is None:
            return None
        try:
            values = np.fromiter(map(float, attempt), np.float64, len(attempt))
        except ValueError:
            continue
        # float takes "1_000", which is a name more often than a number
        return None if "_" in "".join(attempt) else values
    return None


def _bounded(values: np.ndarray) -> np.ndarray:
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


class _NumberCache(dict[str, float]):
    """Text → number, `_ODD` for something else; bounded."""

    def __init__(self, *, comma: bool) -> None:
        super().__init__()
        self._comma = comma

    def __missing__(self, text: str) -> float:
        value = self._value(text)
        if len(self) < _CACHED:
            self[text] = value
        return value

    def _value(self, text: str) -> float:
        if not self._comma and "_" not in text:
            try:
                return float(text)
            except ValueError:
                pass  # what programs do not write, people may
        found = number_of(text, comma=self._comma)
        return _ODD if found is None else found
