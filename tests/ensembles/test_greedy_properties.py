"""What holds for greedy ensembles of whatever models."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.metrics import METRICS, metric
from automl.core.scores import Pool
from automl.ensembles.greedy import LIBRARY, STEPS, Greedy, Latency, greedy_weights

ALL = pytest.mark.parametrize("name", METRICS)
VALUES = ("rmse", "mae", "r2", "rmsle")


def problem(name: str, trials: int = 6, rows: int = 80, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    if name in VALUES:
        y = rng.exponential(size=rows) + 1
        return [(y + 0.3 * rng.normal(size=rows)).astype(np.float32) for _ in range(trials)], y
    k = 2 if name == "f1" else 3
    y = np.arange(rows) % k
    raised = np.exp(np.eye(k)[y] + rng.normal(size=(trials, rows, k)))
    return list((raised / raised.sum(axis=2, keepdims=True)).astype(np.float32)), y


@ALL
def test_the_same_models_give_the_same_weights(name: str) -> None:
    first, second = (greedy_weights(*problem(name), metric(name)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@ALL
def test_one_model_alone_has_all_the_weight(name: str) -> None:
    predictions, y = problem(name, trials=1)
    assert greedy_weights(predictions, y, metric(name)).tolist() == [1.0]


@ALL
def test_a_model_given_twice_is_taken_once_and_from_the_front(name: str) -> None:
    predictions, y = problem(name, trials=1)
    assert greedy_weights([predictions[0], predictions[0]], y, metric(name)).tolist() == [1.0, 0.0]


@ALL
def test_a_perfect_model_needs_no_company(name: str) -> None:
    predictions, y = problem(name)
    perfect = y.astype(np.float32) if name in VALUES else np.eye(int(y.max()) + 1, dtype=np.float32)[y]
    weights = greedy_weights([*predictions, perfect], y, metric(name))
    assert weights[-1] == 1.0


@ALL
def test_weights_are_multiples_of_the_number_of_models_added(name: str) -> None:
    weights = greedy_weights(*problem(name), metric(name), steps=4)
    added = next(n for n in range(1, 5) if np.allclose(weights * n, np.round(weights * n)))
    assert 1 <= added <= 4


@ALL
@pytest.mark.parametrize("steps", [1, 2])
def test_with_few_steps_few_models_are_taken(name: str, steps: int) -> None:
    assert np.count_nonzero(greedy_weights(*problem(name), metric(name), steps=steps)) <= steps


@ALL
def test_with_one_step_the_best_model_is_taken(name: str) -> None:
    predictions, y = problem(name)
    scores = [metric(name).sign * metric(name).score(y, p) for p in predictions]
    assert greedy_weights(predictions, y, metric(name), steps=1).argmax() == int(np.argmax(scores))


@ALL
def test_rows_that_count_for_nothing_do_not_matter(name: str) -> None:
    predictions, y = problem(name)
    counts = np.ones(len(y))
    counts[60:] = 0
    changed = [np.concatenate([p[:60], p[60:][::-1]]) for p in predictions]
    first, second = (Greedy(Pool(tuple(some), y, metric(name)))(counts) for some in (predictions, changed))
    np.testing.assert_allclose(first, second)


@ALL
def test_counting_every_row_twice_changes_nothing(name: str) -> None:
    predictions, y = problem(name)
    greedy = Greedy(Pool(tuple(predictions), y, metric(name)))
    np.testing.assert_allclose(greedy(np.ones(len(y))), greedy(np.full(len(y), 2.0)))


@ALL
def test_predictions_are_not_changed(name: str) -> None:
    predictions, y = problem(name)
    before = [p.copy() for p in predictions]
    greedy_weights(predictions, y, metric(name))
    for one, other in zip(before, predictions, strict=True):
        np.testing.assert_array_equal(one, other)


@ALL
def test_read_only_predictions_are_taken(name: str) -> None:
    predictions, y = problem(name)
    for p in predictions:
        p.flags.writeable = False
    assert greedy_weights(predictions, y, metric(name)).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("trials", [LIBRARY, LIBRARY + 1, 3 * LIBRARY])
def test_only_the_best_models_are_candidates(trials: int) -> None:
    predictions, y = problem("log_loss", trials=trials)
    weights = greedy_weights(predictions, y, metric("log_loss"))
    worst = np.argsort([metric("log_loss").score(y, p) for p in predictions])[LIBRARY:]
    assert (weights[worst] == 0).all()


@pytest.mark.parametrize("most", [1.0, 2.0, 3.0, 6.0])
def test_an_ensemble_costs_no_more_than_its_limit(most: float) -> None:
    predictions, y = problem("log_loss")
    costs = np.ones(len(predictions))
    weights = greedy_weights(predictions, y, metric("log_loss"), latency=Latency(costs, most))
    assert costs[weights > 0].sum() <= most


def test_a_dear_model_is_left_out_of_company_it_would_make_too_dear() -> None:
    predictions, y = problem("log_loss", trials=3)
    weights = greedy_weights(predictions, y, metric("log_loss"), latency=Latency(np.array([1.0, 1.0, 1.5]), 2.0))
    assert np.array([1.0, 1.0, 1.5])[weights > 0].sum() <= 2.0


@pytest.mark.parametrize("metric_name", ["accuracy", "balanced_accuracy"])
@pytest.mark.parametrize("seed", range(4))
def test_equal_probabilities_count_as_the_label_counts_them(metric_name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=40)
    predictions = [np.eye(3, dtype=np.float32)[rng.integers(3, size=40)] for _ in range(4)]
    which = metric(metric_name)
    weights = greedy_weights(predictions, y, which, steps=1)
    assert which.score(y, Pool(tuple(predictions), y, which).blend(weights)) == max(
        which.score(y, p) for p in predictions
    )


def test_models_that_are_all_wrong_still_give_weights() -> None:
    y = np.array([0, 0, 0, 1])
    wrong = np.eye(2, dtype=np.float32)[1 - y]
    assert greedy_weights([wrong, wrong], y, metric("accuracy")).sum() == 1.0


def test_there_are_never_more_picks_than_steps() -> None:
    weights = greedy_weights(*problem("rmse"), metric("rmse"))
    assert weights[weights > 0].min() >= 1 / STEPS - 1e-12
