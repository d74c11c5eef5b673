"""Runs of words and of characters as whole numbers: a whole batch of texts in a few passes of numpy.

A run of up to `high` tokens is one number, its tokens' codes side by side in 63 // high bits each; codes start at 1, so
that runs of different lengths differ. Nothing is hashed: different runs are different numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple, Protocol

import numpy as np

from .text_tokens import spaced, words

HIGHEST = 6
"""Tokens of a run at most."""
_POINTS = 0x110000
_SPACE = ord(" ")
_BITS = 63
EDGE = "\n"
"""Stands for the beginning and the end of a text among its words, none of which it can be."""


class Grams(NamedTuple):
    """Runs of tokens in texts, as often as they occur.

    Attributes:
        rows: (p,) the number of the text.
        keys: int64 (p,), the run.
    """

    rows: np.ndarray
    keys: np.ndarray


class Runs(Protocol):
    """An alphabet of tokens, and which runs of them count.

    Attributes:
        low, high: tokens of a run.
    """

    @property
    def low(self) -> int:
        """Return the fewest tokens of a run."""
        ...

    @property
    def high(self) -> int:
        """Return the most tokens of a run."""
        ...

    def grams(self, texts: Sequence[str], /) -> Grams:
        """Return the runs of known tokens."""
        ...

    def keys(self, terms: Sequence[str], /) -> np.ndarray:
        """Return the number of each term, -1 where it is no run of known tokens."""
        ...

    def terms(self, keys: np.ndarray, /) -> list[str]:
        """Return the run that each number stands for."""
        ...


def most_tokens(high: int) -> int:
    """Return how many different tokens there may be in runs of up to high of them."""
    return int(min(1 << _BITS // high, 1 << 31) - 1)


@dataclass(frozen=True)
class WordRuns:
    """Runs of words.

    Attributes:
        low, high: words of a run.
        lower: whether capital letters become small ones.
        marks: whether punctuation counts as words.
        edges: whether a run may begin before the first word and end after the last, with `EDGE`, if there is a word.
        codes: word → 1, 2, …
    """

    low: int
    high: int
    lower: bool
    marks: bool
    edges: bool
    codes: Mapping[str, int]

    def grams(self, texts: Sequence[str]) -> Grams:
        """Return the runs of known words; an unknown word ends a run."""
        get, edge = self.codes.get, self.codes.get(EDGE, 0)
        rows = [[get(word, 0) for word in words(text, lower=self.lower, marks=self.marks)] + [0] for text in texts]
        if self.edges:
            rows = [[edge, *row[:-1], edge, 0] if len(row) > 1 else row for row in rows]
        codes = np.fromiter(chain.from_iterable(rows), np.int64)
        numbers = np.repeat(np.arange(len(rows), dtype=np.int64), [len(row) for row in rows])
        return _runs(codes, numbers, self.low, self.high, _Blank(edge, False))

    def keys(self, terms: Sequence[str]) -> np.ndarray:
        """Return the number of each term, -1 where it is no run of known words."""
        bits = _BITS // self.high
        out = np.full(len(terms), -1, np.int64)
        for place, term in enumerate(terms):
            codes = [self.codes.get(word, 0) for word in term.split(" ")]
            if self.low <= len(codes) <= self.high and 0 not in codes:
                key = 0
                for code in codes:
                    key = key << bits | code
                out[place] = key
        return out

    def terms(self, keys: np.ndarray) -> list[str]:
        """Return the run that each number stands for."""
        known = ["", *self.codes]
        parts = _digits(keys, self.high)
        return [" ".join([known[code] for code in row if code]) for row in parts.tolist()]


@dataclass(frozen=True)
class CharacterRuns:
    """Runs of characters of texts with single spaces, one at either end too.

    Attributes:
        low, high: characters of a run.
        lower: whether capital letters become small ones.
        inside: whether a run lies within a word and the spaces beside it; else it goes on over spaces.
        alphabet: the characters that are known.
    """

    low: int
    high: int
    lower: bool
    inside: bool
    alphabet: str

    @cached_property
    def _codes(self) -> np.ndarray:
        """Code of each code point, 0 for one that is not known; that of NUL, which parts texts, is 0."""
        codes = np.zeros(_POINTS, np.int64)
        points = code_points(self.alphabet)
        codes[points] = np.arange(1, len(points) + 1)
        codes[0] = 0
        return codes

    def grams(self, texts: Sequence[str]) -> Grams:
        """Return the runs of known characters; an unknown one ends a run, and a space alone is none."""
        lines = [spaced(text, lower=self.lower) for text in texts]
        codes = self._codes[code_points("\0".join([*lines, ""]))]
        numbers = np.repeat(np.arange(len(lines), dtype=np.int64), [len(line) + 1 for line in lines])
        return _runs(codes, numbers, self.low, self.high, _Blank(int(self._codes[_SPACE]), self.inside))

    def keys(self, terms: Sequence[str]) -> np.ndarray:
        """Return the number of each term, -1 where it is no run of known characters."""
        bits, sizes = _BITS // self.high, np.array([len(term) for term in terms], np.int64)
        out = np.full(len(terms), -1, np.int64)
        for size in range(self.low, self.high + 1):
            at = np.flatnonzero(sizes == size)
            codes = self._codes[code_points("".join([terms[place] for place in at.tolist()]))].reshape(-1, size)
            keys = np.zeros(len(at), np.int64)
            for column in codes.T:
                keys = keys << bits | column
            out[at] = np.where((codes > 0).all(axis=1), keys, -1)
        return out

    def terms(self, keys: np.ndarray) -> list[str]:
        """Return the run that each number stands for."""
        known = ["", *self.alphabet]
        return ["".join([known[code] for code in row]) for row in _digits(keys, self.high).tolist()]


def code_points(text: str) -> np.ndarray:
    """Return the code point of each character, uint32; half a surrogate pair is a question mark."""
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)


class _Blank(NamedTuple):
    """The code of a token that is no run by itself, and whether a run ends at one.

    Attributes:
        code: of a space or an edge; 0 if there is none.
        ends: whether it may stand at the ends of a run only.
    """

    code: int
    ends: bool


def _runs(codes: np.ndarray, rows: np.ndarray, low: int, high: int, blank: _Blank) -> Grams:
    """Return all runs of low to high codes that are not 0; a 0 stands after each text."""
    bits = _BITS // high
    at = np.flatnonzero(codes)
    keys = last = codes[at]
    found_rows, found_keys = [], []
    for size in range(1, high + 1):
        if size > 1:
            following = codes[at + size - 1]
            is_run = following > 0
            if blank.ends and size > 2:
                is_run &= last != blank.code
            at, last = at[is_run], following[is_run]
            keys = keys[is_run] << bits | last
        if size >= low:
            is_term = keys != blank.code if size == 1 else slice(None)
            found_rows.append(rows[at[is_term]])
            found_keys.append(keys[is_term])
    return Grams(np.concatenate(found_rows), np.concatenate(found_keys))


def _digits(keys: np.ndarray, high: int) -> np.ndarray:
    """Return the codes of each number, (n, high), with zeros in front of shorter runs."""
    bits = _BITS // high
    places = np.arange(high - 1, -1, -1) * bits
    return np.asarray(keys[:, None] >> places & (1 << bits) - 1)
