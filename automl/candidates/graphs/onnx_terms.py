"""ONNX graphs that read texts as `serving.text_encoder` gives them. Imported lazily: it needs `onnx`."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from automl.candidates.graphs.onnx_graphs import INPUT, ONE, OUTPUT, Ends, graph_bytes, repeated, tensor

_NEVER = -1e9  # a score whose softmax is exactly 0


def constant_probabilities(probabilities: np.ndarray, rank: int) -> bytes:
    """Return a graph that gives these probabilities, (classes,), for every text.

    Args:
        probabilities: of each class.
        rank: of the input: 2 for ids of tokens (n, L), 3 for ids and weights of terms (n, 2, L).
    """
    row: tuple[int | str, ...] = ("L",) if rank == 2 else (2, "L")
    tensors = [tensor("row", probabilities[None].astype(np.float32)), ONE]
    return graph_bytes(repeated("row", OUTPUT), tensors, Ends(row, (len(probabilities),)))


def linear_terms(weights: np.ndarray, bias: np.ndarray, present: np.ndarray) -> bytes:
    """Return the graph of softmax(sum of weighted rows of weights + bias), input float32 (n, 2, L) ids and weights.

    The id 0 weighs nothing. Classes that are not present have the probability 0.

    Args:
        weights: (terms, classes present); row j is that of the id j + 1.
        bias: (classes present,).
        present: (classes,) whether a class is one of them.
    """
    rows = np.zeros((len(weights) + 1, len(present)), np.float32)
    rows[1:, present] = weights
    full = np.full(len(present), _NEVER, np.float32)
    full[present] = bias
    nodes = [
        helper.make_node("Split", [INPUT], ["ids", "shares"], axis=1),
        helper.make_node("Cast", ["ids"], ["places"], to=TensorProto.INT64),
        helper.make_node("Squeeze", ["places", "one"], ["row_places"]),
        helper.make_node("Gather", ["weights", "row_places"], ["rows"], axis=0),
        helper.make_node("MatMul", ["shares", "rows"], ["sums"]),
        helper.make_node("Squeeze", ["sums", "one"], ["row_sums"]),
        helper.make_node("Add", ["row_sums", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], [OUTPUT], axis=1),
    ]
    return graph_bytes(nodes, [tensor("weights", rows), tensor("bias", full), ONE], Ends((2, "L"), (len(present),)))
