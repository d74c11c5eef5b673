"""Texts as blocks: their sizes, and the words that tell most about the target, learned on the rows learned from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock, finished, is_varying, raw_values
from automl.candidates.tabular.encoding_rows import Learned
from automl.core.seeds import stream
from automl.serving.table_words import tokens
from automl.serving.texts import Texts

MOST_WORDS = 2_000_000
"""Words that a vocabulary is learned from."""
MOST_TEXTS = 50_000
MOST_SIZED = 10_000
"""Texts that the mean and the spread of their sizes are learned from."""
_PER_COLUMN = 20  # terms compared with the target for each one that is kept, the most frequent ones
_EVERYWHERE = 0.95  # a term in more of the texts than this tells nothing


class _Corpus(NamedTuple):
    """Terms of texts, in order or each once a text.

    Attributes:
        texts: (p,) number of the text, rising.
        terms: (p,) number of the term.
        words: what each term is.
        size: number of texts.
    """

    texts: np.ndarray
    terms: np.ndarray
    words: list[str]
    size: int

    @property
    def frequency(self) -> np.ndarray:
        """Return how often each term occurs; in how many texts if it is there once a text."""
        return np.bincount(self.terms, minlength=len(self.words))

    def once(self) -> _Corpus:
        """Return each term of a text once."""
        keys = np.sort(self.texts * len(self.words) + self.terms)
        keys = keys[np.diff(keys, prepend=-1) > 0]  # np.unique hashes first, which is slower here
        return self._replace(texts=keys // max(1, len(self.words)), terms=keys % max(1, len(self.words)))


def encoded_texts(learned: Learned, options: EncoderOptions) -> list[FittedBlock]:
    """Return for each column of text a block of its sizes, and one of `options.texts` terms at most."""
    blocks, some = [], learned.fewer(MOST_SIZED)
    for place, column in enumerate(learned.rule.texts):
        names = (f"{column.name}: characters", f"{column.name}: words")
        size = FittedBlock({"kind": "text_size", "column": place}, names)
        if is_varying(raw_values(size, some.sample)).any():
            blocks.append(finished(size, some, options))
        if options.texts and (words := _words(place, column.name, learned, options.texts)) is not None:
            blocks.append(words)
    return blocks


def _words(place: int, name: str, learned: Learned, most: int) -> FittedBlock | None:
    """Return TF-IDF of the terms whose presence is correlated most with the target; None if no term tells anything."""
    drawn = stream(0, "encoder", "texts").permutation(len(learned))[:MOST_TEXTS]
    found = _terms(_read(learned.X.texts[place][learned.rows[drawn]]))
    frequency = found.frequency
    useful = np.flatnonzero((frequency >= _fewest(found.size)) & (frequency <= _EVERYWHERE * found.size))
    useful = useful[np.argsort(-frequency[useful], kind="stable")][: _PER_COLUMN * most]
    if not len(useful):
        return None
    relevance = _relevance(found, learned.targets[drawn[: found.size]])[useful]
    best = useful[np.argsort(-relevance, kind="stable")][:most]
    terms = [found.words[term] for term in best.tolist()]
    weights = np.log((1 + found.size) / (1 + frequency[best])) + 1
    block = {"kind": "words", "column": place, "terms": terms, "weights": weights.tolist()}
    return FittedBlock(block, tuple(f"{name}: {term}" for term in terms))


def _fewest(size: int) -> int:
    """Return the number of texts that a term must be in to become a column."""
    return max(2, size // 5000)


def _read(texts: Texts) -> _Corpus:
    """Return the words of texts in order, of as many texts as make `MOST_WORDS`."""
    numbers: dict[str, int] = {}
    terms: list[np.ndarray] = []
    total = 0
    for text in texts:
        terms.append(np.array([numbers.setdefault(word, len(numbers)) for word in tokens(text)], np.int64))
        total += len(terms[-1])
        if total > MOST_WORDS:
            break
    of_text = np.repeat(np.arange(len(terms)), [len(each) for each in terms])
    return _Corpus(of_text, np.concatenate(terms), list(numbers), len(terms))


def _terms(read: _Corpus) -> _Corpus:
    """Return the words of each text and its pairs of words that follow each other, once a text.

    A pair is in no more texts than its words are, so only frequent words are paired.
    """
    single = read.once()
    is_frequent = single.frequency >= _fewest(read.size)
    first, second = read.terms[:-1], read.terms[1:]
    follows = (read.texts[:-1] == read.texts[1:]) & is_frequent[first] & is_frequent[second]
    keys, terms = np.unique(first[follows] * len(read.words) + second[follows], return_inverse=True)
    words = [f"{read.words[key // len(read.words)]} {read.words[key % len(read.words)]}" for key in keys.tolist()]
    pairs = _Corpus(read.texts[:-1][follows], terms, words, read.size).once()
    return _Corpus(
        np.concatenate([single.texts, pairs.texts]),
        np.concatenate([single.terms, pairs.terms + len(read.words)]),
        read.words + words,
        read.size,
    )


def _relevance(found: _Corpus, targets: np.ndarray) -> np.ndarray:
    """Return the largest absolute correlation of each term's presence with a target, (terms,).

    Args:
        found: terms once a text.
        targets: (texts, t).
    """
    spread = targets.std(axis=0)
    scores = (targets - targets.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    frequency = found.frequency
    best = np.zeros(len(found.words))
    for column in scores.T:
        total = np.bincount(found.terms, weights=column[found.texts], minlength=len(found.words))
        np.maximum(best, np.abs(total), out=best)
    share = frequency / found.size
    relevance: np.ndarray = best / (found.size * np.sqrt(np.maximum(share * (1 - share), 1e-12)))
    return relevance
