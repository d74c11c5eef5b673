from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost

from automl.candidates.graphs.onnx_graphs import tree_softmax
from automl.candidates.graphs.onnx_values import Inverse, tree_values
from automl.candidates.graphs.xgboost_trees import trees_of

AS_IT_IS = Inverse("none", mean=0, std=1, spread=1, low=-1e9, high=1e9)
OPTIONS: dict[str, dict[str, Any]] = {
    "sets of categories": {"max_cat_to_onehot": 1},
    "categories one against the rest": {"max_cat_to_onehot": 50},
    "leaf by leaf": {"grow_policy": "lossguide", "max_leaves": 10},
    "absolute loss": {"objective": "reg:absoluteerror"},
}


def as_matrix(X: np.ndarray, y: np.ndarray | None = None) -> xgboost.DMatrix:
    return xgboost.DMatrix(X, y, feature_types=list("qccqq"), enable_categorical=True, nthread=1)


def trained(X: np.ndarray, y: np.ndarray, **parameters: Any) -> xgboost.Booster:
    return xgboost.train({"nthread": 1, "tree_method": "hist", **parameters}, as_matrix(X, y), 15)


def rows_of(table: Any) -> np.ndarray:
    """Return known and strange rows; XGBoost refuses categories beyond 2 ** 24 and takes any other."""
    return np.concatenate([table.X, table.strange])


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_graph_of_numbers_equals_xgboost(options: dict[str, Any], tree_table: Any, answers: Any) -> None:
    booster = trained(tree_table.X, tree_table.target, **options)
    graph = tree_values(trees_of(booster.save_raw("json"), np.array([0])), 5, AS_IT_IS)
    rows = rows_of(tree_table)
    np.testing.assert_allclose(answers(graph, rows), booster.predict(as_matrix(rows)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3], ids=["two classes", "three classes"])
def test_the_graph_of_classes_equals_xgboost(classes: int, tree_table: Any, answers: Any) -> None:
    target = {"objective": "binary:logistic"} if classes == 2 else {"objective": "multi:softprob", "num_class": 3}
    weights = np.where(tree_table.labels(classes) == 0, 5.0, 1.0)
    table = as_matrix(tree_table.X, tree_table.labels(classes))
    table.set_weight(weights)
    booster = xgboost.train({"nthread": 1, **target}, table, 15)
    present, rows = np.arange(classes), rows_of(tree_table)
    found = answers(tree_softmax(trees_of(booster.save_raw("json"), present), 5, present >= 0), rows)
    expected = booster.predict(as_matrix(rows))
    np.testing.assert_allclose(found[:, 1] if classes == 2 else found, expected, atol=1e-5)


def test_a_threshold_itself_goes_right(answers: Any) -> None:
    X = np.array([[1.0], [1.0], [2.0], [2.0]], np.float32)
    booster = xgboost.train({"nthread": 1, "min_child_weight": 0}, xgboost.DMatrix(X, np.array([0, 0, 1, 1])), 3)
    cuts = [tree["split_conditions"][0] for tree in trees_json(booster)]
    rows = np.array([[cut] for cut in cuts] + [[np.nextafter(np.float32(cut), np.float32(0))] for cut in cuts])
    graph = tree_values(trees_of(booster.save_raw("json"), np.array([0])), 1, AS_IT_IS)
    rows = rows.astype(np.float32)
    np.testing.assert_allclose(answers(graph, rows), booster.predict(xgboost.DMatrix(rows)), rtol=1e-5, atol=1e-6)


def test_what_it_starts_from_is_a_lone_leaf_for_each_class() -> None:
    X, y = np.zeros((4, 1), np.float32), np.array([0, 0, 0, 1])
    booster = xgboost.train(
        {"nthread": 1, "objective": "binary:logistic", "base_score": 0.25}, xgboost.DMatrix(X, y), 1
    )
    trees = trees_of(booster.save_raw("json"), np.array([4, 7]))
    assert trees.target.tolist() == [7, 7]
    assert trees.weight[-1] == pytest.approx(np.log(1 / 3))


def trees_json(booster: xgboost.Booster) -> list[dict[str, Any]]:
    import json

    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]
    return [tree for tree in model["trees"] if tree["left_children"][0] >= 0]
