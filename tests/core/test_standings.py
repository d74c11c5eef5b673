from __future__ import annotations

import random

import pytest

from automl.core.standings import Ranking, Standings


def ranking(*scores: float) -> Ranking:
    made = Ranking()
    for number, score in enumerate(scores):
        made.add(number, score)
    return made


@pytest.mark.parametrize(("sign", "expected"), [(1.0, [1, 2, 0]), (-1.0, [0, 2, 1])], ids=["greater", "less"])
def test_the_best_come_first(sign: float, expected: list[int]) -> None:
    assert list(ranking(0.1, 0.9, 0.5).best(sign=sign)) == expected


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["greater", "less"])
def test_the_place_of_a_trial_is_how_many_are_better(sign: float) -> None:
    scores = random.Random(0).sample(range(1000), 60)
    made = ranking(*map(float, scores))
    order = sorted(range(60), key=lambda n: -sign * scores[n])
    assert [made.place(n, float(scores[n]), sign=sign) for n in order] == list(range(60))


def test_what_was_added_can_be_discarded_and_what_was_not_does_no_harm() -> None:
    made = ranking(0.1, 0.2)
    made.discard(0, 0.1)
    made.discard(7, 0.1)
    assert (list(made.best(sign=1.0)), len(made)) == ([1], 1)


def test_equal_scores_are_told_apart() -> None:
    made = ranking(0.5, 0.5, 0.5)
    made.discard(1, 0.5)
    assert sorted(made.best(sign=1.0)) == [0, 2]


def test_a_trial_is_filed_once_wherever_it_goes() -> None:
    standings = Standings()
    standings.file(4, "running", 0, reports={}, top=3)
    standings.file(4, "paused", 0, reports={0: 0.5}, top=3)
    standings.file(4, "running", 3, reports={0: 0.5}, top=3)
    assert (standings.with_status("paused"), standings.with_status("running")) == ([], [4])
    assert (len(standings.paused_at(0)), len(standings.arrived_at(0)), list(standings.unfinished)) == (0, 1, [4])


def test_a_full_trial_is_unfinished_no_more() -> None:
    standings = Standings()
    standings.file(0, "running", 3, reports={}, top=3)
    standings.file(0, "full", 3, reports={3: 0.5}, top=3)
    assert not standings.unfinished


def test_a_score_that_changes_is_moved() -> None:
    standings = Standings()
    for score in (0.5, 0.7):
        standings.file(0, "paused", 0, reports={0: score}, top=3)
    assert standings.arrived_at(0).keys == standings.paused_at(0).keys == [(0.7, 0)]


@pytest.mark.parametrize("score", [float("nan"), float("inf")], ids=str)
def test_a_score_that_is_not_finite_has_no_place(score: float) -> None:
    standings = Standings()
    standings.file(0, "paused", 0, reports={0: score}, top=3)
    assert not standings.arrived_at(0)
    assert standings.with_status("paused") == [0]


def test_looking_changes_nothing() -> None:
    standings = Standings()
    standings.arrived_at(1), standings.paused_at(2), standings.with_status("full")
    assert standings == Standings()
