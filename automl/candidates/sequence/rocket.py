"""A linear model of how much of a series lies above thresholds behind fixed kernels (MiniRocket, MultiRocket).

Claim: accuracy 0.960 on osu_leaf, 0.985 on japanese_vowels, 0.967 on italy_power, 0.974 on pendigits, 1.0 on
basic_motions, 0.979 on indoor_movement (test parts, mean of 3 draws, defaults); 1.6, 0.4, 0.5, 2.5, 0.2 and 0.6 CPU-s a
fit on one core, the encoding of all rows included. With pooling = "several" 0.953, 0.991, 0.966, 0.975, 1.0, 0.954.
Source: Dempster et al. 2021, https://arxiv.org/abs/2012.08791 (MiniRocket); Tan et al. 2022,
https://arxiv.org/abs/2102.00457 (differences, and the numbers of pooling = "several").
"""

from __future__ import annotations

from typing import Any, cast

from automl.candidates.graphs.conditions import require_time
from automl.candidates.sequence.encoding import encoded
from automl.candidates.sequence.linear_model import affordable, linear_model, linear_seconds
from automl.candidates.sequence.rocket_fit import LONGEST, RocketOptions, fitted_rocket, rocket_seconds
from automl.candidates.sequence.series_model import SeriesModel
from automl.candidates.tabular.table_model import report_score
from automl.candidates.tabular.targets import ClassWeighting
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration


class Rocket:
    """Implements `automl.core.protocols.Candidate`."""

    name = "rocket"
    tasks = ("sequence-clf",)
    requires = ("onnx", "onnxruntime", "scipy")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, the encoding of the whole data set included."""
        options = _options(configuration, rows)
        return Cost(
            fixed_seconds=0.05 + rocket_seconds(spec, options),
            step_seconds=linear_seconds(rows, options.features, len(spec.classes)),
            peak_bytes=4 * options.features * (spec.rows + 3 * rows) + 24 * min(rows, 1500) ** 2 + (32 << 20),
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> SeriesModel:
        """Train in one go.

        Raises:
            TimeoutError: there is no time to begin.
        """
        cost = self.estimate(data.spec, configuration, len(ctx.train_rows))
        require_time(ctx, cost.seconds(1), self.name)
        options = _options(configuration, len(ctx.train_rows))
        key = {"rocket": options.to_json(), "draw": configuration.values["draw"]}
        table = encoded(data, ctx, key, lambda series, rng: fitted_rocket(series, options, rng))
        model = linear_model(table, data, ctx, cast(ClassWeighting, configuration.values["class_weights"]))
        report_score(model, table.X, data, ctx)
        return model


def _options(configuration: Configuration, rows: int) -> RocketOptions:
    values: Any = configuration.values
    return RocketOptions(
        features=affordable(int(values["features"]), rows),
        pooling=values["pooling"],
        differences=bool(values["differences"]),
        scaling=values["scaling"],
        longest=LONGEST,
        is_padded=values["lengths"] == "padded",
    )


CANDIDATE = Rocket()
