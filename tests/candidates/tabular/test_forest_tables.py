from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor

from automl.candidates.tabular.encoding import EncoderOptions, encoded
from automl.candidates.tabular.forest import CANDIDATE
from automl.candidates.tabular.table_model import TableModel
from automl.core.clock import FakeClock
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.testing.context import ArrayData, LocalContext, mixed_table, one_member

BOTH = {"categories": "codes", "texts": 0, "splits": "extra", "trees": 20, "column_power": 0.5, "min_leaf": 2}
CLASSES = {**BOTH, "criterion": "gini", "class_weights": "none"}
VALUES = {**BOTH, "target": "none"}


def context(data: ArrayData, folder: Path, **more: Any) -> LocalContext:
    rows, cut = np.arange(data.spec.rows), data.spec.rows * 3 // 4
    which = metric("accuracy" if data.spec.classes else "rmse")
    return LocalContext(rows[:cut], rows[cut:], len(data.spec.classes), folder, metric=which, **more)


def fit(data: ArrayData, values: dict[str, Any], ctx: LocalContext) -> TableModel:
    configuration = Configuration("forest", values)
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


def columns(data: ArrayData, ctx: LocalContext) -> np.ndarray:
    return encoded(data, ctx, EncoderOptions(numbers="raw", missing="impute", categories="codes", texts=0)).X


def test_the_graph_of_classes_answers_as_the_library_does(tmp_path: Path) -> None:
    data = mixed_table(200)
    ctx = context(data, tmp_path)
    X, found = columns(data, ctx), fit(data, CLASSES, ctx).predict(data.X)
    forest = ExtraTreesClassifier(20, min_samples_leaf=2, max_features=round(X.shape[1] ** 0.5), random_state=0)
    expected = forest.fit(X[ctx.train_rows], data.y[ctx.train_rows]).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_graph_of_values_answers_as_the_library_does(tmp_path: Path) -> None:
    data = mixed_table(200, classes=0)
    ctx = context(data, tmp_path)
    X, found = columns(data, ctx), fit(data, {**VALUES, "splits": "random", "column_power": 1.0}, ctx).predict(data.X)
    y, learned = data.y, data.y[ctx.train_rows]
    forest = RandomForestRegressor(20, min_samples_leaf=2, random_state=0)
    forest.fit(X[ctx.train_rows], (learned - learned.mean()) / learned.std())
    np.testing.assert_allclose(found, forest.predict(X) * learned.std() + learned.mean(), rtol=1e-4, atol=1e-4)
    assert metric("rmse").score(y, found) < y.std() / 2


def test_weights_of_classes_raise_the_rare_one(tmp_path: Path) -> None:
    data = mixed_table(300)
    data = dataclasses.replace(data, y=np.where(np.arange(300) % 10 == 0, 1, 0))
    plain, balanced = (
        fit(data, {**CLASSES, "class_weights": how, "min_leaf": 10}, context(data, tmp_path)).predict(data.X)[:, 1]
        for how in ("none", "balanced")
    )
    assert balanced.mean() > plain.mean() + 0.1


def test_a_forest_that_would_be_too_large_has_larger_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = mixed_table(300, classes=0)
    whole = len(fit(data, VALUES, context(data, tmp_path)).graph)
    monkeypatch.setattr("automl.candidates.tabular.forest._MOST_LEAVES", 500)
    assert len(fit(data, VALUES, context(data, tmp_path)).graph) < whole / 3


def test_when_time_ends_the_trees_there_are_the_forest(tmp_path: Path) -> None:
    data = mixed_table(120)
    ctx = context(data, tmp_path, is_timed=True, seconds=10.0, clock=_Slow())
    assert fit(data, {**CLASSES, "trees": 100}, ctx).predict(data.X).shape == (120, 3)
    assert ctx.notes == {"trees": "40 of 100: the time ended"}


class _Slow(FakeClock):
    """A clock on which a second passes at each look."""

    def now(self) -> float:
        """Return the time and let it pass."""
        self.advance(1.0)
        return super().now()


def test_no_time_is_said(tmp_path: Path) -> None:
    data = mixed_table(60)
    with pytest.raises(TimeoutError, match=r"forest with its first 10 trees takes about .* Raise the budget"):
        fit(data, CLASSES, context(data, tmp_path, is_timed=True, seconds=0.0))


def test_the_estimate_grows_with_trees_and_columns() -> None:
    spec = mixed_table(90).spec
    costs = [
        CANDIDATE.estimate(spec, Configuration("forest", {**CLASSES, **more}), 1000).seconds(1)
        for more in ({}, {"trees": 300}, {"trees": 300, "column_power": 1.0})
    ]
    assert costs == sorted(costs)
