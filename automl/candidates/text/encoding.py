"""From texts to weighted terms and to token ids: learned on the rows of a fold, kept in a cache for all its trials.

What is learned is a plan in JSON; `automl.serving.text_encoder` computes it, in training and in an artifact alike.
"""

from __future__ import annotations

import dataclasses
from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.encoding_cache import cache_key, read_array, read_json, write_array, write_json
from automl.candidates.text.vocabulary import LearnedPart, PartOptions, learned_part
from automl.core.protocols import Context, DataSource
from automl.core.seeds import stream
from automl.serving.text_ids import FIRST, Ids, TokenIds, Unit, padded
from automl.serving.text_terms import MAX_TERMS, Counting, Counts, Norm, Weighing, packed
from automl.serving.text_tokens import is_unspaced
from automl.serving.texts import Texts

FORMAT = 1
"""Raised when the same options give something else, so that a cache is not mistaken for a new one."""
MOST_CHARACTERS = 5_000_000
"""Characters of the rows that a vocabulary is learned from; of more, texts drawn at random."""
_LOOKED_AT = 500  # texts that tell the script
_SAVED_CHARACTERS = 10_000_000  # of a vocabulary


@dataclass(frozen=True)
class TermOptions:
    """How texts become weighted terms.

    Attributes:
        parts: which runs of words or characters are terms; their vocabularies stand one after the other.
        counting: what a count of 2 weighs: 2 ("raw"), 1 + log 2 ("log"), 1 ("once").
        idf: whether a term weighs log((1 + n) / (1 + f)) + 1, found in f of n texts; else 1.
        norm: whether the weights of a text have the norm 1, those of each part ("each") or all together ("all").
        lower: whether capital letters become small ones.
        longest: characters of a text that are read.
        most: terms of all parts together.
    """

    parts: tuple[PartOptions, ...]
    counting: Counting = "log"
    idf: bool = True
    norm: Norm = "each"
    lower: bool = True
    longest: int = 20_000
    most: int = MAX_TERMS


class EncodedTerms(NamedTuple):
    """Texts as weighted terms.

    Attributes:
        plan: for `serving.text_encoder`.
        X: scipy CSR, float32 (all rows of the data, terms); column j has the id j + 1.
    """

    plan: dict[str, Any]
    X: Any

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Return what the plan gives for some rows, float32 (n, 2, L)."""
        part = self.X[rows]
        return packed([Counts(part.indptr.astype(np.int64), part.indices, part.data)], [1])


@dataclass(frozen=True)
class TokenOptions:
    """How texts become token ids.

    Attributes:
        of: what a token is.
        lower: whether capital letters become small ones.
        marks: whether punctuation, emoticons and emoji count as words.
        longest: tokens of a text; what follows is cut off.
        most: terms of the vocabulary, the most frequent ones; other tokens share one id.
        least: times that a term must occur in the rows learned from.
    """

    of: Unit = "words"
    lower: bool = True
    marks: bool = True
    longest: int = 256
    most: int = 30_000
    least: int = 2


class EncodedTokens(NamedTuple):
    """Texts as token ids.

    Attributes:
        plan: for `serving.text_encoder`.
        values: int32, the ids of all rows of the data end to end, memory-mapped.
        starts, ends: int64 (rows of the data,), where each row's ids lie; every row has one at least.
        vocabulary: the token of each id; "" for 0 (padding), 1 (a text without a token) and 2 (any other token).
    """

    plan: dict[str, Any]
    values: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    vocabulary: tuple[str, ...]

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Return what the plan gives for some rows, float32 (n, L)."""
        parts = [self.values[start:end] for start, end in zip(self.starts[rows], self.ends[rows], strict=True)]
        values = np.concatenate([np.empty(0, np.int32), *parts])
        return padded(Ids(values, self.ends[rows] - self.starts[rows]))


def encoded_terms(data: DataSource, ctx: Context, options: TermOptions) -> EncodedTerms:
    """Return the texts of a data source as weighted terms, their counts from the cache or by whoever comes first.

    Args:
        data: rows of one column of text.
        ctx: gives the cache and the training rows, of which alone the vocabulary is learned.
        options: how to encode.
    """
    from scipy.sparse import csr_array, hstack

    rows = np.unique(ctx.train_rows)
    parts = [_cached_part(data, rows, ctx.cache, part, options) for part in options.parts]
    parts = _fewer(parts, options.most)
    weights = [_idf(part, len(rows)) if options.idf else np.ones(len(part.terms)) for part in parts]
    weighing = Weighing(options.counting, options.norm)
    weighed = weighing.weigh([part.counts for part in parts], weights)
    blocks = [
        csr_array((part.values, part.ids, part.ends.astype(np.int32)), shape=(data.spec.rows, len(of_terms)))
        for part, of_terms in zip(weighed, weights, strict=True)
    ]
    listed = zip(options.parts, parts, weights, strict=True)
    entries = [
        {**part.to_json(), "terms": list(learned.terms), "weights": of_terms.tolist()}
        for part, learned, of_terms in listed
    ]
    plan = {"version": 1, "kind": "terms", "lower": options.lower, "longest": options.longest,
            "counting": options.counting, "norm": options.norm, "parts": entries}  # fmt: skip
    return EncodedTerms(plan, hstack(blocks, format="csr") if len(blocks) > 1 else blocks[0])


