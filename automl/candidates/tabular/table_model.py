"""A trained model of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from automl.candidates.graphs.encoded_model import EncodedModel
from automl.core.protocols import Context, DataSource


class TableModel(EncodedModel):
    """Reads float32 (n, width), what a `TableEncoder` gives."""

    kind: ClassVar[str] = "table"


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


def report_score(model: EncodedModel, encoded: np.ndarray, data: DataSource, ctx: Context) -> None:
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
