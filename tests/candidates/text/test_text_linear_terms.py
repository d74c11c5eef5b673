from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from automl.candidates.text.linear_terms import (
    Learn,
    Linear,
    OneAgainstRest,
    Ridge,
    Rows,
    Scaling,
    fitted_scaling,
    log_ratios,
)


def rows_of(classes: int, count: int = 90, weights: np.ndarray | None = None) -> Rows:
    rng = np.random.default_rng(0)
    codes = np.arange(count) % classes
    X = (rng.random((count, 12)) < 0.2).astype(np.float32)
    X[np.arange(count), codes] += 1
    return Rows(csr_array(X), codes, weights, classes)


LEARNERS: dict[str, Learn] = {
    "hinge": OneAgainstRest("hinge", 1.0, None, 0),
    "logistic": OneAgainstRest("logistic", 10.0, None, 0),
    "ratios": OneAgainstRest("hinge", 1.0, 1.0, 0),
    "ridge": Ridge(1.0),
}


@pytest.mark.parametrize("classes", [2, 4], ids=["two classes", "four"])
@pytest.mark.parametrize("learn", LEARNERS.values(), ids=LEARNERS.keys())
def test_the_highest_score_is_of_the_own_class(learn: Learn, classes: int) -> None:
    rows = rows_of(classes)
    model = learn(rows)
    assert model.weights.shape == (12, classes)
    assert (model.scores(rows.X).argmax(axis=1) == rows.codes).mean() > 0.9


@pytest.mark.parametrize("learn", LEARNERS.values(), ids=LEARNERS.keys())
def test_heavy_rows_draw_scores_to_their_class(learn: Learn) -> None:
    plain = rows_of(3)
    heavy = plain._replace(weights=np.where(plain.codes == 0, 2.8, 0.1))
    difference = learn(heavy).scores(plain.X)[:, 0] - learn(plain).scores(plain.X)[:, 0]
    assert difference.mean() > 0


@pytest.mark.parametrize("learn", LEARNERS.values(), ids=LEARNERS.keys())
def test_a_class_without_rows_is_never_the_answer(learn: Learn) -> None:
    rows = rows_of(3)._replace(classes=4)
    assert (learn(rows).scores(rows.X).argmax(axis=1) != 3).all()


def test_ridge_solves_its_equations() -> None:
    rows, penalty = rows_of(3), 2.0
    found = Ridge(penalty)(rows)
    X = np.hstack([rows.X.toarray(), np.ones((90, 1))])
    targets = np.where(rows.codes[:, None] == np.arange(3), 1.0, -1.0)
    expected = np.linalg.solve(X.T @ X + penalty * np.eye(13), X.T @ targets)
    np.testing.assert_allclose(np.vstack([found.weights, found.bias]), expected, atol=0.01)


def test_sums_are_weighted() -> None:
    rows = Rows(csr_array(np.array([[1.0, 0], [2, 3], [4, 0]])), np.array([0, 1, 0]), np.array([1.0, 2, 0.5]), 2)
    assert rows.sums().tolist() == [[3.0, 4.0], [0.0, 6.0]]


def test_ratios_are_positive_for_terms_of_the_class() -> None:
    ratios = log_ratios(np.array([[9.0, 1.0], [1.0, 9.0], [5.0, 5.0]]), 0, 1.0)
    assert ratios[0] == pytest.approx(-ratios[1])
    assert ratios[2] == pytest.approx(0)


def test_scaled_scores_are_logarithms_of_true_probabilities() -> None:
    rng = np.random.default_rng(1)
    bias = np.array([1.0, 0.0, -1.0])
    logs = rng.normal(0, 1.5, (20_000, 3)) + bias
    odds = np.exp(logs)
    codes = (rng.random((20_000, 1)) > np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    scaling = fitted_scaling((logs - bias) / 4, codes, None)
    assert scaling.slope == pytest.approx(4, rel=0.05)
    np.testing.assert_allclose(scaling.bias - scaling.bias.mean(), bias, atol=0.06)


def test_weights_count_as_copies_of_rows() -> None:
    rng = np.random.default_rng(2)
    scores, codes = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)
    twice = fitted_scaling(np.vstack([scores, scores[:10]]), np.append(codes, codes[:10]), None)
    weighed = fitted_scaling(scores, codes, np.where(np.arange(50) < 10, 2.0, 1.0))
    assert weighed.slope == pytest.approx(twice.slope, rel=0.02)


@pytest.mark.parametrize("scores", [np.zeros((9, 2)), np.full((9, 2), 1e30)], ids=["zeros", "equal"])
def test_scores_that_tell_nothing_give_a_finite_scaling(scores: np.ndarray) -> None:
    scaling = fitted_scaling(scores, np.arange(9) % 2, None)
    assert np.isfinite([scaling.slope, *scaling.bias]).all()


def test_scores_that_tell_everything_are_not_scaled_without_end() -> None:
    codes = np.arange(40) % 2
    scaling = fitted_scaling(np.where(codes[:, None] == np.arange(2), 1.0, -1.0), codes, None)
    assert 1 < scaling.slope < 20


def test_a_scaled_map_gives_the_scaled_scores() -> None:
    model = Linear(np.ones((2, 2), np.float32), np.array([0.0, 1.0]))
    scaled = model.scaled(Scaling(2.0, np.array([0.5, 0.0])))
    X = csr_array(np.eye(2, dtype=np.float32))
    np.testing.assert_allclose(scaled.scores(X), 2 * model.scores(X) + [0.5, 0.0])