def encoded_tokens(
    data: DataSource, ctx: Context, options: TokenOptions, rows: np.ndarray | None = None
) -> EncodedTokens:
    """Return the texts of a data source as token ids, from the cache or computed by whoever comes first.

    Args:
        data: rows of one column of text.
        ctx: gives the cache and the training rows.
        options: how to encode.
        rows: numbers of the rows whose tokens are the vocabulary; the training rows by default.
    """
    rows = np.unique(ctx.train_rows if rows is None else rows)
    told = ctx.cache / f"tokens-{cache_key(data, rows, FORMAT, dataclasses.asdict(options))}.json"
    stored, ends = told.with_suffix(".npy"), told.with_suffix(".ends.npy")
    if not (told.exists() and stored.exists() and ends.exists()):
        plan = _token_plan(data.X.texts[0], rows, options)
        ids = TokenIds.from_json(plan).read(data.X.texts[0])
        write_array(stored, ids.values)
        write_array(ends, np.cumsum(ids.lengths))
        write_json(told, plan)
    plan, after = read_json(told), np.asarray(read_array(ends))
    starts = np.concatenate([np.zeros(1, np.int64), after[:-1]])
    return EncodedTokens(plan, read_array(stored), starts, after, ("",) * FIRST + tuple(plan["terms"]))


def is_without_spaces(data: DataSource, ctx: Context) -> bool:
    """Whether the training texts are mostly in scripts without spaces between words."""
    rows = np.unique(ctx.train_rows)[:: max(1, len(ctx.train_rows) // _LOOKED_AT)]
    return is_unspaced(" ".join(text[:1000] for text in data.X.texts[0][rows]))


def _token_plan(texts: Texts, rows: np.ndarray, options: TokenOptions) -> dict[str, Any]:
    plan: dict[str, Any] = {"version": 1, "kind": "tokens", "of": options.of, "lower": options.lower,
                            "marks": options.marks, "longest": options.longest, "terms": []}  # fmt: skip
    reader, tally = TokenIds.from_json(plan), Tally[str]()
    for text in sampled(texts, rows):
        tally.update(reader.tokens(text))
    kept = sorted((-count, term) for term, count in tally.items() if count >= options.least)
    return {**plan, "terms": [term for _, term in kept[: options.most]]}


def sampled(texts: Texts, rows: np.ndarray) -> Iterator[str]:
    """Yield the texts of these rows, of many in random order until `MOST_CHARACTERS` have come."""
    size = 0
    for text in texts[stream(0, "texts").permutation(rows)]:
        yield text
        size += len(text)
        if size > MOST_CHARACTERS:
            return


def _cached_part(
    data: DataSource, rows: np.ndarray, cache: Path, part: PartOptions, options: TermOptions
) -> LearnedPart:
    how = [FORMAT, dataclasses.asdict(part), options.lower, options.longest]
    told = cache / f"terms-{cache_key(data, rows, *how)}.json"
    files = [told.with_suffix(f".{name}.npy") for name in ("ends", "ids", "values", "frequency")]
    if not all(file.exists() for file in (told, *files)):
        texts = data.X.texts[0]
        made = learned_part(texts, rows, sampled(texts, rows), part, lower=options.lower, longest=options.longest)
        for file, values in zip(files, (*made.counts, made.frequency), strict=True):
            write_array(file, values)
        write_json(told, list(made.terms))
    ends, ids, values, frequency = (read_array(file) for file in files)
    return LearnedPart(tuple(read_json(told)), np.asarray(frequency), Counts(ends, ids, values))


def _idf(part: LearnedPart, texts: int) -> np.ndarray:
    """Return the weight of each term, as scikit-learn's `TfidfTransformer(smooth_idf=True)` has it."""
    return np.round(np.log((1 + texts) / (1 + part.frequency)) + 1, 6)


def _fewer(parts: list[LearnedPart], most: int) -> list[LearnedPart]:
    """Return the parts with their most frequent terms, so many together at most, and within the size of a file."""
    frequency = np.concatenate([part.frequency for part in parts])
    sizes = np.array([len(term) for part in parts for term in part.terms], np.int64)
    order = np.argsort(-frequency, kind="stable")
    fits = np.cumsum(sizes[order]) <= _SAVED_CHARACTERS
    is_kept = np.zeros(len(frequency), bool)
    is_kept[order[: min(most, int(fits.sum()))]] = True
    ends = np.cumsum([len(part.terms) for part in parts])
    kept = np.split(is_kept, ends[:-1])
    return [part if keep.all() else part.only(keep) for part, keep in zip(parts, kept, strict=True)]
