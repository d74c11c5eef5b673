"""The entrance of a network for texts: embeddings of tokens, and of pairs of neighbours. Imports torch: load lazily."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from onnx import TensorProto
from torch import nn
from torch.nn import functional

from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import Entrance, Steps, WrittenSteps

FACTOR = 2_654_435_761
"""Golden ratio of 2^32, the multiplier of Knuth's hash (The Art of Computer Programming 3, section 6.4)."""
SCALE = 0.1
"""Spread of an embedding at the start."""
_LEAST_COUNT = 2  # times that a pair must occur to have an embedding
_BUCKETS_PER_PAIR = 16
_MOST_BUCKETS = 1 << 20


class Pairs(NamedTuple):
    """The pairs of neighbouring tokens that have an embedding.

    Attributes:
        rows: int32 (buckets,), a power of two of them: the row of a pair in the table of embeddings by its hash, 0 for
            pairs without one. One unknown pair in 16 or more is taken for a known one.
        size: rows of the table, the first of zeros included.
    """

    rows: np.ndarray
    size: int


def frequent_pairs(values: np.ndarray, ends: np.ndarray, most: int) -> Pairs:
    """Return the most frequent pairs of neighbours, a row's first token with its start among them.

    Args:
        values: int64 (tokens,), ids of all rows, end to end.
        ends: int64 (rows,), where each row ends.
        most: pairs with an embedding.
    """
    before = np.concatenate([np.zeros(1, np.int64), values[:-1]])
    before[np.concatenate([np.zeros(1, np.int64), ends[:-1]])] = 0
    keys, counts = np.unique(before << 32 | values, return_counts=True)
    order = np.lexsort((keys, -counts))[:most]
    chosen = keys[order[counts[order] >= _LEAST_COUNT]]
    buckets = min(_MOST_BUCKETS, 1 << max(4, int(_BUCKETS_PER_PAIR * len(chosen)).bit_length()))
    rows = np.zeros(buckets, np.int32)
    rows[((chosen >> 32) * FACTOR + (chosen & 0xFFFFFFFF)) % buckets] = np.arange(1, len(chosen) + 1)
    return Pairs(rows, len(chosen) + 1)


class TokenEntrance(Entrance):
    """From token ids (n, L), 0 where padded, to embeddings: of each token, and of it with the one before it.

    Source of the pairs: Joulin et al. 2016, https://arxiv.org/abs/1607.01759, section 2.2; by hashing as there, but
    without room for pairs that no row has twice.
    """

    pair_rows: torch.Tensor

    def __init__(self, table: np.ndarray, pairs: Pairs | None = None, *, drop: float = 0.0) -> None:
        """Begin with embeddings.

        Args:
            table: float32 (ids, width); the first row, of padding, is taken for zeros.
            pairs: that have an embedding too.
            drop: share of tokens that are left out in training.
        """
        super().__init__()
        self.width, self.drop = int(table.shape[1]), drop
        weights = torch.from_numpy(np.array(table, np.float32))
        weights[0] = 0
        self.table = nn.Parameter(weights)
        self.pairs = nn.Parameter(torch.zeros(pairs.size, self.width)) if pairs else None
        self.register_buffer("pair_rows", torch.from_numpy(pairs.rows if pairs else np.zeros(0, np.int32)))

    def forward(self, inputs: torch.Tensor) -> Steps:
        """Return embeddings of a batch of ids."""
        ids = inputs.long()
        is_there = ids > 0
        x = functional.embedding(ids, self.table, padding_idx=0, sparse=True)
        if self.pairs is not None:
            before = functional.pad(ids[:, :-1], (1, 0))
            rows = self.pair_rows[(before * FACTOR + ids) % len(self.pair_rows)].long() * is_there
            x = x + functional.embedding(rows, self.pairs, padding_idx=0, sparse=True)
        mask = is_there.float()
        if self.training and self.drop:
            kept = torch.rand(ids.shape, device=ids.device) >= self.drop
            x = x * (kept[:, :, None] / (1 - self.drop))
        return Steps(x, mask)

    def write(self, writer: Writer, inputs: str) -> WrittenSteps:
        """Write the same without dropping anything as nodes of a graph."""
        ids = writer.node("Cast", inputs, to=TensorProto.INT64)
        is_there = writer.node("Greater", ids, _whole(writer, 0))
        x = writer.node("Gather", writer.constant(_numpy(self.table)), ids, axis=0)
        if self.pairs is not None:
            x = writer.node("Add", x, self._written_pairs(writer, ids, is_there))
        return WrittenSteps(x, writer.node("Cast", is_there, to=TensorProto.FLOAT))

    def _written_pairs(self, writer: Writer, ids: str, is_there: str) -> str:
        assert self.pairs is not None
        zero, one = _whole(writer, [0]), _whole(writer, [1])
        start = writer.node("Mul", writer.node("Slice", ids, zero, one, one), zero)
        earlier = writer.node("Slice", ids, zero, _whole(writer, [-1]), one)
        before = writer.node("Concat", start, earlier, axis=1)
        key = writer.node("Add", writer.node("Mul", before, _whole(writer, FACTOR)), ids)
        bucket = writer.node("Mod", key, _whole(writer, len(self.pair_rows)))
        rows = writer.node("Gather", writer.constant(_numpy(self.pair_rows)), bucket, axis=0)
        known = writer.node("Mul", rows, writer.node("Cast", is_there, to=TensorProto.INT32))
        return writer.node("Gather", writer.constant(_numpy(self.pairs)), known, axis=0)


def _whole(writer: Writer, values: int | list[int]) -> str:
    return writer.constant(np.array(values, np.int64))


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy()
