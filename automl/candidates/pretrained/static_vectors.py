"""Vectors of texts from the input table of a pre-trained encoder: no layer is run. Imports onnx in one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.sentence_bank import SentenceBank
from automl.candidates.pretrained.weights import Weights, read
from automl.errors import UserError

if TYPE_CHECKING:
    from automl.candidates.training.onnx_graph import Writer

_WORDS = "embeddings.word_embeddings.weight"
_TOKENS_AT_ONCE = 1 << 16
_LOW = -65504.0
"""Below every number of half precision."""


@dataclass(frozen=True)
class StaticParts:
    """What the vector of a text is made of.

    Attributes:
        has_max: whether the largest of each number over the tokens stands behind the mean.
        firsts: tokens at the beginning whose vectors stand behind that, the mark of the beginning not counted.
    """

    has_max: bool
    firsts: int

    @property
    def count(self) -> int:
        """Return how many vectors of a token's width it is."""
        return 1 + int(self.has_max) + self.firsts


def table_of(weights: Weights, pieces: int) -> np.ndarray:
    """Return float16 (pieces, width), a vector for each token.

    Args:
        weights: of an encoder as the library `transformers` writes it.
        pieces: tokens that there must be at least; what stands behind them is left out.

    Raises:
        UserError: the table is missing, too short, or not finite in half precision.
    """
    given = read(weights)
    table = given.get(_WORDS, given.get(f"bert.{_WORDS}"))
    if table is None or table.ndim != 2 or len(table) < pieces or table.dtype != np.float32:
        shape = None if table is None else (*table.shape, str(table.dtype))
        raise UserError(f"{weights.file}: {_WORDS} of {pieces} rows is needed. Got {shape}. Name other weights.")
    with np.errstate(over="ignore"):
        half = table[:pieces].astype(np.float16)
    if not np.isfinite(half).all():
        largest = float(np.abs(table[:pieces]).max())
        raise UserError(f"{weights.file}: {_WORDS} must lie within 65504. Got {largest:g}. Name other weights.")
    return half


def static_vectors(bank: SentenceBank, table: np.ndarray, parts: StaticParts) -> np.ndarray:
    """Return float32 (texts, parts.count * width) of all texts of a bank, none of whose vectors are computed for it."""
    single, lengths = table.astype(np.float32), bank.lengths
    out = np.empty((len(lengths), parts.count, single.shape[1]), np.float32)
    step = max(1, _TOKENS_AT_ONCE // int(lengths.max()))
    for start in range(0, len(lengths), step):
        rows = slice(start, min(len(lengths), start + step))
        first, last = int(bank.starts[rows.start]), int(bank.ends[rows.stop - 1])
        words, begins = single[bank.values[first:last]], bank.starts[rows] - first
        out[rows, 0] = np.add.reduceat(words, begins) / lengths[rows, None]
        if parts.has_max:
            out[rows, 1] = np.maximum.reduceat(words, begins)
        for place in range(parts.firsts):
            is_there = lengths[rows] > place + 1
            found = words[np.minimum(begins + place + 1, len(words) - 1)]
            out[rows, parts.count - parts.firsts + place] = np.where(is_there[:, None], found, 0)
    return out.reshape(len(lengths), -1)


def static_graph(table: np.ndarray, parts: StaticParts, head: Head) -> bytes:
    """Return the graph from float32 (n, L) ids to float32 (n, classes) probabilities."""
    from onnx import TensorProto, helper

    from automl.candidates.pretrained.bert_graph import PROBABILITIES, serialized, whole
    from automl.candidates.training.onnx_graph import Writer

    writer = Writer()
    ids, stored = writer.node("Cast", "tokens", to=TensorProto.INT64), writer.constant(table)
    mask = writer.node("Cast", writer.node("Greater", ids, whole(writer, 0)), to=TensorProto.FLOAT)
    mask = writer.node("Unsqueeze", mask, whole(writer, 2))
    words = writer.node("Cast", writer.node("Gather", stored, ids, axis=0), to=TensorProto.FLOAT)
    words = writer.node("Mul", words, mask)
    found = _written(writer, words, mask, parts, table.shape[1])
    vectors = writer.node("Concat", *found, axis=1) if len(found) > 1 else found[0]
    weights, bias = (writer.constant(part.astype(np.float32)) for part in (head.weights, head.bias))
    scores = writer.node("Gemm", vectors, weights, bias)
    writer.nodes.append(helper.make_node("Softmax", [scores], [PROBABILITIES], axis=1))
    return serialized(writer, PROBABILITIES, len(head.bias))


def _written(writer: Writer, words: str, mask: str, parts: StaticParts, width: int) -> list[str]:
    """Write what the vector of a text is made of; words is (n, L, width), 0 where the mask, (n, L, 1), is."""
    from automl.candidates.pretrained.bert_graph import whole

    one = whole(writer, 1)
    total, counts = (writer.node("ReduceSum", x, one, keepdims=0) for x in (words, mask))
    found = [writer.node("Div", total, counts)]
    if parts.has_max:
        absent = writer.node("Mul", writer.node("Sub", writer.number(1.0), mask), writer.number(_LOW))
        found.append(writer.node("ReduceMax", writer.node("Add", words, absent), axes=[1], keepdims=0))
    if parts.firsts:
        filled = writer.node("Pad", words, whole(writer, 0, 0, 0, 0, parts.firsts, 0))
        begin = writer.node("Slice", filled, one, whole(writer, 1 + parts.firsts), one)
        found.append(writer.node("Reshape", begin, whole(writer, -1, parts.firsts * width)))
    return found
