from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from automl.candidates.tabular.linear import CANDIDATE
from automl.candidates.tabular.table_model import TableModel
from automl.core.clock import FakeClock
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.serving.table import Column, Table, TableRule
from automl.testing.context import ArrayData, LocalContext, mixed_table, one_member

BOTH = {"numbers": "standard", "knots": 0, "categories": "onehot", "most_onehot": 30, "texts": 20, "l2": 1.0}
CLASSES = {**BOTH, "class_weights": "none"}
VALUES = {**BOTH, "target": "none"}
RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(300, 4))


def numeric(y: np.ndarray, *, classes: int = 0, weights: np.ndarray | None = None) -> ArrayData:
    """Return four standardised columns with this target, so that the encoder changes little."""
    rule = TableRule(tuple(Column(name, "number") for name in "abcd"))
    labels, counts = tuple("xyz"[:classes]), tuple(np.bincount(y).tolist()) if classes else ()
    spec = dataclasses.replace(mixed_table(9).spec, rows=len(y), classes=labels, class_counts=counts,
                               input=rule.to_json())  # fmt: skip
    return ArrayData(Table(ROWS[: len(y)]), y, spec, weights=weights)


def context(data: ArrayData, folder: Path, **more: Any) -> LocalContext:
    rows = np.arange(data.spec.rows)
    which = more.pop("metric", "accuracy" if data.spec.classes else "rmse")
    return LocalContext(rows[:250], rows[250:], len(data.spec.classes), folder, metric=metric(which), **more)


def fit(data: ArrayData, values: dict[str, Any], ctx: LocalContext) -> TableModel:
    configuration = Configuration("linear", values)
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


def standardised() -> np.ndarray:
    learned = ROWS[:250]
    return np.asarray((ROWS - learned.mean(axis=0)) / learned.std(axis=0))


SLOPED = 3 * ROWS[:, 0] - 2 * ROWS[:, 1] + RNG.normal(0, 0.1, 300)
CODES = np.digitize(SLOPED, [-2, 2])
WEIGHTS = RNG.uniform(0.2, 3, 300)


@pytest.mark.parametrize("weights", [None, WEIGHTS / WEIGHTS.mean()], ids=["alike", "weighted"])
def test_values_are_a_ridge_regression(weights: np.ndarray | None, tmp_path: Path) -> None:
    data = numeric(SLOPED, weights=weights)
    share = None if weights is None else weights[:250] / weights[:250].mean()
    expected = Ridge(alpha=1.0).fit(standardised()[:250], SLOPED[:250], sample_weight=share)
    found = fit(data, VALUES, context(data, tmp_path)).predict(data.X)
    np.testing.assert_allclose(found, expected.predict(standardised()), atol=0.02)


def test_classes_are_a_logistic_regression(tmp_path: Path) -> None:
    data = numeric(CODES, classes=3)
    expected = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(standardised()[:250], CODES[:250])
    found = fit(data, CLASSES, context(data, tmp_path)).predict(data.X)
    np.testing.assert_allclose(found, expected.predict_proba(standardised()), atol=0.02)


def test_a_bend_is_learned_with_knots_alone(tmp_path: Path) -> None:
    data = numeric(np.abs(ROWS[:, 0]))
    rmse = []
    for knots in (0, 15):
        ctx = context(data, tmp_path)
        fit(data, {**VALUES, "knots": knots}, ctx)
        rmse.append(ctx.reports[0][1] or 0.0)
    assert rmse[1] < rmse[0] / 5


def test_weights_of_classes_raise_the_rare_one(tmp_path: Path) -> None:
    data = numeric((SLOPED > 4).astype(np.int64), classes=2)
    plain, balanced = (
        fit(data, {**CLASSES, "class_weights": how}, context(data, tmp_path)).predict(data.X)[:, 1].mean()
        for how in ("none", "balanced")
    )
    assert balanced > plain + 0.05


@pytest.mark.parametrize(("target", "name"), [("log", "rmse"), ("none", "rmsle")], ids=["chosen", "by the metric"])
def test_products_are_learned_on_the_logarithm(target: str, name: str, tmp_path: Path) -> None:
    data = numeric(np.exp(5 + SLOPED / 2))
    ctx = context(data, tmp_path, metric=name)
    predicted = fit(data, {**VALUES, "target": target}, ctx).predict(data.X)
    assert metric("rmsle").score(data.y, predicted) < 0.1


def test_predictions_stay_near_the_range_of_the_target(tmp_path: Path) -> None:
    data = numeric(SLOPED)
    far = fit(data, VALUES, context(data, tmp_path)).predict(Table(np.full((1, 4), [[1e6, -1e6, 0, 0]])))
    assert far[0] <= SLOPED.max() + 0.2 * np.ptp(SLOPED)


def test_of_many_rows_a_sample_is_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.candidates.tabular.linear._MOST_VALUES", 0)
    data = dataclasses.replace(mixed_table(1800), groups=None)
    ctx = context(data, tmp_path)
    ctx.train_rows, ctx.valid_rows = np.arange(1500), np.arange(1500, 1800)
    fit(data, CLASSES, ctx)
    assert ctx.notes["rows"] == "a sample of 1000 of 1500"
    assert (ctx.reports[0][1] or 0) > 0.8


def test_no_time_is_said(tmp_path: Path) -> None:
    data = mixed_table(300)
    with pytest.raises(TimeoutError, match=r"linear takes about .* Raise the budget"):
        fit(data, CLASSES, context(data, tmp_path, is_timed=True, seconds=0.0))


def test_when_time_ends_the_last_iteration_is_the_model(tmp_path: Path) -> None:
    data = numeric(CODES, classes=3)
    ctx = context(data, tmp_path, is_timed=True, seconds=0.1, clock=FakeClock())
    assert fit(data, CLASSES, ctx).predict(data.X).shape == (300, 3)
    assert ctx.notes == {"iterations": "the time ended"}


def test_the_estimate_grows_with_words_and_knots() -> None:
    spec = mixed_table(90).spec
    costs = [
        CANDIDATE.estimate(spec, Configuration("linear", {**CLASSES, **more}), 1000).seconds(1)
        for more in ({}, {"knots": 15}, {"knots": 15, "texts": 1000})
    ]
    assert costs == sorted(costs)
    assert costs[0] < costs[2]
