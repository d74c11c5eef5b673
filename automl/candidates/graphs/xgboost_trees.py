"""The trees of an XGBoost model in its JSON format, as arrays. Imported lazily, since `onnx_graphs` needs `onnx`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.graphs.interval_splits import Leaves, Splits, category_edges, trees_from
from automl.candidates.graphs.onnx_graphs import Trees

_FIELDS = ("left_children", "right_children", "split_indices", "split_conditions", "default_left", "split_type")


class _Nodes(NamedTuple):
    """The nodes of all trees, one after the other; children are numbered within their tree, leaves have none."""

    tree: np.ndarray
    left: np.ndarray
    right: np.ndarray
    column: np.ndarray
    value: np.ndarray
    is_default_left: np.ndarray
    is_category: np.ndarray


def trees_of(text: bytes | bytearray | str, present: np.ndarray) -> Trees:
    """Return the nodes of an XGBoost model in its JSON format; what it starts from stands as a lone leaf per class.

    Source: https://github.com/dmlc/xgboost/blob/v3.0.0/doc/model.schema; what a split does: `GetNextNode` in its
    include/xgboost/tree_model.h and `Decision` in src/common/categorical.h.

    Args:
        text: the model, of the booster gbtree and an objective of class codes or numbers.
        present: class codes that the model's classes 0, 1, … stand for; for one number as the target [0].
    """
    learner = json.loads(text)["learner"]
    model = learner["gradient_booster"]["model"]
    trees = model["trees"]
    nodes = _nodes(trees)
    is_leaf = nodes.left < 0
    classes = present[-1:] if len(present) == 2 else present
    target = classes[np.array(model["tree_info"], np.int64)[nodes.tree[is_leaf]]]
    base = _base(learner, len(classes))
    leaves = Leaves(
        tree=np.r_[nodes.tree[is_leaf], len(trees) + np.arange(len(classes))],
        target=np.r_[target, classes],
        weight=np.r_[nodes.value[is_leaf], base],
    )
    return trees_from(_splits(nodes, trees), leaves)


def _base(learner: Mapping[str, Any], classes: int) -> np.ndarray:
    """Return what each class's sum starts from; one number until version 3.1, then a list, as text."""
    stored = np.atleast_1d(np.array(json.loads(learner["learner_model_param"]["base_score"]), np.float64))
    is_probability = learner["objective"]["name"] == "binary:logistic"
    return np.broadcast_to(np.log(stored / (1 - stored)) if is_probability else stored, classes)


def _nodes(trees: list[dict[str, Any]]) -> _Nodes:
    left, right, column, value, default_left, kind = (
        np.concatenate([np.asarray(tree[name], np.float64) for tree in trees]) for name in _FIELDS
    )
    number = np.repeat(np.arange(len(trees)), [len(tree["left_children"]) for tree in trees])
    left, right, column = (part.astype(np.int64) for part in (left, right, column))
    return _Nodes(number, left, right, column, value, default_left > 0, kind > 0)


def _splits(nodes: _Nodes, trees: list[dict[str, Any]]) -> Splits:
    is_split = nodes.left >= 0
    tree, is_category = nodes.tree[is_split], nodes.is_category[is_split]
    starts = np.searchsorted(nodes.tree, np.arange(len(trees)))[tree]
    place = _places(nodes.tree, is_split)
    left, right = place[starts + nodes.left[is_split]], place[starts + nodes.right[is_split]]
    below = np.nextafter(nodes.value[is_split].astype(np.float32), np.float32(-np.inf)).astype(np.float64)
    edges = list(below[:, None])  # what is below the value goes left: at most the float32 before it
    for split, categories in zip(np.flatnonzero(is_category), _categories(trees), strict=True):
        edges[split] = category_edges(categories)
    return Splits(
        tree=tree,
        column=nodes.column[is_split],
        counts=np.array([len(e) for e in edges], np.int64),
        edges=np.concatenate(edges) if edges else np.zeros(0),
        last=np.where(is_category, left, right),  # categories in the set go right
        other=np.where(is_category, right, left),
        missing_other=nodes.is_default_left[is_split] ^ is_category,
    )


def _places(tree: np.ndarray, is_split: np.ndarray) -> np.ndarray:
    """Return for each node j where it is the j-th split of its tree, -1 - j where it is the j-th leaf."""
    firsts = np.searchsorted(tree, tree)
    splits, leaves = np.cumsum(is_split) - is_split, np.cumsum(~is_split) - ~is_split
    return np.asarray(np.where(is_split, splits - splits[firsts], -1 - (leaves - leaves[firsts])))


def _categories(trees: list[dict[str, Any]]) -> list[np.ndarray]:
    """Return the sets of all categorical splits, in the order of their nodes."""
    sets: list[np.ndarray] = []
    for tree in trees:
        values = np.array(tree["categories"], np.int64)
        order = np.argsort(np.array(tree["categories_nodes"], np.int64), kind="stable")
        spans = list(zip(tree["categories_segments"], tree["categories_sizes"], strict=True))
        sets += [np.sort(values[start : start + size]) for start, size in (spans[i] for i in order)]
    return sets
