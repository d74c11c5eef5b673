from __future__ import annotations

import numpy as np
import pytest

from automl.calibration.decision import fit_decision, fit_prior_decision
from automl.core.metrics import metric
from automl.serving.calibration import check_decision, decided

LABELS = ("accuracy", "balanced_accuracy", "macro_f1")


def drawn(*prior: float, rows: int = 4000, apart: float = 1.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities of classes that are normal with unit variance around points of a line, and their draws."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(prior), size=rows, p=prior)
    x = apart * y + rng.normal(size=rows)
    likely = np.array(prior) * np.exp(-0.5 * (x[:, None] - apart * np.arange(len(prior))) ** 2)
    return (likely / likely.sum(axis=1, keepdims=True)).astype(np.float32), y


def score(name: str, scores: np.ndarray, y: np.ndarray, weights: tuple[float, ...]) -> float:
    return metric(name).score(y, decided(scores, {"weights": list(weights)}))


@pytest.mark.parametrize("fit", [fit_prior_decision, fit_decision])
def test_true_probabilities_over_priors_are_best_for_balanced_accuracy(fit: object) -> None:
    scores, y = drawn(0.8, 0.15, 0.05, rows=30_000)
    weights = fit(scores, y, metric("balanced_accuracy")).weights  # type: ignore[operator]
    assert np.array(weights) / weights[0] == pytest.approx([1, 0.8 / 0.15, 0.8 / 0.05], rel=0.35)


def test_true_probabilities_are_best_for_accuracy_as_they_are() -> None:
    scores, y = drawn(0.7, 0.3, rows=30_000)
    weights = fit_decision(scores, y, metric("accuracy")).weights
    assert weights[1] / weights[0] == pytest.approx(1.0, rel=0.3)


def test_the_best_threshold_for_f1_is_half_of_what_it_reaches() -> None:
    scores, y = drawn(0.95, 0.05, rows=60_000, apart=2.0)
    weights = fit_decision(scores, y, metric("f1")).weights
    threshold = weights[0] / (weights[0] + weights[1])
    assert threshold == pytest.approx(score("f1", scores, y, weights) / 2, abs=0.05)


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("prior", [(0.9, 0.1), (0.7, 0.2, 0.1), (0.4, 0.3, 0.2, 0.1)], ids=len)
def test_weights_are_never_worse_on_their_own_rows(name: str, prior: tuple[float, ...]) -> None:
    scores, y = drawn(*prior)
    found = fit_decision(scores, y, metric(name)).weights
    assert score(name, scores, y, found) >= score(name, scores, y, (1.0,) * len(prior))
    assert score(name, scores, y, found) >= score(name, scores, y, fit_prior_decision(scores, y, metric(name)).weights)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1"])
def test_weights_of_each_class_help_where_probabilities_are_bent(name: str) -> None:
    scores, y = drawn(0.4, 0.3, 0.2, 0.1)
    bent = scores * np.float32([1, 0.2, 3, 1])
    bent /= bent.sum(axis=1, keepdims=True)
    plain = score(name, bent, y, fit_prior_decision(bent, y, metric(name)).weights)
    assert score(name, bent, y, fit_decision(bent, y, metric(name)).weights) > plain + 0.02


@pytest.mark.parametrize("name", LABELS)
def test_one_number_is_found_for_many_classes(name: str) -> None:
    scores, y = drawn(*np.linspace(1, 3, 40) / np.linspace(1, 3, 40).sum())
    weights = fit_prior_decision(scores, y, metric(name)).weights
    check_decision({"weights": list(weights)}, 40)


def test_a_class_without_rows_or_probability_is_no_trouble() -> None:
    scores, y = drawn(0.6, 0.4)
    wider = np.column_stack([scores, np.zeros(len(y), dtype=np.float32)])
    decision = fit_decision(wider, y, metric("macro_f1"))
    check_decision(decision.to_json(), 3)


def test_certain_rows_leave_weights_alone() -> None:
    y = np.arange(50) % 2
    assert fit_decision(np.eye(2, dtype=np.float32)[y], y, metric("accuracy")).weights == (1.0, 1.0)
