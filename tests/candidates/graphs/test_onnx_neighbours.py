from __future__ import annotations

import dataclasses

import numpy as np
import onnx
import onnxruntime
import pytest

from automl.candidates.graphs.onnx_neighbours import Neighbours, nearest_probabilities, nearest_values
from automl.candidates.graphs.onnx_values import Inverse

PLAIN = Inverse("none", 0.0, 1.0, 1.0, -1e9, 1e9)
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(40, 3)).astype(np.float32)
CODES = RNG.integers(0, 3, 40)
VALUES = RNG.normal(size=40)
QUERIES = RNG.normal(size=(9, 3)).astype(np.float32)
SCALE = np.array([1.0, 2.0, 0.5], np.float32)
PRIOR = np.array([0.5, 0.25, 0.25])
NEAR = Neighbours(POINTS * SCALE, SCALE, k=5, power=0.0, weights=None)


def run(graph: bytes, inputs: np.ndarray) -> np.ndarray:
    return np.asarray(onnxruntime.InferenceSession(graph).run(None, {"input": inputs})[0])


def expected_counts(near: Neighbours) -> np.ndarray:
    """Return (queries, stored) what each stored row counts for each query, by the plain definition."""
    distance = np.sqrt((((QUERIES * SCALE)[:, None] - near.points[None]) ** 2).sum(axis=2))
    counts = np.where(distance <= np.sort(distance, axis=1)[:, [near.k - 1]], distance**-near.power, 0)
    counts = counts * (1.0 if near.weights is None else near.weights)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0], ids=str)
@pytest.mark.parametrize("weights", [None, RNG.uniform(0.1, 3, 40)], ids=["alike", "weighted"])
def test_values_are_the_mean_of_the_nearest(power: float, weights: np.ndarray | None) -> None:
    near = dataclasses.replace(NEAR, power=power, weights=weights)
    found = run(nearest_values(near, VALUES, PLAIN), QUERIES)
    np.testing.assert_allclose(found, expected_counts(near) @ VALUES, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("power", [0.0, 1.0], ids=str)
def test_probabilities_are_shares_of_the_nearest_and_of_one_row_of_the_prior(power: float) -> None:
    near = dataclasses.replace(NEAR, power=power)
    found = run(nearest_probabilities(near, CODES, PRIOR), QUERIES)
    shares = (5 * expected_counts(near) @ np.eye(3)[CODES] + PRIOR) / 6
    np.testing.assert_allclose(found, shares, rtol=1e-4)


def test_a_row_that_is_stored_decides_alone_by_distance() -> None:
    near = dataclasses.replace(NEAR, power=2.0)
    found = run(nearest_values(near, VALUES, PLAIN), POINTS)
    np.testing.assert_allclose(found, VALUES, atol=1e-3)


def test_points_far_from_zero_lose_no_digits() -> None:
    near = dataclasses.replace(NEAR, points=NEAR.points + 1000 * SCALE)
    found = run(nearest_values(near, VALUES, PLAIN), QUERIES + 1000)
    np.testing.assert_allclose(found, run(nearest_values(NEAR, VALUES, PLAIN), QUERIES), rtol=1e-3)


def test_equal_stored_rows_give_finite_answers() -> None:
    near = dataclasses.replace(NEAR, points=np.ones((40, 3), np.float32), power=2.0)
    assert np.isfinite(run(nearest_values(near, VALUES, PLAIN), np.ones((2, 3), np.float32) / SCALE)).all()


@pytest.mark.parametrize("rows", [0, 1, 7])
@pytest.mark.parametrize("power", [0.0, 1.0], ids=str)
def test_any_number_of_rows_is_answered(rows: int, power: float) -> None:
    near = dataclasses.replace(NEAR, power=power)
    assert run(nearest_values(near, VALUES, PLAIN), np.zeros((rows, 3), np.float32)).shape == (rows,)
    assert run(nearest_probabilities(near, CODES, PRIOR), np.zeros((rows, 3), np.float32)).shape == (rows, 3)


@pytest.mark.parametrize("power", [0.0, 1.0], ids=str)
def test_graphs_use_the_standard_domain_and_no_constant_in_vain(power: float) -> None:
    near = dataclasses.replace(NEAR, power=power, weights=np.ones(40))
    model = onnx.load_from_string(nearest_probabilities(near, CODES, PRIOR))
    assert {opset.domain for opset in model.opset_import} == {""}
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used
