from __future__ import annotations

import numpy as np
import pytest

from automl.candidates.pretrained.head import head_seconds, learn


def problem(classes: int, rows: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = np.arange(rows) % classes
    return (rng.normal(0, 1, (rows, 6)) + 2 * np.eye(6)[codes]).astype(np.float32), codes


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_it_tells_classes_apart(classes: int) -> None:
    X, codes = problem(classes)
    probabilities = learn(X[:80], codes[:80], classes, l2=0.1).probabilities(X[80:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities.argmax(axis=1) == codes[80:]).mean() > 1.5 / classes


def test_the_unit_of_a_column_does_not_matter() -> None:
    X, codes = problem(3)
    wide = X * np.float32([1, 10, 100, 1, 1, 1]) + np.float32(5)
    np.testing.assert_allclose(
        learn(X, codes, 3, l2=0.1).probabilities(X), learn(wide, codes, 3, l2=0.1).probabilities(wide), atol=2e-2
    )


def test_a_class_without_rows_has_no_probability() -> None:
    X, codes = problem(2)
    found = learn(X, codes * 2, 3, l2=0.1).probabilities(X)
    assert not found[:, 1].any()
    assert (found[:, ::2].argmax(axis=1) == codes).mean() > 0.8


def test_one_class_alone_is_certain() -> None:
    X, codes = problem(2)
    assert (learn(X, codes * 0 + 1, 3, l2=0.1).probabilities(X)[:, 1] == 1).all()


def test_a_row_that_counts_twice_is_as_good_as_two() -> None:
    X, codes = problem(3)
    twice = learn(np.concatenate([X, X[:9]]), np.concatenate([codes, codes[:9]]), 3, l2=1.0)
    weighted = learn(X, codes, 3, l2=1.0, row_weights=np.where(np.arange(120) < 9, 2.0, 1.0))
    np.testing.assert_allclose(twice.probabilities(X), weighted.probabilities(X), atol=2e-2)


def test_a_stronger_penalty_gives_smaller_weights() -> None:
    X, codes = problem(3)
    weak, strong = (np.abs(learn(X, codes, 3, l2=l2).weights).max() for l2 in (1e-3, 10.0))
    assert strong < weak


def test_a_column_that_hardly_changes_is_not_blown_up() -> None:
    X, codes = problem(3)
    X[:, 0] = 1 + 1e-6 * X[:, 0]
    assert np.abs(learn(X, codes, 3, l2=0.1).weights[0]).max() < 1


def test_its_cost_grows_with_rows() -> None:
    assert head_seconds(10, 1280, 3) < head_seconds(10_000, 1280, 3)
