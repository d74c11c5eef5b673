"""A trained model of a table: how it is encoded, and an ONNX graph. What is scored in training is what is shipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from automl.core.protocols import Context, DataSource
from automl.serving.table import Table
from automl.serving.table_encoder import TableEncoder

_FILE, _ENCODER = "model.onnx", "model.encoder.json"


@dataclass(frozen=True)
class TableModel:
    """A plan of encoding with the graph that reads what it gives; implements `automl.core.protocols.Fitted`.

    Attributes:
        graph: serialized ONNX: one input, float32 (n, width), one output.
        plan: as `automl.serving.table_encoder.compute` takes it.
        output_kind: probabilities (n, classes), or values (n,).
        steps: steps done; best_step: the step of the kept weights.
        batch: rows computed at once.
    """

    graph: bytes = field(repr=False)
    plan: Mapping[str, Any] = field(repr=False)
    output_kind: Literal["probabilities", "values"]
    steps: int = 1
    best_step: int = 1
    batch: int = 2048

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _encoder(self) -> TableEncoder:
        return TableEncoder(self.plan)

    def predict(self, X: Table) -> np.ndarray:
        """Return float32 scores of rows of a table: (n, classes) probabilities or (n,) values."""
        starts = range(0, max(1, len(X)), self.batch)
        return np.concatenate([self.predict_encoded(self._encoder.compute(X[i : i + self.batch])) for i in starts])

    def predict_encoded(self, X: np.ndarray) -> np.ndarray:
        """Return float32 scores of encoded rows, (n, width)."""
        name, starts = self._session.get_inputs()[0].name, range(0, max(1, len(X)), self.batch)
        parts = [np.ascontiguousarray(X[i : i + self.batch], np.float32) for i in starts]
        return np.concatenate([self._session.run(None, {name: part})[0] for part in parts])

    def save(self, folder: Path) -> dict[str, object]:
        """Write model.onnx and model.encoder.json and return the member's manifest entry."""
        (folder / _FILE).write_bytes(self.graph)
        (folder / _ENCODER).write_text(json.dumps(dict(self.plan), ensure_ascii=False), encoding="utf-8")
        return {
            "file": _FILE,
            "features": {"kind": "table", "encoder": _ENCODER},
            "input": self._session.get_inputs()[0].name,
            "output": self._session.get_outputs()[0].name,
            "output_kind": self.output_kind,
        }

    def save_checkpoint(self, folder: Path) -> None:
        """Write nothing: models of tables are trained in one go."""


def constant_model(answer: np.ndarray, plan: Mapping[str, Any], width: int, ctx: Context) -> TableModel:
    """Return a model that gives the same answer for every row, as `targets.prior` has it.

    Args:
        answer: (classes,) probabilities, or (1,) a value.
        plan: how rows are encoded.
        width: number of columns that gives.
        ctx: says whether there are classes.
    """
    from automl.candidates.graphs.onnx_graphs import constant_probabilities
    from automl.candidates.graphs.onnx_values import constant_value

    if ctx.classes:
        return TableModel(constant_probabilities(answer, width), plan, "probabilities")
    return TableModel(constant_value(float(answer[0]), width), plan, "values")


def report_score(model: TableModel, encoded: np.ndarray, data: DataSource, ctx: Context) -> None:
    """Report the score of a model that was trained in one go.

    Args:
        model: the model.
        encoded: what it reads of all rows of the data; those of ctx.valid_rows are looked at.
        data: for the targets.
        ctx: takes the report.
    """
    rows = ctx.valid_rows
    score = None
    if len(rows):
        parts = [rows[i : i + model.batch] for i in range(0, len(rows), model.batch)]
        predicted = np.concatenate([model.predict_encoded(encoded[part]) for part in parts])
        score = ctx.metric.score(np.asarray(data.y[rows]), predicted)
    ctx.report(model.steps, score)
