"""What is accepted, and what it is said to bring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.calibration.refine import LEAST_ROWS, MOST_ROWS, Refinement, Unseen, refine
from automl.core.events import Winner
from automl.core.metrics import METRICS, metric
from automl.serving.calibration import calibrate, check_calibration, check_decision, decided

WINNER = Winner("single", "gbdt", {0: 1.0}, 0.7, 0.02, 0.68, 0.6, 0.75, 0.99, "bootstrap")


def unseen(*prior: float, boldness: float = 1.0, rows: int = 3000, seed: int = 0, split: Any = "stratified") -> Unseen:
    """True probabilities raised to a power, on rows of five folds."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(prior), size=rows, p=prior)
    x = 1.5 * y + rng.normal(size=rows)
    likely = (np.array(prior) * np.exp(-0.5 * (x[:, None] - 1.5 * np.arange(len(prior))) ** 2)) ** boldness
    scores = (likely / likely.sum(axis=1, keepdims=True)).astype(np.float32)
    return Unseen(scores, y, rng.integers(5, size=rows).astype(np.int8), split)


def refined(known: Unseen, name: str, **more: Any) -> Refinement:
    facts = {"deploy": "refit", "rng": np.random.default_rng(0), **more}
    return refine(known, metric(name), **facts)


def applied(found: Refinement, known: Unseen, name: str) -> float:
    scores = calibrate(known.scores, found.calibration)
    return metric(name).score(known.y, decided(scores, found.decision) if metric(name).needs == "labels" else scores)


# ---- calibration


@pytest.mark.parametrize("prior", [(0.6, 0.4), (0.5, 0.3, 0.2)], ids=len)
def test_too_bold_probabilities_are_made_careful(prior: tuple[float, ...]) -> None:
    found = refined(unseen(*prior, boldness=2.5, rows=1500), "log_loss")
    assert found.calibration["temperature"] == pytest.approx(2.5, rel=0.15)
    assert found.words.startswith("temperature 2.")


def test_the_gain_is_what_fresh_rows_gain() -> None:
    found, fresh = (unseen(0.5, 0.3, 0.2, boldness=2.5, seed=s) for s in (0, 1))
    result = refined(found, "log_loss")
    before = metric("log_loss").score(fresh.y, fresh.scores)
    assert result.gain == pytest.approx(before - applied(result, fresh, "log_loss"), abs=0.03)


@pytest.mark.parametrize("name", ["log_loss", "accuracy", "roc_auc"])
def test_true_probabilities_are_mostly_left_alone(name: str) -> None:
    found = [refined(unseen(0.6, 0.4, rows=1200, seed=seed), name) for seed in range(8)]
    assert sum(not result.words for result in found) >= 5
    assert all(abs(result.gain) < 0.01 for result in found)


def test_the_mean_of_fold_models_gets_less_of_it() -> None:
    known = unseen(0.5, 0.3, 0.2, boldness=2.5)
    whole, bag = (refined(known, "log_loss", deploy=deploy) for deploy in ("refit", "bag"))
    assert 1 < bag.calibration["temperature"] < whole.calibration["temperature"]
    assert 0 < bag.gain < whole.gain


def test_a_bent_line_is_straightened_where_rows_are_many() -> None:
    known = unseen(0.6, 0.4, rows=8000)
    bent = Unseen(np.stack([1 - known.scores[:, 1] ** 3, known.scores[:, 1] ** 3], axis=1), known.y, known.folds)
    found = refined(bent, "log_loss")
    assert found.calibration["kind"] == "isotonic"
    assert found.gain > 0.05


def test_a_bent_line_of_few_rows_is_not_followed() -> None:
    known = unseen(0.9, 0.1, rows=3000)
    bent = Unseen(np.stack([1 - known.scores[:, 1] ** 3, known.scores[:, 1] ** 3], axis=1), known.y, known.folds)
    assert refined(bent, "log_loss").calibration.get("kind") != "isotonic"


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_ranking_of_two_classes_gains_nothing_by_calibration(name: str) -> None:
    found = refined(unseen(0.6, 0.4, boldness=3.0, rows=6000), name)
    assert found.calibration
    assert (found.gain, found.decision) == (0.0, {})


def test_a_calibration_never_worsens_the_metric() -> None:
    for seed in range(4):
        assert refined(unseen(0.5, 0.3, 0.2, boldness=2.0, rows=600, seed=seed), "roc_auc").gain >= 0


