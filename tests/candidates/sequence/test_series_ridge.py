from __future__ import annotations

import numpy as np
import pytest

from automl.candidates.sequence.linear_scores import Problem, Scores
from automl.candidates.sequence.ridge import _LeftOut, learned_ridge

RNG = np.random.default_rng(0)
CODES = np.arange(60) % 3
X = (RNG.normal(size=(60, 200)) + 0.6 * np.eye(3)[CODES] @ RNG.normal(size=(3, 200))).astype(np.float32)
WEIGHTS = RNG.uniform(0.2, 2, 60)
WEIGHTS /= WEIGHTS.mean()


def learned(X: np.ndarray = X, codes: np.ndarray = CODES, weights: np.ndarray | None = None) -> Scores:
    scores = learned_ridge(Problem(X, codes, np.ones(len(codes)) if weights is None else weights))
    assert scores is not None
    return scores


def scored(scores: Scores, X: np.ndarray) -> np.ndarray:
    return np.asarray((X - scores.mean) @ scores.weights + scores.bias)


def solved(rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes and bias of a weighted ridge regression by its definition."""
    mean, target = np.average(rows, axis=0, weights=weights), np.average(targets, axis=0, weights=weights)
    centred = (rows - mean) * weights[:, None]
    slopes = np.linalg.solve(centred.T @ (rows - mean) + penalty * np.eye(rows.shape[1]), centred.T @ targets)
    return slopes, target - mean @ slopes


@pytest.mark.parametrize("weights", [np.ones(60), WEIGHTS], ids=["alike", "weighted"])
def test_a_row_left_out_is_predicted_as_by_the_others(weights: np.ndarray) -> None:
    rows = X - np.average(X, axis=0, weights=weights).astype(np.float32)
    targets = 2.0 * np.eye(3)[CODES] - 1
    solver, others = _LeftOut(rows, targets, weights, CODES), np.arange(60) != 7
    left_out = solver.left_out(-0.5)[7]
    slopes, bias = solved(rows[others], targets[others], weights[others], solver.size * 10**-0.5)
    np.testing.assert_allclose(left_out, rows[7] @ slopes + bias, rtol=1e-3, atol=1e-3)


def test_classes_are_learned() -> None:
    assert (scored(learned(X[:45], CODES[:45]), X[45:]).argmax(axis=1) == CODES[45:]).mean() > 0.8


def test_probabilities_are_honest() -> None:
    noise = RNG.normal(size=(300, 40)).astype(np.float32)
    scores = scored(learned(noise, RNG.integers(0, 3, 300)), noise)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    assert (odds / odds.sum(axis=1, keepdims=True)).max(axis=1).mean() < 0.6


def test_noise_is_shrunk_more_than_what_is_plain() -> None:
    noise = learned(RNG.normal(size=(60, 200)).astype(np.float32))
    assert np.abs(noise.weights).mean() < np.abs(learned().weights).mean() / 2


def test_rows_that_weigh_more_draw_predictions_to_their_class() -> None:
    weights = np.where(CODES == 0, 20.0, 0.1)
    plain, drawn = learned(), learned(weights=weights / weights.mean())
    assert scored(drawn, X)[:, 0].mean() > scored(plain, X)[:, 0].mean()


@pytest.mark.parametrize("rows", [2, 3, 4])
def test_a_few_rows_are_enough(rows: int) -> None:
    assert np.isfinite(scored(learned(X[:rows], np.arange(rows) % 2), X)).all()


def test_copies_of_rows_are_no_trouble() -> None:
    twice = np.concatenate([X, X])
    assert (scored(learned(twice, np.r_[CODES, CODES]), X).argmax(axis=1) == CODES).all()


def test_rows_that_are_all_alike_teach_nothing() -> None:
    assert learned_ridge(Problem(np.ones((4, 3), np.float32), np.arange(4) % 2, np.ones(4))) is None
