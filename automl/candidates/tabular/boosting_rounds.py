"""How many rounds to boost: until rows held out say stop, then once more on all rows where these are few.

The engines (LightGBM, XGBoost) differ in how a round is made; when to stop, what to keep and how the time is divided
is here, once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from automl.candidates.tabular.boosting_problem import Problem
from automl.core.protocols import Context

MOST_ROUNDS = 5000
REFIT_ROWS = 10_000
"""With fewer training rows the model is trained again on all of them, those that were held out included."""

_PATIENCE, _LEAST_PATIENCE, _MOST_PATIENCE = 3.0, 20, 300  # rounds times learning rate; rounds
_MOST_FASTER = 3.0
_MATTERS = 0.01  # a fall of another loss by this share is worth waiting on
_GIVEN_ROUNDS = 4.0  # times learning rate, where nothing is held out
_SAFETY = 1.2  # what a second training may take longer than the first one lets expect
_EXPORT_SECONDS = 0.4  # to write the graph and to score it, with as much again to spare:
_EXPORT_TREE_SECONDS, _SCORE_SECONDS = 2e-4, 1.2e-7  # for a tree; for a tree and a row of the validation part


class Engine(Protocol):
    """A booster that grows by one round at a time."""

    def step(self) -> None:
        """Add a round, unless no split is found."""
        ...

    def rounds(self) -> int:
        """Return the rounds it has."""
        ...

    def losses(self) -> tuple[float, ...]:
        """Return losses on the rows held out, 0 or more, lower is better; by the first the best rounds are told."""
        ...

    def model(self, rounds: int) -> Any:
        """Return the model of the first so many rounds."""
        ...


Make = Callable[[np.ndarray, np.ndarray | None], Engine]
"""Takes which rows to learn from and which to hold out, bool (n,) or None; gives an engine without a round."""


class Boosted(NamedTuple):
    """What training gave: the model, of how many rounds."""

    model: Any
    rounds: int


@dataclass(frozen=True)
class Grown:
    """How a booster grew.

    Attributes:
        engine: the booster.
        best: the rounds with the lowest first loss.
        seconds: it took, 0 where no clock may be read.
        is_cut: whether the time ended it.
    """

    engine: Engine
    best: int
    seconds: float
    is_cut: bool


def rate_of(learning_rate: float, trees_a_round: int) -> float:
    """Return the learning rate for so many trees a round: larger for many classes, at most three times as large.

    With gbdt on letter (26 classes) it takes a quarter of the time for 0.003 less accuracy, on wine_quality (7) half of
    it for 0.004 less; with xgboost nothing is lost.

    >>> rate_of(0.05, 1), round(rate_of(0.05, 8), 3), round(rate_of(0.05, 26), 3)
    (0.05, 0.1, 0.15)
    """
    return learning_rate * float(min(_MOST_FASTER, max(1.0, (trees_a_round / 2) ** 0.5)))


def patience_of(learning_rate: float) -> int:
    """Return after how many rounds without a better loss to stop; smaller steps need more.

    >>> patience_of(0.05), patience_of(0.5)
    (60, 20)
    """
    return round(min(_MOST_PATIENCE, max(_LEAST_PATIENCE, _PATIENCE / learning_rate)))


def boosted(make: Make, problem: Problem, ctx: Context, learning_rate: float) -> Boosted | None:
    """Return the model of the rounds that the rows held out ask for; None where no split was found.

    Args:
        make: gives a booster without a round.
        problem: what it learns.
        ctx: for the time, and to note what was decided.
        learning_rate: of the booster.
    """
    rows = len(problem.rows)
    everything = np.ones(rows, bool)
    if not problem.is_held.any():
        given = max(1, round(_GIVEN_ROUNDS / learning_rate))
        grown = _grow(make(everything, None), problem, ctx, most=given)
        ctx.note("rounds", f"{grown.best}: given, too few rows to hold some out" + _cut(grown))
        return _kept(grown)
    ratio = rows / int((~problem.is_held).sum())
    again = _SAFETY * ratio**2 if rows < REFIT_ROWS else 0.0  # more rows, and more rounds of them
    first = _grow(make(~problem.is_held, problem.is_held), problem, ctx,
                  patience=patience_of(learning_rate), again=again)  # fmt: skip
    second = _again(make, first, problem, ctx, ratio=ratio) if again and first.best else None
    note = f"{first.best} of {first.engine.rounds()} by the rows held out" + _cut(first)
    ctx.note("rounds", note + (f", then {second.best} on all rows" if second else ""))
    return _kept(second or first)


def _again(make: Make, first: Grown, problem: Problem, ctx: Context, *, ratio: float) -> Grown | None:
    """Train on all rows; None where the time does not suffice: the first model is complete, a part of this one not."""
    most = min(MOST_ROUNDS, max(1, round(first.best * ratio)))
    expected = first.seconds * ratio * most / max(1, first.engine.rounds())
    if ctx.is_timed and ctx.seconds_left() < expected + _finish_seconds(problem, ctx, most):
        return None
    second = _grow(make(np.ones(len(problem.rows), bool), None), problem, ctx, most=most)
    return None if second.is_cut else second


def _grow(
    engine: Engine,
    problem: Problem,
    ctx: Context,
    *,
    most: int = MOST_ROUNDS,
    patience: int | None = None,
    again: float = 0.0,
) -> Grown:
    """Add rounds, most at the most, until no loss was better for so long, or the time is nearly over.

    Args:
        engine: grows.
        problem: for the time that finishing takes.
        ctx: for the time that is left.
        most: rounds at most.
        patience: rounds without a better loss of any kind; None looks at no loss.
        again: how many times as long as this a training after it will take.
    """
    start = ctx.seconds_left() if ctx.is_timed else 0.0
    best, since, taken, is_cut = 0, 0, 0.0, False
    lowest = np.array([np.inf])
    for done in range(1, most + 1):
        engine.step()
        losses = np.array(engine.losses() if patience is not None else (1 / done,))
        is_better = losses < lowest * np.r_[1.0, np.full(len(losses) - 1, 1 - _MATTERS)]
        lowest = np.where(is_better, losses, lowest)
        best = engine.rounds() if is_better[0] else best
        since = done if is_better.any() else since
        if patience is not None and done - since >= patience:
            break
        if ctx.is_timed:
            left = ctx.seconds_left()
            taken = start - left
            is_cut = done < most and left < taken * (again + 1 / done) + _finish_seconds(problem, ctx, done)
            if is_cut:
                break
    return Grown(engine, best, taken, is_cut)


def _finish_seconds(problem: Problem, ctx: Context, rounds: int) -> float:
    """Return how long it takes to write the graph and to score it."""
    trees = rounds * problem.trees_a_round
    return _EXPORT_SECONDS + trees * (_EXPORT_TREE_SECONDS + len(ctx.valid_rows) * _SCORE_SECONDS)


def _kept(grown: Grown) -> Boosted | None:
    return Boosted(grown.engine.model(grown.best), grown.best) if grown.best else None


def _cut(grown: Grown) -> str:
    return ", the time ended" if grown.is_cut else ""
