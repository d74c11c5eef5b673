"""How texts get into a network that is trained from nothing: as tokens, each with an embedding. No torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from automl.candidates.encoding_cache import cache_key, read_array, write_array
from automl.candidates.text.choices import chosen
from automl.candidates.text.encoding import EncodedTokens, TokenOptions, encoded_tokens
from automl.candidates.text.text_model import TextModel
from automl.candidates.text.word_vectors import WordVectors, read_vectors
from automl.candidates.training.ragged_encoding import Encoding, Size
from automl.core.data import DataSpec
from automl.core.protocols import Context, DataSource
from automl.core.seeds import stream
from automl.core.space import Value
from automl.serving.text_ids import FIRST

if TYPE_CHECKING:
    from automl.candidates.training.ragged_parts import Entrance

_FORMAT = 1
_SPREAD = 0.1  # of an embedding's numbers at the start
_CHARACTERS = 5.2  # of a token and the space beside it, in English
_SECONDS_PER_CHARACTER = 1.2e-7
_VECTOR_SECONDS = 4.0  # to read a file of 400,000 word vectors


class TokenReader:
    """Implements `automl.candidates.training.ragged_encoding.Reader`.

    Of a configuration it reads "embedding", the width, and where they are "longest", "vocabulary", "marks" ("kept" or
    "dropped"), "case" ("lower" or "kept"), "word_dropout" and "pairs". If the user names a file of word vectors,
    embeddings begin as those, and are as wide.
    """

    def size(self, values: Mapping[str, Value], spec: DataSpec) -> Size:
        """Return what `encoding` will give, as if texts were English."""
        options = token_options(values)
        mean, most = (max(1.0, characters / _CHARACTERS) for characters in spec.shape[1:])
        steps, pairs = min(mean, options.longest), int(values.get("pairs", 0)) > 0
        width = int(values["embedding"])
        seconds = 0.05 + spec.rows * spec.shape[1] * _SECONDS_PER_CHARACTER
        return Size(width, steps, int(min(most, options.longest)), seconds, values=4.0 * width * (1 + pairs))

    def encoding(self, values: Mapping[str, Value], data: DataSource, ctx: Context) -> Encoding:
        """Return the texts as token ids, learned on the training rows.

        Raises:
            UserError: the file of word vectors is malformed.
        """
        tokens = encoded_tokens(data, ctx, token_options(values))
        table = embeddings(tokens, int(values["embedding"]), data, ctx)

        def make(rows: np.ndarray) -> Entrance:
            return _entrance(values, tokens, table, rows)

        longest = int(tokens.plan["longest"])
        return Encoding(tokens.plan, tokens.values, tokens.starts, tokens.ends, longest, make, TextModel)


READER = TokenReader()


def token_options(values: Mapping[str, Value]) -> TokenOptions:
    """Return how texts become tokens.

    Raises:
        SpaceError: "case" or "marks" is a word that is not known.
    """
    return TokenOptions(
        lower=chosen(values, "case", ("lower", "kept")) == "lower",
        marks=chosen(values, "marks", ("kept", "dropped")) == "kept",
        longest=int(values.get("longest", 256)),
        most=int(values.get("vocabulary", 30_000)),
    )


def embeddings(tokens: EncodedTokens, width: int, data: DataSource, ctx: Context) -> np.ndarray:
    """Return what embeddings begin with, float32 (ids, width): numbers drawn at random, or the user's word vectors.

    Vectors are brought to the spread of those that are drawn; words without one are drawn near the mean of the others.

    Raises:
        UserError: the file of word vectors is malformed.
    """
    rng = stream(ctx.seed, "embeddings")
    if "vectors" not in ctx.resources:
        return rng.normal(0, _SPREAD, (len(tokens.vocabulary), width)).astype(np.float32)
    found = _vectors(ctx.resources["vectors"], tokens, data, ctx)
    ctx.note("vectors", f"{len(found.places)} of {len(tokens.vocabulary) - FIRST} words have one")
    drawn = rng.normal(0, _SPREAD, (len(tokens.vocabulary), found.vectors.shape[1]))
    if len(found.places):
        vectors = found.vectors.astype(np.float64) * (_SPREAD / max(1e-12, float(found.vectors.std())))
        drawn = vectors.mean(axis=0) + 0.5 * drawn
        drawn[found.places] = vectors
    return drawn.astype(np.float32)


def _vectors(path: Path, tokens: EncodedTokens, data: DataSource, ctx: Context) -> WordVectors:
    """Return the vectors of the vocabulary, from the cache or read by whoever comes first."""
    about = path.stat() if path.is_file() else None
    named = [str(path), about.st_size if about else 0, about.st_mtime_ns if about else 0]
    words = hashlib.sha256("\n".join(tokens.vocabulary).encode()).hexdigest()
    stored = ctx.cache / f"vectors-{cache_key(data, ctx.train_rows[:0], _FORMAT, named, words)}.npy"
    places = stored.with_suffix(".places.npy")
    if not (stored.exists() and places.exists()):
        asked = {word: place for place, word in enumerate(tokens.vocabulary) if word}
        found = read_vectors(path, asked)
        write_array(stored, found.vectors)
        write_array(places, found.places)
    return WordVectors(np.asarray(read_array(places)), np.asarray(read_array(stored)))


def _entrance(values: Mapping[str, Value], tokens: EncodedTokens, table: np.ndarray, rows: np.ndarray) -> Entrance:
    from automl.candidates.training.entrance_tokens import TokenEntrance, frequent_pairs
    from automl.candidates.training.ragged_rows import packed

    most, pairs = int(values.get("pairs", 0)), None
    if most:
        ids, ends = packed(tokens.values, tokens.starts[rows], tokens.ends[rows])
        pairs = frequent_pairs(ids.astype(np.int64), ends, most)
    return TokenEntrance(table, pairs, drop=float(values.get("word_dropout", 0.0)))
