from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from automl.candidates.graphs.lightgbm_trees import trees_of
from automl.candidates.graphs.onnx_graphs import tree_softmax
from automl.candidates.graphs.onnx_values import Inverse, tree_values

AS_IT_IS = Inverse("none", mean=0, std=1, spread=1, low=-1e9, high=1e9)
OPTIONS: dict[str, dict[str, Any]] = {
    "missing values with a direction": {},
    "missing values as zero": {"use_missing": False},
    "zero as missing": {"zero_as_missing": True},
    "categories one against the rest": {"max_cat_to_onehot": 50},
    "thresholds at random": {"extra_trees": True},
}

MODEL = """tree
version=v4
num_class=1

Tree=0
num_leaves=3
split_feature=4 1
threshold=0.5 1.0000000180025095e-35
decision_type=2 2
left_child=1 -1
right_child=-3 -2
leaf_value=0.125 -0.25 0.5
shrinkage=0.1


Tree=1
num_leaves=1
leaf_value=0.75
shrinkage=1


end of trees
"""


def test_inner_nodes_come_first_and_children_are_numbered_within_a_tree() -> None:
    trees = trees_of(MODEL, np.array([0, 1]))
    assert trees.tree.tolist() == [0, 0, 0, 0, 0, 1]
    assert trees.column.tolist() == [4, 1, -1, -1, -1, -1]
    assert trees.left[:2].tolist() == [1, 2]
    assert trees.right[:2].tolist() == [4, 3]


def test_thresholds_keep_all_digits() -> None:
    assert trees_of(MODEL, np.array([0, 1])).threshold[:2].tolist() == [0.5, 1.0000000180025095e-35]


def test_two_classes_add_to_the_second_one_present() -> None:
    trees = trees_of(MODEL, np.array([3, 7]))
    assert trees.target.tolist() == [7, 7, 7, 7]
    assert trees.weight.tolist() == [0.125, -0.25, 0.5, 0.75]
    assert trees.leaf.tolist() == [2, 3, 4, 5]


def test_several_classes_take_turns() -> None:
    assert trees_of(MODEL, np.array([2, 5, 6])).target.tolist() == [2, 2, 2, 5]


def test_a_tree_without_missing_values_sends_them_as_zero() -> None:
    trees = trees_of(MODEL, np.array([0, 1]))
    assert trees.missing_left is not None
    assert trees.missing_left.tolist() == [True, True, False, False, False, False]


def test_a_set_of_categories_becomes_a_chain_of_thresholds() -> None:
    text = MODEL.replace("threshold=0.5 1.0", "cat_boundaries=0 1\ncat_threshold=9\nthreshold=0 1.0")
    trees = trees_of(text.replace("decision_type=2", "decision_type=1"), np.array([0, 1]))  # {0, 3} goes left
    assert trees.threshold[:4].tolist() == pytest.approx([-1, 1, 3, 4])
    assert trees.left[:4].tolist() == [7, 4, 7, 4]
    assert trees.right[:4].tolist() == [1, 2, 3, 7]


def trained(X: np.ndarray, y: np.ndarray, **parameters: Any) -> lightgbm.Booster:
    fixed = {"num_threads": 1, "verbose": -1, "min_data_in_leaf": 5, "min_data_per_group": 5, "cat_smooth": 1}
    table = lightgbm.Dataset(X, y, categorical_feature=[1, 2])
    return lightgbm.train({**fixed, **parameters}, table, 20)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_graph_of_numbers_equals_lightgbm(options: dict[str, Any], tree_table: Any, answers: Any) -> None:
    booster = trained(tree_table.X, tree_table.target, objective="regression", **options)
    graph = tree_values(trees_of(booster.model_to_string(), np.array([0])), 5, AS_IT_IS)
    rows = np.concatenate([tree_table.X, tree_table.strange])
    np.testing.assert_allclose(answers(graph, rows), booster.predict(rows), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3], ids=["two classes", "three classes"])
def test_the_graph_of_classes_equals_lightgbm(classes: int, tree_table: Any, answers: Any) -> None:
    target = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    booster = trained(tree_table.X, tree_table.labels(classes), **target)
    present = np.arange(classes)
    graph = tree_softmax(trees_of(booster.model_to_string(), present), 5, present >= 0)
    found, expected = answers(graph, tree_table.strange), booster.predict(tree_table.strange)
    np.testing.assert_allclose(found[:, 1] if classes == 2 else found, expected, atol=1e-5)


def test_negative_codes_are_in_no_set(tree_table: Any, answers: Any) -> None:
    booster = trained(tree_table.X, tree_table.target, objective="regression")
    graph = tree_values(trees_of(booster.model_to_string(), np.array([0])), 5, AS_IT_IS)
    rows = tree_table.X.copy()
    rows[:, 1:3] = -1
    np.testing.assert_allclose(answers(graph, rows), booster.predict(rows), rtol=1e-5, atol=1e-5)
