import numpy as np
import pytest

from automl.core.events import Winner
from automl.core.metrics import metric
from automl.ensembles.field import Contestant, Rules
from automl.ensembles.select import choose

ROWS = 300
FOLDS = np.arange(ROWS) % 5


def target(seed=0):
    return np.random.default_rng(seed).integers(3, size=ROWS)


def noisy(y, own, common=0.0, *, seed=0):
    """Probabilities of three classes with an error of their own and one that all share."""
    shared = np.random.default_rng(99).normal(size=(len(y), 3))
    logits = 2 * np.eye(3)[y] + common * shared + own * np.random.default_rng(seed).normal(size=(len(y), 3))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)


def field(y, noises, **facts):
    return [Contestant(i, f"c{i}", noisy(y, own, seed=i), **facts) for i, own in enumerate(noises)]


def decide(contestants, y, name="accuracy", *, seed=0, **rules):
    return choose(contestants, y, metric(name), folds=FOLDS, rng=np.random.default_rng(seed), rules=Rules(**rules))


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "balanced_accuracy"])
def test_independent_errors_make_an_ensemble(name):
    y = target()
    choice = decide(field(y, [1.5] * 8), y, name)
    assert choice.kind == choice.candidate == "ensemble"
    assert sum(choice.weights.values()) == pytest.approx(1.0)
    assert choice.p_ensemble > 0.9


def test_one_much_better_model_stays_single():
    y = target()
    choice = decide(field(y, [0.3, 3.0, 3.0, 3.0]), y)
    assert (choice.kind, choice.candidate, choice.weights) == ("single", "c0", {0: 1.0})


def test_the_same_model_twice_stays_single():
    y = target()
    twins = [Contestant(i, "cnn", noisy(y, 1.5)) for i in range(3)]
    assert decide(twins, y).kind == "single"


def test_among_equals_the_smaller_is_taken():
    y = target()
    twins = [Contestant(i, "cnn", noisy(y, 1.5), size_bytes=size) for i, size in enumerate((300, 100, 200))]
    assert decide(twins, y).weights == {1: 1.0}


def test_a_smaller_model_a_hair_below_the_best_is_taken():
    y, best = target(), noisy(target(), 1.0)
    hair = best.copy()
    changed = np.flatnonzero(best.argmax(axis=1) == y)[:1]
    hair[changed] = np.roll(best[changed], 1, axis=1)
    others = np.flatnonzero(best.argmax(axis=1) != y)[:1]
    hair[others] = np.eye(3)[y[others]]
    choice = decide([Contestant(0, "big", best, size_bytes=9), Contestant(1, "small", hair, size_bytes=1)], y)
    assert choice.weights == {1: 1.0} or choice.kind == "ensemble"


def test_a_smaller_model_that_is_clearly_worse_is_not_taken():
    y = target()
    rivals = [Contestant(0, "big", noisy(y, 0.5), size_bytes=9), Contestant(1, "small", noisy(y, 2.0), size_bytes=1)]
    choice = decide(rivals, y)
    assert 0 in choice.weights


def test_an_only_contestant_wins_without_correction():
    y = target()
    choice = decide(field(y, [1.0]), y)
    assert choice.kind == "single"
    assert "single trial" in choice.method
    assert choice.p_ensemble is None


def test_without_time_the_best_single_is_taken_and_said():
    y = target()
    choice = decide(field(y, [1.5] * 8), y, time_left=lambda: 0.0)
    assert choice.kind == "single"
    assert "not corrected" in choice.method


def test_the_corrected_score_lies_below_the_cross_validated_best_of_equals():
    y = target()
    shared = [Contestant(i, "cnn", noisy(y, 0.5, 2.0, seed=i)) for i in range(12)]
    choice = decide(shared, y)
    assert choice.corrected < choice.cv
    assert choice.low < choice.corrected < choice.high


