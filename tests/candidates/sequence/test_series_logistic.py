from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from automl.candidates.sequence.linear_scores import Problem, Scores
from automl.candidates.sequence.logistic import learned_logistic
from automl.core.clock import FakeClock
from automl.testing.context import LocalContext

RNG = np.random.default_rng(0)
CODES = np.arange(400) % 3
X = (RNG.normal(size=(400, 20)) + 0.7 * np.eye(3)[CODES] @ RNG.normal(size=(3, 20))).astype(np.float32)
X = (X - X.mean(axis=0)) / X.std(axis=0)
HELD = np.arange(400) % 4 == 0


def learned(folder: Path, is_held: np.ndarray = HELD, weights: np.ndarray | None = None, **more: object) -> Scores:
    ctx = LocalContext(np.arange(400), np.arange(0), 3, folder, **more)  # type: ignore[arg-type]
    scores = learned_logistic(Problem(X, CODES, np.ones(400) if weights is None else weights), is_held, ctx)
    assert scores is not None
    return scores


def probabilities(scores: Scores) -> np.ndarray:
    odds = np.exp((X - scores.mean) @ scores.weights + scores.bias)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def test_it_is_the_logistic_regression_of_all_rows(tmp_path: Path) -> None:
    expected = LogisticRegression(C=0.1, tol=1e-8, max_iter=1000).fit(X, CODES)
    found = learned(tmp_path, np.zeros(400, bool))
    np.testing.assert_allclose(probabilities(found), expected.predict_proba(X), atol=0.01)


def test_rows_held_out_choose_the_penalty(tmp_path: Path) -> None:
    found = learned(tmp_path)
    penalty = float(found.penalty.split()[1])
    losses = {}
    for tried in (100.0, penalty, 0.1):
        model = LogisticRegression(C=1 / tried, max_iter=1000).fit(X[~HELD], CODES[~HELD])
        losses[tried] = -np.log(model.predict_proba(X[HELD])[np.arange(100), CODES[HELD]]).mean()
    assert losses[penalty] <= min(losses.values()) + 0.01


def test_rows_that_weigh_more_draw_predictions_to_their_class(tmp_path: Path) -> None:
    weights = np.where(CODES == 0, 20.0, 0.1)
    drawn = probabilities(learned(tmp_path, weights=weights / weights.mean()))
    assert drawn[:, 0].mean() > probabilities(learned(tmp_path))[:, 0].mean() + 0.2


@pytest.mark.parametrize("seconds", [0.0, 1e9], ids=["none", "much"])
def test_when_time_ends_the_best_fit_is_given(tmp_path: Path, seconds: float) -> None:
    found = learned(tmp_path, is_timed=True, seconds=seconds, clock=FakeClock())
    assert (probabilities(found).argmax(axis=1) == CODES).mean() > 0.6


def test_rows_that_are_all_alike_teach_nothing(tmp_path: Path) -> None:
    ctx = LocalContext(np.arange(4), np.arange(0), 2, tmp_path)
    problem = Problem(np.ones((4, 3), np.float32), np.arange(4) % 2, np.ones(4))
    assert learned_logistic(problem, np.zeros(4, bool), ctx) is None
