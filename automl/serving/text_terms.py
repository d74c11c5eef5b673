"""Texts as weighted terms: TF-IDF of runs of words and of characters, as ids and weights side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np

from . import table_fields as fields
from .text_grams import HIGHEST, CharacterRuns, Runs, WordRuns, most_tokens
from .text_ids import flag, terms

Counting = Literal["raw", "log", "once"]
Norm = Literal["none", "each", "all"]
COUNTINGS: tuple[Counting, ...] = ("raw", "log", "once")
NORMS: tuple[Norm, ...] = ("none", "each", "all")
MAX_TERMS = 300_000
"""Of all parts together."""
MAX_LONGEST = 1_000_000
MAX_WEIGHT = 1e30
"""Size of a term's weight: times a count of up to `MAX_LONGEST` it still is a number of single precision."""
_MAX_PARTS = 8
_BATCH_CHARACTERS = 1 << 20  # of texts that are counted at once


class Counts(NamedTuple):
    """Which terms texts have and how often, in compressed rows.

    Attributes:
        ends: int64 (n + 1,), where each text's terms begin and, in the next entry, end.
        ids: int32 (m,), rising within a text.
        values: float32 (m,).
    """

    ends: np.ndarray
    ids: np.ndarray
    values: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Counts]) -> Counts:
        """Return the texts of all parts, one part after the other."""
        starts = np.cumsum([0, *(part.ends[-1] for part in parts)])
        ends = [part.ends[1:] + start for part, start in zip(parts, starts, strict=False)]
        ids = np.concatenate([np.empty(0, np.int32), *(part.ids for part in parts)])
        values = np.concatenate([np.empty(0, np.float32), *(part.values for part in parts)])
        return cls(np.concatenate([np.zeros(1, np.int64), *ends]), ids, values)


