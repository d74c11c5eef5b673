"""Words cut into the pieces of a fixed vocabulary, as pre-trained BERT encoders read them.

Sources: Devlin et al. 2018, https://arxiv.org/abs/1810.04805; the greedy longest match: Schuster & Nakajima 2012,
https://doi.org/10.1109/ICASSP.2012.6289079; how a text is cleaned before it:
https://github.com/google-research/bert#tokenization.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from . import table_fields as fields

KIND, VERSION = "wordpiece", 1
PADDING = 0
"""The id of what stands behind a text that is shorter than others; no text has it."""
MOST_TOKENS = 4096
"""The longest text a plan may ask for."""
MOST_PIECES = 1_000_000
_MOST_WORD = 1000
_PART = 512  # characters: sorting the marks of a letter takes their number squared, 0.3 ms for so many
_MOST_MARKS = 30  # of a letter that are kept together, as in https://unicode.org/reports/tr15/#Stream_Safe_Text_Format
_MOST_CACHED = 200_000  # words whose pieces are remembered: 60 MB at most
_SIGNS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
          (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))  # fmt: skip
"""Chinese signs, each a word."""
_ASCII_SIGNS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_DROPPED = ("Cc", "Cf", "Co", "Cs")


class WordPiece:
    """Cuts texts by a plan.

    The plan is {"version": 1, "kind": "wordpiece", "vocabulary": […], "longest": 128, "lower": true, "accents": false,
    "most_word": 100, "unknown": 100, "first": 101, "last": 102}: the pieces in the order of their ids, of which 0 is
    padding and a leading "##" says that a piece goes on with a word; the most tokens of a text, the two at its ends
    included; whether letters become small, and whether accents stay; the longest word that is cut and not unknown as a
    whole; ids of what is not in the vocabulary and of the ends.

    Attributes:
        longest: tokens of a text at most.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        """Make a plan ready.

        Raises:
            ValueError: a field is missing or malformed.
        """
        fields.whole(plan, "version", VERSION, VERSION)
        fields.word(plan, "kind", (KIND,))
        pieces = _vocabulary(plan)
        self._ids = {piece: number for number, piece in enumerate(pieces) if number != PADDING}
        self.longest = fields.whole(plan, "longest", 3, MOST_TOKENS)
        self._most_word = fields.whole(plan, "most_word", 1, _MOST_WORD)
        ends = ("unknown", "first", "last")
        self._unknown, self._first, self._last = (fields.whole(plan, name, 1, len(pieces) - 1) for name in ends)
        self._longest_piece = max(map(len, pieces))
        self._keeps_accents = _flag(plan, "accents")
        self._signs = _Signs(lower=_flag(plan, "lower"), accents=self._keeps_accents)
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def from_json(cls, plan: Mapping[str, Any]) -> WordPiece:
        """Make a plan ready.

        Raises:
            ValueError: a field is missing or malformed.
        """
        return cls(plan)

    def compute(self, texts: Iterable[str], /) -> np.ndarray:
        """Return float32 (n, L) ids, 0 behind the end of a text; L is the longest's length, at least 1."""
        return padded([self.tokens(text) for text in texts])

    def tokens(self, text: str) -> list[int]:
        """Return the ids of a text, the ends included: at least two, at most `longest`."""
        room, ids = self.longest - 2, [self._first]
        for word in self._words(text):
            pieces = self._cache.get(word)
            ids += self._remembered(word) if pieces is None else pieces
            if len(ids) > room:
                break
        return [*ids[: room + 1], self._last]

    def words(self, text: str) -> list[str]:
        """Return the words of a text as they are looked for: cleaned, each mark of punctuation one of its own.

        Of a word of more than `most_word` characters, which is unknown as a whole, the end may be missing.
        """
        return list(self._words(text))

    def _words(self, text: str) -> Iterator[str]:
        """Yield the words of a text; no more of it is looked at than the words that are asked for need."""
        rest = ""
        for part in _parts(text):
            if not (self._keeps_accents or part.isascii()):
                part = unicodedata.normalize("NFD", part)
            *words, rest = (rest + part.translate(self._signs)).split(" ")
            yield from filter(None, words)
            rest = rest[: self._most_word + 1]
        if rest:
            yield rest

    def _remembered(self, word: str) -> tuple[int, ...]:
        if len(word) > self._most_word:  # not remembered: such a word may be as long as a text
            return (self._unknown,)
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        pieces = self._cache[word] = self._cut(word)
        return pieces

    def _cut(self, word: str) -> tuple[int, ...]:
        """Return the ids of the longest pieces from the left; the unknown one where the vocabulary has none."""
        ids, start = list[int](), 0
        while start < len(word):
            found = self._longest_at(word, start)
            if not found:
                return (self._unknown,)
            ids.append(found[0])
            start = found[1]
        return tuple(ids)

    def _longest_at(self, word: str, start: int) -> tuple[int, int] | None:
        """Return the id of the longest piece that begins at start, and where it ends."""
        mark = "##" if start else ""
        for end in range(min(len(word), start + self._longest_piece), start, -1):
            found = self._ids.get(mark + word[start:end])
            if found is not None:
                return found, end
        return None


