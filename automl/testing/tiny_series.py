"""Tiny artifacts of series, written by hand and without training: a plan of encoding and a small linear ONNX graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from automl.core.protocols import ExportMember
from automl.exporters.artifact import write_artifact
from automl.serving.series import Series, SeriesRule
from automl.testing.context import waving_series

RULE = SeriesRule(("x", "y"), "id", "t")
"""Reads a table with one step a row."""
PLAN: Mapping[str, Any] = {
    "version": 1, "kind": "steps", "channels": 2, "longest": 1000, "pool": 1, "scaling": "rows", "means": [0.0, 0.5],
    "scales": [1.0, 2.0], "differences": [], "gaps": [],
}  # fmt: skip
"""Shifts and divides the two channels."""


def tiny_series_artifact(
    folder: Path, place: Path, *, rule: SeriesRule = RULE, plan: Mapping[str, Any] = PLAN, **facts: Any
) -> str:
    """Write an artifact of two linear models of a `waving_series` into a new folder; return its manifest's SHA-256.

    Args:
        folder: of the artifact.
        place: where the members' files are written first.
        rule: how what a user has becomes series.
        plan: of both members.
        facts: in place of those made up here; see `automl.exporters.artifact.ArtifactFacts`.
    """
    spec = replace(waving_series(60).spec, input=rule.to_json(), target="label")
    members = [
        write_series_member(place / f"m{fold}", plan, fold=fold, weight=weight)
        for fold, weight in enumerate((0.25, 0.75))
    ]
    given: dict[str, Any] = {
        "task": "sequence-clf",
        "metric": "log_loss",
        "scores": {"cv": 0.5, "low": 0.4, "high": 0.6},
        "versions": {"automl": "0"},
        "run_name": "tiny",
        **facts,
    }
    return write_artifact(folder, spec=spec, members=members, **given)


def write_series_member(folder: Path, plan: Mapping[str, Any], *, fold: int = 0, weight: float = 1.0) -> ExportMember:
    """Write a member's files as a worker does, and return it with its weight; its graph is random, by the fold."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(means_onnx(2, 3, seed=fold))
    (folder / "model.encoder.json").write_text(json.dumps(dict(plan)), encoding="utf-8")
    entry = {"file": "model.onnx", "features": {"kind": "series", "encoder": "model.encoder.json"}, "input": "input",
             "output": "probabilities", "output_kind": "probabilities"}  # fmt: skip
    (folder / "member.json").write_text(json.dumps(entry), encoding="utf-8")
    return ExportMember(trial=0, fold=fold, weight=weight, candidate="linear", folder=folder)


def means_onnx(channels: int, classes: int, *, seed: int = 0) -> bytes:
    """Return an ONNX file: softmax of a random linear map of the means of each channel.

    Args:
        channels: of the input, float32 (n, channels, steps), NaN after the end of each series.
        classes: number of outputs.
        seed: of the weights.
    """
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(seed).normal(0, 3, (channels, classes)).astype(np.float32)
    constants = {"weights": weights, "nothing": np.float32(0), "one": np.float32(1), "steps": np.array([2])}
    nodes = [
        helper.make_node("IsNaN", ["input"], ["padding"]),
        helper.make_node("Where", ["padding", "nothing", "input"], ["values"]),
        helper.make_node("Where", ["padding", "nothing", "one"], ["known"]),
        helper.make_node("ReduceSum", ["values", "steps"], ["sums"], keepdims=0),
        helper.make_node("ReduceSum", ["known", "steps"], ["counts"], keepdims=0),
        helper.make_node("Div", ["sums", "counts"], ["means"]),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", channels, "steps_"])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])],
        initializer=[numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def series_columns(series: Series, rule: SeriesRule = RULE) -> dict[str, list[Any]]:
    """Return series as a table with one step a row: name → values, None where one is missing; ids are s0, s1, ..."""
    packed = series.packed()
    numbers = np.repeat(np.arange(len(series)), series.lengths).tolist()
    columns: dict[str, list[Any]] = {rule.id: [f"s{number}" for number in numbers]}
    columns[rule.time] = [step for length in series.lengths.tolist() for step in range(length)]
    for name, values in zip(rule.channels, packed.values.T, strict=True):
        columns[name] = [None if value != value else value for value in values.tolist()]
    return columns
