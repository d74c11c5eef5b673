"""The trees of a LightGBM model in its text format, as arrays. Imported lazily, since `onnx_graphs` needs `onnx`."""

from __future__ import annotations

import numpy as np

from automl.candidates.image.onnx_graphs import Trees


def trees_of(text: str, present: np.ndarray) -> Trees:
    """Return the nodes of a LightGBM model in its text format, inner nodes of a tree first, then its leaves.

    Source: the format written by `Tree::ToString`, https://github.com/microsoft/LightGBM/blob/v4.6.0/src/io/tree.cpp.

    Args:
        text: the model.
        present: class codes that the model's classes 0, 1, … stand for.
    """
    sections = [_fields(section) for section in text.split("\nTree=")[1:]]
    inner = [_numbers(s, "split_feature").astype(np.int64) for s in sections]
    leaves = [_numbers(s, "leaf_value") for s in sections]
    sizes = [len(i) + len(v) for i, v in zip(inner, leaves, strict=True)]
    starts = np.cumsum([0, *sizes[:-1]])
    per_round = 1 if len(present) == 2 else len(present)
    target = present[np.arange(len(sections)) % per_round] if per_round > 1 else np.full(len(sections), present[1])
    blank = [np.zeros(len(v), np.int64) for v in leaves]
    return Trees(
        tree=np.repeat(np.arange(len(sections)), sizes),
        column=_interleave(inner, [b - 1 for b in blank]),
        threshold=_interleave([_numbers(s, "threshold") for s in sections], [b.astype(np.float64) for b in blank]),
        left=_interleave([_children(s, "left_child") for s in sections], blank),
        right=_interleave([_children(s, "right_child") for s in sections], blank),
        leaf=np.concatenate(
            [start + len(i) + np.arange(len(v)) for start, i, v in zip(starts, inner, leaves, strict=True)]
        ),
        target=np.repeat(target, [len(v) for v in leaves]),
        weight=np.concatenate(leaves),
    )


def _fields(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.split("\n\n", 1)[0].splitlines() if "=" in line)


def _numbers(section: dict[str, str], name: str) -> np.ndarray:
    """Return a field's numbers; a tree of one leaf has no inner nodes."""
    return np.array(section.get(name, "").split(), dtype=np.float64)


def _children(section: dict[str, str], name: str) -> np.ndarray:
    """Return node numbers; LightGBM writes leaf j as -1 - j."""
    child = _numbers(section, name).astype(np.int64)
    return np.where(child < 0, len(child) - 1 - child, child)


def _interleave(inner: list[np.ndarray], leaves: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([part for pair in zip(inner, leaves, strict=True) for part in pair])
