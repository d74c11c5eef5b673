"""Standings say what a look at every trial would say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.events import TrialStopped
from automl.core.history import History
from automl.core.leaderboard import best, leaderboard
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.core.standings import Ranking, Standings
from automl.testing.history_builder import HistoryBuilder

CNN = Configuration("cnn", {"lr": 0.1})
STATUSES = ("running", "paused", "full", "stopped", "failed")
SEEDS = pytest.mark.parametrize("seed", range(5))


def random_run(seed: int, count: int = 50, *, metric_name: str = "accuracy") -> HistoryBuilder:
    """A run with many equal scores, some of them undefined."""
    rng, builder = np.random.default_rng(seed), HistoryBuilder(folds=2, metric=metric_name)
    scores = [0.1, 0.2, 0.2, 0.3, math.nan, math.inf]
    for _ in range(count):
        paused = builder.history.with_status("paused")
        kind, score = rng.random(), float(rng.choice(scores[: 4 if rng.random() < 0.9 else 6]))
        if paused and kind < 0.25:
            trial = paused[int(rng.integers(len(paused)))]
            builder.promote(trial.number, rung=min(3, trial.rung + 1))
            job = next(p.job for p in builder.history.running.values() if p.job.members[0].trial == trial.number)
            builder.end(trial.number, [score] * len(job.members))
        elif paused and kind < 0.35:
            builder.add(TrialStopped(paused[0].number, "worse", 1.0))
        elif kind < 0.45:
            builder.failed(CNN)
        elif kind < 0.6:
            builder.full(CNN, [score, score])
        elif kind < 0.7:
            builder.start(CNN, rung=int(rng.integers(4)))
        else:
            builder.paused(CNN, score, rung=int(rng.integers(3)))
    return builder


def arrived(history: History, rung: int) -> list[tuple[float, int]]:
    return sorted((t.reports[rung], t.number) for t in history.trials.values()
                  if math.isfinite(t.reports.get(rung, math.nan)))  # fmt: skip


def paused(history: History, rung: int) -> list[tuple[float, int]]:
    standing = {t.number for t in history.trials.values() if t.status == "paused" and t.rung == rung}
    return [key for key in arrived(history, rung) if key[1] in standing]


@SEEDS
@pytest.mark.parametrize("status", STATUSES)
def test_trials_by_status(seed: int, status: str) -> None:
    history = random_run(seed).history
    naive = [t for t in history.trials.values() if t.status == status]
    assert history.with_status(status) == naive


@SEEDS
@pytest.mark.parametrize("rung", range(4))
def test_trials_that_arrived_at_a_rung(seed: int, rung: int) -> None:
    history = random_run(seed).history
    assert history.standings.arrived_at(rung).keys == arrived(history, rung)


@SEEDS
@pytest.mark.parametrize("rung", range(4))
def test_trials_that_stand_paused_at_a_rung(seed: int, rung: int) -> None:
    history = random_run(seed).history
    assert history.standings.paused_at(rung).keys == paused(history, rung)


@SEEDS
def test_trials_at_the_top_that_are_neither_full_nor_given_up(seed: int) -> None:
    history = random_run(seed).history
    naive = {t.number for t in history.trials.values() if t.status in ("running", "paused") and t.rung >= 3}
    assert set(history.standings.unfinished) == naive


@SEEDS
@pytest.mark.parametrize("name", ["accuracy", "log_loss"])
def test_the_best_is_the_first_of_the_leaderboard_after_every_event(seed: int, name: str) -> None:
    history = History()
    for event in random_run(seed, 30, metric_name=name).events:
        history.apply(event)
        first = next(iter(leaderboard(history, metric(name))), None)
        found = best(history, metric(name))
        assert (found and found.number) == (first and first.trial)


@SEEDS
def test_every_moment_agrees_with_a_history_built_at_once(seed: int) -> None:
    builder = random_run(seed, 25)
    grown = History()
    for count, event in enumerate(builder.events, start=1):
        grown.apply(event)
        if count % 7 == 0:
            assert grown.standings == builder.replayed(count).standings


@SEEDS
def test_places_in_a_ranking_count_those_that_are_better(seed: int) -> None:
    rng, ranking = np.random.default_rng(seed), Ranking()
    scores = {number: float(rng.integers(5)) for number in range(30)}
    for number, score in scores.items():
        ranking.add(number, score)
    for sign in (1.0, -1.0):
        order = list(ranking.best(sign=sign))
        assert [ranking.place(n, scores[n], sign=sign) for n in order] == list(range(30))


@SEEDS
def test_a_ranking_lets_go_only_of_what_it_holds(seed: int) -> None:
    rng, ranking = np.random.default_rng(seed), Ranking()
    for number in range(20):
        ranking.add(number, number / 20)
    gone = set(rng.choice(20, size=8, replace=False).tolist())
    for number in gone:
        ranking.discard(number, number / 20)
        ranking.discard(number, -1.0)
    assert set(ranking.best(sign=1.0)) == set(range(20)) - gone


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_a_trial_is_filed_under_its_latest_status_alone(before: str, after: str) -> None:
    standings = Standings()
    for status in (before, after):
        standings.file(4, status, 1, reports={0: 0.5, 1: 0.6}, top=3)
    assert [s for s in STATUSES if standings.with_status(s)] == [after]
    assert len(standings.paused_at(1)) == (after == "paused")


@pytest.mark.parametrize("rung", range(4))
@pytest.mark.parametrize("status", STATUSES)
def test_unfinished_are_those_who_run_or_wait_at_the_top(status: str, rung: int) -> None:
    standings = Standings()
    standings.file(0, status, rung, reports={}, top=3)
    assert bool(standings.unfinished) is (status in ("running", "paused") and rung == 3)


def test_a_score_that_is_taken_back_loses_its_place() -> None:
    standings = Standings()
    standings.file(0, "paused", 0, reports={0: 0.5}, top=3)
    standings.file(0, "paused", 0, reports={}, top=3)
    assert not standings.arrived_at(0)
    assert not standings.paused_at(0)
