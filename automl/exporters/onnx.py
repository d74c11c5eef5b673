"""Export an artifact as one ONNX file: all members and their weighted mean in a single graph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl.errors import ArtifactError
from automl.exporters.artifact import publish
from automl.exporters.check import check_onnx
from automl.exporters.verify import TOLERANCE, check_artifact
from automl.serving.manifest import Manifest, MemberEntry
from automl.serving.model import Model

FILE = "model.onnx"
INPUT, OUTPUT = "images", "probabilities"
_SAMPLE_ROWS = 8


class OnnxExporter:
    """Merges the members that read pixels; others need the features that the artifact's code computes."""

    def export(self, artifact: Path, destination: Path) -> Sequence[Path]:
        """Write destination/model.onnx: `images` uint8 (n, height, width, channels) → `probabilities` (n, classes).

        The classes and the input rule are in the file's metadata, as JSON.

        Raises:
            ArtifactError: a member does not read pixels, or the merged file scores otherwise than the artifact.
            MachineError: it cannot be written.
        """
        manifest = check_artifact(artifact)
        strange = sorted({str(m.features.get("kind")) for m in manifest.members} - {"pixels"})
        if strange:
            raise ArtifactError(
                f"{artifact}: one ONNX file can hold only members that read pixels. Got features "
                f"{', '.join(strange)}. Export with --format folder, or search with --include cnn,resnet."
            )
        data = merged(manifest).SerializeToString()
        check_onnx(data, FILE)
        _compare(data, Model.load(artifact))
        publish({FILE: data}, destination)
        return [destination / FILE]


EXPORTER = OnnxExporter()


def merged(manifest: Manifest) -> Any:
    """Return one ModelProto that computes the weighted mean of all members."""
    from onnx import TensorProto, helper

    parts = _aligned([_loaded(manifest, number, member) for number, member in enumerate(manifest.members)])
    nodes, initializers, shares = [], [], []
    for number, (member, part) in enumerate(zip(manifest.members, parts, strict=True)):
        prefix = f"m{number:02d}_"
        weight, share = f"{prefix}weight", f"{prefix}share"
        initializers += [*part.graph.initializer, helper.make_tensor(weight, TensorProto.FLOAT, [], [member.weight])]
        nodes += [
            helper.make_node("Identity", [INPUT], [f"{prefix}{member.input}"]),
            *part.graph.node,
            helper.make_node("Mul", [f"{prefix}{member.output}", weight], [share]),
        ]
        shares.append(share)
    nodes.append(helper.make_node("Sum", shares, [OUTPUT]))
    shape = [manifest.input[key] for key in ("height", "width", "channels")]
    inputs = [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", *shape])]
    outputs = [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", len(manifest.classes)])]
    graph = helper.make_graph(nodes, "automl", inputs, outputs, initializer=initializers)
    graph.sparse_initializer.extend(s for part in parts for s in part.graph.sparse_initializer)
    model = helper.make_model(graph, opset_imports=_opsets(parts), ir_version=max(p.ir_version for p in parts))
    facts = {"task": manifest.task, "classes": manifest.classes, "input": manifest.input}
    helper.set_model_props(model, {key: json.dumps(value) for key, value in facts.items()})
    return model


def _loaded(manifest: Manifest, number: int, member: MemberEntry) -> Any:
    """Return a member's model with names of its own and without local functions."""
    import onnx
    from onnx import compose, inliner

    model = inliner.inline_local_functions(onnx.load_model_from_string(manifest.read(member.file)))
    return compose.add_prefix(model, f"m{number:02d}_")


def _aligned(models: list[Any]) -> list[Any]:
    """Return the models with one version of the standard operators."""
    from onnx import version_converter

    versions = [_versions(model).get("", 1) for model in models]
    newest = max(versions)
    return [
        model if version == newest else version_converter.convert_version(model, newest)
        for model, version in zip(models, versions, strict=True)
    ]


def _opsets(models: list[Any]) -> list[Any]:
    from onnx import helper

    found: dict[str, set[int]] = {}
    for model in models:
        for domain, version in _versions(model).items():
            found.setdefault(domain, set()).add(version)
    torn = {domain: sorted(versions) for domain, versions in found.items() if len(versions) > 1}
    if torn:
        raise ArtifactError(f"{FILE}: members use operators of several versions. Got {torn}. Use --format folder.")
    return [helper.make_opsetid(domain, max(versions)) for domain, versions in sorted(found.items())]


def _versions(model: Any) -> dict[str, int]:
    domains = {node.domain for node in model.graph.node} | {""}
    named = {"" if entry.domain == "ai.onnx" else entry.domain: entry.version for entry in model.opset_import}
    return {domain: version for domain, version in named.items() if domain in domains}


def _compare(data: bytes, model: Model) -> None:
    """Refuse a merged file that scores otherwise than the artifact, on made-up images."""
    import onnxruntime as ort

    sample = np.random.default_rng(0).integers(0, 256, (_SAMPLE_ROWS, *model.rule.shape), dtype=np.uint8)
    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = ort.InferenceSession(data, sess_options=options, providers=["CPUExecutionProvider"])
    found = session.run([OUTPUT], {INPUT: sample})[0]
    difference = float(np.abs(found - model.predict_scores(sample)).max())
    if not difference <= TOLERANCE:
        raise ArtifactError(
            f"{FILE}: scores of the merged file must equal the artifact's to {TOLERANCE:g}. Got a difference of "
            f"{difference:g}. Use --format folder."
        )