class Counter:
    """Counts a vocabulary in texts.

    Args:
        runs: what a term is.
        keys: int64 (terms,), the number of each term, different from each other.
        longest: characters of a text that are read.
    """

    def __init__(self, runs: Runs, keys: np.ndarray, longest: int) -> None:
        self._runs, self._longest = runs, longest
        self._places = np.argsort(keys).astype(np.int32)
        self._keys = keys[self._places]

    def count(self, texts: Iterable[str]) -> Counts:
        """Return how often each term occurs in each text."""
        return Counts.joined([self._counted(batch) for batch in batches(texts, self._longest)])

    def _counted(self, texts: list[str]) -> Counts:
        found, terms_known = self._runs.grams(texts), len(self._keys)
        if not terms_known:
            return Counts(np.zeros(len(texts) + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
        places = np.minimum(np.searchsorted(self._keys, found.keys), terms_known - 1)
        is_term = self._keys[places] == found.keys
        cells = np.sort(found.rows[is_term] * terms_known + self._places[places[is_term]])
        firsts = np.flatnonzero(np.diff(cells, prepend=-1))
        counts = np.diff(firsts, append=len(cells)).astype(np.float32)
        rows, ids = np.divmod(cells[firsts], terms_known)
        ends = np.searchsorted(rows, np.arange(len(texts) + 1))
        return Counts(ends, ids.astype(np.int32), counts)


def batches(texts: Iterable[str], longest: int) -> Iterator[list[str]]:
    """Yield texts, cut to their first longest characters, in lists of about a million characters."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text[:longest])
        size += len(batch[-1]) + 1
        if size > _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@dataclass(frozen=True)
class Weighing:
    """From counts to weights.

    A count c is taken as it is ("raw"), as 1 + log c ("log") or as 1 ("once"), and multiplied by the weight of its
    term; the numbers of a text are then divided by their Euclidean norm, those of each part by their own ("each") or
    all by that of all ("all").

    Source: Manning, Raghavan & Schütze 2008, https://nlp.stanford.edu/IR-book/, sections 6.2 to 6.4.
    """

    counting: Counting
    norm: Norm

    def weigh(self, parts: Sequence[Counts], weights: Sequence[np.ndarray]) -> list[Counts]:
        """Return the parts with weights, float32, in place of counts.

        Args:
            parts: counts of the same texts by the vocabulary of each part.
            weights: of the terms of each part.
        """
        found = [self._weighed(part, of_terms) for part, of_terms in zip(parts, weights, strict=True)]
        squares = [_row_sums(part) for part in found]
        if self.norm == "all":
            squares = [np.sum(squares, axis=0)] * len(found)
        return found if self.norm == "none" else [_divided(*pair) for pair in zip(found, squares, strict=True)]

    def _weighed(self, part: Counts, of_terms: np.ndarray) -> Counts:
        counted = part.values
        if self.counting != "raw":
            counted = 1 + np.log(counted) if self.counting == "log" else np.ones_like(counted)
        return part._replace(values=np.asarray(counted * of_terms.astype(np.float32)[part.ids], np.float32))


def _row_sums(part: Counts) -> np.ndarray:
    """Return the sum of squares of each text, float64."""
    rows = np.repeat(np.arange(len(part.ends) - 1), np.diff(part.ends))
    return np.bincount(rows, weights=part.values.astype(np.float64) ** 2, minlength=len(part.ends) - 1)


def _divided(part: Counts, squares: np.ndarray) -> Counts:
    norms = np.sqrt(np.where(squares > 0, squares, 1.0))
    return part._replace(values=(part.values / np.repeat(norms, np.diff(part.ends))).astype(np.float32))


def packed(parts: Sequence[Counts], offsets: Sequence[int]) -> np.ndarray:
    """Return float32 (n, 2, L) ids and weights of the terms of each text, part after part, zeros behind them.

    Args:
        parts: of the same texts, with weights for values.
        offsets: what is added to the ids of each part; an id is never 0.
    """
    sizes = np.array([np.diff(part.ends) for part in parts])
    out = np.zeros((sizes.shape[1], 2, max(1, int(sizes.sum(axis=0).max(initial=1)))), np.float32)
    starts = np.zeros(sizes.shape[1], np.int64)
    for part, offset, size in zip(parts, offsets, sizes, strict=True):
        rows = np.repeat(np.arange(len(size)), size)
        columns = np.arange(part.ends[-1]) + np.repeat(starts - part.ends[:-1], size)
        out[rows, 0, columns] = part.ids + np.float32(offset)
        out[rows, 1, columns] = part.values
        starts = starts + size
    return out


@dataclass(frozen=True)
class _Part:
    counter: Counter
    weights: np.ndarray


@dataclass(frozen=True)
class Terms:
    """Texts to ids and weights.

    Plan: `{"version": 1, "kind": "terms", "lower": true, "longest": 20000, "counting": "log", "norm": "each",
    "parts": [{"of": "words", "low": 1, "high": 2, "marks": false, "edges": false, "terms": [...], "weights": [...]},
    {"of": "characters", "low": 2, "high": 5, "inside": true, "terms": [...], "weights": [...]}]}`.

    The terms of the first part have the ids 1, 2, …, those of the second follow.
    """

    parts: tuple[_Part, ...]
    weighing: Weighing

    @classmethod
    def from_json(cls, plan: Mapping[str, Any]) -> Terms:
        """Read a plan.

        Raises:
            ValueError: it is malformed.
        """
        entries = [fields.mapping(entry, "parts") for entry in fields.items(plan, "parts")[: _MAX_PARTS + 1]]
        if len(entries) > _MAX_PARTS:
            raise ValueError(f"plan: parts must be at most {_MAX_PARTS}. Got {len(entries)} and more")
        longest, lower = fields.whole(plan, "longest", 1, MAX_LONGEST), flag(plan, "lower")
        weighing = Weighing(fields.word(plan, "counting", COUNTINGS), fields.word(plan, "norm", NORMS))  # type: ignore[arg-type]
        parts = tuple(_part(entry, longest, lower=lower) for entry in entries)
        count = sum(len(part.weights) for part in parts)
        if count > MAX_TERMS:
            raise ValueError(f"plan: parts must have at most {MAX_TERMS} terms together. Got {count}")
        return cls(parts, weighing)

    def compute(self, texts: Iterable[str]) -> np.ndarray:
        """Return float32 (n, 2, L): ids of the known terms of each text, then their weights."""
        lines = list(texts)
        counts = [part.counter.count(lines) for part in self.parts]
        weighed = self.weighing.weigh(counts, [part.weights for part in self.parts])
        sizes = [len(part.weights) for part in self.parts]
        return packed(weighed, (1 + np.cumsum([0, *sizes[:-1]])).tolist())


def _part(entry: Mapping[str, Any], longest: int, *, lower: bool) -> _Part:
    names = terms(entry, MAX_TERMS)
    runs = runs_of(entry, names, lower=lower)
    keys = runs.keys(names)
    if (keys < 0).any():
        wrong = names[int(np.flatnonzero(keys < 0)[0])]
        raise ValueError(f"plan: terms must be runs of {runs.low} to {runs.high} {entry['of']}. Got {wrong[:60]!r}")
    return _Part(Counter(runs, keys, longest), _weights(entry.get("weights"), len(names)))


def _weights(values: object, count: int) -> np.ndarray:
    """Return the weights of so many terms, float64 (count,); of none there must be an empty list."""
    if not count:
        if values != []:
            raise ValueError(f"plan: weights must be [] where there are no terms. Got {str(values)[:80]!r}")
        return np.empty(0)
    weights = fields.numbers(values, "weights", count)
    largest = float(np.abs(weights).max())
    if largest > MAX_WEIGHT:
        raise ValueError(f"plan: weights must lie in [{-MAX_WEIGHT:g}, {MAX_WEIGHT:g}]. Got one of size {largest:g}")
    return weights


def runs_of(entry: Mapping[str, Any], names: Sequence[str], *, lower: bool) -> Runs:
    """Return what a part of a plan counts, its tokens those that its terms have.

    Raises:
        ValueError: the part is malformed, or has more different tokens than can be told apart.
    """
    of, high = fields.word(entry, "of", ("words", "characters")), fields.whole(entry, "high", 1, HIGHEST)
    low = fields.whole(entry, "low", 1, high)
    tokens = sorted(set(chain.from_iterable(name.split(" ") if of == "words" else name for name in names)))
    if len(tokens) > most_tokens(high):
        shown = f"{len(tokens)} different {of}"
        raise ValueError(f"plan: terms of up to {high} {of} may have {most_tokens(high)} different ones. Got {shown}")
    if of == "characters":
        return CharacterRuns(low, high, lower, flag(entry, "inside"), "".join(tokens))
    codes = {word: code for code, word in enumerate(tokens, 1)}
    return WordRuns(low, high, lower, flag(entry, "marks"), flag(entry, "edges"), codes)
