"""A model held against labelled data."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from automl import registry
from automl.core.data import DataSpec
from automl.core.events import TestScore
from automl.core.metrics import METRICS, metric
from automl.core.scores import row_interval
from automl.core.seeds import stream
from automl.data.sources import Source, prepare_test
from automl.errors import UserError
from automl.model import Model
from automl.serving.calibration import decided
from automl.serving.rows import RowSet


def score_rows(model: Model, X: RowSet, y: np.ndarray, metric_name: str) -> TestScore:
    """Return the score of a model on labelled rows, with a 95 % interval and every other metric that they define.

    Metrics of probabilities see them calibrated; metrics of labels see the labels that the model gives.
    """
    scores = model.predict_scores(X)
    by_label = decided(scores, model.manifest.decision)
    chosen = metric(metric_name)
    predicted = by_label if chosen.needs == "labels" else scores
    interval = row_interval(chosen, y, predicted, rng=stream(0, "test"))
    every = {}
    for name in registry.resolve("task", model.manifest.task).info.metrics:
        other = METRICS[name]
        with suppress(UserError):  # not defined for these targets: f1 of three classes, rmsle of negative values
            every[name] = other.score(y, by_label if other.needs == "labels" else scores)
    return TestScore(metric_name, chosen.score(y, predicted), interval.low, interval.high, every, len(y))


def score_data(model: Model, data: Source, metric_name: str = "", *, cache: Path | None = None) -> TestScore:
    """Return the score of a model on labelled data; by its own metric unless another is named.

    Raises:
        UserError: the data cannot be read, has other classes, or the metric does not fit the task.
    """
    manifest = model.manifest
    info = registry.resolve("task", manifest.task).info
    chosen = metric_name or str(manifest.facts["metric"])
    if chosen not in info.metrics:
        raise UserError(f"--metric {chosen}: {info.name} is scored by one of: {', '.join(info.metrics)}.")
    facts = manifest.facts["data"]
    spec = DataSpec(
        facts["name"], info.kind, facts["rows"], tuple(facts["shape"]), manifest.classes,
        tuple(facts["class_counts"]), facts["fingerprint"], dict(manifest.input),
        target=str(manifest.facts.get("target", "")),
    )  # fmt: skip
    test = prepare_test(data, spec, cache=cache).data
    return score_rows(model, test.X, np.asarray(test.y), chosen)
