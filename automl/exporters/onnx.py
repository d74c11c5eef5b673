"""Export an artifact as one ONNX file: all members, their weighted mean and its calibration in a single graph."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.errors import ArtifactError
from automl.exporters.artifact import publish
from automl.exporters.check import check_onnx
from automl.exporters.verify import TOLERANCE, check_artifact, difference
from automl.serving.manifest import Manifest, MemberEntry
from automl.serving.model import Model

FILE = "model.onnx"
INPUT, MEAN, OUTPUT = "images", "mean", "probabilities"
_SAMPLE_ROWS = 8


class OnnxExporter:
    """Merges the members that read pixels; others need the features that the artifact's code computes."""

    def export(self, artifact: Path, destination: Path) -> Sequence[Path]:
        """Write destination/model.onnx: `images` uint8 (n, height, width, channels) → `probabilities` (n, classes).

        The classes, the input rule and the decision are in the file's metadata, as JSON.

        Raises:
            ArtifactError: the artifact predicts tables, a member does not read pixels, or the merged file scores
                otherwise than the artifact.
            MachineError: it cannot be written.
        """
        manifest = check_artifact(artifact)
        if manifest.input.get("kind") != "image":
            raise ArtifactError(
                f"{artifact}: one ONNX file can hold only models of images; the categories, dates and texts of a table "
                f"become numbers in the artifact's own code. Got {manifest.input.get('kind')!r}. Use --format folder: "
                "its members/*.onnx take what its serving/ computes."
            )
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
    nodes.append(helper.make_node("Sum", shares, [MEAN]))
    end = _calibration(manifest.calibration)
    nodes, initializers = [*nodes, *end.nodes], [*initializers, *end.initializers]
    shape = [manifest.input[key] for key in ("height", "width", "channels")]
    inputs = [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", *shape])]
    outputs = [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", len(manifest.classes)])]
    graph = helper.make_graph(nodes, "automl", inputs, outputs, initializer=initializers)
    graph.sparse_initializer.extend(s for part in parts for s in part.graph.sparse_initializer)
    model = helper.make_model(graph, opset_imports=_opsets(parts), ir_version=max(p.ir_version for p in parts))
    facts = {"task": manifest.task, "classes": manifest.classes, "input": manifest.input,
             "decision": manifest.decision}  # fmt: skip
    helper.set_model_props(model, {key: json.dumps(value) for key, value in facts.items()})
    return model


class _Nodes(NamedTuple):
    """A part of a graph, with its constants."""

    nodes: list[Any]
    initializers: list[Any]


def _calibration(calibration: Mapping[str, Any]) -> _Nodes:
    """Return what turns the mean of the members into probabilities, as `automl.serving.calibration` does."""
    from onnx import helper, numpy_helper

    if not calibration:
        return _Nodes([helper.make_node("Identity", [MEAN], [OUTPUT])], [])
    if calibration["kind"] == "temperature":
        steps = [("Log", [MEAN], "log"), ("Div", ["log", "temperature"], "logits")]
        nodes = [helper.make_node(name, inputs, [output]) for name, inputs, output in steps]
        nodes.append(helper.make_node("Softmax", ["logits"], [OUTPUT], axis=1))
        constants = {"temperature": calibration["temperature"]}
    else:
        nodes, constants = _line(np.asarray(calibration["x"]), np.asarray(calibration["y"]))
    return _Nodes(nodes, [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in constants.items()])


def _line(x: np.ndarray, y: np.ndarray) -> tuple[list[Any], dict[str, Any]]:
    """Return the nodes of a line through points, as the sum of its pieces, with their constants."""
    from onnx import helper

    constants = {"pick": [[0.0], [1.0]], "begins": x[:-1], "widths": np.diff(x), "zero": 0.0,
                 "slopes": (np.diff(y) / np.diff(x))[:, None], "least": y[0], "both": [[-1.0, 1.0]],
                 "first": [1.0, 0.0]}  # fmt: skip
    steps = [("MatMul", [MEAN, "pick"], "second"), ("Sub", ["second", "begins"], "past"), ("Max", ["past", "zero"],
             "entered"), ("Min", ["entered", "widths"], "lengths"), ("MatMul", ["lengths", "slopes"], "rise"),
             ("Add", ["rise", "least"], "height"), ("MatMul", ["height", "both"], "pair"),
             ("Add", ["pair", "first"], OUTPUT)]  # fmt: skip
    return [helper.make_node(name, inputs, [output]) for name, inputs, output in steps], constants


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

    sample = model.input.made_up(_SAMPLE_ROWS, np.random.default_rng(0))
    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = ort.InferenceSession(data, sess_options=options, providers=["CPUExecutionProvider"])
    found = session.run([OUTPUT], {INPUT: sample})[0]
    apart = difference(found, model.predict_scores(sample))
    if not apart <= TOLERANCE:
        raise ArtifactError(
            f"{FILE}: scores of the merged file must equal the artifact's to {TOLERANCE:g}. Got a difference of "
            f"{apart:g}. Use --format folder."
        )
