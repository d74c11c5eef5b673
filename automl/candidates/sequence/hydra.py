"""A linear model of how often kernels win over others of their group (Hydra), with or without Rocket's numbers beside.

Claim: accuracy 0.992 on osu_leaf, 0.981 on japanese_vowels, 0.963 on italy_power, 0.978 on pendigits, 1.0 on
basic_motions, 0.895 on indoor_movement (test parts, mean of 3 draws, defaults); 1.9, 0.2, 0.2, 1.6, 0.2 and 0.5 CPU-s a
fit on one core, the encoding of all rows included. With beside = "several" 0.985, 0.992, 0.967, 0.981, 1.0, 0.954 in
4.8, 0.8, 0.9, 3.7, 0.4 and 1.4 CPU-s.
Source: Dempster et al. 2023, https://arxiv.org/abs/2203.13652.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from automl.candidates.graphs.conditions import require_time
from automl.candidates.sequence.encoding import encoded
from automl.candidates.sequence.hydra_fit import HydraOptions, fitted_hydra, hydra_features, hydra_seconds
from automl.candidates.sequence.linear_model import affordable, linear_model, linear_seconds
from automl.candidates.sequence.rocket_fit import LONGEST, RocketOptions, fitted_rocket, rocket_seconds
from automl.candidates.sequence.series_model import SeriesModel
from automl.candidates.tabular.table_model import report_score
from automl.candidates.tabular.targets import ClassWeighting
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration
from automl.serving.series import Series

_BESIDE = 10_000  # features of Rocket at most


class Hydra:
    """Implements `automl.core.protocols.Candidate`."""

    name = "hydra"
    tasks = ("sequence-clf",)
    requires = ("onnx", "onnxruntime", "scipy")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, the encoding of the whole data set included."""
        options, beside = _options(configuration, spec, rows), _beside(configuration, rows)
        wide = hydra_features(spec.shape[2], options) + (beside.features if beside else 0)
        return Cost(
            fixed_seconds=0.05 + hydra_seconds(spec, options) + (rocket_seconds(spec, beside) if beside else 0),
            step_seconds=linear_seconds(rows, wide, len(spec.classes)),
            peak_bytes=4 * wide * (spec.rows + 3 * rows) + 24 * min(rows, 1500) ** 2 + (32 << 20),
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> SeriesModel:
        """Train in one go.

        Raises:
            TimeoutError: there is no time to begin.
        """
        rows = len(ctx.train_rows)
        require_time(ctx, self.estimate(data.spec, configuration, rows).seconds(1), self.name)
        options, beside = _options(configuration, data.spec, rows), _beside(configuration, rows)

        def _plan(series: Series, rng: np.random.Generator) -> dict[str, Any]:
            plan = fitted_hydra(series, options, rng)
            if beside is None:
                return plan
            return {"version": 1, "kind": "joined", "plans": [plan, fitted_rocket(series, beside, rng)]}

        key = {"hydra": options.to_json(), "beside": beside.to_json() if beside else None,
               "draw": configuration.values["draw"]}  # fmt: skip
        table = encoded(data, ctx, key, _plan)
        model = linear_model(table, data, ctx, cast(ClassWeighting, configuration.values["class_weights"]))
        report_score(model, table.X, data, ctx)
        return model


def _options(configuration: Configuration, spec: DataSpec, rows: int) -> HydraOptions:
    """Return what to compute, fewer groups of kernels where the rows are too many for all."""
    values: Any = configuration.values
    options = HydraOptions(
        groups=int(values["groups"]),
        size=int(values["size"]),
        scaling=values["scaling"],
        longest=LONGEST,
        is_padded=values["lengths"] == "padded",
    )
    return options.within(affordable(hydra_features(spec.shape[2], options), rows), spec.shape[2])


def _beside(configuration: Configuration, rows: int) -> RocketOptions | None:
    values: Any = configuration.values
    if values["beside"] == "none":
        return None
    return RocketOptions(
        features=affordable(_BESIDE, rows),
        pooling=values["beside"],
        differences=True,
        scaling=values["scaling"],
        longest=LONGEST,
        is_padded=values["lengths"] == "padded",
    )


CANDIDATE = Hydra()
