"""Laws of what is learned from encoded series, each against a reference that is written down here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from automl.candidates.sequence import encoding, linear_model
from automl.candidates.sequence.encoding import encoded
from automl.candidates.sequence.linear_model import affordable, graph_of
from automl.candidates.sequence.linear_scores import Problem, Scores, Standardised, standardised
from automl.candidates.sequence.logistic import _chosen, _Path, learned_logistic
from automl.candidates.sequence.ridge import _inverse, _judged, _LeftOut, _lowest, _Seen, learned_ridge
from automl.candidates.sequence.series_model import SeriesModel
from automl.candidates.sequence.summary_fit import summary_plan
from automl.candidates.softmax_loss import SoftmaxLoss
from automl.testing.context import LocalContext, waving_series

RNG = np.random.default_rng(11)
CODES = np.arange(48) % 3
TIMES = RNG.integers(1, 4, 48)


def rows_of(columns: int, codes: np.ndarray = CODES, *, apart: float = 0.7) -> np.ndarray:
    """Return rows whose classes lie apart."""
    rng = np.random.default_rng(columns)
    centres = apart * rng.normal(size=(3, columns))
    return (rng.normal(size=(len(codes), columns)) + centres[codes]).astype(np.float32)


def targets_of(codes: np.ndarray) -> np.ndarray:
    return np.where(codes[:, None] == np.arange(3), 1.0, -1.0)


def left_out_of(X: np.ndarray, weights: np.ndarray) -> _LeftOut:
    centred = X - (weights @ X / weights.sum()).astype(np.float32)
    return _LeftOut(centred, targets_of(CODES), weights, CODES)


def ridge(X: np.ndarray, targets: np.ndarray, weights: np.ndarray, penalty: float) -> np.ndarray:
    """Return slopes, with the bias as their last row, as least squares of a larger system has them."""
    wide = np.column_stack([X, np.ones(len(X))]).astype(np.float64)
    shrunk = np.sqrt(penalty) * np.eye(wide.shape[1])[:-1]
    roots = np.sqrt(weights)[:, None]
    left = np.concatenate([roots * wide, shrunk])
    right = np.concatenate([roots * targets, np.zeros((len(shrunk), 3))])
    return np.linalg.lstsq(left, right, rcond=None)[0]


@pytest.mark.parametrize("columns", [5, 120], ids=["fewer-columns", "more-columns"])
@pytest.mark.parametrize("power", [-3.0, -1.0, 1.5])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["alike", "weighted"])
def test_each_row_left_out_is_predicted_by_a_ridge_of_the_others(power: float, columns: int, is_weighted: bool) -> None:
    X, weights = rows_of(columns), TIMES / TIMES.mean() if is_weighted else np.ones(48)
    solver, expected = left_out_of(X, weights), []
    for row in range(48):
        others = np.arange(48) != row
        theta = ridge(X[others], targets_of(CODES)[others], weights[others], solver.size * 10**power)
        expected.append(np.append(X[row], 1) @ theta)
    np.testing.assert_allclose(solver.left_out(power), expected, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("columns", [5, 120], ids=["fewer-columns", "more-columns"])
def test_slopes_from_products_of_rows_are_those_from_columns(columns: int) -> None:
    X = rows_of(columns)
    solver = left_out_of(X, np.ones(48))
    expected = ridge(X, targets_of(CODES), np.ones(48), solver.size * 0.1)[:-1]
    np.testing.assert_allclose(solver.slopes(-1.0), expected, rtol=1e-3, atol=1e-4)


def test_a_row_that_weighs_three_counts_as_three_rows_in_slopes() -> None:
    X = rows_of(20)
    weighed, repeated = left_out_of(X, TIMES.astype(float)), np.repeat(np.arange(48), TIMES)
    mean = (TIMES @ X / TIMES.sum()).astype(np.float32)
    copies = _LeftOut(X[repeated] - mean, targets_of(CODES[repeated]), np.ones(len(repeated)), CODES[repeated])
    power = -1 + float(np.log10(weighed.size / copies.size))
    np.testing.assert_allclose(copies.slopes(power), weighed.slopes(-1.0), rtol=1e-3, atol=1e-4)


def test_the_inverse_is_one() -> None:
    half = RNG.normal(size=(30, 40))
    matrix = half @ half.T + np.eye(30)
    np.testing.assert_allclose(_inverse(matrix) @ matrix, np.eye(30), atol=1e-9)


@pytest.mark.parametrize(("diagonal", "column"), [([1.0, 2.0, -1.0], 3), ([0.0, 1.0, 1.0], 1)], ids=["last", "first"])
def test_products_that_are_not_positive_are_named(diagonal: list[float], column: int) -> None:
    with pytest.raises(np.linalg.LinAlgError, match=rf"ridge: .* must be positive\. Got column {column} that is not"):
        _inverse(np.diag(diagonal))


def loss_at(scores: np.ndarray, codes: np.ndarray, weights: np.ndarray, logarithm: float) -> float:
    """Return the weighted log loss at a temperature with one more row, whose class is each by equal shares."""
    scaled = scores * np.exp(logarithm)
    scaled -= scaled.max(axis=1, keepdims=True)
    logs = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    own = -weights @ logs[np.arange(len(codes)), codes]
    return float((own - logs.mean(axis=1).mean()) / (weights.sum() + 1))


@pytest.mark.parametrize("noise", [0.5, 1.0, 3.0])
def test_the_temperature_is_the_best_of_all(noise: float) -> None:
    scores = targets_of(CODES) + np.random.default_rng(1).normal(0, noise, (48, 3))
    weights = TIMES / TIMES.mean()
    found = _judged(_Seen(scores, CODES, weights))
    losses = [loss_at(scores, CODES, weights, power) for power in np.linspace(-2, 4, 601)]
    assert found.loss == pytest.approx(min(losses), abs=1e-4)
    assert found.loss == pytest.approx(loss_at(scores, CODES, weights, np.log(found.heat)), rel=1e-9)


def test_scores_of_another_size_have_the_same_loss_and_another_temperature() -> None:
    scores = targets_of(CODES) + np.random.default_rng(1).normal(0, 1, (48, 3))
    plain, large = (_judged(_Seen(size * scores, CODES, np.ones(48))) for size in (1.0, 2.0))
    assert large.loss == pytest.approx(plain.loss, abs=1e-4)
    assert 2 * large.heat == pytest.approx(plain.heat, rel=0.05)


def test_scores_that_are_always_right_do_not_become_endless() -> None:
    found = _judged(_Seen(targets_of(CODES), CODES, np.ones(48)))
    assert found.heat < np.exp(3)
    assert 0 < found.loss < 0.2


def test_scores_that_are_always_wrong_become_small() -> None:
    found = _judged(_Seen(-targets_of(CODES), CODES, np.ones(48)))
    assert found.heat == pytest.approx(np.exp(-2), rel=0.05)
    assert found.loss > np.log(3)


@pytest.mark.parametrize(("size", "logarithm"), [(-1.0, -2.0), (1e-4, 4.0)], ids=["coldest", "hottest"])
def test_the_best_temperature_may_be_a_bound(size: float, logarithm: float) -> None:
    found = _judged(_Seen(size * targets_of(CODES), CODES, np.ones(48)))
    assert found.heat == np.exp(logarithm)
    assert found.loss == pytest.approx(loss_at(size * targets_of(CODES), CODES, np.ones(48), logarithm), rel=1e-12)


def test_where_all_temperatures_are_alike_none_of_the_bounds_is_taken() -> None:
    assert np.exp(-2) < _judged(_Seen(np.zeros((48, 3)), CODES, np.ones(48))).heat < np.exp(4)


@pytest.mark.parametrize("least", [-3.9, -2.6, -1.0, -0.6, 0.4, 1.9])
def test_the_power_is_the_half_step_next_to_the_least_loss(least: float) -> None:
    found = _lowest(lambda power: (power - least) ** 2)
    assert found == min(np.arange(-9, 6) / 2, key=lambda power: abs(power - least))


@pytest.mark.parametrize("slope", [1.0, -1.0], ids=["down-to-the-left", "down-to-the-right"])
def test_the_search_for_a_power_ends(slope: float) -> None:
    tried: list[float] = []
    _lowest(lambda power: tried.append(power) or slope * power)
    assert min(tried) >= -4.5
    assert max(tried) <= 2.5


def scored(scores: Scores | None, X: np.ndarray) -> np.ndarray:
    assert scores is not None
    return np.asarray((X - scores.mean) @ scores.weights + scores.bias)


CHANGES = {
    "units": lambda X: X * np.float32(8),
    "signs": lambda X: -X,
    "shift": lambda X: X + np.float32(4),
    "order": lambda X: X[:, ::-1],
    "constant": lambda X: np.column_stack([X, np.full(len(X), 7, np.float32)]),
}


@pytest.mark.parametrize("changed", [change(rows_of(60)) for change in CHANGES.values()], ids=CHANGES)
def test_what_columns_are_measured_in_is_of_no_account(changed: np.ndarray) -> None:
    plain = scored(learned_ridge(Problem(rows_of(60), CODES, np.ones(48))), rows_of(60))
    found = scored(learned_ridge(Problem(changed, CODES, np.ones(48))), changed)
    np.testing.assert_allclose(found, plain, rtol=0.02, atol=0.02 * np.abs(plain).max())


def test_classes_in_another_order_have_their_scores_in_that_order() -> None:
    X, order = rows_of(60), np.array([2, 0, 1])
    plain = scored(learned_ridge(Problem(X, CODES, np.ones(48))), X)
    found = scored(learned_ridge(Problem(X, order[CODES], np.ones(48))), X)
    np.testing.assert_allclose(found[:, order], plain, rtol=0.02, atol=0.02 * np.abs(plain).max())


def test_of_two_classes_one_has_what_the_other_has_not() -> None:
    X = rows_of(60)
    found = scored(learned_ridge(Problem(X, CODES % 2, np.ones(48))), X)
    np.testing.assert_allclose(found[:, 0], -found[:, 1], rtol=1e-3, atol=1e-4)


def test_columns_in_other_units_are_the_same_to_the_bit() -> None:
    X = rows_of(9)
    units = np.float32(2.0) ** np.arange(-4, 5, dtype=np.float32)
    plain, other = (standardised(Problem(rows, CODES, np.ones(48))) for rows in (X, X * units))
    assert plain is not None
    assert other is not None
    np.testing.assert_array_equal(other.values, plain.values)
    np.testing.assert_array_equal(other.scale * units, plain.scale)


def test_a_row_that_weighs_three_counts_as_three_rows_in_scales() -> None:
    X, repeated = rows_of(9), np.repeat(np.arange(48), TIMES)
    one = standardised(Problem(X, CODES, TIMES / TIMES.mean()))
    other = standardised(Problem(X[repeated], CODES[repeated], np.ones(len(repeated))))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.values[repeated], other.values, rtol=1e-4, atol=1e-5)


def test_rows_are_left_as_they_are() -> None:
    X = rows_of(9)
    learned_ridge(Problem(X, CODES, np.ones(48)))
    np.testing.assert_array_equal(X, rows_of(9))


def path_of(X: np.ndarray, codes: np.ndarray, weights: np.ndarray, folder: Path) -> _Path:
    ctx = LocalContext(np.arange(len(X)), np.arange(0), 3, folder)
    values = Standardised(X, np.zeros(X.shape[1], np.float32), np.ones(X.shape[1], np.float32))
    return _Path(values, Problem(X, codes, weights), ctx)


def softmax(scores: np.ndarray) -> np.ndarray:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("penalty", [0.3, 3.0, 30.0])
def test_it_is_the_weighted_regression_of_scikit_learn(penalty: float, tmp_path: Path) -> None:
    X, weights = rows_of(6), TIMES / TIMES.mean()
    path = path_of(X, CODES, weights, tmp_path)
    theta = path.fitted(np.ones(48, bool), penalty, path.start)
    expected = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=1000).fit(X, CODES, sample_weight=weights)
    np.testing.assert_allclose(softmax(X @ theta[:-1] + theta[-1]), expected.predict_proba(X), atol=5e-3)


def test_of_two_classes_it_is_that_of_half_the_penalty(tmp_path: Path) -> None:
    X, codes = rows_of(6), CODES % 2
    path = path_of(X, codes, np.ones(48), tmp_path)
    theta = path.fitted(np.ones(48, bool), 3.0, path.start)
    expected = LogisticRegression(C=2 / 3.0, tol=1e-8, max_iter=1000).fit(X, codes)
    np.testing.assert_allclose(softmax(X @ theta[:-1] + theta[-1]), expected.predict_proba(X), atol=5e-3)


def test_the_chosen_penalty_is_better_than_those_beside_it(tmp_path: Path) -> None:
    codes = np.arange(300) % 3
    X, held = rows_of(12, codes, apart=0.3), np.arange(300) % 3 == np.arange(300) // 100
    penalty, _ = _chosen(path_of(X, codes, np.ones(300), tmp_path), ~held, held)
    losses = {}
    for tried in (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1):
        path = path_of(X, codes, np.ones(300), tmp_path)
        losses[tried] = path.loss(held, path.fitted(~held, tried, path.start))
    assert losses[penalty] == pytest.approx(min(losses.values()), abs=1e-3)


def test_rows_held_out_are_learned_from_in_the_end(tmp_path: Path) -> None:
    X, ctx = rows_of(6), LocalContext(np.arange(48), np.arange(0), 3, tmp_path)
    scores = learned_logistic(Problem(X, CODES, np.ones(48)), np.arange(48) % 4 == 0, ctx)
    assert scores is not None
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    penalty = float(scores.penalty.split()[1])
    expected = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=1000).fit(X, CODES).predict_proba(X)
    np.testing.assert_allclose(softmax(scored(scores, rows_of(6))), expected, atol=5e-3)


LOSS = SoftmaxLoss(rows_of(4), CODES, (TIMES / TIMES.sum()).astype(np.float32), 0.7, 3)
THETA = np.random.default_rng(2).normal(size=(5, 3))


def test_the_loss_is_the_cross_entropy_and_its_slopes() -> None:
    chances, shares = softmax(LOSS.X @ THETA[:-1] + THETA[-1]), TIMES / TIMES.sum()
    wrong = shares[:, None] * (chances - np.eye(3)[CODES])
    gradient = np.concatenate([LOSS.X.T @ wrong + 0.7 * THETA[:-1], wrong.sum(axis=0)[None]])
    loss, found = LOSS(THETA.ravel())
    assert loss == pytest.approx(
        -shares @ np.log(chances[np.arange(48), CODES]) + 0.35 * (THETA[:-1] ** 2).sum(), rel=1e-5
    )
    np.testing.assert_allclose(found.reshape(5, 3), gradient, rtol=1e-4, atol=1e-5)


def test_what_all_classes_have_in_common_is_no_loss() -> None:
    lifted = THETA + np.array([0, 0, 0, 0, 3.0])[:, None]
    assert LOSS(lifted.ravel())[0] == pytest.approx(LOSS(THETA.ravel())[0], rel=1e-5)
    assert LOSS(THETA.ravel())[1].reshape(5, 3)[-1].sum() == pytest.approx(0, abs=1e-6)


def test_scores_of_any_size_have_a_finite_loss() -> None:
    loss, gradient = LOSS(1e6 * THETA.ravel())
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_the_loss_changes_nothing_that_it_is_given() -> None:
    flat, X = THETA.ravel().copy(), LOSS.X.copy()
    LOSS(flat)
    np.testing.assert_array_equal(flat, THETA.ravel())
    np.testing.assert_array_equal(LOSS.X, X)


@pytest.mark.parametrize("rows", [1, 100, 5000, 10**6])
@pytest.mark.parametrize("columns", [100, 504, 5000, 100_000])
def test_what_is_affordable_is_as_much_as_the_work_allows(columns: int, rows: int) -> None:
    found = affordable(columns, rows)
    assert found <= columns
    assert found <= 504 or rows * found**2 <= 2e10
    assert found == columns or rows * (found + 1) ** 2 > 2e10


@pytest.mark.parametrize("present", [[True, True, True], [True, True, False]], ids=["weightless", "absent"])
def test_a_last_class_that_was_not_learned_has_no_chance(present: list[bool]) -> None:
    learned = Scores(np.zeros(4), THETA[:-1, :2], THETA[-1, :2], "")
    plan = {"version": 1, "kind": "summary", "channels": 1, "longest": 1, "points": 0, "parts": ["length"]}
    found = SeriesModel(graph_of(learned, np.array(present)), plan, "probabilities").predict_encoded(rows_of(4))
    np.testing.assert_allclose(found[:, :2], softmax(rows_of(4) @ learned.weights + learned.bias), atol=1e-5)
    assert (found[:, 2] == 0).all()


def test_of_too_many_rows_a_sample_is_learned_from(tmp_path: Path) -> None:
    ctx = LocalContext(np.arange(5, 2005), np.arange(0), 3, tmp_path)
    found = linear_model._sampled(ctx, linear_model._MOST_VALUES)
    assert len(np.unique(found)) == len(found) == 1000
    assert (np.diff(found) > 0).all()
    assert np.isin(found, ctx.train_rows).all()
    assert ctx.notes == {"rows": "a sample of 1000 of 2000"}


def test_rows_that_memory_allows_are_all_learned_from(tmp_path: Path) -> None:
    ctx = LocalContext(np.arange(1000)[::-1], np.arange(0), 3, tmp_path)
    assert linear_model._sampled(ctx, linear_model._MOST_VALUES) is ctx.train_rows
    assert ctx.notes == {}


DATA = waving_series(30)


def test_series_computed_some_at_a_time_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = LocalContext(np.arange(20), np.arange(20, 30), 3, tmp_path)
    whole = encoded(DATA, ctx, {"a": 1}, lambda series, rng: summary_plan(2, points=3, longest=50))
    monkeypatch.setattr(encoding, "_BATCH", 7)
    parts = encoded(DATA, ctx, {"a": 2}, lambda series, rng: summary_plan(2, points=3, longest=50))
    np.testing.assert_array_equal(parts.X, whole.X)
    assert not parts.X.flags.writeable


@pytest.mark.parametrize(
    ("rows", "is_same"), [(np.r_[19:-1:-1, 3, 3], True), (np.arange(19), False)], ids=["order", "fewer"]
)
def test_the_rows_of_a_fold_and_not_their_order_name_its_files(rows: np.ndarray, is_same: bool, tmp_path: Path) -> None:
    for train_rows in (np.arange(20), rows):
        ctx = LocalContext(train_rows, np.arange(20, 30), 3, tmp_path)
        encoded(DATA, ctx, {"a": 1}, lambda series, rng: summary_plan(2, points=0, longest=50))
    assert len(list(tmp_path.iterdir())) == (2 if is_same else 4)
