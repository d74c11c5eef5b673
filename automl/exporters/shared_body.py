"""Models that differ in their heads alone, in one graph: what they share is kept and computed once.

The models of the folds of a frozen pre-trained network are the same network with different linear heads. Equal
constants and equal operators on equal inputs are merged (common subexpression elimination; Cocke 1970,
https://doi.org/10.1145/390013.808480), so five models of 45 MB take the place and the time of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from automl.errors import ArtifactError


def merged(graphs: Sequence[bytes], weights: Sequence[float]) -> bytes:
    """Return one ONNX model that gives the weighted mean of what these give.

    Args:
        graphs: serialized models with one input of the same name, shape and type, and one output each.
        weights: of their outputs, summing to 1.

    Raises:
        ArtifactError: they read different inputs, or hold graphs within graphs.
    """
    import onnx
    from onnx import TensorProto, helper

    models = [onnx.load_model_from_string(graph) for graph in graphs]
    first = models[0]
    _check_alike(models)
    pool = _Pool(first.graph.input[0].name)
    shares = []
    for number, (model, weight) in enumerate(zip(models, weights, strict=True)):
        output = pool.add(model.graph)
        name = f"weight{number}"
        pool.initializers.append(helper.make_tensor(name, TensorProto.FLOAT, [], [weight]))
        pool.nodes.append(helper.make_node("Mul", [output, name], [f"share{number}"]))
        shares.append(f"share{number}")
    result = first.graph.output[0]
    pool.nodes.append(helper.make_node("Sum", shares, [result.name]))
    graph = helper.make_graph(pool.nodes, "merged", [first.graph.input[0]], [result], pool.initializers)
    made = helper.make_model(graph, opset_imports=list(first.opset_import), ir_version=first.ir_version)
    data: bytes = made.SerializeToString()
    return data


class _Pool:
    """Constants and operators of several graphs, each kept once.

    Attributes:
        nodes: in an order in which each reads what was computed before.
    """

    def __init__(self, input_name: str) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._input = input_name
        self._constants: dict[bytes, str] = {}
        self._computed: dict[tuple[object, ...], list[str]] = {}

    def add(self, graph: Any) -> str:
        """Take in a graph and return the name of its output here."""
        names = {"": "", graph.input[0].name: self._input}
        for tensor in graph.initializer:
            names[tensor.name] = self._constant(tensor)
        for node in graph.node:
            inputs = [names[name] for name in node.input]
            names |= dict(zip(node.output, self._operator(node, inputs), strict=True))
        return names[graph.output[0].name]

    def _constant(self, tensor: Any) -> str:
        plain = type(tensor)()
        plain.CopyFrom(tensor)
        plain.ClearField("name")
        key = hashlib.sha256(plain.SerializeToString(deterministic=True)).digest()
        if key not in self._constants:
            self._constants[key] = plain.name = f"constant{len(self._constants)}"
            self.initializers.append(plain)
        return self._constants[key]

    def _operator(self, node: Any, inputs: list[str]) -> list[str]:
        attributes = sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)
        key = (node.domain, node.op_type, tuple(inputs), tuple(attributes))
        if key not in self._computed:
            outputs = [f"value{len(self._computed)}_{place}" if name else "" for place, name in enumerate(node.output)]
            kept = type(node)()
            kept.CopyFrom(node)
            del kept.input[:], kept.output[:]
            kept.input.extend(inputs)
            kept.output.extend(outputs)
            kept.ClearField("name")
            self._computed[key] = outputs
            self.nodes.append(kept)
        return self._computed[key]


def _check_alike(models: Sequence[Any]) -> None:
    """Refuse models that cannot share anything."""
    inputs = {model.graph.input[0].SerializeToString(deterministic=True) for model in models}
    opsets = {tuple(sorted((o.domain, o.version) for o in model.opset_import)) for model in models}
    if len(inputs) > 1 or len(opsets) > 1 or any(len(m.graph.input) != 1 or len(m.graph.output) != 1 for m in models):
        raise ArtifactError(
            f"models that share a body read one and the same input. Got {len(inputs)} inputs, {len(opsets)} versions "
            "of operators. Export them apart."
        )
    nested = [a.name for m in models for node in m.graph.node for a in node.attribute if a.HasField("g") or a.graphs]
    if nested or any(m.functions for m in models):
        raise ArtifactError(
            f"models that share a body hold no graphs within graphs. Got {nested[:3]}. Export them apart."
        )
