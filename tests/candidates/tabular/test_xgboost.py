from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as library

from automl.candidates.tabular import xgboost
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
    "max_depth": 4, "min_child_weight": 1.0, "subsample": 0.9, "colsample_bytree": 0.8, "reg_lambda": 1.0,
    "max_bin": 256,
}  # fmt: skip


def context(data: ArrayData, folder: Path, name: str = "", **given: Any) -> LocalContext:
    rows, classes = data.spec.rows, len(data.spec.classes)
    cut, which = rows * 3 // 4, metric(name or ("accuracy" if classes else "rmse"))
    return LocalContext(np.arange(cut), np.arange(cut, rows), classes, folder, seed=3, metric=which, **given)


def fit(data: ArrayData, ctx: LocalContext, **values: Value) -> TableModel:
    configuration = Configuration("xgboost", {**VALUES, **values})
    return xgboost.CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


def parameters(data: ArrayData, ctx: LocalContext, **values: Value) -> dict[str, Any]:
    configuration = Configuration("xgboost", {**VALUES, **values})
    return xgboost.parameters_of(configuration, problem_of(data, ctx, configuration), ctx)


@pytest.mark.parametrize("classes", [0, 2, 3], ids=["values", "two classes", "three classes"])
def test_the_shipped_graph_equals_xgboost(classes: int, tmp_path: Path) -> None:
    data = mixed_table(150, classes=classes)  # so few that the rounds are given and XGBoost can be run beside
    ctx = context(data, tmp_path)
    model, configuration = fit(data, ctx), Configuration("xgboost", VALUES)
    problem = problem_of(data, ctx, configuration)
    kinds = np.full(problem.table.X.shape[1], "q")
    kinds[[code.column for code in problem.table.codes]] = "c"
    known, rows = (library.DMatrix(X, feature_types=kinds.tolist(), enable_categorical=True)
                   for X in (problem.inputs(), np.asarray(problem.table.X)))  # fmt: skip
    known.set_label(problem.y)
    expected = library.train(
        xgboost.parameters_of(configuration, problem, ctx), known, 40 if classes < 3 else 33
    ).predict(rows)
    if problem.scale is not None:
        expected = problem.scale.inverse(expected)
    found = model.predict(data.X)
    np.testing.assert_allclose(found[:, 1] if classes == 2 else found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("classes", "name", "objective", "losses"),
    [
        (2, "roc_auc", "binary:logistic", "logloss"), (2, "accuracy", "binary:logistic", "logloss"),
        (3, "log_loss", "multi:softprob", "mlogloss"), (3, "accuracy", "multi:softprob", "merror mlogloss"),
        (0, "rmse", "reg:squarederror", "rmse"), (0, "rmsle", "reg:squarederror", "rmse"),
        (0, "mae", "reg:squarederror", "mae"),
    ],
    ids=str,
)  # fmt: skip
def test_the_losses_follow_the_metric(classes: int, name: str, objective: str, losses: str, tmp_path: Path) -> None:
    data = mixed_table(100, classes=classes)
    found = parameters(data, context(data, tmp_path, name))
    assert (found["objective"], found["eval_metric"]) == (objective, losses.split())


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
    found = fit(bare, context(bare, tmp_path)).predict(bare.X)
    np.testing.assert_allclose(found, [[1 / 3, 1 / 3, 1 / 3]] * 60, atol=0.02)


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


def test_the_estimate_knows_classes_rounds_and_depth() -> None:
    def _seconds(classes: int, **values: Value) -> float:
        spec = mixed_table(100, classes=classes).spec
        return xgboost.CANDIDATE.estimate(spec, Configuration("xgboost", {**VALUES, **values}), 20_000).seconds(1)

    assert _seconds(5) > 2 * _seconds(2)
    assert _seconds(2, learning_rate=0.01) > 3 * _seconds(2)
    assert _seconds(2, max_depth=9) > 1.5 * _seconds(2)
