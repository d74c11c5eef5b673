"""Multinomial logistic regression on gradient histograms or averaged pixels.

Claim: accuracy 0.992 on digits, 0.908 on sign_digits, 0.902 on fashion_mnist (20,000 rows), 5-fold, defaults; 0.04,
0.12 and 1.4 CPU-s a fold on one core, after 0.03, 0.4 and 1.1 once for the features. On averaged pixels 0.968, 0.789,
0.836.
Source: Dalal & Triggs 2005, https://doi.org/10.1109/CVPR.2005.177 (a linear model on histograms of gradients);
solver: https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.LogisticRegression.html.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from automl.candidates.graphs.conditions import classes_present, require_time
from automl.candidates.image.features import cached, chosen, seconds
from automl.candidates.image.graph_model import GraphModel, report_score
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration
from automl.serving.image_features import columns

_LEAST_SPREAD = 1e-3  # of a column; below it a column is nearly constant and must not be blown up
_ITERATIONS = 50  # of L-BFGS: from 40 to 100 no score on fashion_mnist changed by more than 0.002
_SECONDS_PER_PRODUCT = 2.5e-10  # rows x columns x classes x iterations, one common core
_SECONDS_PER_VALUE = 1e-8  # to standardise


class Weights(NamedTuple):
    """A linear map of the features as they are, (columns, classes) and (classes,)."""

    weights: np.ndarray
    bias: np.ndarray


class Linear:
    """Implements `automl.core.protocols.Candidate`."""

    name = "linear"
    tasks = ("image-clf",)
    requires = ("onnx", "onnxruntime", "sklearn.linear_model")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, the features of the whole data set included."""
        features = chosen(spec.shape, configuration.values)
        wide = columns(features, spec.shape)
        products = rows * wide * len(spec.classes) * _ITERATIONS
        return Cost(
            fixed_seconds=0.02 + seconds(spec, features),
            step_seconds=products * _SECONDS_PER_PRODUCT + rows * wide * _SECONDS_PER_VALUE,
            peak_bytes=12 * rows * wide,
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: training is over sooner than it could be measured."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> GraphModel:
        """Train in one go.

        Raises:
            TimeoutError: there is no time for it.
        """
        from automl.candidates.graphs.onnx_graphs import linear_softmax

        cost = self.estimate(data.spec, configuration, len(ctx.train_rows))
        require_time(ctx, cost.step_seconds, self.name)
        features = chosen(data.spec.shape, configuration.values)
        inputs = cached(features, data, ctx.cache)
        codes = np.asarray(data.y[ctx.train_rows])
        present = classes_present(codes, ctx.classes)
        learned = _learn(inputs[ctx.train_rows], codes, penalty=float(configuration.values["l2"]))
        model = GraphModel(linear_softmax(learned.weights, learned.bias, present), features)
        report_score(model, inputs[ctx.valid_rows], data, ctx)
        return model


def _learn(inputs: np.ndarray, codes: np.ndarray, *, penalty: float) -> Weights:
    """Return the weights for the classes that occur, in the order of their codes.

    The columns are standardised on these rows, and the weights then written for the columns as they are. penalty is
    the weight of the squared norm beside the *mean* loss, so that it means the same for any number of rows.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, spread = inputs.mean(axis=0, dtype=np.float64), inputs.std(axis=0, dtype=np.float64) + _LEAST_SPREAD
    if len(np.unique(codes)) == 1:
        return Weights(np.zeros((inputs.shape[1], 1)), np.zeros(1))
    solver = LogisticRegression(C=1 / (penalty * len(codes)), max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is meant, see _ITERATIONS
        solver.fit((inputs - mean.astype(np.float32)) / spread.astype(np.float32), codes)
    weights, bias = solver.coef_.T.astype(np.float64), solver.intercept_.astype(np.float64)
    if weights.shape[1] == 1:  # two classes come as one log-odds
        weights, bias = np.hstack([0 * weights, weights]), np.r_[0.0, bias]
    weights = weights / spread[:, None]
    return Weights(weights, bias - mean @ weights)


CANDIDATE = Linear()
