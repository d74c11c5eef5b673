from __future__ import annotations

import numpy as np

from automl.candidates.image.lightgbm_trees import trees_of

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
