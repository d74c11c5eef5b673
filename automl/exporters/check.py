"""What an ONNX file may hold before we let a runtime load it. Needs the onnx package, inside the functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from automl.errors import ArtifactError

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
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
    own = {(function.domain, function.name) for function in model.functions}
    nodes = 0
    for body in (model.graph, *model.functions):
        for node in _nodes(body, name, 0):
            nodes += 1
            if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
                raise ArtifactError(
                    f"{name}: operators must be of ai.onnx or ai.onnx.ml. Got {node.domain}:{node.op_type}. "
                    "Export it with standard operators."
                )
    if nodes > MAX_NODES:
        raise ArtifactError(f"{name}: at most {MAX_NODES} operators are run. Got {nodes}. Use a smaller model.")


def _nodes(body: Any, name: str, depth: int) -> Iterator[Any]:
    """Yield all nodes of a graph or function, those of sub-graphs too, checking tensors on the way."""
    if depth > MAX_DEPTH:
        raise ArtifactError(f"{name}: graphs are nested at most {MAX_DEPTH} deep. Got more than {depth - 1}.")
    for tensor in _tensors(body):
        _check_tensor(tensor, name)
    for node in body.node:
        yield node
        for attribute in node.attribute:
            for tensor in (attribute.t, *attribute.tensors):
                _check_tensor(tensor, name)
            for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _nodes(graph, name, depth + 1)


def _tensors(body: Any) -> Iterator[Any]:
    yield from getattr(body, "initializer", ())
    for sparse in getattr(body, "sparse_initializer", ()):
        yield from (sparse.values, sparse.indices)


def _check_tensor(tensor: Any, name: str) -> None:
    import onnx

    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise ArtifactError(
            f"{name}: weights must lie in the file itself. Got external data for {tensor.name!r}. Export with "
            "external_data=False."
        )
