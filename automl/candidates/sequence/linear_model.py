"""Encoded series to a linear model of the classes that occur, as a graph. What `rocket` and `hydra` share.

Few rows are learned from by ridge regression, for which each can be left out once; more by logistic regression, which
on pendigits (2 of 3 folds of 7,494 training rows, 1,848 columns) was better, 0.994 and 0.992, and faster.
"""

from __future__ import annotations

import numpy as np

from automl.candidates.graphs.conditions import classes_present
from automl.candidates.sequence.encoding import Encoded
from automl.candidates.sequence.linear_scores import Problem, Scores
from automl.candidates.sequence.logistic import learned_logistic
from automl.candidates.sequence.ridge import learned_ridge
from automl.candidates.sequence.series_model import SeriesModel, constant_model
from automl.candidates.tabular.targets import ClassWeighting, prior, row_weights
from automl.core.protocols import Context, DataSource
from automl.core.seeds import stream

_MOST_LEFT_OUT = 1500  # rows each of which is left out once
_HELD_SHARE, _MOST_HELD = 0.2, 2000
_MOST_VALUES = 150_000_000  # of the rows learned from, 600 MB; of more rows a sample is learned from
_WORK = 2e10  # rows x columns x columns
_FEWEST_COLUMNS = 504
_NEVER = -1e9  # a score whose softmax is exactly 0


def affordable(columns: int, rows: int) -> int:
    """Return how many columns are learned from so many rows in seconds, at most as many as wanted.

    >>> affordable(10_000, 160), affordable(10_000, 6000), affordable(10_000, 10**6)
    (10000, 1825, 504)
    """
    return min(columns, max(_FEWEST_COLUMNS, int((_WORK / max(1, rows)) ** 0.5)))


def linear_seconds(rows: int, columns: int, classes: int) -> float:
    """Return the seconds on one common core."""
    rows = min(rows, max(1000, _MOST_VALUES // columns))
    if rows <= _MOST_LEFT_OUT:
        return 0.05 + rows * rows * (columns * 4e-11 + rows * 6 * 5e-11) + rows * columns * 1e-8
    return 0.05 + rows * columns * classes * 250 * 9e-11


def linear_model(table: Encoded, data: DataSource, ctx: Context, weighting: ClassWeighting) -> SeriesModel:
    """Return a model of the training rows; one class alone, or rows that are all alike, are answered by a constant.

    Args:
        table: all series of the data as numbers.
        data: for targets and weights of rows.
        ctx: for the training rows; notes the penalty.
        weighting: of classes.
    """
    learned = _learned(table, data, ctx, weighting)
    if learned is None:
        return constant_model(prior(data, ctx), table.plan, table.X.shape[1])
    ctx.note("penalty", learned.penalty)
    present = classes_present(np.asarray(data.y[ctx.train_rows]), ctx.classes)
    return SeriesModel(graph_of(learned, present), table.plan, "probabilities")


def _learned(table: Encoded, data: DataSource, ctx: Context, weighting: ClassWeighting) -> Scores | None:
    """Return what the training rows that weigh something teach; None where they are alike or of one class."""
    present = classes_present(np.asarray(data.y[ctx.train_rows]), ctx.classes)
    rows = _sampled(ctx, table.X.shape[1])
    weights = row_weights(data, rows, ctx.classes, weighting)
    weights = np.ones(len(rows)) if weights is None else weights
    rows, weights = rows[weights > 0], weights[weights > 0]
    codes = np.asarray(data.y[rows])
    if (codes == codes[0]).all():
        return None
    problem = Problem(np.asarray(table.X[rows]), np.searchsorted(np.flatnonzero(present), codes), weights)
    if len(rows) <= _MOST_LEFT_OUT:
        return learned_ridge(problem)
    held = ctx.holdout(_HELD_SHARE, most=_MOST_HELD).held_rows
    return learned_logistic(problem, np.isin(rows, held), ctx)


def _sampled(ctx: Context, wide: int) -> np.ndarray:
    """Return the training rows, or a sample of as many as memory is allowed for."""
    rows, most = ctx.train_rows, max(1000, _MOST_VALUES // wide)
    if len(rows) <= most:
        return rows
    ctx.note("rows", f"a sample of {most} of {len(rows)}")
    return np.sort(stream(ctx.seed, "series", "rows").choice(rows, most, replace=False))


def graph_of(learned: Scores, present: np.ndarray) -> bytes:
    """Return the graph of softmax((x - mean) @ weights + bias), with probability 0 for classes that do not occur.

    The mean is taken away first: in single precision the differences of large sums would be too coarse.

    Args:
        learned: of the classes that occur, or of the first of them where the last have no row that weighs something.
        present: (classes,) whether a class occurs.
    """
    from onnx import helper

    from automl.candidates.graphs.onnx_graphs import INPUT, OUTPUT, Ends, graph_bytes, tensor

    places = np.flatnonzero(present)[: learned.weights.shape[1]]
    weights = np.zeros((len(learned.mean), len(present)), np.float32)
    weights[:, places] = learned.weights
    bias = np.full(len(present), _NEVER, np.float32)
    bias[places] = learned.bias
    nodes = [
        helper.make_node("Sub", [INPUT, "mean"], ["centred"]),
        helper.make_node("Gemm", ["centred", "weights", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], [OUTPUT], axis=1),
    ]
    tensors = [tensor("mean", learned.mean.astype(np.float32)), tensor("weights", weights), tensor("bias", bias)]
    return graph_bytes(nodes, tensors, Ends((len(learned.mean),), (len(present),)))
