"""What a booster of trees learns from: encoded rows, targets without gaps, weights, and which rows are held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from automl.candidates.tabular.encoder_options import Categories, EncoderOptions, FeatureOptions
from automl.candidates.tabular.encoding import Encoded, encoded
from automl.candidates.tabular.targets import ClassWeighting, TargetChoice, TargetScale, row_weights, target_choice
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

HELD_SHARE, MOST_HELD = 0.15, 5000
FEWEST_HELD = 30
"""Fewer rows held out do not tell when to stop; then the rounds are given."""
ENGINEERED = 40
"""Columns that `features = "engineered"` adds at most."""

_CATEGORIES: Mapping[str, Categories] = {"native": "codes", "target": "target", "frequency": "frequency"}

Goal = Literal["two", "many", "value"]
"""What is predicted: one of two classes, one of several, or a number."""


@dataclass(frozen=True)
class Problem:
    """Rows to learn from and what is to be learned.

    Attributes:
        table: all rows of the data, encoded.
        rows: row numbers (n,) in the table that are learned from.
        y: (n,) class codes 0, 1, … without gaps, or float64 targets with mean 0 and spread 1.
        weights: (n,) mean 1; None where all rows count alike.
        is_held: (n,) which rows show when to stop; none of them if they were too few for it.
        present: (classes,) whether a class has a row; [True] for a number.
        scale: the way back from y to numbers; None for classes.
    """

    table: Encoded
    rows: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    is_held: np.ndarray
    present: np.ndarray
    scale: TargetScale | None

    @property
    def goal(self) -> Goal:
        """Return what is predicted."""
        if self.scale is not None:
            return "value"
        return "two" if int(self.present.sum()) == 2 else "many"

    @property
    def trees_a_round(self) -> int:
        """Return how many trees a round adds: one for each class of several."""
        return int(self.present.sum()) if self.goal == "many" else 1

    def inputs(self) -> np.ndarray:
        """Return a copy of the encoded rows that are learned from, float32 (n, width)."""
        return np.asarray(self.table.X[self.rows])

    def is_learnable(self) -> bool:
        """Whether there are two different targets and a column."""
        return self.table.X.shape[1] > 0 and bool((self.y != self.y[0]).any())


def options_of(configuration: Configuration) -> EncoderOptions:
    """Return how a configuration wants its table: numbers as they are, with their gaps, all else by its parameters."""
    values = configuration.values
    most = ENGINEERED if values["features"] == "engineered" else 0
    return EncoderOptions(
        categories=_CATEGORIES[str(values["categories"])],
        texts=int(values["texts"]),
        features=FeatureOptions(most=most),
    )


def problem_of(data: DataSource, ctx: Context, configuration: Configuration) -> Problem:
    """Return what the training rows of a member teach.

    Args:
        data: the table.
        ctx: says which rows, and holds some of them out.
        configuration: with `categories`, `texts` and `features`; for classes `class_weights`, for numbers `target`.
    """
    values, rows = configuration.values, np.asarray(ctx.train_rows)
    y = np.asarray(data.y[rows])
    table = encoded(data, ctx, options_of(configuration))
    weighting = cast(ClassWeighting, values.get("class_weights", "none"))
    present, scale = np.array([True]), None
    if ctx.classes:
        present = np.bincount(y, minlength=ctx.classes) > 0
        y = np.searchsorted(np.flatnonzero(present), y)
    else:
        scale = TargetScale.fit(y, target_choice(cast(TargetChoice, values["target"]), ctx.metric))
        y = scale.forward(y)
    weights = row_weights(data, rows, ctx.classes, weighting)
    return Problem(table, rows, y, weights, held_rows(ctx, rows), present, scale)


def held_rows(ctx: Context, rows: np.ndarray) -> np.ndarray:
    """Return which of these rows are held out."""
    if len(rows) * HELD_SHARE < FEWEST_HELD:
        return np.zeros(len(rows), bool)
    is_held = np.isin(rows, ctx.holdout(HELD_SHARE, most=MOST_HELD).held_rows)
    return is_held if FEWEST_HELD <= is_held.sum() < len(rows) else np.zeros(len(rows), bool)


def graph_of(trees: Any, problem: Problem) -> bytes:
    """Return the ONNX graph of trees: probabilities of all classes, or values in the target's own unit.

    Args:
        trees: an `automl.candidates.graphs.onnx_graphs.Trees`, summed to log-odds or to y.
        problem: what they were learned on.
    """
    from automl.candidates.graphs.onnx_graphs import tree_softmax
    from automl.candidates.graphs.onnx_values import tree_values

    width = problem.table.X.shape[1]
    if problem.scale is None:
        return tree_softmax(trees, width, problem.present)
    return tree_values(trees, width, problem.scale.inverse_node_values())
