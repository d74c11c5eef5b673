"""Class frequencies of the training texts: what any model must beat.

Claim: accuracy 0.229 on trec, 0.666 on waimai_zh, macro-F1 0.464 on sms_spam, 0.257 on airline_tweets; 3-fold, under
0.01 CPU-s a fold.
Source: https://scikit-learn.org/stable/modules/generated/sklearn.dummy.DummyClassifier.html, strategy "prior".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from automl.candidates.tabular.targets import prior
from automl.candidates.text.text_model import TextModel, constant_model, report_score
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

_PLAN: dict[str, Any] = {
    "version": 1, "kind": "tokens", "of": "characters", "lower": False, "marks": False, "longest": 1, "terms": [],
}  # fmt: skip
"""Reads the first character of a text, and knows none."""


class Baseline:
    """Implements `automl.core.protocols.Candidate`."""

    name = "baseline"
    tasks = ("text-clf",)
    requires = ("onnx", "onnxruntime")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold; nearly all of it is the graph."""
        return Cost(fixed_seconds=0.01, step_seconds=1e-7 * rows, peak_bytes=(1 << 20) + 16 * rows)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: there is nothing to measure."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TextModel:
        """Count the classes."""
        model = constant_model(prior(data, ctx), _PLAN, ctx)
        report_score(model, _Nothing(), data, ctx)
        return model


class _Nothing:
    """Rows as a constant reads them: one token each, whichever it is."""

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Return float32 (n, 1)."""
        return np.ones((len(rows), 1), np.float32)


CANDIDATE = Baseline()
