"""A trained model of a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from automl.candidates.graphs.encoded_model import EncodedModel
from automl.core.protocols import Context, DataSource
from automl.serving.batches import of_texts
from automl.serving.table import Table


@dataclass(frozen=True)
class TextModel(EncodedModel):
    """Reads what a `TextEncoder` gives: float32 (n, 2, L) ids and weights of terms, or (n, L) ids of tokens.

    Attributes:
        batch: rows computed at once; fewer than of tables, since one long text makes all of a batch long.
    """

    kind: ClassVar[str] = "text"
    batch: int = 256

    def batches(self, X: Table) -> Iterator[np.ndarray]:
        """Yield texts of like length."""
        return of_texts(X.texts[0].sizes)


class Batches(Protocol):
    """Encoded rows of a data source: `encoding.EncodedTerms`, `encoding.EncodedTokens`."""

    def batch(self, rows: np.ndarray, /) -> np.ndarray:
        """Return what a graph reads of some rows, float32."""
        ...


def constant_model(answer: np.ndarray, plan: Mapping[str, Any], ctx: Context) -> TextModel:
    """Return a model that gives the same probabilities for every text.

    Args:
        answer: (classes,).
        plan: how texts are encoded.
        ctx: says how many classes there are.

    Raises:
        ValueError: there are not as many probabilities as classes.
    """
    from automl.candidates.graphs.onnx_terms import constant_probabilities

    if answer.shape != (ctx.classes,):
        raise ValueError(f"answer: one probability for each of {ctx.classes} classes is needed. Got {answer.shape}.")
    rank = 3 if plan["kind"] == "terms" else 2
    return TextModel(constant_probabilities(answer, rank), plan, "probabilities")


def report_score(model: TextModel, encoded: Batches, data: DataSource, ctx: Context) -> None:
    """Report the score of a model that was trained in one go.

    Args:
        model: the model.
        encoded: the rows of the data as it reads them; those of ctx.valid_rows are looked at.
        data: for the targets.
        ctx: takes the report.
    """
    rows = ctx.valid_rows
    score = None
    if len(rows):
        parts = [rows[i : i + model.batch] for i in range(0, len(rows), model.batch)]
        predicted = np.concatenate([model.predict_encoded(encoded.batch(part)) for part in parts])
        score = ctx.metric.score(np.asarray(data.y[rows]), predicted)
    ctx.report(model.steps, score)
