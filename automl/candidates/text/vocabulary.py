"""Which runs of words or characters are terms, and how often each row has them."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from automl.serving.text_grams import EDGE, CharacterRuns, Runs, WordRuns, most_tokens
from automl.serving.text_terms import MAX_TERMS, Counter, Counts, batches
from automl.serving.text_tokens import spaced, words
from automl.serving.texts import Texts

LONGEST_WORD = 60
"""Characters of a word that may be part of a term."""
_SPARE = 2  # terms looked up for each that may be kept; which are kept is decided by how many rows have them
_MERGED = 1 << 24  # runs that are held before they are counted


@dataclass(frozen=True)
class PartOptions:
    """Which runs may be terms.

    Attributes:
        of: what they are runs of.
        low, high: how many, at least and at most.
        marks: words: whether punctuation counts as words.
        edges: words: whether a run may begin before the first word and end after the last.
        inside: characters: whether a run lies within a word and the spaces beside it.
        least: rows learned from that must have a term.
        most: terms at most, those in most rows.
    """

    of: Literal["words", "characters"]
    low: int
    high: int
    marks: bool = False
    edges: bool = False
    inside: bool = True
    least: int = 1
    most: int = MAX_TERMS

    def to_json(self) -> dict[str, Any]:
        """Return what `serving.text_terms` must know of it."""
        own = {"marks": self.marks, "edges": self.edges} if self.of == "words" else {"inside": self.inside}
        return {"of": self.of, "low": self.low, "high": self.high, **own}


class LearnedPart(NamedTuple):
    """A vocabulary, and its counts in all rows.

    Attributes:
        terms: in the order of their ids.
        frequency: int64, rows learned from that have each term.
        counts: of all rows of the data.
    """

    terms: tuple[str, ...]
    frequency: np.ndarray
    counts: Counts

    def only(self, keep: np.ndarray) -> LearnedPart:
        """Return the terms that are kept, (terms,) bool, with their counts."""
        places = np.cumsum(keep) - 1
        is_kept = keep[self.counts.ids]
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(is_kept)])[self.counts.ends]
        ids = places[self.counts.ids[is_kept]].astype(np.int32)
        terms = tuple(term for term, kept in zip(self.terms, keep.tolist(), strict=True) if kept)
        return LearnedPart(terms, self.frequency[keep], Counts(ends, ids, self.counts.values[is_kept]))


def learned_part(
    texts: Texts, rows: np.ndarray, sample: Iterable[str], options: PartOptions, *, lower: bool, longest: int
) -> LearnedPart:
    """Return the terms of some texts, with their counts in all.

    Args:
        texts: all rows.
        rows: numbers of the rows learned from: those that must have a term, and whose number with it is counted.
        sample: texts of those rows in which terms are looked for.
        options: which runs may be terms.
        lower: whether capital letters become small ones.
        longest: characters of a text that are read.
    """
    lines = list(batches(sample, longest))
    runs = (_words if options.of == "words" else _characters)(lines, options, lower=lower)
    keys = _frequent(lines, runs, options)
    terms = runs.terms(keys)
    counts = Counter(runs, keys, longest).count(texts)
    is_learned = np.zeros(len(counts.ends) - 1, bool)
    is_learned[rows] = True
    frequency = np.bincount(counts.ids[np.repeat(is_learned, np.diff(counts.ends))], minlength=len(keys))
    keep = frequency >= options.least
    if keep.sum() > options.most:
        keep[np.argsort(-frequency, kind="stable")[options.most :]] = False
    return LearnedPart(tuple(terms), frequency, counts).only(keep)


def _words(lines: list[list[str]], options: PartOptions, *, lower: bool) -> WordRuns:
    """Return runs of the words that occur often enough to be in a term."""
    tally = Tally[str]()
    for batch in lines:
        for text in batch:
            tally.update(words(text, lower=lower, marks=options.marks))
    kept = ((-count, word) for word, count in tally.items() if count >= options.least and len(word) <= LONGEST_WORD)
    known = [word for _, word in sorted(kept)[: most_tokens(options.high) - 1]]
    codes = {word: code for code, word in enumerate([EDGE, *known], 1)}
    return WordRuns(options.low, options.high, lower, options.marks, options.edges, codes)


def _characters(lines: list[list[str]], options: PartOptions, *, lower: bool) -> CharacterRuns:
    """Return runs of the characters that occur often enough to be in a term."""
    tally = Tally[str]()
    for batch in lines:
        tally.update("".join([spaced(text, lower=lower) for text in batch]))
    kept = sorted((-count, sign) for sign, count in tally.items() if count >= options.least and sign != "\0")
    alphabet = "".join(sign for _, sign in kept[: most_tokens(options.high)])
    return CharacterRuns(options.low, options.high, lower, options.inside, alphabet)


def _frequent(lines: list[list[str]], runs: Runs, options: PartOptions) -> np.ndarray:
    """Return the numbers of the runs that occur most often, rising."""
    keys, counts, held = np.empty(0, np.int64), np.empty(0, np.int64), 0
    waiting: list[np.ndarray] = []
    for place, batch in enumerate(lines):
        waiting.append(runs.grams(batch).keys)
        held += len(waiting[-1])
        if held > _MERGED or place == len(lines) - 1:
            keys, counts = _merged(keys, counts, np.concatenate(waiting))
            waiting, held = [], 0
    keep = np.flatnonzero(counts >= options.least)
    if len(keep) > _SPARE * options.most:
        keep = np.sort(keep[np.argsort(-counts[keep], kind="stable")[: _SPARE * options.most]])
    return keys[keep]


def _merged(keys: np.ndarray, counts: np.ndarray, more: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return different numbers, rising, and how often each has been seen, with as many more as they come."""
    more = np.sort(more)
    firsts = np.flatnonzero(np.diff(more, prepend=-1))
    every = np.concatenate([keys, more[firsts]])
    times = np.concatenate([counts, np.diff(firsts, append=len(more))])
    order = np.argsort(every, kind="stable")
    every, times = every[order], times[order]
    starts = np.flatnonzero(np.diff(every, prepend=-1))
    return every[starts], np.add.reduceat(times, starts) if len(starts) else times
