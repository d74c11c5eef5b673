import pickle

import numpy as np
import pytest
from sklearn import metrics as sk

from automl.core.metrics import METRICS, metric
from automl.errors import UserError

CLASSIFIERS = ["accuracy", "balanced_accuracy", "macro_f1", "f1", "roc_auc", "average_precision", "log_loss"]
REGRESSORS = ["rmse", "mae", "r2", "rmsle"]
MULTI = [name for name in CLASSIFIERS if name != "f1"]


def sklearns(name, y, p):
    """Scikit-learn's score of the same name."""
    hard, k = p.argmax(axis=1) if p.ndim == 2 else p, p.shape[-1]
    spread = p[:, 1] if p.ndim == 2 and k == 2 else p
    truth = y if k == 2 else np.eye(k)[y] if p.ndim == 2 else y
    return {
        "accuracy": lambda: sk.accuracy_score(y, hard),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, hard),
        "macro_f1": lambda: sk.f1_score(y, hard, average="macro", zero_division=0),
        "f1": lambda: sk.f1_score(y, hard, zero_division=0),
        "roc_auc": lambda: sk.roc_auc_score(y, spread, **({} if k == 2 else {"multi_class": "ovr"})),
        "average_precision": lambda: sk.average_precision_score(truth, spread),
        "log_loss": lambda: sk.log_loss(y, p, labels=range(k)),
        "rmse": lambda: sk.root_mean_squared_error(y, p),
        "mae": lambda: sk.mean_absolute_error(y, p),
        "r2": lambda: sk.r2_score(y, p),
        "rmsle": lambda: sk.root_mean_squared_log_error(y, p),
    }[name]()


def probabilities(rows, classes, seed=0, *, ties=False):
    rng = np.random.default_rng(seed)
    raw = rng.integers(1, 4, size=(rows, classes)) if ties else rng.exponential(size=(rows, classes))
    p = raw / raw.sum(axis=1, keepdims=True)
    y = np.where(rng.random(rows) < 0.5, p.argmax(axis=1), rng.integers(classes, size=rows))
    return y, p


def values(rows, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.exponential(size=rows)
    return y, np.abs(y + 0.3 * rng.normal(size=rows))


def sample(name, rows=300, seed=0):
    return values(rows, seed) if name in REGRESSORS else probabilities(rows, 2 if name == "f1" else 4, seed)


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_binary_scores_equal_scikit_learns(name, seed, ties):
    y, p = probabilities(200, 2, seed, ties=ties)
    assert metric(name).score(y, p) == pytest.approx(sklearns(name, y, p), abs=1e-9)


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("classes", [3, 7])
@pytest.mark.parametrize("name", MULTI)
def test_multi_class_scores_equal_scikit_learns(name, classes, ties):
    y, p = probabilities(200, classes, ties=ties)
    assert metric(name).score(y, p) == pytest.approx(sklearns(name, y, p), abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", REGRESSORS)
def test_regression_scores_equal_scikit_learns(name, seed):
    y, p = values(150, seed)
    assert metric(name).score(y, p) == pytest.approx(sklearns(name, y, p), abs=1e-9)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "log_loss"])
def test_a_class_without_rows_is_scored_as_scikit_learn_scores_it(name):
    y, p = probabilities(100, 4)
    y = np.where(y == 3, 0, y)
    assert metric(name).score(y, p) == pytest.approx(sklearns(name, y, p), abs=1e-9)


def test_balanced_accuracy_leaves_an_absent_class_out_of_the_mean():
    y, p = np.array([0, 0, 1]), np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1]])
    assert metric("balanced_accuracy").score(y, p) == pytest.approx(0.75)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_rankings_leave_an_absent_class_out_of_the_mean(name):
    y, p = probabilities(100, 4)
    y = np.where(y == 3, 0, y)
    one_by_one = [metric(name).score((y == c).astype(int), np.stack([1 - p[:, c], p[:, c]], axis=1)) for c in range(3)]
    assert metric(name).score(y, p) == pytest.approx(np.mean(one_by_one), abs=1e-12)


