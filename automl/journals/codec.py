"""Events as JSON text and back, and the checksum that chains them.

JSON as Python writes it: infinite and undefined numbers are `Infinity`, `-Infinity` and `NaN` (JSON5, which SQLite's
JSON functions read), so that a lease without a limit comes back as it was.
"""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

import msgspec
import numpy as np

from automl.core.events import EVENT_TYPES, Event
from automl.errors import RunError

FORMAT = 1
"""The version of this text form; raised when an older program could no longer read it."""

GENESIS = bytes(32)
"""The checksum before the first event."""


class Row(NamedTuple):
    """One event as it is stored."""

    seq: int
    type: str
    payload: str
    checksum: bytes


def encode(event: Event) -> tuple[str, str]:
    """Return the type name and the JSON text of an event.

    Raises:
        TypeError: the event holds something that is no JSON value.
    """
    plain = msgspec.to_builtins(event, enc_hook=_numpy_to_python)
    return type(event).__name__, json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def decode(type_name: str, payload: str, *, where: str) -> Event:
    """Return the event of a type name and its JSON text; where names file and event in errors.

    Raises:
        RunError: the type is unknown here, or its fields do not fit.
    """
    cls = EVENT_TYPES.get(type_name)
    if cls is None:
        raise RunError(f"{where}: {type_name!r} is no event of this version. Use the automl that wrote this run.")
    try:
        return msgspec.convert(json.loads(payload), type=cls, str_keys=True)
    except (msgspec.ValidationError, ValueError) as problem:
        raise RunError(
            f"{where}: this version cannot read a {type_name}: {problem}. Use the automl that wrote this run."
        ) from problem


def chain(previous: bytes, seq: int, type_name: str, payload: str) -> bytes:
    """Return the 32-byte checksum of an event, which depends on the one before it.

    >>> chain(GENESIS, 1, "Ticked", "{}") == chain(GENESIS, 2, "Ticked", "{}")
    False
    """
    text = f"{seq}\n{type_name}\n{payload}".encode()
    return hashlib.blake2b(previous + text, digest_size=32).digest()


def _numpy_to_python(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"an event holds JSON values only. Got {value!r} of type {type(value).__name__}")
