"""As many rows and resamples as the metric, the predictions and the time allow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.metrics import metric
from automl.core.scores import LEAST_RESAMPLES, MOST_RESAMPLES, Corrected, Pool, moved
from automl.ensembles.resampling import affordable, most_resamples, sampled_rows


def pool(rows: int, *, classes: int = 2, trials: int = 2, name: str = "accuracy") -> Pool:
    drawn = np.random.default_rng(0).dirichlet(np.ones(classes), size=rows).astype(np.float32)
    return Pool((drawn,) * trials, np.arange(rows) % classes, metric(name))


@pytest.mark.parametrize(
    ("seconds", "left", "rows"), [(0.1, 6.0, 6000), (0.1, 3.0, 3000), (1.0, 3.0, 1000), (0.1, -1.0, 1000)]
)
def test_rows_are_as_many_as_forty_resamples_can_take(seconds: float, left: float, rows: int) -> None:
    assert len(affordable(pool(6000), seconds, left, np.random.default_rng(0)).y) == rows


@pytest.mark.parametrize(("seconds", "left"), [(math.nan, math.inf), (5.0, math.inf), (0.0, 0.0)])
def test_without_a_clock_all_rows_are_resampled(seconds: float, left: float) -> None:
    whole = pool(6000)
    assert affordable(whole, seconds, left, np.random.default_rng(0)) is whole


@pytest.mark.parametrize(("name", "classes", "rows"), [
    ("accuracy", 2, 20_000), ("roc_auc", 2, 5000), ("roc_auc", 5, 2000), ("macro_f1", 2, 5000), ("log_loss", 2, 20_000),
])  # fmt: skip
def test_dear_metrics_are_judged_on_fewer_rows(name: str, classes: int, rows: int) -> None:
    assert sampled_rows(pool(100, classes=classes, name=name)) == rows


@pytest.mark.parametrize(("rows", "classes", "trials", "expected"), [
    (1000, 2, 2, MOST_RESAMPLES), (20_000, 10, 10, 125), (20_000, 26, 30, LEAST_RESAMPLES),
])  # fmt: skip
def test_large_predictions_are_resampled_less_often(rows: int, classes: int, trials: int, expected: int) -> None:
    assert most_resamples(pool(rows, classes=classes, trials=trials)) == expected


@pytest.mark.parametrize(("name", "by", "expected"), [
    ("accuracy", 0.05, (0.95, 0.9, 1.0)), ("accuracy", -0.95, (0.0, 0.0, 0.03)), ("rmse", -1.0, (0.0, 0.0, 0.0)),
])  # fmt: skip
def test_a_score_is_moved_within_what_its_metric_can_be(name: str, by: float, expected: tuple[float, ...]) -> None:
    found = moved(Corrected(0.9, 0.85, 0.98, "made up", 0), by, metric(name))
    assert (found.score, found.low, found.high) == pytest.approx(expected)
