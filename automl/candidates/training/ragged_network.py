"""A network for rows of different lengths, and its graph, written node by node. Imports torch and onnx: load lazily."""

from __future__ import annotations

import numpy as np
import torch
from onnx import helper
from torch import nn

from automl.candidates.graphs.onnx_graphs import INPUT, ONE, OUTPUT, Ends, graph_bytes, repeated, tensor
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import Body, Dropout, Entrance

_NEVER = -1e9  # a logit whose softmax is exactly 0


class RaggedNetwork(nn.Module):
    """An entrance, a body, dropout and a linear layer: from what an encoder gives to (n, outputs) logits."""

    def __init__(self, entrance: Entrance, body: Body, outputs: int, *, dropout: float) -> None:
        super().__init__()
        self.entrance, self.body = entrance, body
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(body.features, outputs)

    def forward(self, inputs: torch.Tensor, *, is_full: bool = False) -> torch.Tensor:
        """Return logits of a batch as the encoder gives it; is_full where no row of it is padded."""
        steps = self.entrance(inputs)
        logits: torch.Tensor = self.head(self.dropout(self.body(steps._replace(is_full=is_full))))
        return logits

    def decayed(self) -> list[nn.Parameter]:
        """Return the parameters that weight decay is for: all matrices."""
        return [parameter for parameter in self.parameters() if parameter.ndim > 1]


def probabilities_graph(network: RaggedNetwork, present: np.ndarray, row: tuple[int | str, ...]) -> bytes:
    """Return the graph from what the encoder gives to float32 probabilities, (n, classes).

    Args:
        network: on the CPU, with one output for each class that is present, in the order of their codes.
        present: (classes,) whether a class had rows to learn from; others get probability 0.
        row: shape of a row of the input; a name where it varies.
    """
    writer = Writer()
    features = network.body.write(writer, network.entrance.write(writer, INPUT))
    weight, bias = network.head.weight.detach().numpy(), network.head.bias.detach().numpy()
    wide = np.zeros((len(present), weight.shape[1]), np.float32)
    low = np.full(len(present), _NEVER, np.float32)
    wide[present], low[present] = weight, bias
    logits = writer.node("Gemm", features, writer.constant(wide), writer.constant(low), transB=1)
    writer.nodes.append(helper.make_node("Softmax", [logits], [OUTPUT], axis=1))
    return graph_bytes(writer.nodes, writer.constants, Ends(row, (len(present),)))


def constant_graph(probabilities: np.ndarray, row: tuple[int | str, ...]) -> bytes:
    """Return a graph that gives these probabilities for every row."""
    tensors = [tensor("row", probabilities[None].astype(np.float32)), ONE]
    return graph_bytes(repeated("row", OUTPUT), tensors, Ends(row, (len(probabilities),)))