def test_cv_and_its_error_are_those_of_the_fold_scores():
    y = target()
    only = field(y, [1.5])
    scores = [metric("accuracy").score(y[f == FOLDS], only[0].predictions[f == FOLDS]) for f in range(5)]
    choice = decide(only, y)
    assert (choice.cv, choice.se) == pytest.approx((np.mean(scores), np.std(scores, ddof=1) / 5**0.5))


@pytest.mark.parametrize(("baseline", "low"), [(1, 0.99), (None, None)], ids=["named", "none"])
def test_the_winner_is_compared_with_the_baseline_that_is_named(baseline, low):
    y = target()
    choice = decide(field(y, [0.5, 30.0]), y, baseline=baseline)
    assert choice.p_better is None if low is None else choice.p_better >= low


def test_the_latency_limit_bounds_a_single_model():
    y = target()
    rivals = [
        Contestant(0, "slow", noisy(y, 0.3), latency_ms=9.0),
        Contestant(1, "quick", noisy(y, 1.5), latency_ms=1.0),
    ]
    choice = decide(rivals, y, max_latency_ms=2.0)
    assert choice.weights == {1: 1.0}
    assert choice.note == ""


def test_the_latency_limit_bounds_an_ensemble():
    y = target()
    choice = decide(field(y, [1.5] * 8, latency_ms=1.0), y, max_latency_ms=3.0)
    assert len(choice.weights) <= 3


def test_if_no_model_keeps_the_latency_limit_the_quickest_is_taken_and_said():
    y = target()
    rivals = [Contestant(i, "cnn", noisy(y, 1.0), latency_ms=ms) for i, ms in enumerate((7.0, 5.0))]
    choice = decide(rivals, y, max_latency_ms=1.0)
    assert choice.weights == {1: 1.0}
    assert "no model predicts a row within 1.0 ms" in choice.note


def test_rows_that_a_member_did_not_predict_are_left_out():
    y = target()
    part = noisy(y, 0.5)
    part[:100] = np.nan
    choice = decide([Contestant(0, "part", part), Contestant(1, "whole", noisy(y, 1.0, seed=1))], y)
    assert np.isfinite([choice.cv, choice.corrected, choice.low, choice.high]).all()


def test_a_trial_that_predicted_nothing_is_no_contestant():
    y = target()
    choice = decide([Contestant(0, "void", np.full((ROWS, 3), np.nan)), Contestant(1, "whole", noisy(y, 1.0))], y)
    assert choice.weights == {1: 1.0}


def test_the_same_stream_makes_the_same_choice():
    y = target()
    assert decide(field(y, [1.5] * 3), y, seed=5) == decide(field(y, [1.5] * 3), y, seed=5)


def test_the_order_of_contestants_does_not_matter():
    y = target()
    assert decide(field(y, [1.5] * 3)[::-1], y) == decide(field(y, [1.5] * 3), y)


def test_numbers_are_chosen_among_too():
    rng = np.random.default_rng(0)
    y = rng.normal(size=ROWS)
    rivals = [Contestant(i, "gbdt", (y + rng.normal(size=ROWS)).astype(np.float32)) for i in range(6)]
    choice = decide(rivals, y, "rmse")
    assert choice.kind == "ensemble"
    assert 0 < choice.low < choice.corrected < choice.high


def test_a_choice_becomes_the_winner_of_the_journal():
    y = target()
    choice = decide(field(y, [1.0]), y)
    winner = choice.winner()
    assert isinstance(winner, Winner)
    assert (winner.cv, winner.weights, winner.method) == (choice.cv, choice.weights, choice.method)


def test_no_contestant_is_refused():
    with pytest.raises(ValueError, match=r"a choice needs a contestant\. Got 0"):
        decide([], target())


def test_contestants_without_a_common_row_are_refused():
    y = target()
    with pytest.raises(ValueError, match=r"no row was predicted by all of the trials \[4\]"):
        decide([Contestant(4, "cnn", np.full((ROWS, 3), np.nan))], y)
