"""From texts to the float32 array of a model, by a plan in JSON; the same in training and in serving.

A plan is `{"version": 1, "kind": ..., ...}`. Kinds: "terms" gives (n, 2, L) ids and weights of the terms of a text,
"tokens" (n, L) ids of its words or characters in order, "wordpiece" (n, L) ids of the pieces that a pre-trained network
knows. L is the most that a text among the n has, at least 1; 0 fills what is shorter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from . import table_fields as fields
from .table import Table, TableRule

VERSION = 1
_READERS = {"terms": "text_terms:Terms", "tokens": "text_ids:TokenIds", "wordpiece": "text_wordpiece:WordPiece"}


class Reader(Protocol):
    """A plan of one kind, made ready; its class has `from_json(plan)`."""

    def compute(self, texts: Iterable[str], /) -> np.ndarray:
        """Return float32, the texts in front."""
        ...


class TextEncoder:
    """A plan made ready; prepare it once where texts come one by one.

    Attributes:
        width: None, since it depends on the texts.
    """

    width: int | None = None

    def __init__(self, plan: Mapping[str, Any]) -> None:
        fields.version(fields.mapping(plan, "it"), VERSION)
        kind = fields.word(plan, "kind", tuple(_READERS))
        module, _, name = _READERS[kind].partition(":")
        self._reader: Reader = getattr(import_module(f".{module}", __package__), name).from_json(plan)

    def compute(self, table: Table) -> np.ndarray:
        """Return what the plan makes of the first column of text, float32 with the rows in front."""
        return self._reader.compute(table.texts[0])


def check(plan: Mapping[str, Any], rule: TableRule) -> None:
    """Make sure that a plan can be computed on every table of this rule.

    Raises:
        ValueError: the plan is malformed, or the rule is not one column of text.
    """
    TextEncoder(plan)
    if [column.kind for column in rule.columns] != ["text"]:
        kinds = [column.kind for column in rule.columns][:8]
        raise ValueError(f"plan: the input must be one column of text for it. Got columns of the kinds {kinds}")
