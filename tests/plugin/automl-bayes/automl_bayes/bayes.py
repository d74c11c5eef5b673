"""Gaussian naive Bayes on the columns of a table: one mean and one variance for each class and column.

Source: https://scikit-learn.org/stable/modules/naive_bayes.html#gaussian-naive-bayes. The log-odds of a row are a
linear function of its columns and their squares, so the graph is one product and a softmax.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from automl.candidates.tabular.encoding import EncoderOptions, encoded
from automl.candidates.tabular.table_model import TableModel, report_score
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

_NEVER = -1e9  # a score whose softmax is exactly 0
_LEAST_VARIANCE = 1e-2  # of columns that are standardised; less, and one rare word decides alone


class Parabolas(NamedTuple):
    """Log-odds as linear, quadratic and constant terms: (columns, classes), (columns, classes), (classes,)."""

    linear: np.ndarray
    quadratic: np.ndarray
    constant: np.ndarray


class NaiveBayes:
    """Implements `automl.core.protocols.Candidate`."""

    name = "bayes"
    tasks = ("tabular-clf", "risk-clf")
    requires = ("onnx", "onnxruntime")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold: two passes over the columns."""
        return Cost(fixed_seconds=0.05, step_seconds=2e-7 * rows * spec.shape[0], peak_bytes=16 * rows * spec.shape[0])

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: training is over sooner than it could be measured."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TableModel:
        """Take the mean and variance of each column in each class."""
        numbers = "standard" if configuration.values["numbers"] == "standard" else "quantile"
        inputs = encoded(data, ctx, EncoderOptions(numbers=numbers, missing="impute", categories="onehot"))
        X, y = np.asarray(inputs.X[ctx.train_rows], np.float64), np.asarray(data.y[ctx.train_rows])
        weights = np.ones(len(y)) if data.weights is None else np.asarray(data.weights[ctx.train_rows])
        learned = _parabolas(X, y, weights, classes=ctx.classes, smoothing=float(configuration.values["smoothing"]))
        model = TableModel(_graph(learned), inputs.plan, "probabilities")
        report_score(model, inputs.X, data, ctx)
        return model


def _parabolas(X: np.ndarray, y: np.ndarray, weights: np.ndarray, *, classes: int, smoothing: float) -> Parabolas:
    """Return the log-odds of each class; classes without rows get a probability of 0."""
    spread = smoothing * X.var(axis=0) + _LEAST_VARIANCE
    linear, quadratic = np.zeros((2, X.shape[1], classes))
    constant = np.full(classes, float(_NEVER))
    for code in np.unique(y):
        part, shares = X[y == code], weights[y == code] / max(1e-12, weights[y == code].sum())
        mean = shares @ part
        variance = shares @ (part - mean) ** 2 + spread
        linear[:, code], quadratic[:, code] = mean / variance, -0.5 / variance
        prior = np.log(max(1e-12, weights[y == code].sum() / weights.sum()))
        constant[code] = prior - 0.5 * np.sum(mean**2 / variance + np.log(variance))
    return Parabolas(linear, quadratic, constant)


def _graph(learned: Parabolas) -> bytes:
    """Return softmax([x, x²] · weights + constant) as ONNX."""
    from onnx import TensorProto, helper, numpy_helper

    columns, classes = learned.linear.shape
    tensors = {"weights": np.vstack([learned.linear, learned.quadratic]), "constant": learned.constant}
    nodes = [
        helper.make_node("Mul", ["input", "input"], ["squares"]),
        helper.make_node("Concat", ["input", "squares"], ["both"], axis=1),
        helper.make_node("Gemm", ["both", "weights", "constant"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "bayes",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["rows", columns])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", classes])],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in tensors.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


CANDIDATE = NaiveBayes()
