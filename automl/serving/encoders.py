"""Encoders: from rows to the float32 array that a member's graph reads, by a plan in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

import numpy as np

ENCODERS = {
    "table": "table_encoder:TableEncoder",
    "text": "text_encoder:TextEncoder",
    "series": "series_encoder:SeriesEncoder",
}
"""Kind of a member's features → where the class is that takes its plan; imported when it is needed."""


class Encoder(Protocol):
    """A plan made ready.

    Attributes:
        width: numbers per row; None where it depends on the rows.
    """

    @property
    def width(self) -> int | None:
        """Return the numbers per row."""
        ...

    def compute(self, rows: Any, /) -> np.ndarray:
        """Return float32, the rows in front."""
        ...


def encoder_of(kind: str, plan: Mapping[str, Any]) -> Encoder:
    """Return the encoder of a plan.

    Raises:
        ValueError: the kind is unknown, or the plan malformed.
    """
    if kind not in ENCODERS:
        raise ValueError(f"encoder: kinds known here: {', '.join(ENCODERS)}. Got {repr(kind)[:80]}")
    module, _, name = ENCODERS[kind].partition(":")
    made: Encoder = getattr(import_module(f".{module}", __package__), name)(plan)
    return made
