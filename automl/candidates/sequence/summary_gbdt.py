"""Gradient-boosted trees (LightGBM) on numbers that describe a series: level, shape, memory, frequencies, values.

Claim: accuracy 0.777 on osu_leaf, 0.923 on japanese_vowels, 0.954 on italy_power, 0.970 on pendigits, 1.0 on
basic_motions, 0.923 on indoor_movement (test parts, mean of 3 seeds, defaults); 0.1, 2.2, 0.03, 1.5, 0.05 and 0.9 CPU-s
a fit on one core.
Source: Ke et al. 2017, https://papers.nips.cc/paper/6907; such numbers of series: Fulcher & Jones 2017,
https://doi.org/10.1016/j.cels.2017.10.001, and Lubba et al. 2019, https://arxiv.org/abs/1901.10200.

Rows held out inside the fold say how many rounds are enough; see `automl.candidates.tabular.boosting_rounds`.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from automl.candidates.graphs.conditions import require_time
from automl.candidates.sequence.encoding import encoded
from automl.candidates.sequence.rocket_fit import LONGEST
from automl.candidates.sequence.series_model import SeriesModel, constant_model
from automl.candidates.sequence.summary_fit import summary_plan, summary_seconds, summary_width
from automl.candidates.tabular.boosting_cost import Shape, TreeSeconds, training_seconds
from automl.candidates.tabular.boosting_problem import Problem, graph_of, held_rows
from automl.candidates.tabular.boosting_rounds import rate_of
from automl.candidates.tabular.encoding import Encoded
from automl.candidates.tabular.gbdt import boosted_trees
from automl.candidates.tabular.table_model import report_score
from automl.candidates.tabular.targets import ClassWeighting, prior, row_weights
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

_SECONDS = TreeSeconds(fixed=1e-4, row=7e-8, value=4e-9, bin=5e-9)  # as of tables
_REPEATED_ROWS = 10_000  # of fewer rows the model is trained again on all of them


class SummaryGradientBoosting:
    """Implements `automl.core.protocols.Candidate`."""

    name = "summary-gbdt"
    tasks = ("sequence-clf",)
    requires = ("lightgbm", "onnx", "onnxruntime")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for the number of rounds that is usual at this learning rate."""
        values, trees = configuration.values, len(spec.classes) if len(spec.classes) > 2 else 1
        wide = summary_width(spec, int(values["points"]))
        leaves = min(int(values["num_leaves"]), max(1, rows // int(values["min_data_in_leaf"])))
        rate = rate_of(float(values["learning_rate"]), trees)
        shape = Shape(rate, leaves, int(values["max_bin"]), float(values["feature_fraction"]))
        seconds = [
            training_seconds(count, wide=wide, shape=shape, seconds=_SECONDS, is_repeated=count < _REPEATED_ROWS)
            for count in {rows, min(rows, _REPEATED_ROWS - 1)}
        ]
        return Cost(
            fixed_seconds=0.08 + summary_seconds(spec, wide),
            step_seconds=trees * max(seconds),
            peak_bytes=8 * rows * wide + 24 * rows * trees + (64 << 20),
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: how many rounds it takes, which decides the cost, no probe can tell."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> SeriesModel:
        """Train in one go: rounds as the rows held out ask for, fewer where the time ends.

        Raises:
            TimeoutError: there is no time to begin.
        """
        wide = summary_width(data.spec, int(configuration.values["points"]))
        require_time(ctx, summary_seconds(data.spec, wide), self.name)
        problem = _problem(configuration, data, ctx)
        plan, width = problem.table.plan, problem.table.X.shape[1]
        trees = boosted_trees(problem, configuration, ctx) if problem.is_learnable() else None
        if trees is None:
            ctx.note("rounds", "0: nothing tells one target from another")
            model = constant_model(prior(data, ctx), plan, width)
        else:
            model = SeriesModel(graph_of(trees, problem), plan, "probabilities")
        report_score(model, problem.table.X, data, ctx)
        return model


def _problem(configuration: Configuration, data: DataSource, ctx: Context) -> Problem:
    values, rows = configuration.values, np.asarray(ctx.train_rows)
    options: dict[str, Any] = {"points": int(values["points"]), "longest": LONGEST}
    table = encoded(data, ctx, {"summary": options}, lambda series, _: summary_plan(series.channels, **options))
    y = np.asarray(data.y[rows])
    present = np.bincount(y, minlength=ctx.classes) > 0
    return Problem(
        table=Encoded(table.plan, table.X, ()),
        rows=rows,
        y=np.searchsorted(np.flatnonzero(present), y),
        weights=row_weights(data, rows, ctx.classes, cast(ClassWeighting, values["class_weights"])),
        is_held=held_rows(ctx, rows),
        present=present,
        scale=None,
    )


CANDIDATE = SummaryGradientBoosting()
