"""Tiny artifacts of tables, written by hand and without training: a plan of encoding and a small linear ONNX graph."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from automl.core.protocols import ExportMember
from automl.exporters.artifact import write_artifact
from automl.serving.table import Table, TableRule
from automl.testing.context import ArrayData, mixed_table
from automl.testing.tiny import linear_onnx

FOLDS = 2
PLAN: Mapping[str, Any] = {
    "version": 1,
    "width": 4,
    "names": ["size", "wide", "new", "colour"],
    "blocks": [
        {"kind": "numbers", "columns": [0, 1, 2], "finish": {"clip": 10.0, "fill": [1.0, 1.0, 0.0]}},
        {"kind": "lookup", "columns": [3], "sizes": [4], "values": [[[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]]]},
    ],
}
"""Reads the numbers and the category of `mixed_table`; text and date are left out."""


def tiny_table_artifact(
    folder: Path, place: Path, *, classes: int = 3, plan: Mapping[str, Any] = PLAN, **facts: Any
) -> str:
    """Write an artifact of two linear models of a `mixed_table` into a new folder; return its manifest's SHA-256.

    Args:
        folder: of the artifact.
        place: where the members' files are written first.
        classes: number of classes; 0 for a number as the target.
        plan: of both members.
        facts: in place of those made up here; see `automl.exporters.artifact.ArtifactFacts`.
    """
    data = mixed_table(60, classes=classes)
    members = [
        write_table_member(place / f"m{fold}", plan, classes=classes, fold=fold, weight=weight)
        for fold, weight in enumerate((0.25, 0.75))
    ]
    given: dict[str, Any] = {
        "task": "tabular-clf" if classes else "tabular-reg",
        "metric": "log_loss" if classes else "rmse",
        "scores": {"cv": 0.5, "low": 0.4, "high": 0.6},
        "versions": {"automl": "0"},
        "run_name": "tiny",
        **facts,
    }
    return write_artifact(folder, spec=data.spec, members=members, **given)


def write_table_member(
    folder: Path, plan: Mapping[str, Any], *, classes: int, fold: int = 0, weight: float = 1.0
) -> ExportMember:
    """Write a member's files as a worker does, and return it with its weight; its graph is random, by the fold.

    Args:
        folder: where to.
        plan: of encoding; the graph reads so many columns as it says.
        classes: number of classes; 0 for values.
        fold: of the member, and the seed of its weights.
        weight: in the artifact.
    """
    folder.mkdir(parents=True, exist_ok=True)
    width = int(plan["width"])
    graph = linear_onnx((width,), classes, seed=fold, inputs="features") if classes else values_onnx(width, seed=fold)
    (folder / "model.onnx").write_bytes(graph)
    (folder / "model.encoder.json").write_text(json.dumps(dict(plan)), encoding="utf-8")
    kind = "probabilities" if classes else "values"
    entry = {"file": "model.onnx", "features": {"kind": "table", "encoder": "model.encoder.json"}, "input": "input",
             "output": kind, "output_kind": kind}  # fmt: skip
    (folder / "member.json").write_text(json.dumps(entry), encoding="utf-8")
    return ExportMember(trial=0, fold=fold, weight=weight, candidate="linear", folder=folder)


def values_onnx(width: int, *, seed: int = 0) -> bytes:
    """Return an ONNX file: a random linear map from float32 (n, width) to values (n,)."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(seed).normal(0, 100, (width, 1)).astype(np.float32)
    constants = {"weights": weights, "flat": np.array([-1])}
    nodes = [
        helper.make_node("MatMul", ["input", "weights"], ["column"]),
        helper.make_node("Reshape", ["column", "flat"], ["values"]),
    ]
    graph = helper.make_graph(
        nodes,
        "values",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["n"])],
        initializer=[numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def table_columns(data: ArrayData) -> dict[str, list[Any]]:
    """Return a table as a user has it: name → values, None where one is missing, dates as ISO 8601."""
    rule, table = TableRule.from_json(data.spec.input), data.X
    assert isinstance(table, Table)
    numbers = {column.name: table.numbers[:, i] for i, column in enumerate(rule.numbers)}
    texts = {column.name: list(texts) for column, texts in zip(rule.texts, table.texts, strict=True)}
    out: dict[str, list[Any]] = {}
    for column in rule.columns:
        if column.kind == "text":
            out[column.name] = texts[column.name]
        elif column.kind == "category":
            labels = [*column.categories, "never seen"]
            out[column.name] = [None if v != v else labels[int(v)] for v in numbers[column.name]]
        elif column.kind == "date":
            out[column.name] = [None if v != v else _time(v) for v in numbers[column.name]]
        else:
            out[column.name] = [None if v != v else v for v in numbers[column.name].tolist()]
    return out


def write_table_csv(path: Path, columns: Mapping[str, list[Any]]) -> Path:
    """Write columns as a CSV file with a header; None is an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def _time(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s"))
