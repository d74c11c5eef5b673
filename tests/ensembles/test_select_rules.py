"""Rules of the choice: who may take part, what is compared, what is said."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from automl.core.events import Winner
from automl.core.metrics import metric
from automl.ensembles.field import Contestant, Rules
from automl.ensembles.select import Choice, choose

ROWS, CLASSES = 72, 3
Y = np.arange(ROWS) % CLASSES
FOLDS = np.arange(ROWS) % 4


def noisy(own: float, seed: int = 0) -> np.ndarray:
    raised = np.exp(2 * np.eye(CLASSES)[Y] + own * np.random.default_rng(seed).normal(size=(ROWS, CLASSES)))
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)


def contestant(trial: int, own: float = 1.0, **facts: object) -> Contestant:
    return Contestant(trial, f"c{trial}", noisy(own, trial), **facts)  # type: ignore[arg-type]


def no_time() -> float:
    return 0.0


def decide(field: list[Contestant], name: str = "accuracy", seed: int = 0, **rules: object) -> Choice:
    """The choice; without time but where a test gives some, since resampling the selection is slow."""
    rules = {"time_left": no_time, **rules}
    return choose(field, Y, metric(name), folds=FOLDS, rng=np.random.default_rng(seed), rules=Rules(**rules))  # type: ignore[arg-type]


NAMES = pytest.mark.parametrize("name", ["accuracy", "log_loss"])


@NAMES
def test_a_choice_is_told_in_finite_numbers(name: str) -> None:
    choice = decide([contestant(i) for i in range(2)], name, time_left=None)
    assert all(math.isfinite(v) for v in (choice.cv, choice.se, choice.corrected, choice.low, choice.high))
    assert choice.low <= choice.corrected <= choice.high


@NAMES
def test_the_same_stream_makes_the_same_choice(name: str) -> None:
    first, second = (decide([contestant(i) for i in range(2)], name, 3, time_left=None) for _ in range(2))
    assert first == second


@NAMES
def test_the_order_of_contestants_does_not_matter(name: str) -> None:
    field = [contestant(i, size_bytes=10 * i) for i in range(2)]
    assert decide(field, name).weights == decide(field[::-1], name).weights


@NAMES
def test_a_single_contestant_wins(name: str) -> None:
    choice = decide([contestant(7)], name)
    assert (choice.kind, choice.candidate, choice.weights, choice.p_ensemble) == ("single", "c7", {7: 1.0}, None)
    assert "a single trial" in choice.method


@NAMES
def test_the_score_of_a_single_is_the_mean_over_the_folds(name: str) -> None:
    one = contestant(0)
    scores = [metric(name).score(Y[f == FOLDS], one.predictions[f == FOLDS]) for f in range(4)]
    choice = decide([one], name)
    assert choice.cv == pytest.approx(np.mean(scores))
    assert choice.se == pytest.approx(np.std(scores, ddof=1) / 2)


@pytest.mark.parametrize("better", [True, False])
def test_the_baseline_is_what_the_winner_is_compared_with(better: bool) -> None:
    field = [contestant(0, 0.1), contestant(1, 9.0)]
    choice = decide(field, baseline=1 if better else 0)
    assert choice.p_better is not None
    assert choice.p_better > 0.99 if better else choice.p_better == 0.5


@pytest.mark.parametrize("baseline", [None, 99])
def test_without_a_baseline_there_is_no_comparison(baseline: int | None) -> None:
    assert decide([contestant(0)], baseline=baseline).p_better is None


@pytest.mark.parametrize("most", [0.5, 2.0])
def test_only_the_quick_may_win(most: float) -> None:
    field = [contestant(0, 0.1, latency_ms=3.0), contestant(1, 2.0, latency_ms=0.4), contestant(2, 2.0, latency_ms=0.9)]
    choice = decide(field, max_latency_ms=most)
    assert sum(c.latency_ms for c in field if c.trial in choice.weights) <= most
    assert choice.note == ""


@pytest.mark.parametrize("latencies", [(3.0, 2.0), (2.0, 3.0), (2.0, 2.0)], ids=str)
def test_if_none_is_quick_enough_the_quickest_is_taken_and_said(latencies: tuple[float, float]) -> None:
    field = [contestant(i, latency_ms=ms) for i, ms in enumerate(latencies)]
    choice = decide(field, max_latency_ms=0.1)
    quickest = int(latencies[1] < latencies[0])
    assert choice.weights == {quickest: 1.0}
    assert f"trial {quickest} (c{quickest}) with {min(latencies):.3g} ms" in choice.note


@pytest.mark.parametrize("missing", [1, 36])
def test_rows_that_one_did_not_predict_are_left_out_for_all(missing: int) -> None:
    partly = noisy(1.0, 1)
    partly[:missing] = np.nan
    choice = decide([contestant(0), Contestant(1, "c1", partly)])
    assert math.isfinite(choice.corrected)


def test_who_predicted_less_than_half_takes_no_part() -> None:
    perfect = np.eye(CLASSES, dtype=np.float32)[Y]
    perfect[: ROWS // 2 + 1] = np.nan
    assert decide([contestant(0, 3.0), Contestant(1, "c1", perfect)]).weights == {0: 1.0}


def test_nobody_makes_no_choice() -> None:
    with pytest.raises(ValueError, match=r"a choice needs a contestant\. Got 0"):
        decide([])


def test_rows_that_nobody_predicted_make_no_choice() -> None:
    nothing = np.full((ROWS, CLASSES), np.nan, np.float32)
    with pytest.raises(ValueError, match=r"no row was predicted by all of the trials \[4\]"):
        decide([Contestant(4, "c", nothing)])


def test_rows_of_different_trials_that_do_not_meet_make_no_choice() -> None:
    halves = [noisy(1.0, i) for i in range(2)]
    halves[0][: ROWS // 2], halves[1][ROWS // 2 :] = np.nan, np.nan
    with pytest.raises(ValueError, match=r"no row was predicted by all of the trials \[0, 1\]"):
        decide([Contestant(i, "c", half) for i, half in enumerate(halves)])


@pytest.mark.parametrize("left", [0.0, -1.0])
def test_without_time_the_best_single_is_taken(left: float) -> None:
    choice = decide([contestant(i, 1.5) for i in range(6)], time_left=lambda: left)
    assert (choice.kind, choice.p_ensemble) == ("single", None)
    assert "not corrected" in choice.method


@pytest.mark.parametrize("sample_rows", [10, ROWS])
def test_the_interval_is_wider_for_a_smaller_sample(sample_rows: int) -> None:
    field = [contestant(0)]
    narrow = decide(field, sample_rows=1_000_000)
    wide = decide(field, sample_rows=sample_rows)
    assert wide.high - wide.low >= 0.99 * (narrow.high - narrow.low)


@pytest.mark.parametrize("kind", ["single", "ensemble"])
def test_a_choice_is_journaled_field_by_field(kind: str) -> None:
    choice = decide([contestant(i, 1.5) for i in range(4 if kind == "ensemble" else 1)], time_left=None)
    winner = choice.winner()
    names = [field.name for field in dataclasses.fields(Winner) if field.name not in ("calibration", "decision")]
    assert [getattr(winner, n) for n in names] == [getattr(choice, n) for n in names]


@pytest.mark.parametrize(
    ("sizes", "names", "winner"),
    [((3, 2, 1), "aaa", 2), ((1, 2, 3), "aaa", 0), ((1, 1, 1), "cba", 2), ((1, 1, 1), "aaa", 0)],
    ids=["smallest last", "smallest first", "name", "number"],
)
def test_among_twins_the_simplest_wins(sizes: tuple[int, ...], names: str, winner: int) -> None:
    same = noisy(1.0)
    field = [Contestant(i, names[i], same, size_bytes=sizes[i]) for i in range(3)]
    assert decide(field).weights == {winner: 1.0}


def test_what_cannot_be_exported_in_time_is_left_out() -> None:
    field = [contestant(0, 0.1, end_seconds=9.0), contestant(1, 1.0, end_seconds=0.1)]
    assert decide(field, max_end_seconds=1.0).weights == {1: 1.0}
    assert decide(field, max_end_seconds=10.0).weights == {0: 1.0}


def test_if_nothing_can_be_exported_in_time_the_lightest_is_taken() -> None:
    field = [contestant(0, 0.1, end_seconds=9.0), contestant(1, 1.0, end_seconds=8.0)]
    assert decide(field, max_end_seconds=1.0).weights == {1: 1.0}


@pytest.mark.parametrize(("most", "members"), [(10.0, 1), (20.0, 2), (40.0, 4)])
def test_an_ensemble_weighs_no_more_than_can_be_exported(most: float, members: int) -> None:
    choice = decide(
        [contestant(i, 1.0, end_seconds=10.0) for i in range(4)], "log_loss", max_end_seconds=most, time_left=None
    )
    assert 1 <= len(choice.weights) <= members


def test_the_baseline_is_no_member_of_an_ensemble() -> None:
    flat = Contestant(0, "baseline", np.full((ROWS, CLASSES), 1 / CLASSES, np.float32))
    choice = decide([flat, *(contestant(i, 1.0) for i in range(1, 3))], "roc_auc", baseline=0, time_left=None)
    assert choice.kind == "ensemble"
    assert 0 not in choice.weights
