from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from automl.candidates.tabular import gbdt
from automl.candidates.tabular.boosting_problem import problem_of
from automl.candidates.tabular.table_model import TableModel
from automl.core.clock import FakeClock
from automl.core.metrics import metric
from automl.core.space import Configuration, Value
from automl.serving.table import Table
from automl.testing.context import ArrayData, LocalContext, mixed_table, one_member

VALUES: dict[str, Value] = {
    "categories": "native", "features": "none", "texts": 100, "class_weights": "none", "target": "none",
    "learning_rate": 0.1,
    "num_leaves": 15, "feature_fraction": 0.8, "bagging_fraction": 0.9, "min_data_in_leaf": 20, "lambda_l2": 1.0,
    "extra_trees": False, "max_bin": 255, "cat_smooth": 10.0,
}  # fmt: skip


def context(data: ArrayData, folder: Path, name: str = "", **given: Any) -> LocalContext:
    rows, classes = data.spec.rows, len(data.spec.classes)
    cut, which = rows * 3 // 4, metric(name or ("accuracy" if classes else "rmse"))
    return LocalContext(np.arange(cut), np.arange(cut, rows), classes, folder, seed=3, metric=which, **given)


def fit(data: ArrayData, ctx: LocalContext, **values: Value) -> TableModel:
    configuration = Configuration("gbdt", {**VALUES, **values})
    return gbdt.CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


def parameters(data: ArrayData, ctx: LocalContext, **values: Value) -> dict[str, Any]:
    configuration = Configuration("gbdt", {**VALUES, **values})
    return gbdt.parameters_of(configuration, problem_of(data, ctx, configuration), ctx)


@pytest.mark.parametrize("classes", [0, 2, 3], ids=["values", "two classes", "three classes"])
def test_the_shipped_graph_equals_lightgbm(classes: int, tmp_path: Path) -> None:
    data = mixed_table(150, classes=classes)  # so few that the rounds are given and LightGBM can be run beside
    ctx = context(data, tmp_path)
    model, configuration = fit(data, ctx), Configuration("gbdt", VALUES)
    problem = problem_of(data, ctx, configuration)
    known = lightgbm.Dataset(problem.inputs(), problem.y, categorical_feature=[c.column for c in problem.table.codes])
    booster = lightgbm.train(gbdt.parameters_of(configuration, problem, ctx), known, 40 if classes < 3 else 33)
    expected, found = booster.predict(np.asarray(problem.table.X)), model.predict(data.X)
    if problem.scale is not None:
        expected = problem.scale.inverse(expected)
    np.testing.assert_allclose(found[:, 1] if classes == 2 else found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("classes", "name", "objective", "losses"),
    [
        (2, "roc_auc", "binary", "binary_logloss"), (2, "accuracy", "binary", "binary_logloss"),
        (3, "log_loss", "multiclass", "multi_logloss"), (3, "accuracy", "multiclass", "multi_error multi_logloss"),
        (0, "rmse", "regression", "l2"), (0, "rmsle", "regression", "l2"), (0, "mae", "regression_l1", "l1"),
    ],
    ids=str,
)  # fmt: skip
def test_the_losses_follow_the_metric(classes: int, name: str, objective: str, losses: str, tmp_path: Path) -> None:
    data = mixed_table(100, classes=classes)
    found = parameters(data, context(data, tmp_path, name))
    assert (found["objective"], found["metric"]) == (objective, losses.split())


@pytest.mark.parametrize(("rows", "least"), [(80, 3), (400, 15), (800, 20)], ids=str)
def test_leaves_are_never_larger_than_a_twentieth_of_the_rows(rows: int, least: int, tmp_path: Path) -> None:
    data = mixed_table(rows)
    assert parameters(data, context(data, tmp_path))["min_data_in_leaf"] == least


def test_rows_held_out_say_when_to_stop(tmp_path: Path) -> None:
    data = mixed_table(400)
    ctx = context(data, tmp_path)
    assert fit(data, ctx).best_step == 1
    assert "by the rows held out, then" in ctx.notes["rounds"]


def test_when_time_ends_it_keeps_the_rounds_done(tmp_path: Path) -> None:
    data = mixed_table(400)
    ctx = context(data, tmp_path, is_timed=True, seconds=0.1, clock=FakeClock())
    assert np.isfinite(fit(data, ctx).predict(data.X)).all()
    assert ctx.notes["rounds"] == "1 of 1 by the rows held out, the time ended"


def test_columns_that_tell_no_row_from_another_give_the_frequencies(tmp_path: Path) -> None:
    data = mixed_table(60)
    numbers = np.full_like(data.X.numbers, np.nan)
    bare = dataclasses.replace(data, X=Table(numbers, tuple(text[np.zeros(60, int)] for text in data.X.texts)))
    ctx = context(bare, tmp_path)
    np.testing.assert_allclose(fit(bare, ctx).predict(bare.X), [[1 / 3, 1 / 3, 1 / 3]] * 60, atol=1e-6)
    assert ctx.notes["rounds"] == "0: nothing tells one target from another"


def test_classes_can_be_weighted(tmp_path: Path) -> None:
    data = mixed_table(400, classes=2)
    ctx = context(data, tmp_path)
    ctx.train_rows = ctx.train_rows[(data.y[ctx.train_rows] == 0) | (ctx.train_rows % 10 == 1)]
    plain, balanced = (fit(data, ctx, class_weights=how).predict(data.X)[:, 1].mean() for how in ("none", "balanced"))
    assert balanced > plain + 0.01


def test_a_logarithmic_target_is_predicted_in_its_own_unit(tmp_path: Path) -> None:
    data = mixed_table(400, classes=0)
    skewed = dataclasses.replace(data, y=np.exp(data.y / 4))
    ctx = context(skewed, tmp_path)
    fit(skewed, ctx, target="log")
    assert ctx.reports[0][1] is not None
    assert ctx.reports[0][1] < 0.8 * np.std(skewed.y[ctx.valid_rows])


@pytest.mark.parametrize("categories", ["target", "frequency"])
def test_categories_can_be_numbers(categories: str, tmp_path: Path) -> None:
    data = mixed_table(200)
    ctx = context(data, tmp_path)
    fit(data, ctx, categories=categories)
    assert ctx.reports[0][1] is not None
    assert ctx.reports[0][1] > 0.6


def test_the_estimate_knows_classes_rounds_and_leaves() -> None:
    def _seconds(classes: int, **values: Value) -> float:
        spec = mixed_table(100, classes=classes).spec
        return gbdt.CANDIDATE.estimate(spec, Configuration("gbdt", {**VALUES, **values}), 20_000).seconds(1)

    assert _seconds(5) > 2 * _seconds(2)
    assert _seconds(2, learning_rate=0.01) > 3 * _seconds(2)
    assert _seconds(2, num_leaves=255) > 1.5 * _seconds(2)
