"""Extremely randomised trees or a random forest, for classes and for values.

Claim: accuracy 0.861 on adult, 0.960 on letter, 0.753 on credit_g, rmse 49,140 on california_housing, 573 on diamonds,
43.3 on bike_hourly; 5-fold, defaults, 3.5, 2.3, 0.3, 5.4, 11 and 3.9 CPU-s a fold on one core, the encoding included.
Source: Breiman 2001, https://doi.org/10.1023/A:1010933404324; Geurts et al. 2006,
https://doi.org/10.1007/s10994-006-6226-1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.candidates.graphs.conditions import classes_present, require_time
from automl.candidates.tabular.encoding import EncoderOptions, encoded
from automl.candidates.tabular.encoding_cost import encoded_width, encoding_seconds
from automl.candidates.tabular.table_model import TableModel, constant_model, report_score
from automl.candidates.tabular.targets import TargetScale, prior, row_weights, target_choice
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

if TYPE_CHECKING:
    from automl.candidates.graphs.onnx_graphs import Trees

_CHUNK = 10  # trees between two looks at the time
_MOST_LEAVES = 2_000_000  # of a forest, about 130 MB as a file: leaves are made larger rather than more
_SECONDS_PER_TREE = 1e-3
_PURE = 0.6  # of the leaves that rows would fill: many are of one class early
_SECONDS_PER_TEST = {"extra": 1.4e-8, "random": 2.4e-8}  # row x level x column looked at, one common core
_CACHED_ROWS = 20_000  # of more rows each test is slower, by the fourth root of how many more
_SECONDS_PER_VISIT = 1.5e-8  # predicted row x tree x level
_SECONDS_PER_LEAF = 4e-6  # to write it into the graph and to read it
_BYTES_PER_LEAF = 800  # as nodes of the library, of the graph and of the session


class Forest:
    """Implements `automl.core.protocols.Candidate`."""

    name = "forest"
    tasks = ("tabular-clf", "tabular-reg")
    requires = ("onnx", "onnxruntime", "sklearn.ensemble")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, the encoding of the whole data set included."""
        values, options = configuration.values, _options(configuration)
        wide, trees = encoded_width(spec, options), int(values["trees"])
        leaves = rows / _leaf_rows(configuration, rows) * (_PURE if spec.classes else 1.0)
        levels = max(1.0, math.log2(leaves))
        a_test = _SECONDS_PER_TEST[str(values["splits"])] * max(1.0, rows / _CACHED_ROWS) ** 0.25
        tests = rows * levels * _looked_at(configuration, wide) * a_test
        visits = max(0, spec.rows - rows) * levels * _SECONDS_PER_VISIT
        return Cost(
            fixed_seconds=0.05 + encoding_seconds(spec, options),
            step_seconds=trees * (_SECONDS_PER_TREE + tests + visits + leaves * _SECONDS_PER_LEAF),
            peak_bytes=int(8 * rows * wide + trees * leaves * (_BYTES_PER_LEAF + 16 * len(spec.classes))),
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TableModel:
        """Grow the trees; those that are there when time runs out are the forest.

        Raises:
            TimeoutError: there is no time for the first trees.
        """
        values = configuration.values
        cost = self.estimate(data.spec, configuration, len(ctx.train_rows))
        first = cost.step_seconds * min(1.0, _CHUNK / int(values["trees"]))
        require_time(ctx, cost.fixed_seconds + first, f"{self.name} with its first {_CHUNK} trees")
        table = encoded(data, ctx, _options(configuration))
        y = np.asarray(data.y[ctx.train_rows])
        if (y == y[0]).all():
            model = constant_model(prior(data, ctx), table.plan, table.X.shape[1], ctx)
        else:
            graph = (_classes_graph if ctx.classes else _values_graph)(configuration, table.X, data, ctx)
            model = TableModel(graph, table.plan, "probabilities" if ctx.classes else "values")
        report_score(model, table.X, data, ctx)
        return model


def _options(configuration: Configuration) -> EncoderOptions:
    values = configuration.values
    return EncoderOptions(
        numbers="raw",
        missing="impute",
        categories=values["categories"],  # type: ignore[arg-type]
        texts=int(values["texts"]),
    )


def _leaf_rows(configuration: Configuration, rows: int) -> int:
    """Return the fewest rows of a leaf: as configured, more where the forest would become too large."""
    values = configuration.values
    return max(int(values["min_leaf"]), math.ceil(rows * int(values["trees"]) / _MOST_LEAVES))


def _looked_at(configuration: Configuration, wide: int) -> int:
    """Return how many of wide columns are looked at for a split: a power of their number, 0.5 the square root."""
    return max(1, round(math.pow(wide, float(configuration.values["column_power"]))))


def _classes_graph(configuration: Configuration, X: np.ndarray, data: DataSource, ctx: Context) -> bytes:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    from automl.candidates.graphs.onnx_graphs import tree_mean

    values, codes = configuration.values, np.asarray(data.y[ctx.train_rows])
    kind = ExtraTreesClassifier if values["splits"] == "extra" else RandomForestClassifier
    forest = kind(criterion=str(values["criterion"]), **_settings(configuration, X, ctx))
    weights = row_weights(data, ctx.train_rows, ctx.classes, values["class_weights"])  # type: ignore[arg-type]
    _grow(forest, X[ctx.train_rows], codes, weights, ctx=ctx, wanted=int(values["trees"]))
    shares = np.concatenate([tree.tree_.value[:, 0, :] for tree in forest.estimators_])
    shares /= shares.sum(axis=1, keepdims=True)
    present = np.flatnonzero(classes_present(codes, ctx.classes))
    return tree_mean(_table(forest, shares, present), X.shape[1], ctx.classes)


def _values_graph(configuration: Configuration, X: np.ndarray, data: DataSource, ctx: Context) -> bytes:
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    from automl.candidates.graphs.onnx_values import tree_values

    values, y = configuration.values, np.asarray(data.y[ctx.train_rows])
    scale = TargetScale.fit(y, target_choice(values["target"], ctx.metric))  # type: ignore[arg-type]
    kind = ExtraTreesRegressor if values["splits"] == "extra" else RandomForestRegressor
    forest = kind(**_settings(configuration, X, ctx))
    weights = row_weights(data, ctx.train_rows, 0, "none")
    _grow(forest, X[ctx.train_rows], scale.forward(y), weights, ctx=ctx, wanted=int(values["trees"]))
    means = np.concatenate([tree.tree_.value[:, 0, :] for tree in forest.estimators_])
    return tree_values(_table(forest, means, np.array([0])), X.shape[1], scale.inverse_node_values())


def _settings(configuration: Configuration, X: np.ndarray, ctx: Context) -> dict[str, Any]:
    return {
        "n_estimators": 0,
        "min_samples_leaf": _leaf_rows(configuration, len(ctx.train_rows)),
        "max_features": _looked_at(configuration, X.shape[1]),
        "n_jobs": 1,
        "random_state": ctx.seed % 2**32,
        "warm_start": True,
    }


def _grow(forest: Any, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, *, ctx: Context, wanted: int) -> None:
    """Fit a scikit-learn forest in chunks; tree i is the same however many are grown."""
    for trees in [*range(_CHUNK, wanted, _CHUNK), wanted]:
        forest.set_params(n_estimators=trees)
        before = ctx.seconds_left()
        forest.fit(X, y, weights)
        left = ctx.seconds_left()
        if ctx.is_timed and trees < wanted and left < 3 * (before - left):  # a chunk more, and the export
            ctx.note("trees", f"{trees} of {wanted}: the time ended")
            break


def _table(forest: Any, answers: np.ndarray, targets: np.ndarray) -> Trees:
    """Return the nodes of a scikit-learn forest whose answer is the mean over its trees.

    Args:
        forest: fitted.
        answers: (nodes of all trees, outputs).
        targets: (outputs,) the target of each output.
    """
    from automl.candidates.graphs.onnx_graphs import Trees

    grown = [estimator.tree_ for estimator in forest.estimators_]
    column = np.concatenate([tree.feature for tree in grown])
    leaf, position = np.nonzero((answers != 0) & (column < 0)[:, None])
    return Trees(
        tree=np.repeat(np.arange(len(grown)), [tree.node_count for tree in grown]),
        column=np.where(column < 0, -1, column),
        threshold=np.concatenate([tree.threshold for tree in grown]),
        left=np.concatenate([tree.children_left for tree in grown]),
        right=np.concatenate([tree.children_right for tree in grown]),
        leaf=leaf,
        target=targets[position],
        weight=answers[leaf, position] / len(grown),
    )


CANDIDATE = Forest()
