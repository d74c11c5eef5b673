"""A place in a TOML file, and the errors that name it."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeGuard

from automl.core.space import Value
from automl.errors import SpaceError

LARGEST_WHOLE_NUMBER = 2**53
"""Beyond this a float cannot tell whole numbers apart."""
_SHOWN = 60
_AT_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True)
class Place:
    """Where in which file something stands.

    Attributes:
        origin: the file, as it is shown to the user.
        path: dotted keys such as `params.lr`; empty for the top of the file.
    """

    origin: str
    path: str = ""

    def at(self, key: str) -> Place:
        """Return the place of key below this one."""
        return Place(self.origin, f"{self.path}.{key}" if self.path else key)

    def error(self, text: str) -> SpaceError:
        """Return a one-line error that begins with file and path.

        >>> str(Place("cnn.toml").at("params").at("lr").error("is negative. Got -1. Write a number above 0."))
        'cnn.toml: params.lr: is negative. Got -1. Write a number above 0.'
        """
        where = f"{self.origin}: {self.path}: " if self.path else f"{self.origin}: "
        return SpaceError(where + text)


def shown(value: object) -> str:
    """Return value as it would be written, cut to one short line.

    >>> shown("x" * 100)[-5:]
    'xxxx…'
    """
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def parse(text: str, origin: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises:
        SpaceError: not TOML; names the line.
    """
    place = Place(origin)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise place.error(_syntax(str(error), text)) from None
    except RecursionError:
        raise place.error(f"brackets are nested too deeply in {len(text)} characters. Write flat tables.") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise place.error(f"a value cannot be read: {shown(str(error))}. Shorten the number.") from None


def _syntax(message: str, text: str) -> str:
    lines = text.splitlines() or [""]
    found = _AT_LINE.search(message)
    number = int(found[1]) if found else len(lines)
    rule = message.split(" (at ")[0]
    line = lines[min(number, len(lines)) - 1].strip()
    return f"line {number}: not valid TOML: {rule}. Got {shown(line)}. Mend the line; see https://toml.io."


def check_keys(table: Mapping[str, Any], known: Collection[str], place: Place) -> None:
    """Refuse a key that is not known, and suggest one that is.

    Raises:
        SpaceError: an unknown key.
    """
    for key in table:
        if key not in known:
            raise place.error(f"unknown key {shown(key)}.{did_you_mean(key, known)} Known: {', '.join(known)}.")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return a suggestion with a leading space, or nothing.

    >>> did_you_mean("flaot", ["float", "int"])
    ' Did you mean float?'
    """
    near = get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def table_at(table: Mapping[str, Any], key: str, place: Place) -> Mapping[str, Any]:
    """Return the table under key, empty where there is none.

    Raises:
        SpaceError: something else stands there.
    """
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise place.at(key).error(f"must be a table. Got {shown(found)}. Write [{key}] on a line of its own.")
    return found


def text_at(table: Mapping[str, Any], key: str, place: Place, hint: str) -> str:
    """Return the text under key.

    Raises:
        SpaceError: it is missing, empty or no text.
    """
    if key not in table:
        raise place.error(f"{key} is missing among {shown(list(table))}. {hint}")
    found = table[key]
    if not isinstance(found, str) or not found.strip():
        raise place.at(key).error(f"must be a text. Got {shown(found)}. {hint}")
    return found


def number(value: object, place: Place) -> float:
    """Return value as a finite float.

    Raises:
        SpaceError: it is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.error(f"must be a number. Got {shown(value)}. Write it without quotes, such as 0.1.")
    if (isinstance(value, int) and abs(value) > LARGEST_WHOLE_NUMBER) or not math.isfinite(value):
        raise place.error(f"must be a finite number of common size. Got {shown(value)}. Write one such as 1e-3.")
    return float(value)


def whole(value: object, place: Place) -> int:
    """Return value as an int.

    Raises:
        SpaceError: it is no whole number, or one too large for a float to hold.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise place.error(f"must be a whole number. Got {shown(value)}. Write it without point and quotes, such as 3.")
    if abs(value) > LARGEST_WHOLE_NUMBER:
        raise place.error(f"must be at most {LARGEST_WHOLE_NUMBER} in size. Got {shown(value)}. Write a smaller one.")
    return value


def flag(table: Mapping[str, Any], key: str, place: Place) -> bool:
    """Return the truth value under key, False where there is none.

    Raises:
        SpaceError: it is neither true nor false.
    """
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise place.at(key).error(f"must be true or false. Got {shown(value)}. Write {key} = true, or leave it out.")
    return value


def is_value(value: object) -> TypeGuard[Value]:
    """Whether value may be the value of a parameter: a text, a truth value or a finite number."""
    return isinstance(value, str | bool) or (isinstance(value, int | float) and math.isfinite(value))
