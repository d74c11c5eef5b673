from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnxruntime

from automl.candidates.sequence.encoding import Encoded
from automl.candidates.sequence.linear_model import affordable, graph_of, linear_model, linear_seconds
from automl.candidates.sequence.linear_scores import Scores
from automl.candidates.sequence.series_model import SeriesModel
from automl.testing.context import ArrayData, LocalContext, waving_series

RNG = np.random.default_rng(0)
DATA = waving_series(90)
X = (RNG.normal(size=(90, 30)) + 2 * np.eye(3)[DATA.y] @ RNG.normal(size=(3, 30))).astype(np.float32)
TABLE = Encoded({"version": 1, "kind": "summary"}, X)


def fit(folder: Path, data: ArrayData = DATA, table: Encoded = TABLE) -> SeriesModel:
    return linear_model(table, data, LocalContext(np.arange(60), np.arange(60, 90), 3, folder), "none")


def test_the_graph_gives_the_softmax_of_the_scores() -> None:
    learned = Scores(RNG.normal(size=4), RNG.normal(size=(4, 2)), RNG.normal(size=2), "")
    session = onnxruntime.InferenceSession(graph_of(learned, np.array([True, False, True])))
    rows = RNG.normal(size=(5, 4)).astype(np.float32)
    odds = np.exp((rows - learned.mean) @ learned.weights + learned.bias)
    expected = np.insert(odds / odds.sum(axis=1, keepdims=True), 1, 0, axis=1)
    np.testing.assert_allclose(session.run(None, {"input": rows})[0], expected, rtol=1e-4, atol=1e-6)


def test_classes_are_learned(tmp_path: Path) -> None:
    assert (fit(tmp_path).predict_encoded(X[60:]).argmax(axis=1) == DATA.y[60:]).all()


def test_rows_without_weight_have_no_part(tmp_path: Path) -> None:
    data = dataclasses.replace(DATA, weights=np.where(DATA.y == 1, 0, 1.5))
    assert (fit(tmp_path, data).predict_encoded(X)[:, 1] < 0.1).all()


def test_only_one_class_with_weight_is_a_constant(tmp_path: Path) -> None:
    data = dataclasses.replace(DATA, weights=np.where(DATA.y == 1, 3.0, 0.0))
    np.testing.assert_allclose(fit(tmp_path, data).predict_encoded(X[:2]), [[0, 1, 0]] * 2)


def test_rows_that_are_all_alike_are_answered_by_the_shares_of_classes(tmp_path: Path) -> None:
    table = Encoded(TABLE.plan, np.ones((90, 3), np.float32))
    np.testing.assert_allclose(fit(tmp_path, table=table).predict_encoded(table.X[:1]), [[1 / 3] * 3], rtol=1e-6)


def test_it_takes_longer_for_more_rows_and_columns() -> None:
    costs = [
        linear_seconds(rows, columns, 5) for rows, columns in ((100, 500), (1000, 500), (1000, 5000), (9000, 5000))
    ]
    assert costs == sorted(costs)


def test_fewer_columns_are_learned_from_more_rows() -> None:
    found = [affordable(10_000, rows) for rows in (10, 1000, 5000, 10**6)]
    assert found == sorted(found, reverse=True)
    assert affordable(300, 10**6) == 300