def test_float32_log_loss_is_clipped_by_the_precision_of_float32():
    y, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]], dtype=np.float32)
    assert metric("log_loss").score(y, p) == pytest.approx(sk.log_loss(y, p), rel=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_float32_probabilities_score_as_scikit_learn_scores_them(name):
    y, p = probabilities(200, 2)
    p = p.astype(np.float32)
    assert metric(name).score(y, p) == pytest.approx(sklearns(name, y, p), rel=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_a_bootstrap_by_counts_equals_a_bootstrap_by_copies(name):
    y, p = sample(name)
    rows = np.random.default_rng(1).integers(len(y), size=(3, len(y)))
    counts = np.stack([np.bincount(r, minlength=len(y)) for r in rows])
    copied = [metric(name).score(y[r], p[r]) for r in rows]
    assert metric(name).resampled(y, p, counts) == pytest.approx(copied, abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_a_row_that_counts_zero_times_is_not_seen(name):
    y, p = sample(name)
    counts = (np.arange(len(y)) % 3 > 0).astype(float)
    assert metric(name).scorer(y, p)(counts) == pytest.approx(metric(name).score(y[counts > 0], p[counts > 0]))


@pytest.mark.parametrize("name", METRICS)
def test_perfect_predictions_reach_the_optimum(name):
    y, _ = sample(name)
    perfect = y.copy() if name in REGRESSORS else np.eye(2 if name == "f1" else 4)[y]
    assert metric(name).score(y, perfect) == pytest.approx(metric(name).optimum, abs=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_worse_predictions_are_worse(name):
    y, p = sample(name)
    worse = p[::-1].copy()
    assert metric(name).is_better(metric(name).score(y, p), metric(name).score(y, worse))


@pytest.mark.parametrize("name", METRICS)
def test_no_rows_have_no_score(name):
    y, p = sample(name)
    assert np.isnan(metric(name).scorer(y, p)(np.zeros(len(y))))


@pytest.mark.parametrize("name", ["roc_auc"])
def test_one_class_alone_cannot_be_ranked(name):
    assert np.isnan(metric(name).score(np.zeros(3, dtype=int), np.full((3, 2), 0.5)))


def test_f1_without_any_positive_is_zero():
    assert metric("f1").score(np.zeros(3, dtype=int), np.tile([0.9, 0.1], (3, 1))) == 0.0


@pytest.mark.parametrize(("predicted", "score"), [(1.0, 1.0), (2.0, 0.0)], ids=["right", "wrong"])
def test_r2_of_a_constant_target_is_as_scikit_learns(predicted, score):
    assert metric("r2").score(np.ones(4), np.full(4, predicted)) == score


def test_rmsle_takes_a_prediction_below_minus_one_as_a_heavy_loss():
    assert 10 < metric("rmsle").score(np.array([1.0]), np.array([-5.0])) < 20


def test_rmsle_refuses_targets_below_minus_one():
    with pytest.raises(UserError, match=r"rmsle: targets must be above -1\. Got -2\.0"):
        metric("rmsle").score(np.array([-2.0]), np.array([1.0]))


def test_f1_refuses_more_than_two_classes():
    with pytest.raises(UserError, match=r"f1 is for two classes\. Got 3\. Use macro_f1"):
        metric("f1").score(*probabilities(9, 3))


@pytest.mark.parametrize(("name", "p"), [("rmse", np.ones((3, 2))), ("accuracy", np.ones(3)), ("mae", np.ones(2))])
def test_predictions_of_a_wrong_shape_are_refused(name, p):
    with pytest.raises(UserError, match=rf"{name}: predictions have the shape .* Got \({p.shape[0]},"):
        metric(name).score(np.ones(3, dtype=int), p)


def test_an_unknown_metric_is_answered_with_a_near_one():
    with pytest.raises(UserError, match=r"'acuracy' is not a metric\. Did you mean accuracy\?"):
        metric("acuracy")


def test_metrics_survive_pickling():
    assert pickle.loads(pickle.dumps(metric("rmse"))) == metric("rmse")


@pytest.mark.parametrize("name", METRICS)
def test_sign_makes_greater_better(name):
    assert (metric(name).sign > 0) == metric(name).greater_is_better
