import math

import numpy as np
import pytest

from automl.core.intervals import student, wilson
from automl.core.metrics import metric
from automl.core.scores import (
    LEAST_RESAMPLES,
    Corrected,
    Pool,
    Sample,
    best_single,
    bootstrap_counts,
    correct,
    corrected_score,
    out_of_bag,
    p_better,
    row_interval,
    share_above_zero,
    standard_error,
    widened,
)

ACCURACY = metric("accuracy")


def guesses(y, share_right, rng):
    """Predictions of two classes of which each is right with a probability."""
    shown = np.where(rng.random(len(y)) < share_right, y, 1 - y)
    return np.eye(2, dtype=np.float32)[shown]


def equal_pool(trials=30, rows=200, share=0.7, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=rows)
    return Pool(tuple(guesses(y, share, rng) for _ in range(trials)), y, ACCURACY)


def ticking(total, step):
    """A countdown that falls by step at each look."""
    left = [total + step]

    def time_left():
        left[0] -= step
        return left[0]

    return time_left


@pytest.mark.parametrize("trials", [10, 50])
def test_the_naive_best_is_too_good_and_the_corrected_one_is_not(trials):
    pools = [equal_pool(trials, seed=s) for s in range(8)]
    naive = np.mean([p.scores(np.ones(200)).max() for p in pools])
    found = [corrected_score(p, best_single, rng=np.random.default_rng(1), resamples=30).score for p in pools]
    assert naive > 0.74
    assert abs(np.mean(found) - 0.7) < 0.02


def test_a_clear_winner_is_hardly_corrected():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=1000)
    pool = Pool(tuple(guesses(y, share, rng) for share in (0.6, 0.6, 0.9)), y, ACCURACY)
    found = corrected_score(pool, best_single, rng=rng)
    assert found.score == pytest.approx(pool.scores(np.ones(1000)).max(), abs=0.003)


@pytest.mark.slow
@pytest.mark.parametrize("new_rows", [100, 400])
def test_the_interval_covers_the_score_on_a_new_sample(new_rows):
    hits = 0
    for seed in range(100):
        pool, rng = equal_pool(20, rows=300, seed=seed), np.random.default_rng(1000 + seed)
        found = corrected_score(pool, best_single, rng=rng, sample_rows=new_rows, resamples=30)
        hits += found.low <= rng.binomial(new_rows, 0.7) / new_rows <= found.high
    assert 90 <= hits <= 100


def test_a_small_new_sample_widens_the_interval():
    pool = equal_pool()
    large, small = (
        corrected_score(pool, best_single, rng=np.random.default_rng(0), sample_rows=n, resamples=40)
        for n in (10_000, 50)
    )
    assert small.high - small.low > 1.5 * (large.high - large.low)


def test_a_single_trial_is_not_corrected():
    pool = equal_pool(trials=1)
    found = corrected_score(pool, best_single, rng=np.random.default_rng(0))
    assert found.score == pool.scores(np.ones(200))[0]
    assert "single trial" in found.method
    assert found.resamples == 0


def test_without_time_the_row_bootstrap_is_taken_and_said():
    pool = equal_pool()
    found = corrected_score(pool, best_single, rng=np.random.default_rng(0), time_left=lambda: 0.0)
    assert found.resamples == 0
    assert "no time" in found.method
    assert found.low < found.score < found.high


def test_the_deadline_ends_the_resampling():
    pool = equal_pool()
    scores = out_of_bag(pool, [pool.best], rng=np.random.default_rng(0), time_left=ticking(100.0, 1.0))
    assert LEAST_RESAMPLES <= len(scores) < 60


def test_resampling_ends_at_once_where_the_least_number_does_not_fit():
    pool = equal_pool()
    scores = out_of_bag(pool, [pool.best], rng=np.random.default_rng(0), time_left=ticking(100.0, 10.0))
    assert len(scores) == 1


