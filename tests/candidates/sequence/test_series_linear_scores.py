from __future__ import annotations

import numpy as np

from automl.candidates.sequence.linear_scores import Problem, standardised

RNG = np.random.default_rng(0)
X = RNG.normal(3, [1, 5, 0], (200, 3)).astype(np.float32)
WEIGHTS = RNG.uniform(0.1, 2, 200)


def test_columns_have_mean_nothing_and_deviation_one_by_weight() -> None:
    found = standardised(Problem(X, np.arange(200) % 2, WEIGHTS))
    assert found is not None
    mean = np.average(found.values, axis=0, weights=WEIGHTS)
    np.testing.assert_allclose(mean, 0, atol=1e-5)
    np.testing.assert_allclose(np.average(found.values**2, axis=0, weights=WEIGHTS), [1, 1, 0], atol=1e-4)


def test_a_map_of_them_is_one_of_the_columns_as_they_were() -> None:
    found = standardised(Problem(X, np.arange(200) % 2, WEIGHTS))
    assert found is not None
    weights, bias = RNG.normal(size=(3, 2)), RNG.normal(size=2)
    scores = found.scores(weights, bias, "")
    np.testing.assert_allclose((X - scores.mean) @ scores.weights + bias, found.values @ weights + bias, atol=1e-4)


def test_rows_that_are_all_alike_teach_nothing() -> None:
    assert standardised(Problem(np.ones((4, 3), np.float32), np.arange(4) % 2, np.ones(4))) is None
