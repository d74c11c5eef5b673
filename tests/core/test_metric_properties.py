"""What must hold for every metric: order, weights, types and the right words of refusal."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.metrics import METRICS, falling, labels, metric
from automl.errors import UserError

ALL = pytest.mark.parametrize("name", METRICS)
VALUES = ("rmse", "mae", "r2", "rmsle")
CLASSES = tuple(name for name in METRICS if name not in VALUES)


def problem(name: str, rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    if name in VALUES:
        y = rng.exponential(size=rows)
        return y, np.abs(y + 0.2 * rng.normal(size=rows))
    k = 2 if name == "f1" else 3
    y = np.arange(rows) % k
    raw = np.eye(k)[y] + rng.exponential(size=(rows, k))
    return y, raw / raw.sum(axis=1, keepdims=True)


@ALL
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    y, predicted = problem(name)
    order = np.random.default_rng(1).permutation(len(y))
    assert metric(name).score(y[order], predicted[order]) == pytest.approx(metric(name).score(y, predicted))


@ALL
def test_rows_that_all_count_twice_change_nothing(name: str) -> None:
    y, predicted = problem(name)
    scorer = metric(name).scorer(y, predicted)
    assert scorer(np.full(len(y), 2.0)) == pytest.approx(scorer(np.ones(len(y))))


@ALL
def test_a_row_that_counts_three_times_is_as_three_rows(name: str) -> None:
    y, predicted = problem(name)
    counts = np.ones(len(y), dtype=int)
    counts[:5] = 3
    copied = metric(name).score(np.repeat(y, counts), np.repeat(predicted, counts, axis=0))
    assert metric(name).scorer(y, predicted)(counts.astype(float)) == pytest.approx(copied)


@ALL
def test_float32_scores_as_float64_to_its_precision(name: str) -> None:
    y, predicted = problem(name)
    assert metric(name).score(y, predicted.astype(np.float32)) == pytest.approx(
        metric(name).score(y, predicted), rel=1e-5
    )


@ALL
def test_resampled_scores_are_those_of_the_scorer(name: str) -> None:
    y, predicted = problem(name)
    counts = np.random.default_rng(2).integers(0, 3, size=(4, len(y)))
    scorer = metric(name).scorer(y, predicted)
    assert metric(name).resampled(y, predicted, counts) == pytest.approx([scorer(c.astype(float)) for c in counts])


@ALL
def test_rows_that_count_for_nothing_leave_no_score(name: str) -> None:
    y, predicted = problem(name)
    assert math.isnan(metric(name).scorer(y, predicted)(np.zeros(len(y))))


@ALL
def test_scoring_changes_neither_targets_nor_predictions(name: str) -> None:
    y, predicted = problem(name)
    before = y.copy(), predicted.copy()
    metric(name).score(y, predicted)
    np.testing.assert_array_equal(before[0], y)
    np.testing.assert_array_equal(before[1], predicted)


@ALL
def test_read_only_arrays_are_scored(name: str) -> None:
    y, predicted = problem(name)
    y.flags.writeable = predicted.flags.writeable = False
    assert math.isfinite(metric(name).score(y, predicted))


@ALL
def test_no_score_is_better_than_the_optimum(name: str) -> None:
    which = metric(name)
    assert not any(which.is_better(which.score(*problem(name, seed=seed)), which.optimum) for seed in range(5))


@ALL
def test_better_is_strict_and_nothing_is_better_than_an_undefined_score_or_worse(name: str) -> None:
    which = metric(name)
    assert not which.is_better(0.5, 0.5)
    assert which.is_better(0.6, 0.5) is not which.is_better(0.5, 0.6)
    assert not which.is_better(math.nan, 0.5)
    assert not which.is_better(0.5, math.nan)


@ALL
def test_the_sign_and_the_direction_agree(name: str) -> None:
    which = metric(name)
    assert which.is_better(which.sign, -which.sign)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "macro_f1", "f1"])
def test_metrics_of_labels_see_the_likeliest_class_only(name: str) -> None:
    y, predicted = problem(name)
    hard = np.eye(predicted.shape[1])[predicted.argmax(axis=1)]
    assert metric(name).score(y, hard) == metric(name).score(y, predicted)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_metrics_of_rankings_see_the_order_only(name: str) -> None:
    y, predicted = problem(name)
    assert metric(name).score(y, predicted**3) == pytest.approx(metric(name).score(y, predicted))


@pytest.mark.parametrize(("name", "factor"), [("rmse", 10.0), ("mae", 10.0), ("r2", 1.0)])
def test_metrics_of_values_follow_the_unit(name: str, factor: float) -> None:
    y, predicted = problem(name)
    assert metric(name).score(10 * y, 10 * predicted) == pytest.approx(factor * metric(name).score(y, predicted))


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_metrics_of_values_do_not_see_a_shift(name: str) -> None:
    y, predicted = problem(name)
    assert metric(name).score(y + 7, predicted + 7) == pytest.approx(metric(name).score(y, predicted))


@pytest.mark.parametrize(
    ("name", "y", "predicted", "score"),
    [
        ("accuracy", [0, 1, 1], [[1, 0], [0, 1], [1, 0]], 2 / 3),
        ("accuracy", [0, 1], [[0.5, 0.5], [0.5, 0.5]], 0.5),
        ("balanced_accuracy", [0, 0, 0, 1], [[1, 0], [1, 0], [1, 0], [1, 0]], 0.5),
        ("f1", [1, 1, 0, 0], [[0, 1], [1, 0], [0, 1], [1, 0]], 0.5),
        ("f1", [0, 0], [[1, 0], [1, 0]], 0.0),
        ("macro_f1", [0, 1], [[1, 0], [0, 1]], 1.0),
        ("roc_auc", [0, 1, 0, 1], [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]], 1.0),
        ("roc_auc", [0, 1], [[0.5, 0.5], [0.5, 0.5]], 0.5),
        ("average_precision", [1, 0], [[0.9, 0.1], [0.1, 0.9]], 0.5),
        ("log_loss", [0, 1], [[0.5, 0.5], [0.5, 0.5]], math.log(2)),
        ("rmse", [0.0, 0.0], [3.0, 4.0], math.sqrt(12.5)),
        ("mae", [0.0, 0.0], [3.0, -4.0], 3.5),
        ("r2", [1.0, 2.0, 3.0], [2.0, 2.0, 2.0], 0.0),
        ("rmsle", [0.0], [math.e - 1], 1.0),
    ],
)
def test_worked_by_hand(name: str, y: list[float], predicted: list[object], score: float) -> None:
    assert metric(name).score(np.array(y), np.array(predicted, dtype=float)) == pytest.approx(score)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("acuracy", "accuracy"),
        ("auc", "roc_auc"),
        ("f1_macro", "macro_f1"),
        ("logloss", "log_loss"),
        ("rsme", "rmse"),
        ("balanced-accuracy", "balanced_accuracy"),
        ("average_precison", "average_precision"),
    ],
)
def test_a_slip_of_the_pen_is_met_with_a_name(name: str, suggestion: str) -> None:
    with pytest.raises(UserError, match=rf"metric: '{name}' is not a metric\. Did you mean {suggestion}"):
        metric(name)


def test_a_name_far_from_all_lists_them() -> None:
    with pytest.raises(UserError, match=r"'zebra' is not a metric\. Known: accuracy .* rmsle\."):
        metric("zebra")


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("shape", [(3,), (2, 2), (3, 2, 2)], ids=str)
def test_classes_need_a_table_of_as_many_rows(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=rf"{name}: predictions have the shape \(rows, classes\) with 3 rows"):
        metric(name).score(np.array([0, 1, 0]), np.zeros(shape))


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("shape", [(2,), (3, 1), (3, 2)], ids=str)
def test_values_need_one_number_a_row(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=rf"{name}: predictions have the shape \(rows,\) with 3 rows"):
        metric(name).score(np.array([0.0, 1.0, 0.0]), np.zeros(shape))


def test_among_equal_probabilities_the_lowest_code_is_the_label() -> None:
    assert labels(np.array([[0.5, 0.5, 0.0], [0.2, 0.4, 0.4]])).tolist() == [0, 1]


@pytest.mark.parametrize("decimals", [1, 3, 9], ids=["many ties", "some", "none"])
@pytest.mark.parametrize("rows", [0, 1, 2, 1000])
def test_falling_scores_are_in_the_order_of_a_stable_sort(rows, decimals):
    drawn = np.random.default_rng(rows).normal(size=rows).round(decimals)
    for scores in (drawn.astype(np.float32), drawn, -np.abs(drawn).astype(np.float32)):
        assert falling(scores).tolist() == np.argsort(-scores, kind="stable").tolist()


def test_both_zeros_infinities_and_the_smallest_numbers_are_in_order():
    odd = np.float32([0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45, 3e38, 0.0])
    assert falling(odd).tolist() == np.argsort(-odd, kind="stable").tolist()


def test_an_undefined_score_comes_last():
    assert falling(np.float32([np.nan, 0.5, 0.9])).tolist() == [2, 1, 0]
