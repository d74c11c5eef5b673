import numpy as np
import pytest

from automl.core.metrics import METRICS, metric
from automl.core.scores import Pool
from automl.ensembles.greedy import LIBRARY, Greedy, Latency, greedy_weights

REGRESSORS = ("rmse", "mae", "r2", "rmsle")


def problem(name, *, trials=8, rows=200, classes=3, seed=0):
    """Predictions of several models with noise of their own around a common error."""
    rng = np.random.default_rng(seed)
    if name in REGRESSORS:
        y = rng.exponential(size=rows) + 1
        return [(y + rng.normal(size=rows) * 0.3).astype(np.float32) for _ in range(trials)], y
    k = 2 if name == "f1" else classes
    y = rng.integers(k, size=rows)
    logits = np.eye(k)[y] + rng.normal(size=(rows, k)) + 0.7 * rng.normal(size=(trials, rows, k))
    raised = np.exp(logits)
    return list((raised / raised.sum(axis=2, keepdims=True)).astype(np.float32)), y


def mean_score(name, predictions, y, weights):
    return metric(name).score(y, Pool(tuple(predictions), y, metric(name)).blend(weights))


def plain_greedy(predictions, y, which, steps):
    """The method word by word, without any of the short cuts."""
    picks, path = [], []
    for _ in range(steps):
        means = [np.mean([predictions[i] for i in [*picks, t]], axis=0) for t in range(len(predictions))]
        scores = [which.sign * which.score(y, m) for m in means]
        picks.append(int(np.argmax(scores)))
        path.append(max(scores))
    return which.sign * max(path)


@pytest.mark.parametrize("name", METRICS)
def test_weights_are_shares(name):
    weights = greedy_weights(*problem(name), metric(name))
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", METRICS)
def test_the_ensemble_is_never_worse_on_its_rows_than_the_best_model(name, seed):
    predictions, y = problem(name, seed=seed)
    best = max(metric(name).sign * metric(name).score(y, p) for p in predictions)
    weights = greedy_weights(predictions, y, metric(name))
    assert metric(name).sign * mean_score(name, predictions, y, weights) >= best - 1e-6


@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("name", METRICS)
def test_the_short_cuts_find_what_the_plain_method_finds(name, classes):
    predictions, y = problem(name, trials=5, rows=60, classes=classes)
    found = mean_score(name, predictions, y, greedy_weights(predictions, y, metric(name), steps=6))
    assert found == pytest.approx(plain_greedy(predictions, y, metric(name), 6), abs=0.02)


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "rmse", "roc_auc"])
def test_averaging_independent_errors_helps(name):
    predictions, y = problem(name, rows=400)
    alone = metric(name).score(y, predictions[0])
    weights = greedy_weights(predictions, y, metric(name))
    assert metric(name).is_better(mean_score(name, predictions, y, weights), alone)
    assert np.count_nonzero(weights) > 1


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "rmse"])
def test_equal_models_give_the_first_alone(name):
    predictions, y = problem(name, trials=1)
    assert greedy_weights(predictions * 4, y, metric(name)).tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy"])
def test_a_flawless_model_stands_alone(name):
    predictions, y = problem(name)
    weights = greedy_weights([*predictions, np.eye(3, dtype=np.float32)[y]], y, metric(name))
    assert weights.argmax() == 8
    assert mean_score(name, [*predictions, np.eye(3)[y]], y, weights) == 1.0


@pytest.mark.parametrize("y_value", [0, 1], ids=["low code", "high code"])
def test_a_tie_of_classes_counts_for_the_lower_code(y_value):
    even = np.full((4, 2), 0.5, dtype=np.float32)
    against = np.eye(2, dtype=np.float32)[np.array([1 - y_value, 1 - y_value, y_value, 1 - y_value])]
    y = np.full(4, y_value)
    weights = greedy_weights([against, even], y, metric("accuracy"))
    assert weights[1] == (1.0 if y_value == 0 else 0.0)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "log_loss", "rmse", "macro_f1", "roc_auc"])
def test_counts_stand_for_copied_rows(name):
    predictions, y = problem(name)
    rows = np.random.default_rng(3).integers(len(y), size=len(y))
    pool = Pool(tuple(predictions), y, metric(name))
    by_counts = Greedy(pool)(np.bincount(rows, minlength=len(y)).astype(float))
    by_copies = greedy_weights([p[rows] for p in predictions], y[rows], metric(name))
    assert by_counts == pytest.approx(by_copies, abs=1e-9)


def test_only_the_best_of_many_are_looked_at():
    predictions, y = problem("log_loss", trials=30)
    weights = greedy_weights(predictions, y, metric("log_loss"))
    ranked = np.argsort([metric("log_loss").score(y, p) for p in predictions])
    assert set(np.flatnonzero(weights)) <= set(ranked[:LIBRARY].tolist())


@pytest.mark.parametrize("most", [2.0, 3.5, 5.0])
def test_members_keep_the_latency_limit(most):
    predictions, y = problem("log_loss")
    latency = Latency(np.full(8, 1.0), most)
    weights = greedy_weights(predictions, y, metric("log_loss"), latency=latency)
    assert 1 <= np.count_nonzero(weights) <= most


@pytest.mark.parametrize("steps", [1, 2, 25])
def test_steps_bound_the_members(steps):
    weights = greedy_weights(*problem("log_loss"), metric("log_loss"), steps=steps)
    assert np.count_nonzero(weights) <= steps


def test_rows_that_all_models_get_right_leave_nothing_to_choose():
    y = np.arange(10) % 3
    perfect = np.eye(3, dtype=np.float32)[y]
    assert greedy_weights([perfect, perfect], y, metric("accuracy")).tolist() == [1.0, 0.0]


def unsure_on(rows: slice, y: np.ndarray) -> np.ndarray:
    """Return predictions of two classes that are surely right, but on these rows a little wrong."""
    right = np.where(np.eye(2)[y] > 0, 0.85, 0.15)
    right[rows] = np.where(np.eye(2)[y[rows]] > 0, 0.4, 0.6)
    return right.astype(np.float32)


def test_the_best_of_each_kind_may_become_a_member_behind_a_dozen_better_ones() -> None:
    y, everyone = np.arange(400) % 2, np.ones(400)
    pool = Pool((*[unsure_on(slice(40), y)] * 14, unsure_on(slice(100, 150), y)), y, metric("accuracy"))
    weights = Greedy(pool, kinds=["a"] * 14 + ["b"])(everyone)
    assert Greedy(pool)(everyone)[14] == 0 < weights[14]
    assert pool.score(weights) == 1.0
