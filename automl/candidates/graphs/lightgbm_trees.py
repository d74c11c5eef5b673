"""The trees of a LightGBM model in its text format, as arrays. Imported lazily, since `onnx_graphs` needs `onnx`."""

from __future__ import annotations

import numpy as np

from automl.candidates.graphs.interval_splits import Leaves, Splits, category_edges, members, trees_from
from automl.candidates.graphs.onnx_graphs import Trees

_ZERO = float(np.float32(1e-35))  # what lies within it counts as zero: kZeroThreshold in include/LightGBM/meta.h
_BELOW_ZERO = float(np.nextafter(np.float32(-1e-35), np.float32(-1)))
_AS_ZERO, _AS_NAN = 1, 2  # the missing types that have a direction of their own


def trees_of(text: str, present: np.ndarray) -> Trees:
    """Return the nodes of a LightGBM model in its text format, inner nodes of a tree first, then its leaves.

    Source: the format written by `Tree::ToString`, https://github.com/microsoft/LightGBM/blob/v4.6.0/src/io/tree.cpp;
    what a split does: `NumericalDecision` and `CategoricalDecision` in its include/LightGBM/tree.h.

    Args:
        text: the model.
        present: class codes that the model's classes 0, 1, … stand for; for one number as the target [0].
    """
    sections = [_fields(section) for section in text.split("\nTree=")[1:]]
    leaves = [_numbers(s, "leaf_value") for s in sections]
    per_round = 1 if len(present) == 2 else len(present)
    target = present[np.arange(len(sections)) % per_round] if per_round > 1 else np.full(len(sections), present[-1])
    tree = np.repeat(np.arange(len(sections)), [len(values) for values in leaves])
    return trees_from(_splits(sections), Leaves(tree, target[tree], np.concatenate(leaves)))


def _splits(sections: list[dict[str, str]]) -> Splits:
    threshold, kind, left, right, column = (
        np.concatenate([_numbers(section, name) for section in sections])
        for name in ("threshold", "decision_type", "left_child", "right_child", "split_feature")
    )
    tree = np.repeat(np.arange(len(sections)), [len(_numbers(section, "threshold")) for section in sections])
    kind = kind.astype(np.int64)
    is_category, is_default_left, missing = (kind & 1) > 0, (kind & 2) > 0, kind >> 2
    edges = list(threshold[:, None])
    for split in np.flatnonzero(is_category):
        edges[split] = category_edges(members(_words(sections[tree[split]], int(threshold[split]))))
    for split in np.flatnonzero(~is_category & (missing == _AS_ZERO)):
        edges[split] = _zero_edges(float(threshold[split]), is_left=bool(is_default_left[split]))
    has_direction = (missing == _AS_NAN) | (missing == _AS_ZERO)
    return Splits(
        tree=tree,
        column=column.astype(np.int64),
        counts=np.array([len(e) for e in edges], np.int64),
        edges=np.concatenate(edges) if edges else np.zeros(0),
        last=right.astype(np.int64),
        other=left.astype(np.int64),
        missing_other=~is_category & np.where(has_direction, is_default_left, threshold >= 0),
    )


def _zero_edges(threshold: float, *, is_left: bool) -> np.ndarray:
    """Return the edges of a split that sends zero its own way; further edges only where that differs from the rest.

    A threshold never lies within zero's bin.
    """
    if is_left == (threshold >= _ZERO):
        return np.array([threshold])
    if is_left:  # all that is above the threshold goes right, but zero
        return np.array([threshold, _BELOW_ZERO, _ZERO])
    return np.array([_BELOW_ZERO, _ZERO, threshold])


def _words(section: dict[str, str], number: int) -> np.ndarray:
    """Return the bits of a categorical split's set, by the number that stands in place of a threshold."""
    first, end = section["cat_boundaries"].split()[number : number + 2]
    return np.array(section["cat_threshold"].split()[int(first) : int(end)], dtype=np.int64)


def _fields(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.split("\n\n", 1)[0].splitlines() if "=" in line)


def _numbers(section: dict[str, str], name: str) -> np.ndarray:
    """Return a field's numbers; a tree of one leaf has no inner nodes."""
    return np.array(section.get(name, "").split(), dtype=np.float64)
