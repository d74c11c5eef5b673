from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular.boosting_problem import ENGINEERED, options_of, problem_of
from automl.core.metrics import metric
from automl.core.space import Configuration, Value
from automl.testing.context import ArrayData, LocalContext, mixed_table

PLAIN: dict[str, Value] = {
    "categories": "native",
    "features": "none",
    "texts": 100,
    "class_weights": "none",
    "target": "none",
}


def context(data: ArrayData, folder: Path, rows: np.ndarray | None = None, **given: Any) -> LocalContext:
    train = np.arange(data.spec.rows) if rows is None else rows
    return LocalContext(train, np.arange(0), len(data.spec.classes), folder, **given)


def configured(**values: Value) -> Configuration:
    return Configuration("gbdt", {**PLAIN, **values})


@pytest.mark.parametrize(
    ("chosen", "encoding"), [("native", "codes"), ("target", "target"), ("frequency", "frequency")], ids=str
)
def test_categories_are_encoded_as_chosen(chosen: str, encoding: str) -> None:
    options = options_of(configured(categories=chosen, texts=7))
    assert (options.categories, options.numbers, options.missing, options.texts) == (encoding, "raw", "keep", 7)
    assert options.features.most == 0


def test_engineered_features_are_a_choice() -> None:
    assert options_of(configured(features="engineered")).features.most == ENGINEERED


def test_classes_are_numbered_without_gaps(tmp_path: Path) -> None:
    data = mixed_table(300, classes=4)
    ctx = context(data, tmp_path, np.flatnonzero(data.y != 1))
    found = problem_of(data, ctx, configured())
    assert np.unique(found.y).tolist() == [0, 1, 2]
    assert found.present.tolist() == [True, False, True, True]
    assert (found.goal, found.trees_a_round) == ("many", 3)


def test_two_classes_that_are_left_are_one_tree_a_round(tmp_path: Path) -> None:
    data = mixed_table(300, classes=3)
    found = problem_of(data, context(data, tmp_path, np.flatnonzero(data.y != 0)), configured())
    assert (found.goal, found.trees_a_round) == ("two", 1)


def test_values_have_mean_zero_and_spread_one(tmp_path: Path) -> None:
    data = mixed_table(300, classes=0)
    found = problem_of(data, context(data, tmp_path, metric=metric("rmse")), configured())
    assert (found.goal, found.y.mean(), found.y.std()) == ("value", pytest.approx(0, abs=1e-9), pytest.approx(1))
    assert found.scale is not None
    np.testing.assert_allclose(found.scale.inverse(found.y), data.y)


def test_rows_are_held_out_of_the_training_rows_in_any_order(tmp_path: Path) -> None:
    data = mixed_table(400)
    rows = np.random.default_rng(0).permutation(400)[:300]
    ctx = context(data, tmp_path, rows)
    found = problem_of(data, ctx, configured())
    assert sorted(rows[found.is_held]) == sorted(ctx.holdout(0.15, most=5000).held_rows)


def test_few_rows_are_all_learned_from(tmp_path: Path) -> None:
    data = mixed_table(150)
    assert not problem_of(data, context(data, tmp_path), configured()).is_held.any()


def test_weights_of_classes_and_rows_are_multiplied(tmp_path: Path) -> None:
    data = mixed_table(300, classes=3)
    rows = np.flatnonzero((data.y != 2) | (np.arange(300) % 2 == 0))
    weighted = dataclasses.replace(data, weights=np.where(np.arange(300) < 150, 0.5, 1.5))
    found = problem_of(weighted, context(data, tmp_path, rows), configured(class_weights="balanced"))
    assert found.weights is not None
    assert found.weights.mean() == pytest.approx(1)
    late = found.weights[found.rows >= 150]
    assert late[found.y[found.rows >= 150] == 2].min() > 1.9 * late[found.y[found.rows >= 150] == 1].max()


def test_without_weights_there_are_none(tmp_path: Path) -> None:
    data = mixed_table(100)
    assert problem_of(data, context(data, tmp_path), configured()).weights is None


def test_inputs_are_the_encoded_training_rows(tmp_path: Path) -> None:
    data = mixed_table(100)
    found = problem_of(data, context(data, tmp_path, np.array([7, 3])), configured())
    np.testing.assert_array_equal(found.inputs(), np.asarray(found.table.X)[[7, 3]])


@pytest.mark.parametrize("rows", [[0, 3, 6], [0, 1, 2]], ids=["one class", "three classes"])
def test_one_class_alone_teaches_nothing(rows: list[int], tmp_path: Path) -> None:
    data = mixed_table(100)
    found = problem_of(data, context(data, tmp_path, np.array(rows)), configured())
    assert found.is_learnable() == (len(set(data.y[rows].tolist())) > 1)