def test_without_a_clock_the_same_stream_gives_the_same_result():
    pool = equal_pool()
    first, second = (corrected_score(pool, best_single, rng=np.random.default_rng(3), resamples=30) for _ in range(2))
    assert first == second


def test_all_strategies_see_the_same_samples():
    pool = equal_pool()
    scores = out_of_bag(pool, [pool.best, pool.best], rng=np.random.default_rng(0), resamples=25)
    assert (scores[:, 0] == scores[:, 1]).all()


def test_selection_sees_no_row_that_it_is_scored_on():
    pool, seen = equal_pool(), []
    out_of_bag(pool, [lambda c: (seen.append(c), pool.best(c))[1]], rng=np.random.default_rng(0), resamples=3)
    assert all(counts.sum() == 200 and 40 < (counts == 0).sum() < 110 for counts in seen)


def test_samples_that_do_not_define_the_metric_are_left_out():
    y = np.array([1] + [0] * 11)
    pool = Pool((np.tile([0.5, 0.5], (12, 1)), np.tile([0.4, 0.6], (12, 1))), y, metric("roc_auc"))
    scores = out_of_bag(pool, [pool.best], rng=np.random.default_rng(0), resamples=40)
    assert 0 < len(scores) < 40
    assert np.isfinite(scores).all()


def test_an_unstable_selection_widens_the_interval():
    pool, weights = equal_pool(), np.eye(30)[0]
    calm, wild = np.full(30, 0.7), np.tile([0.5, 0.9], 15)
    narrow, wide = (
        correct(pool, weights, s, sample=Sample(200, 200), rng=np.random.default_rng(0)) for s in (calm, wild)
    )
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_many_rows_are_sampled_and_the_interval_keeps_their_precision():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=80_000)
    pool = Pool((guesses(y, 0.7, rng), guesses(y, 0.6, rng)), y, ACCURACY)
    found = corrected_score(pool, best_single, rng=rng, resamples=20)
    assert found.high - found.low == pytest.approx(2 * 1.96 * math.sqrt(2 * 0.21 / 80_000), rel=0.3)


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_values_are_corrected_in_their_own_sign(name):
    rng = np.random.default_rng(0)
    y = rng.normal(size=150)
    pool = Pool(tuple(y + rng.normal(size=150) for _ in range(20)), y, metric(name))
    found = corrected_score(pool, best_single, rng=rng, resamples=40)
    best = pool.scores(np.ones(150)) * pool.metric.sign
    assert pool.metric.sign * found.score < best.max()
    assert found.low < found.score < found.high


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "macro_f1", "f1", "roc_auc", "average_precision"])
def test_a_flawless_score_on_few_rows_is_no_certainty(name):
    y = np.arange(40) % 2
    low, high = row_interval(metric(name), y, np.eye(2)[y], rng=np.random.default_rng(0))
    assert 0.7 < low < 0.95
    assert high == 1.0


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "log_loss", "macro_f1", "average_precision"])
def test_the_row_interval_holds_the_score(name):
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=300)
    p = np.clip(0.5 + 0.2 * (2 * y - 1) + 0.3 * rng.normal(size=300), 0.01, 0.99)
    predicted = np.stack([1 - p, p], axis=1)
    low, high = row_interval(metric(name), y, predicted, rng=rng)
    assert low < metric(name).score(y, predicted) < high


def test_the_row_interval_of_accuracy_agrees_with_theory():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=5000)
    low, high = row_interval(ACCURACY, y, guesses(y, 0.8, rng), rng=rng)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.16 / 5000), rel=0.1)


def test_the_row_interval_of_many_rows_keeps_their_precision():
    rng = np.random.default_rng(0)
    y = rng.normal(size=100_000)
    low, high = row_interval(metric("mae"), y, y + rng.normal(size=len(y)), rng=rng, resamples=300)
    assert high - low == pytest.approx(2 * 1.96 * 0.603 / math.sqrt(100_000), rel=0.2)


