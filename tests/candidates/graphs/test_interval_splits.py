from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from automl.candidates.graphs.interval_splits import Leaves, Splits, category_edges, members, trees_from
from automl.candidates.graphs.onnx_graphs import Trees, tree_mean

STUMP: dict[str, Any] = {  # -1 0 | 2 | 3 …: right, other, right again, then other
    "tree": np.array([0]), "column": np.array([0]), "counts": np.array([3]), "edges": np.array([0.0, 2.0, 3.0]),
    "last": np.array([-2]), "other": np.array([-1]), "missing_other": np.array([True]),
}  # fmt: skip
TWO = Leaves(np.array([0, 0]), np.array([0, 0]), np.array([1.0, 2.0]))


def answers(trees: Trees, *values: float) -> list[float]:
    session = onnxruntime.InferenceSession(tree_mean(trees, 1, 1), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": np.array(values, np.float32)[:, None]})
    return [float(value) for value in found[:, 0]]


def test_intervals_take_turns_and_own_their_upper_edge() -> None:
    found = answers(trees_from(Splits(**STUMP), TWO), -9, 0, 0.5, 2, 2.5, 3, 3.5)
    assert found == [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("is_other", [True, False], ids=["to the other side", "behind the last edge"])
def test_a_missing_value_goes_where_it_is_sent(is_other: bool) -> None:
    splits = Splits(**{**STUMP, "missing_other": np.array([is_other])})
    assert answers(trees_from(splits, TWO), float("nan")) == [1.0 if is_other else 2.0]


def test_a_failed_test_leads_to_a_node_of_its_own() -> None:
    trees = trees_from(Splits(**STUMP), TWO)
    assert trees.left.tolist() == [3, 4, 3, 0, 0]
    assert trees.right.tolist() == [1, 2, 4, 0, 0]


def test_chains_of_several_trees_are_numbered_within_their_tree() -> None:
    twice = {name: np.concatenate([part, part]) for name, part in STUMP.items()} | {"tree": np.array([0, 1])}
    leaves = Leaves(np.array([0, 0, 1, 1]), np.zeros(4, np.int64), np.array([1.0, 2.0, 10.0, 20.0]))
    trees = trees_from(Splits(**twice), leaves)
    assert trees.left.tolist() == [3, 4, 3, 0, 0] * 2
    assert answers(trees, 0, 1, 3, 4) == [11.0, 22.0, 11.0, 22.0]


def test_a_split_may_lead_to_splits_of_the_same_tree() -> None:
    splits = Splits(
        tree=np.array([0, 0]), column=np.array([0, 0]), counts=np.array([1, 2]), edges=np.array([5.0, 1.0, 2.0]),
        last=np.array([-1, -2]), other=np.array([1, -3]), missing_other=np.array([False, True]),
    )  # fmt: skip
    leaves = Leaves(np.zeros(3, np.int64), np.zeros(3, np.int64), np.array([7.0, 8.0, 9.0]))
    assert answers(trees_from(splits, leaves), 6, 4, 2, 1) == [7.0, 8.0, 9.0, 8.0]


def test_trees_of_one_leaf_need_no_split() -> None:
    none = {name: part[:0] for name, part in STUMP.items()}
    leaves = Leaves(np.array([0, 1]), np.array([0, 0]), np.array([0.25, 0.5]))
    assert answers(trees_from(Splits(**none), leaves), 3) == [0.75]


@pytest.mark.parametrize("chosen", [[0], [3], [0, 1, 2], [1, 3, 4, 9], [0, 31, 32, 33, 64]], ids=str)
def test_category_edges_tell_the_members_of_a_set_from_all_other_whole_numbers(chosen: list[int]) -> None:
    edges = category_edges(np.array(chosen))
    splits = Splits(**{**STUMP, "counts": np.array([len(edges)]), "edges": edges})
    found = answers(trees_from(splits, TWO), *range(-2, 70))
    assert [number for number, answer in zip(range(-2, 70), found, strict=True) if answer == 1.0] == chosen


def test_members_are_the_bits_that_are_set() -> None:
    assert members(np.array([0b1001, 1, 1 << 31])).tolist() == [0, 3, 32, 95]
