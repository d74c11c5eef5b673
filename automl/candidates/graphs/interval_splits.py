"""Splits that send intervals of a feature to two sides in turns, as chains of threshold tests.

Categorical splits, and splits that send zero or a missing value its own way, become tests of the one kind that a tree
of plain thresholds has. A chain of equalities does the same, but a graph with one kind of test is quicker: 26,600 nodes
of thresholds take 12 us a row on one core, 23,800 nodes with equalities among them 14. Imported lazily, since
`onnx_graphs` needs `onnx`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl.candidates.graphs.onnx_graphs import Trees

_BITS = 32


@dataclass(frozen=True)
class Splits:
    """The splits of several trees, one entry each, those of a tree together and its root first.

    Attributes:
        tree: which tree a split belongs to; trees are numbered 0, 1, ….
        column: the feature.
        counts: how many edges the split has, at least 1.
        edges: float64, those of all splits one after the other, rising within a split. An edge ends an interval and
            lies in it.
        last: where the interval behind the last edge goes: j is the j-th split of the tree, -1 - j its j-th leaf.
        other: where the interval before it goes; further ones take turns.
        missing_other: whether a missing value goes to other.
    """

    tree: np.ndarray
    column: np.ndarray
    counts: np.ndarray
    edges: np.ndarray
    last: np.ndarray
    other: np.ndarray
    missing_other: np.ndarray


@dataclass(frozen=True)
class Leaves:
    """The leaves of several trees, those of a tree together.

    Attributes:
        tree: which tree a leaf belongs to.
        target: the class its weight is added to.
        weight: what is added.
    """

    tree: np.ndarray
    target: np.ndarray
    weight: np.ndarray


def trees_from(splits: Splits, leaves: Leaves) -> Trees:
    """Return the nodes: of each tree its splits, a node for each edge, then its leaves.

    A test that fails goes on to the next edge, one that holds ends the chain. So a node's false side is never shared,
    which onnxruntime's layout of trees needs; its true side may be.
    """
    count = int(leaves.tree[-1]) + 1
    nodes = np.bincount(splits.tree, weights=splits.counts, minlength=count).astype(np.int64)
    first = _starts(splits.counts) - _starts(nodes)[splits.tree]
    owner = np.repeat(np.arange(len(splits.tree)), splits.counts)
    after = splits.counts[owner] - 1 - (np.arange(len(owner)) - _starts(splits.counts)[owner])  # edges behind this one
    last, other = (_places(splits, ends, first, nodes)[owner] for ends in (splits.last, splits.other))
    here = first[owner] + splits.counts[owner] - 1 - after
    order = np.argsort(np.concatenate([splits.tree[owner], leaves.tree]), kind="stable")
    blank = np.zeros(len(leaves.tree), np.int64)
    return Trees(
        tree=np.concatenate([splits.tree[owner], leaves.tree])[order],
        column=np.concatenate([splits.column[owner], blank - 1])[order],
        threshold=np.concatenate([splits.edges, blank.astype(np.float64)])[order],
        left=np.concatenate([np.where(after % 2 == 0, other, last), blank])[order],
        right=np.concatenate([np.where(after == 0, last, here + 1), blank])[order],
        leaf=np.flatnonzero(order >= len(owner)),
        target=leaves.target,
        weight=leaves.weight,
        missing_left=np.concatenate([splits.missing_other[owner] & (after == 0), blank.astype(bool)])[order],
    )


def _places(splits: Splits, ends: np.ndarray, first: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Return the node number within its tree for each of ends."""
    tree_starts = np.searchsorted(splits.tree, np.arange(len(nodes)))
    as_split = first[np.minimum(tree_starts[splits.tree] + np.maximum(ends, 0), max(len(first) - 1, 0))]
    return np.asarray(np.where(ends < 0, nodes[splits.tree] - 1 - ends, as_split))


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.asarray(np.cumsum(counts) - counts)


def category_edges(categories: np.ndarray) -> np.ndarray:
    """Return the edges between the integers that are in a set and those that are not, the last one behind its largest.

    What lies between two whole numbers counts as the lower one, as in LightGBM and XGBoost.

    Args:
        categories: whole numbers from 0, rising, at least one.
    """
    is_start = np.r_[True, np.diff(categories) > 1]
    is_end = np.r_[is_start[1:], True]
    edges = np.stack([categories[is_start], categories[is_end] + 1], axis=1).ravel().astype(np.float32)
    below = np.nextafter(edges, np.float32(-np.inf)).astype(np.float64)
    return np.where(edges == 0, -1.0, below)


def members(words: np.ndarray) -> np.ndarray:
    """Return the whole numbers whose bit is set, 32 bits to a word, the lowest first."""
    bits = (words.astype(np.int64)[:, None] >> np.arange(_BITS)) & 1
    return np.flatnonzero(bits.ravel())