def test_the_row_interval_stops_with_the_time():
    y = np.arange(100) % 2
    drawn = [
        row_interval(ACCURACY, y, np.eye(2)[y], rng=np.random.default_rng(0), time_left=t) for t in (None, lambda: 0)
    ]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("shares", "low", "high"), [((0.9, 0.5), 0.999, 1.0), ((0.5, 0.9), 0.0, 0.001)], ids=["up", "down"]
)
def test_p_better_sees_a_clear_difference(shares, low, high):
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=400)
    winner, baseline = (guesses(y, share, rng) for share in shares)
    assert low <= p_better(y, winner, baseline, metric=ACCURACY, rng=rng) <= high


@pytest.mark.parametrize("name", ["accuracy", "roc_auc"])
def test_p_better_of_equals_is_one_half(name):
    y = np.arange(50) % 2
    same = np.tile([0.4, 0.6], (50, 1))
    assert p_better(y, same, same, metric=metric(name), rng=np.random.default_rng(0)) == 0.5


def test_p_better_turns_round_for_losses():
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    assert p_better(y, y + 0.1, y + 0.5, metric=metric("rmse"), rng=rng) == 1.0


@pytest.mark.parametrize(
    ("scores", "error"), [([0.8, 0.9], 0.05), ([1.0, 1.0, 1.0], 0.0), ([0.7], math.nan), ([], math.nan)]
)
def test_standard_error_is_that_of_the_mean(scores, error):
    assert standard_error(scores) == pytest.approx(error, nan_ok=True)


@pytest.mark.parametrize(
    ("share", "rows", "low", "high"), [(0.5, 100, 0.404, 0.596), (0.0, 10, 0.0, 0.278), (1.0, 10, 0.722, 1.0)]
)
def test_wilson_agrees_with_published_values(share, rows, low, high):
    assert wilson(share, rows) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(("differences", "share"), [([], 0.5), ([0.0], 0.5), ([1.0, -1.0, 2.0, 0.0], 0.625)])
def test_share_above_zero_counts_ties_half(differences, share):
    assert share_above_zero(np.array(differences)) == share


def test_bootstrap_counts_sum_to_the_rows():
    assert bootstrap_counts(37, np.random.default_rng(0)).sum() == 37


def test_a_blend_is_the_weighted_mean():
    pool = Pool((np.zeros((2, 2)), np.ones((2, 2))), np.zeros(2, dtype=int), ACCURACY)
    assert pool.blend(np.array([0.25, 0.75])) == pytest.approx(np.full((2, 2), 0.75))


def test_the_best_of_equals_is_the_first():
    pool = equal_pool(trials=1)
    assert Pool(pool.predictions * 3, pool.y, ACCURACY).best(np.ones(200)).tolist() == [1.0, 0.0, 0.0]


def test_a_pool_is_scored_alike_with_and_without_preparation():
    pool, rows = equal_pool(), np.arange(0, 200, 3)
    assert pool.score(np.eye(30)[4], rows) == pytest.approx(ACCURACY.score(pool.y[rows], pool.predictions[4][rows]))


@pytest.mark.parametrize(("freedom", "quantile"), [(3, 3.182), (4, 2.776), (7, 2.365), (29, 2.045)])
def test_students_quantiles_are_those_of_the_table(freedom, quantile):
    assert student(freedom) == pytest.approx(quantile, rel=0.02)


@pytest.mark.parametrize("error", [0.0, float("nan")])
def test_an_interval_is_never_made_narrower(error):
    found = Corrected(0.5, 0.4, 0.6, "rows", 0)
    assert widened(found, error, 5, ACCURACY) == found


def test_a_widened_interval_stays_within_the_metric():
    found = widened(Corrected(0.95, 0.9, 0.97, "rows", 0), 0.2, 5, ACCURACY)
    assert (found.high, found.low) == (1.0, pytest.approx(0.95 - 2.776 * 0.2, rel=0.03))
