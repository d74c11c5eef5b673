from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular import boosting_rounds
from automl.candidates.tabular.boosting_problem import Problem
from automl.candidates.tabular.boosting_rounds import Boosted, boosted, patience_of, rate_of
from automl.candidates.tabular.encoding import Encoded
from automl.core.clock import FakeClock
from automl.testing.context import LocalContext


@dataclass
class ScriptedEngine:
    """Gives the losses it was told, the last one for ever, and one that falls for a while; a round costs seconds."""

    told: Sequence[float]
    clock: FakeClock
    seconds: float = 0.0
    barren: int = 0
    falling: int = 0
    made: int = field(default=0, init=False)

    def step(self) -> None:
        self.clock.advance(self.seconds)
        self.made += 1

    def rounds(self) -> int:
        return max(0, self.made - self.barren)

    def losses(self) -> tuple[float, ...]:
        return self.told[min(self.made, len(self.told)) - 1], 0.9 ** min(self.made, self.falling)

    def model(self, rounds: int) -> str:
        return f"{rounds} rounds"


@dataclass
class Factory:
    """Makes engines and remembers on how many rows each learned."""

    losses: Sequence[float] = (1.0,)
    seconds: float = 0.0
    barren: int = 0
    falling: int = 0
    clock: FakeClock = field(default_factory=FakeClock)
    rows: list[int] = field(default_factory=list)

    def __call__(self, is_fit: np.ndarray, is_held: np.ndarray | None) -> ScriptedEngine:
        self.rows.append(int(is_fit.sum()))
        return ScriptedEngine(self.losses, self.clock, self.seconds, self.barren, self.falling)


def problem(rows: int, held: int) -> Problem:
    table = Encoded({}, np.zeros((rows, 1), np.float32), ())
    is_held = np.arange(rows) < held
    return Problem(table, np.arange(rows), np.zeros(rows), None, is_held, np.array([True, True]), None)


def context(factory: Factory, seconds: float = float("inf")) -> LocalContext:
    return LocalContext(
        np.arange(9), np.arange(0), 2, Path(), is_timed=seconds < float("inf"), seconds=seconds, clock=factory.clock
    )


def run(factory: Factory, *, rows: int = 100, held: int = 20, rate: float = 0.1, seconds: float = float("inf")) -> Any:
    ctx = context(factory, seconds)
    return boosted(factory, problem(rows, held), ctx, rate), ctx.notes["rounds"]


FALLING_UNTIL_FIVE = (0.9, 0.8, 0.7, 0.6, 0.5, 0.8)


@pytest.mark.parametrize(("rate", "rounds"), [(0.01, 300), (0.05, 60), (0.1, 30), (0.3, 20)], ids=str)
def test_smaller_steps_have_more_patience(rate: float, rounds: int) -> None:
    assert patience_of(rate) == rounds


@pytest.mark.parametrize(("trees", "rate"), [(1, 0.05), (3, 0.0612), (7, 0.0935), (26, 0.15), (500, 0.15)], ids=str)
def test_many_classes_take_larger_steps(trees: int, rate: float) -> None:
    assert rate_of(0.05, trees) == pytest.approx(rate, rel=1e-3)


def test_few_rows_are_trained_on_twice_and_rounds_grow_with_the_rows() -> None:
    factory = Factory(FALLING_UNTIL_FIVE)
    found, note = run(factory, rows=100, held=20)
    assert found == Boosted("6 rounds", 6)
    assert factory.rows == [80, 100]
    assert note == "5 of 35 by the rows held out, then 6 on all rows"


def test_many_rows_are_trained_on_once() -> None:
    factory = Factory(FALLING_UNTIL_FIVE)
    found, note = run(factory, rows=boosting_rounds.REFIT_ROWS, held=2000)
    assert found == Boosted("5 rounds", 5)
    assert factory.rows == [8000]
    assert note == "5 of 35 by the rows held out"


def test_another_loss_that_falls_makes_it_wait_and_is_not_what_is_kept() -> None:
    found, note = run(Factory(FALLING_UNTIL_FIVE, falling=50), rows=20_000, held=5000)
    assert found == Boosted("5 rounds", 5)
    assert note == "5 of 80 by the rows held out"


def test_rounds_are_given_where_no_row_is_held_out() -> None:
    factory = Factory()
    found, note = run(factory, held=0)
    assert found == Boosted("40 rounds", 40)
    assert factory.rows == [100]
    assert note == "40: given, too few rows to hold some out"


def test_a_loss_that_always_falls_ends_at_the_cap() -> None:
    factory = Factory([1 / (n + 1) for n in range(6000)])
    found, _ = run(factory, rows=20_000, held=5000)
    assert found == Boosted("5000 rounds", boosting_rounds.MOST_ROUNDS)


@pytest.mark.parametrize("held", [0, 20], ids=["nothing held out", "held out"])
def test_without_a_split_there_is_no_model(held: int) -> None:
    found, _ = run(Factory(barren=10_000), held=held)
    assert found is None


def test_a_loss_that_is_not_a_number_is_never_the_best() -> None:
    found, _ = run(Factory([float("nan")] * 3 + [0.5, 0.9]), rows=20_000, held=5000)
    assert found == Boosted("4 rounds", 4)


def test_when_the_time_ends_the_best_rounds_so_far_are_kept() -> None:
    factory = Factory(FALLING_UNTIL_FIVE, seconds=1.0)
    found, note = run(factory, rows=20_000, held=5000, seconds=10.0)
    assert found == Boosted("5 rounds", 5)
    assert note == "5 of 9 by the rows held out, the time ended"


def test_time_is_kept_for_a_second_training() -> None:
    factory = Factory([1 / (n + 1) for n in range(100)], seconds=1.0)
    found, note = run(factory, seconds=40.0)
    assert factory.rows == [80, 100]
    assert note == "14 of 14 by the rows held out, the time ended, then 18 on all rows"
    assert found == Boosted("18 rounds", 18)
    assert factory.clock.now() < 40


def test_a_second_training_that_is_cut_is_thrown_away() -> None:
    factory = Factory([1 / (n + 1) for n in range(100)], seconds=1.0)

    def _slower(is_fit: np.ndarray, is_held: np.ndarray | None) -> ScriptedEngine:
        factory.seconds += 0.0 if is_held is not None else 1.0
        return factory(is_fit, is_held)

    ctx = context(factory, seconds=40.0)
    assert boosted(_slower, problem(100, 20), ctx, 0.1) == Boosted("14 rounds", 14)
    assert ctx.notes["rounds"] == "14 of 14 by the rows held out, the time ended"


def test_no_clock_is_read_under_a_budget_of_trials() -> None:
    factory = Factory(FALLING_UNTIL_FIVE, seconds=1e6)
    ctx = context(factory)
    ctx.seconds = 1.0
    assert boosted(factory, problem(100, 20), ctx, 0.1) == Boosted("6 rounds", 6)
