"""Texts as rows of token ids, for networks: words or characters in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np

from . import table_fields as fields
from .text_tokens import sound, spaced, words

Unit = Literal["words", "characters"]
UNITS: tuple[Unit, ...] = ("words", "characters")
PADDING, EMPTY, UNKNOWN, FIRST = 0, 1, 2, 3
"""Ids with a meaning of their own, and the id of the first term: after a text's end, a text without a token, a token
that is no term."""
MAX_TERMS = 300_000
MAX_TOKENS = 100_000
_CHARACTERS_PER_TOKEN = 20  # read at most, so that a text of any length costs a bounded time


class Ids(NamedTuple):
    """Token ids of texts, end to end.

    Attributes:
        values: int32.
        lengths: int64 (n,), at least one each.
    """

    values: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class TokenIds:
    """Texts to ids.

    Plan: `{"version": 1, "kind": "tokens", "of": "words", "lower": true, "marks": true, "longest": 200, "terms":
    ["the", ...]}`.

    Attributes:
        of: what a token is.
        lower: whether capital letters become small ones.
        marks: whether punctuation counts as words; of no account for characters.
        longest: tokens of a text; what follows is cut off.
        ids: term → id.
    """

    of: Unit
    lower: bool
    marks: bool
    longest: int
    ids: Mapping[str, int]

    @classmethod
    def from_json(cls, plan: Mapping[str, Any]) -> TokenIds:
        """Read a plan.

        Raises:
            ValueError: it is malformed.
        """
        of = fields.word(plan, "of", UNITS)
        longest = fields.whole(plan, "longest", 1, MAX_TOKENS)
        names = terms(plan, MAX_TERMS)
        ids = {term: place for place, term in enumerate(names, FIRST)}
        return cls(of, flag(plan, "lower"), flag(plan, "marks"), longest, ids)  # type: ignore[arg-type]

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text that count, none for an empty one."""
        text = text[: _CHARACTERS_PER_TOKEN * self.longest]
        if self.of == "characters":
            return list(spaced(text, lower=self.lower)[1:-1])[: self.longest]
        return words(text, lower=self.lower, marks=self.marks)[: self.longest]

    def read(self, texts: Iterable[str]) -> Ids:
        """Return the ids of texts."""
        get = self.ids.get
        rows = [[get(token, UNKNOWN) for token in self.tokens(text)] or [EMPTY] for text in texts]
        values = np.fromiter(chain.from_iterable(rows), np.int32)
        return Ids(values, np.array([len(row) for row in rows], np.int64))

    def compute(self, texts: Iterable[str]) -> np.ndarray:
        """Return float32 (n, L) ids, L the most tokens of a text among these, shorter ones padded at their end."""
        return padded(self.read(texts))


def padded(ids: Ids) -> np.ndarray:
    """Return float32 (n, L) ids, one text a row, 0 after its end.

    >>> padded(Ids(np.array([5, 6, 7]), np.array([1, 2]))).tolist()
    [[5.0, 0.0], [6.0, 7.0]]
    """
    longest = int(ids.lengths.max(initial=1))
    out = np.zeros((len(ids.lengths), longest), np.float32)
    out[np.arange(longest) < ids.lengths[:, None]] = ids.values
    return out


def flag(plan: Mapping[str, Any], name: str) -> bool:
    """Return a field that is true or false.

    Raises:
        ValueError: it is missing, or something else.
    """
    value = plan.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"plan: {name} must be true or false. Got {str(value)[:80]!r}")
    return value


def terms(plan: Mapping[str, Any], most: int) -> list[str]:
    """Return the field "terms", different texts without gaps, of any number up to most.

    Halves of surrogate pairs are refused, as no text that is read has one: see `text_tokens.sound`.

    Raises:
        ValueError: it is missing, or something else.
    """
    value = plan.get("terms")
    if not isinstance(value, list) or len(value) > most or not all(isinstance(term, str) and term for term in value):
        shown = repr(value[:5] if isinstance(value, list | str) else value)[:80]
        raise ValueError(f"plan: terms must be a list of at most {most} texts, none empty. Got {shown}")
    if len(set(value)) != len(value):
        raise ValueError(f"plan: terms must be different. Got {len(value) - len(set(value))} twice")
    half = next((term for term in value if sound(term) != term), None)
    if half is not None:
        raise ValueError(f"plan: terms must be UTF-8, without halves of surrogate pairs. Got {half[:60]!r}")
    return value
