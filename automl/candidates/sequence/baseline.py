"""Class frequencies of the training rows: what any model must beat.

Claim: accuracy 0.182 on osu_leaf, 0.084 on japanese_vowels, 0.499 on italy_power, 0.096 on pendigits, 0.25 on
basic_motions, 0.505 on indoor_movement (test parts); under 0.01 CPU-s a fold.
Source: https://scikit-learn.org/stable/modules/generated/sklearn.dummy.DummyClassifier.html, strategy "prior".
"""

from __future__ import annotations

import numpy as np

from automl.candidates.sequence.series_model import SeriesModel, constant_model
from automl.candidates.tabular.table_model import report_score
from automl.candidates.tabular.targets import prior
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration


class Baseline:
    """Implements `automl.core.protocols.Candidate`."""

    name = "baseline"
    tasks = ("sequence-clf",)
    requires = ("onnx", "onnxruntime")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold; nearly all of it is the graph."""
        return Cost(fixed_seconds=0.01, step_seconds=1e-7 * rows, peak_bytes=(1 << 20) + 16 * rows)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: there is nothing to measure."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> SeriesModel:
        """Count the classes; of a series nothing but its length is read."""
        plan = {"version": 1, "kind": "summary", "channels": data.X.channels, "longest": 1, "points": 0,
                "parts": ["length"]}  # fmt: skip
        model = constant_model(prior(data, ctx), plan, 1)
        report_score(model, np.broadcast_to(np.float32(0), (data.spec.rows, 1)), data, ctx)
        return model


CANDIDATE = Baseline()
