"""Columns of text as numbers: how long they are, and which words they have."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from . import table_fields as fields
from .table import MAX_COLUMNS, Table
from .table_blocks import MAX_WIDTH, Need

_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_SIGNS}]|[^\W{_SIGNS}]+")
_ASCII_TOKEN = re.compile(r"\w+")  # the same for ASCII


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case; each Chinese or Japanese sign is one.

    >>> tokens("The cat, 猫です 2x")
    ['the', 'cat', '猫', 'で', 'す', '2x']
    """
    return (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text.lower())


@dataclass(frozen=True)
class TextSize:
    """How long texts are: `{"kind": "text_size", "column": i}` gives characters and words."""

    column: int

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> TextSize:
        """Read the block of a plan."""
        return cls(fields.whole(block, "column", 0, MAX_COLUMNS - 1))

    @property
    def width(self) -> int:
        """Return 2."""
        return 2

    @property
    def needs(self) -> list[Need]:
        """Return the column of text."""
        return [Need(self.column, ("text",))]

    def values(self, table: Table) -> np.ndarray:
        """Return characters and words of each text."""
        sizes = [(len(text), len(tokens(text))) for text in table.texts[self.column]]
        return np.array(sizes, dtype=np.float64).reshape(-1, 2)


@dataclass(frozen=True)
class Words:
    """TF-IDF of words and of pairs of words that follow each other.

    `{"kind": "words", "column": i, "terms": ["good", "not good", ...], "weights": [...]}`: a term that occurs c times
    in a text counts 1 + log c, times its weight; the numbers of a text are then divided by their Euclidean norm.

    Source: Manning, Raghavan & Schütze 2008, https://nlp.stanford.edu/IR-book/, sections 6.2 to 6.4 (ltc weighting).
    """

    column: int
    places: Mapping[str, int]
    weights: np.ndarray
    heads: frozenset[str]

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Words:
        """Read the block of a plan."""
        terms = fields.strings(block, "terms")
        if len(set(terms)) != len(terms) or len(terms) > MAX_WIDTH:
            raise ValueError(f"plan: terms must be different, {MAX_WIDTH} at most. Got {terms[:5]!r} and more")
        weights = fields.numbers(block.get("weights"), "weights", len(terms))
        heads = frozenset(term.partition(" ")[0] for term in terms if " " in term)
        column = fields.whole(block, "column", 0, MAX_COLUMNS - 1)
        return cls(column, {term: place for place, term in enumerate(terms)}, weights, heads)

    @property
    def width(self) -> int:
        """Return the number of terms."""
        return len(self.weights)

    @property
    def needs(self) -> list[Need]:
        """Return the column of text."""
        return [Need(self.column, ("text",))]

    def values(self, table: Table) -> np.ndarray:
        """Return the weighted, normed counts; zeros for a text without any of the terms."""
        out = np.zeros((len(table), self.width))
        for row, text in enumerate(table.texts[self.column]):
            for place, count in self._counts(tokens(text)).items():
                out[row, place] = 1 + math.log(count)
        out *= self.weights
        norms = np.sqrt((out * out).sum(axis=1, keepdims=True))
        np.divide(out, norms, out=out, where=norms > 0)
        return out

    def _counts(self, words: list[str]) -> dict[int, int]:
        counts: dict[int, int] = {}
        for word in words:
            if (place := self.places.get(word)) is not None:
                counts[place] = counts.get(place, 0) + 1
        for first, second in pairwise(words) if self.heads else ():
            if first in self.heads and (place := self.places.get(f"{first} {second}")) is not None:
                counts[place] = counts.get(place, 0) + 1
        return counts