def _parts(text: str) -> Iterator[str]:
    """Yield a text in parts that can be normalised one by one.

    Each ends before a character that is no mark, so that a letter and its marks stay together and the parts give what
    the whole would. Of more than `_MOST_MARKS` marks in a row some may come to the next part; where accents are dropped
    that changes nothing but the order of the few marks among them that have a width of their own.
    """
    start = 0
    while start < len(text):
        stop = start + _PART
        most = stop + _MOST_MARKS
        while stop < min(len(text), most) and unicodedata.category(text[stop])[0] == "M":
            stop += 1
        yield text[start:stop]
        start = stop


def padded(texts: Iterable[list[int]]) -> np.ndarray:
    """Return float32 (n, L) ids, `PADDING` behind the end of a text; L is the longest's length, at least 1."""
    rows = list(texts)
    lengths = np.array([len(ids) for ids in rows], np.int64)
    out = np.full((len(rows), max(1, int(lengths.max(initial=1)))), PADDING, np.float32)
    if rows:
        out[np.arange(out.shape[1]) < lengths[:, None]] = np.concatenate([np.asarray(ids, np.float32) for ids in rows])
    return out


class _Signs(dict[int, str]):
    """What each code point becomes, found out when it is first met."""

    def __init__(self, *, lower: bool, accents: bool) -> None:
        super().__init__()
        self._lower, self._accents = lower, accents

    def __missing__(self, code: int) -> str:
        self[code] = made = self._made(chr(code))
        return made

    def _made(self, sign: str) -> str:
        if sign in "\t\n\r":
            return " "
        kind = unicodedata.category(sign)
        if kind in _DROPPED or sign in "\0\ufffd" or (kind == "Mn" and not self._accents):
            return ""
        if sign.isspace():
            return " "
        if sign in _ASCII_SIGNS or kind[0] == "P" or any(low <= ord(sign) <= high for low, high in _SIGNS):
            return f" {sign} "
        return sign.lower() if self._lower else sign


def _vocabulary(plan: Mapping[str, Any]) -> list[str]:
    """Return the pieces of a plan, checked: none empty, none twice."""
    pieces = fields.strings(plan, "vocabulary")
    if not 4 <= len(pieces) <= MOST_PIECES:
        raise ValueError(f"plan: vocabulary must have 4 to {MOST_PIECES} pieces. Got {len(pieces)}")
    if "" in pieces or len(set(pieces)) != len(pieces):
        got = repr([piece[:40] for piece in pieces[:8]])
        raise ValueError(f"plan: vocabulary must have no empty piece and none twice. Got {got[:80]}")
    return pieces


def _flag(plan: Mapping[str, Any], name: str) -> bool:
    value = plan.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"plan: {name} must be true or false. Got {str(value)[:80]!r}")
    return value
