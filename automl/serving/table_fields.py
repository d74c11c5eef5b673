"""Reading fields of a plan that came from a file of a stranger: the right type, in range, finite; else one line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MAX_ENTRIES = 2_000_000
"""Of one list of a plan."""


def whole(fields: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """Return a field that is a whole number in [low, high].

    Raises:
        ValueError: it is missing, or something else.
    """
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"plan: {name} must be a whole number in [{low}, {high}]. Got {_shown(value)}")
    return value


def version(fields: Mapping[str, Any], known: int) -> None:
    """Make sure that the field "version" is the whole number known; 1.0 and true are not 1.

    Raises:
        ValueError: it is missing, or something else.
    """
    value = fields.get("version")
    if type(value) is not int or value != known:
        raise ValueError(f"plan: version must be {known} for this reader. Got {_shown(value)}")


def number(fields: Mapping[str, Any], name: str, low: float, high: float) -> float:
    """Return a field that is a number in [low, high].

    Raises:
        ValueError: it is missing, or something else.
    """
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"plan: {name} must be a number in [{low:g}, {high:g}]. Got {_shown(value)}")
    return float(value)


def word(fields: Mapping[str, Any], name: str, known: Sequence[str]) -> str:
    """Return a field that is one of the known words.

    Raises:
        ValueError: it is missing, or something else.
    """
    value = fields.get(name)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"plan: {name} must be one of {', '.join(known)}. Got {_shown(value)}")
    return value


def items(fields: Mapping[str, Any], name: str, count: int | None = None) -> list[Any]:
    """Return a field that is a list, of count entries if that is given, else of at least one.

    Raises:
        ValueError: it is missing, something else, or too long.
    """
    value = fields.get(name)
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES or count not in (None, len(value)):
        wanted = f"{count} entries" if count is not None else f"1 to {MAX_ENTRIES} entries"
        raise ValueError(f"plan: {name} must be a list of {wanted}. Got {_shown(value)}")
    return value


def mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return a value that is an object.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"plan: {name} must be an object. Got {_shown(value)}")
    return value


def strings(fields: Mapping[str, Any], name: str, count: int | None = None) -> list[str]:
    """Return a field that is a list of texts.

    Raises:
        ValueError: it is missing, or something else.
    """
    values = items(fields, name, count)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"plan: {name} must be texts. Got {_shown(values)}")
    return values


def numbers(values: object, name: str, count: int | None = None, *, gaps: bool = False) -> np.ndarray:
    """Return a list of finite numbers as float64 (count,).

    Args:
        values: the list.
        name: for the message.
        count: how many; None for any number of at least one.
        gaps: whether null stands for a missing number, NaN.

    Raises:
        ValueError: it is something else.
    """
    entries = items({name: values}, name, count)
    if gaps:
        entries = [math.nan if value is None else value for value in entries]
    array = _array(entries, name)
    is_missing = np.array([value is math.nan for value in entries]) if gaps else np.zeros(len(entries), bool)
    if not np.isfinite(array[~is_missing]).all():
        raise ValueError(f"plan: {name} must be finite numbers. Got {_shown(values)}")
    return array


def wholes(values: object, name: str, low: int, high: int, *, count: int | None = None) -> np.ndarray:
    """Return a list of whole numbers in [low, high] as int64 (count,).

    Raises:
        ValueError: it is something else.
    """
    array = _array(items({name: values}, name, count), name)
    if not ((array >= low) & (array <= high) & (array == np.floor(array))).all():
        raise ValueError(f"plan: {name} must be whole numbers in [{low}, {high}]. Got {_shown(values)}")
    return array.astype(np.int64)


def _array(entries: list[Any], name: str) -> np.ndarray:
    if not all(type(value) in (int, float) for value in entries):
        raise ValueError(f"plan: {name} must be numbers. Got {_shown(entries)}")
    try:
        return np.array(entries, dtype=np.float64)
    except OverflowError as error:
        raise ValueError(f"plan: {name} must be numbers of double precision. Got {_shown(entries)}") from error


def _shown(value: object) -> str:
    """Return a value for a message: one line, not long; a list of a million entries is not written out first."""
    return repr(value[:8] if isinstance(value, list | str) else value)[:80]
