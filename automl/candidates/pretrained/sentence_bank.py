"""What a pre-trained encoder makes of the texts of a data set: computed once, shared by all trials, folds and workers.

Texts of one length in tokens go through the network together, so that none is filled up and a text's vector does not
depend on the others. They come in chunks of about a second, short texts first. A chunk is a file that is put in place
by an atomic rename: a fold that runs out of time leaves what is done to the next. Workers that come at once take
different chunks: one that is begun is marked and left for last, so at most the last ones are computed twice, and none
waits for a worker that died.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.encoding_cache import cache_key, read_array, write_array
from automl.candidates.pretrained.bert_config import BertConfig, Pool
from automl.candidates.pretrained.bert_files import config_of, network_of, token_plan
from automl.candidates.pretrained.weights import Weights
from automl.core.protocols import Context, DataSource
from automl.serving.text_wordpiece import WordPiece

FORMAT = 1
"""Raised when the same network gives other numbers here, so that a cache is not mistaken for a new one."""
MAC_SECONDS = 2.7e-11
"""Of a multiply-add of the encoder, one common core, by onnxruntime and by torch alike."""
_CHUNK_TOKENS = 4096
_BATCH_TOKENS = 1024  # what is alive at once stays in the cache of a core: 10 % faster than four times as many


class Chunk(NamedTuple):
    """Texts start … stop-1 in the order of their lengths, and where their vectors are kept."""

    start: int
    stop: int
    path: Path


@dataclass(frozen=True)
class SentenceBank:
    """The vectors of all texts of a data set.

    Attributes:
        weights: of the encoder.
        config: its size.
        plan: by which texts are cut into tokens.
        folder: where the vectors are kept.
        values: int32, the ids of all texts end to end.
        starts, ends: (texts,), where those of each lie.
    """

    weights: Weights
    config: BertConfig
    plan: dict[str, Any]
    folder: Path
    values: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, weights: Weights, longest: int, data: DataSource, cache: Path) -> SentenceBank:
        """Return the bank of a data set in a cache.

        Args:
            weights: of the encoder.
            longest: tokens of a text at most.
            data: rows of one column of text.
            cache: as in `Context.cache`.

        Raises:
            UserError: the files of the encoder cannot be read.
        """
        plan, config = token_plan(weights, longest), config_of(weights)
        key = cache_key(data, np.arange(0), FORMAT, "sentences", weights.sha256, asdict(config), plan)
        folder = cache / f"sentences-{key}"
        stored, ended = folder / "tokens.npy", folder / "ends.npy"
        if not (stored.exists() and ended.exists()):
            reader = WordPiece(plan)
            ids = [np.array(reader.tokens(text), np.int32) for text in data.X.texts[0]]
            write_array(stored, np.concatenate(ids))
            write_array(ended, np.cumsum([len(part) for part in ids]))
        ends = np.asarray(read_array(ended))
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        return cls(weights, config, plan, folder, read_array(stored), starts, ends)

    @property
    def lengths(self) -> np.ndarray:
        """Return the tokens of each text."""
        return np.asarray(self.ends - self.starts)

    def ids(self, rows: np.ndarray) -> np.ndarray:
        """Return float32 (n, L) ids of some texts, one at least, as the encoder reads them."""
        lengths = self.lengths[rows]
        out = np.zeros((len(rows), int(lengths.max())), np.float32)
        parts = [self.values[start:end] for start, end in zip(self.starts[rows], self.ends[rows], strict=True)]
        out[np.arange(out.shape[1]) < lengths[:, None]] = np.concatenate(parts)
        return out

    def keys(self, rows: np.ndarray) -> list[bytes]:
        """Return what tells texts apart: the bytes of their ids."""
        return [self.values[a:b].tobytes() for a, b in zip(self.starts[rows], self.ends[rows], strict=True)]

    def seconds(self) -> float:
        """Return the seconds that it takes to compute the vectors that are missing, on one common core."""
        order, lengths = self._order(), self.lengths
        missing = [lengths[order[c.start : c.stop]] for c in self.chunks() if not c.path.exists()]
        return MAC_SECONDS * sum(self.config.macs(float(length)) for part in missing for length in part)

    def vectors(self, pools: Sequence[Pool], ctx: Context) -> np.ndarray:
        """Return float32 (texts, len(pools) * width), computing what is missing.

        Raises:
            TimeoutError: the time ends before all are computed; those that are there are kept.
        """
        self._fill(ctx)
        every, order = self.config.pools(), self._order()
        places = [every.index(pool) for pool in pools]
        out = np.empty((len(order), len(pools), self.config.width), np.float32)
        for chunk in self.chunks():
            out[order[chunk.start : chunk.stop]] = read_array(chunk.path)[:, places]
        return out.reshape(len(order), -1)

    def _order(self) -> np.ndarray:
        return np.argsort(self.lengths, kind="stable")

    def chunks(self) -> list[Chunk]:
        """Return all chunks, in order."""
        before = np.cumsum(self.lengths[self._order()]) - 1
        firsts = np.unique(before // _CHUNK_TOKENS, return_index=True)[1].tolist()
        stops = [*firsts[1:], len(before)]
        return [Chunk(a, b, self.folder / f"{a:08d}.npy") for a, b in zip(firsts, stops, strict=True)]

    def _fill(self, ctx: Context) -> None:
        todo = [chunk for chunk in self.chunks() if not chunk.path.exists()]
        if not todo:
            return
        session = self._session()
        later = [chunk for chunk in todo if not self._computed(chunk, session, ctx, is_first=True)]
        for chunk in later:
            self._computed(chunk, session, ctx, is_first=False)

    def _session(self) -> Any:
        """Return the encoder, ready to run on one thread."""
        from automl.candidates.pretrained.bert_graph import vectors_graph
        from automl.candidates.pretrained.image_bank import session_of

        return session_of(vectors_graph(network_of(self.weights), self.config.pools()))

    def _computed(self, chunk: Chunk, session: Any, ctx: Context, *, is_first: bool) -> bool:
        """Compute a chunk that is not there; if is_first, only one that nobody else has begun. Return whether it is."""
        if chunk.path.exists():
            return True
        if not _marked(chunk.path.with_suffix(".begun")) and is_first:
            return False
        if ctx.is_timed and ctx.seconds_left() <= 0:
            raise TimeoutError(
                f"{self.folder.name}: the pre-trained encoder has about {self.seconds():.0f} s of texts still to read. "
                f"Got {ctx.seconds_left():.1f} s. What was computed is kept for the next trial."
            )
        rows = self._order()[chunk.start : chunk.stop]
        parts = [self._run(session, part) for part in batches(rows, self.lengths)]
        write_array(chunk.path, np.concatenate(parts).reshape(len(rows), -1, self.config.width))
        return True

    def _run(self, session: Any, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of texts of one length; a text alone goes twice, since one row is summed in another order.

        So a vector is the same to the bit whatever the other texts are, and a model does not depend on texts that it
        was not trained on.
        """
        ids = self.ids(rows if len(rows) > 1 else np.repeat(rows, 2))
        vectors: np.ndarray = session.run(None, {"tokens": ids})[0]
        return vectors[: len(rows)]


def batches(rows: np.ndarray, lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Yield rows, which are in the order of their lengths, in batches of one length and of bounded work.

    >>> [part.tolist() for part in batches(np.array([4, 2, 3]), np.array([0, 0, 7, 9, 7]))]
    [[4, 2], [3]]
    """
    firsts = np.flatnonzero(np.diff(lengths[rows], prepend=-1)).tolist()
    for start, stop in zip(firsts, [*firsts[1:], len(rows)], strict=True):
        step = max(1, _BATCH_TOKENS // max(1, int(lengths[rows[start]])))
        yield from (rows[at : min(stop, at + step)] for at in range(start, stop, step))


def _marked(path: Path) -> bool:
    """Mark a chunk as begun; return whether nobody had."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