# ---- decisions


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "f1"])
def test_rare_classes_are_named_more_often(name: str) -> None:
    known, fresh = (unseen(0.9, 0.1, seed=s) for s in (0, 1))
    found = refined(known, name)
    assert found.decision["weights"][1] > found.decision["weights"][0]
    assert applied(found, fresh, name) > metric(name).score(fresh.y, fresh.scores) + 0.02


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1"])
def test_weights_of_several_classes_hold_on_fresh_rows(name: str) -> None:
    known, fresh = (unseen(0.75, 0.2, 0.05, rows=10_000, seed=s) for s in (0, 1))
    found = refined(known, name)
    gained = applied(found, fresh, name) - metric(name).score(fresh.y, fresh.scores)
    assert gained == pytest.approx(found.gain, abs=0.03)
    assert gained > 0.01


@pytest.mark.parametrize("name", ["log_loss", "roc_auc", "average_precision"])
def test_metrics_of_probabilities_have_no_decision(name: str) -> None:
    assert refined(unseen(0.9, 0.1), name).decision == {}


def test_classes_beyond_thirty_share_one_number() -> None:
    prior = np.linspace(1, 9, 35)
    found = refined(unseen(*(prior / prior.sum()), rows=2000), "macro_f1")
    check_decision(dict(found.decision), 35)


@pytest.mark.parametrize("name", [m.name for m in METRICS.values() if m.needs != "values"])
def test_a_manifest_takes_what_is_found(name: str) -> None:
    found = refined(unseen(0.8, 0.2, boldness=2.0), name)
    check_calibration(dict(found.calibration), 2)
    check_decision(dict(found.decision), 2)


# ---- rows and time


def test_rows_that_were_not_predicted_are_left_out() -> None:
    known = unseen(0.9, 0.1)
    known.scores[::3] = np.nan
    rest = np.flatnonzero(np.arange(3000) % 3)
    found = refined(Unseen(known.scores[rest], known.y[rest], known.folds[rest]), "f1")
    assert refined(known, "f1") == found


def test_in_time_later_rows_judge_what_earlier_ones_say() -> None:
    known = unseen(0.9, 0.1, split="time")
    worse = known.scores[:, ::-1].copy()
    first = known.folds == 0
    scores = np.where(first[:, None], worse, known.scores)
    found = refined(Unseen(scores, known.y, known.folds, "time"), "accuracy")
    assert np.isfinite(found.gain)


@pytest.mark.parametrize(
    ("known", "name"),
    [
        (Unseen(np.zeros(500, np.float32), np.zeros(500), np.arange(500) % 5), "rmse"),
        (unseen(0.9, 0.1, rows=LEAST_ROWS - 1), "f1"),
        (Unseen(unseen(0.9, 0.1).scores, unseen(0.9, 0.1).y, np.zeros(3000, np.int8)), "f1"),
    ],
    ids=["numbers", "few rows", "one fold"],
)
def test_where_nothing_can_be_judged_nothing_is_done(known: Unseen, name: str) -> None:
    assert refined(known, name) == Refinement()


@pytest.mark.parametrize(("seconds", "done"), [(0.0, False), (-1.0, False), (60.0, True)])
def test_without_time_nothing_is_done(seconds: float, done: bool) -> None:
    assert bool(refined(unseen(0.9, 0.1), "f1", time_left=lambda: seconds).words) == done


def test_the_same_stream_finds_the_same() -> None:
    known = unseen(0.9, 0.1)
    assert refined(known, "f1") == refined(known, "f1")


@pytest.mark.slow
def test_a_million_rows_are_bounded() -> None:
    known = unseen(0.9, 0.1, rows=10 * MOST_ROWS)
    assert refined(known, "log_loss", time_left=lambda: 1.0) is not None


# ---- the winner


def test_a_winner_is_moved_by_the_gain_and_told_why() -> None:
    moved = Refinement({}, {"weights": [1.0, 3.0]}, 0.05, "weights of classes").of(WINNER, metric("f1"))
    assert (moved.cv, moved.corrected, moved.low, moved.high) == pytest.approx((0.75, 0.73, 0.65, 0.8))
    assert moved.method == "bootstrap; +0.0500 by weights of classes, judged on folds they were not fitted on"
    assert (moved.decision, moved.se) == ({"weights": [1.0, 3.0]}, 0.02)


def test_a_loss_is_moved_down() -> None:
    moved = Refinement({"kind": "temperature", "temperature": 2.0}, {}, 0.05, "x").of(WINNER, metric("log_loss"))
    assert moved.corrected == pytest.approx(0.63)


def test_no_score_is_moved_beyond_the_best_there_is() -> None:
    moved = Refinement({}, {"weights": [1.0, 3.0]}, 0.4, "x").of(WINNER, metric("f1"))
    assert (moved.cv, moved.high) == (1.0, 1.0)


def test_nothing_found_changes_nothing() -> None:
    assert Refinement().of(WINNER, metric("f1")) is WINNER
