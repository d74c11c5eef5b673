"""Class frequencies of the training rows: what any model must beat.

Claim: accuracy 0.101 on digits, 0.099 on sign_digits, 0.100 on fashion_mnist (20,000 rows), 5-fold, under 0.01 CPU-s a
fold.
Source: https://scikit-learn.org/stable/modules/generated/sklearn.dummy.DummyClassifier.html, strategy "prior".
"""

from __future__ import annotations

import numpy as np

from automl.candidates.image.graph_model import GraphModel, report_score
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration


class Baseline:
    """Implements `automl.core.protocols.Candidate`."""

    name = "baseline"
    tasks = ("image-clf",)
    requires = ("onnx", "onnxruntime")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold; nearly all of it is the graph."""
        return Cost(fixed_seconds=0.01, step_seconds=1e-8 * rows, peak_bytes=1 << 20)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: there is nothing to measure."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> GraphModel:
        """Count the classes."""
        from automl.candidates.graphs.onnx_graphs import constant

        counts = np.bincount(data.y[ctx.train_rows], minlength=ctx.classes)
        graph = constant(counts / counts.sum(), tuple(data.spec.shape))
        model = GraphModel(graph, {"kind": "pixels"})
        report_score(model, data.X[ctx.valid_rows], data, ctx)
        return model


CANDIDATE = Baseline()
