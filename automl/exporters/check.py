"""What an ONNX file may hold before we let a runtime load it. Needs the onnx package, inside the functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from automl.errors import ArtifactError

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
ENDLESS = frozenset({"Loop", "Scan", "SequenceMap"})
"""Operators that repeat a graph as often as a number in the file says; a small file could keep a machine for years."""
MAX_NODES = 200_000
MAX_DEPTH = 16
MAX_BYTES = 2 * 2**30


def check_onnx(data: bytes, name: str) -> None:
    """Refuse an ONNX file that reads other files, uses operators outside the standard, or is out of bounds.

    Args:
        data: the file's content.
        name: for messages.

    Raises:
        ArtifactError: it is no ONNX file, or breaks a rule.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    if len(data) > MAX_BYTES:
        raise ArtifactError(f"{name}: at most {MAX_BYTES} bytes are read. Got {len(data)}. Do not use this model.")
    try:
        model = onnx.load_model_from_string(data)
        onnx.checker.check_model(model)
    except (DecodeError, ValueError, onnx.checker.ValidationError) as error:
        detail = " ".join(str(error).split())[:200]
        raise ArtifactError(
            f"{name}: a valid ONNX file is needed ({detail}). Got {data[:8]!r}. Export it anew."
        ) from error
    functions = {(function.domain, function.name): function for function in model.functions}
    for body in (model.graph, *model.functions):
        for node in _nodes(body, name, 0):
            _check_operator(node, functions, name)
    count = _Count(functions, name)
    total = count.of(model.graph)
    if total > MAX_NODES:
        raise ArtifactError(f"{name}: at most {MAX_NODES} operators are run. Got {total}. Use a smaller model.")


def _check_operator(node: Any, functions: Mapping[tuple[str, str], Any], name: str) -> None:
    if (node.domain, node.op_type) in functions:
        return
    if node.domain not in DOMAINS:
        raise ArtifactError(
            f"{name}: operators must be of ai.onnx or ai.onnx.ml. Got {node.domain}:{node.op_type}. "
            "Export it with standard operators."
        )
    if node.op_type in ENDLESS:
        raise ArtifactError(
            f"{name}: operators must end in a time known beforehand. Got {node.op_type}. Export it without loops."
        )


class _Count:
    """Counts the operators of a graph after its local functions are put in place of their calls, as a runtime does."""

    def __init__(self, functions: Mapping[tuple[str, str], Any], name: str) -> None:
        self._functions, self._name = functions, name
        self._known: dict[tuple[str, str], int] = {}
        self._open: list[tuple[str, str]] = []

    def of(self, body: Any) -> int:
        """Return how many operators a graph or function becomes.

        Raises:
            ArtifactError: functions call each other too deep, or in a circle.
        """
        return sum(self._node((node.domain, node.op_type)) for node in _nodes(body, self._name, 0))

    def _node(self, called: tuple[str, str]) -> int:
        if called not in self._functions:
            return 1
        if called in self._open or len(self._open) > MAX_DEPTH:
            raise ArtifactError(
                f"{self._name}: functions call each other at most {MAX_DEPTH} deep, and never themselves. "
                f"Got {called[1]!r}. Do not use this model."
            )
        if called not in self._known:
            self._open.append(called)
            self._known[called] = self.of(self._functions[called])
            self._open.pop()
        return self._known[called]


def _nodes(body: Any, name: str, depth: int) -> Iterator[Any]:
    """Yield all nodes of a graph or function, those of sub-graphs too, checking tensors on the way."""
    if depth > MAX_DEPTH:
        raise ArtifactError(f"{name}: graphs are nested at most {MAX_DEPTH} deep. Got more than {depth - 1}.")
    for tensor in _tensors(body):
        _check_tensor(tensor, name)
    for node in body.node:
        yield node
        for attribute in node.attribute:
            for tensor in (
                attribute.t,
                *attribute.tensors,
                *_parts([attribute.sparse_tensor, *attribute.sparse_tensors]),
            ):
                _check_tensor(tensor, name)
            for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _nodes(graph, name, depth + 1)


def _tensors(body: Any) -> Iterator[Any]:
    yield from getattr(body, "initializer", ())
    yield from _parts(getattr(body, "sparse_initializer", ()))


def _parts(sparse_tensors: Iterable[Any]) -> Iterator[Any]:
    for sparse in sparse_tensors:
        yield from (sparse.values, sparse.indices)


def _check_tensor(tensor: Any, name: str) -> None:
    import onnx

    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise ArtifactError(
            f"{name}: weights must lie in the file itself. Got external data for {tensor.name!r}. Export with "
            "external_data=False."
        )
