"""Extremely randomised trees or a random forest on gradient histograms or averaged pixels.

Claim: accuracy 0.984 on digits, 0.917 on sign_digits (5-fold), 0.885 on fashion_mnist (20,000 rows, 3 of 5 folds),
defaults; 0.4, 0.8 and 9.9 CPU-s a fold on one core. On averaged pixels 0.977, 0.786, 0.863.
Source: Geurts et al. 2006, https://doi.org/10.1007/s10994-006-6226-1; Breiman 2001,
https://doi.org/10.1023/A:1010933404324.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.candidates.graphs.conditions import classes_present, require_time
from automl.candidates.image.features import cached, chosen, seconds
from automl.candidates.image.graph_model import GraphModel, report_score
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration
from automl.serving.image_features import columns

if TYPE_CHECKING:
    from automl.candidates.graphs.onnx_graphs import Trees

_CHUNK = 10  # trees between two looks at the time
_SECONDS_PER_TREE = 1e-3
_SECONDS_PER_TEST = {"extra": 1.4e-8, "random": 3.6e-8}  # row x level x column looked at, one common core
_BYTES_PER_ROW = 200  # of nodes and their class counts, for each tree


class Forest:
    """Implements `automl.core.protocols.Candidate`."""

    name = "forest"
    tasks = ("image-clf",)
    requires = ("onnx", "onnxruntime", "sklearn.ensemble")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, the features of the whole data set included."""
        values = configuration.values
        features = chosen(spec.shape, values)
        wide, trees = columns(features, spec.shape), int(values["trees"])
        tests = rows * max(1.0, math.log2(rows)) * _looked_at(configuration, wide)
        return Cost(
            fixed_seconds=0.05 + seconds(spec, features),
            step_seconds=trees * (_SECONDS_PER_TREE + tests * _SECONDS_PER_TEST[str(values["splits"])]),
            peak_bytes=8 * rows * wide + trees * rows * _BYTES_PER_ROW,
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate, which was within a quarter of the measured time on three data sets."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> GraphModel:
        """Grow the trees; those that are there when time runs out are the forest.

        Raises:
            TimeoutError: there is no time for the first trees.
        """
        from automl.candidates.graphs.onnx_graphs import tree_mean

        values = configuration.values
        cost = self.estimate(data.spec, configuration, len(ctx.train_rows))
        require_time(
            ctx, cost.step_seconds * _CHUNK / int(values["trees"]), f"{self.name} with its first {_CHUNK} trees"
        )
        features = chosen(data.spec.shape, values)
        inputs = cached(features, data, ctx.cache)
        codes = np.asarray(data.y[ctx.train_rows])
        grown = _grow(configuration, inputs[ctx.train_rows], codes, ctx)
        present = np.flatnonzero(classes_present(codes, ctx.classes))
        model = GraphModel(tree_mean(_table(grown, present), inputs.shape[1], ctx.classes), features)
        report_score(model, inputs[ctx.valid_rows], data, ctx)
        return model


def _grow(configuration: Configuration, inputs: np.ndarray, codes: np.ndarray, ctx: Context) -> Any:
    """Return a fitted scikit-learn forest, grown in chunks; tree i is the same however many are grown."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    values, wanted = configuration.values, int(configuration.values["trees"])
    kind = ExtraTreesClassifier if values["splits"] == "extra" else RandomForestClassifier
    forest = kind(
        n_estimators=0,
        min_samples_leaf=int(values["min_leaf"]),
        max_features=_looked_at(configuration, inputs.shape[1]),
        criterion=str(values["criterion"]),
        n_jobs=1,
        random_state=ctx.seed % 2**32,
        warm_start=True,
    )
    for trees in [*range(_CHUNK, wanted, _CHUNK), wanted]:
        forest.set_params(n_estimators=trees)
        before = ctx.seconds_left()
        forest.fit(inputs, codes)
        left = ctx.seconds_left()
        if ctx.is_timed and trees < wanted and left < 2 * (before - left):  # a chunk more, and the export
            ctx.note("trees", f"{trees} of {wanted}: the time ended")
            break
    return forest


def _looked_at(configuration: Configuration, wide: int) -> int:
    """Return how many of wide columns are looked at for a split: a power of their number, 0.5 the square root."""
    return max(1, round(math.pow(wide, float(configuration.values["column_power"]))))


def _table(forest: Any, present: np.ndarray) -> Trees:
    """Return the nodes of a scikit-learn forest; leaf weights are class shares over the number of trees."""
    from automl.candidates.graphs.onnx_graphs import Trees

    grown = [estimator.tree_ for estimator in forest.estimators_]
    counts = [tree.node_count for tree in grown]
    column = np.concatenate([tree.feature for tree in grown])
    shares = np.concatenate([tree.value[:, 0, :] for tree in grown])
    shares = shares / (shares.sum(axis=1, keepdims=True) * len(grown))
    leaf, position = np.nonzero((shares > 0) & (column < 0)[:, None])
    return Trees(
        tree=np.repeat(np.arange(len(grown)), counts),
        column=np.where(column < 0, -1, column),
        threshold=np.concatenate([tree.threshold for tree in grown]),
        left=np.concatenate([tree.children_left for tree in grown]),
        right=np.concatenate([tree.children_right for tree in grown]),
        leaf=leaf,
        target=present[position],
        weight=shares[leaf, position],
    )


CANDIDATE = Forest()
