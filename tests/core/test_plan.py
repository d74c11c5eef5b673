from __future__ import annotations

from math import inf

import pytest

from automl.core.fidelity import ONE_GO, StepRange
from automl.core.job import Cost
from automl.core.plan import FIRST_SHARE, LAST_SHARE, Purse, make_plan, rungs

EPOCHS = StepRange("epochs", 3, 27)


def steps(seconds: float, *, cost: Cost | None = None, folds: int = 5, slots: int = 1) -> int | None:
    """The epochs of full training that a purse buys; None if the candidate is left out."""
    plan = make_plan({"cnn": EPOCHS}, {"cnn": cost or Cost(0.0, 1.0)}, folds=folds, purse=Purse(seconds, 2.0, slots))
    return plan.full_steps.get("cnn")


def test_without_a_limit_full_is_what_the_space_says() -> None:
    assert steps(inf) == 27


def test_a_generous_budget_buys_no_more_than_the_space_says() -> None:
    assert steps(1e6) == 27


@pytest.mark.parametrize("seconds", [60.0, 120.0, 300.0])
def test_a_full_trial_takes_at_most_its_share_of_the_search(seconds: float) -> None:
    found = steps(seconds)
    assert found is not None
    assert 5 * found <= FIRST_SHARE * seconds < 5 * (found + 1)


def test_a_short_budget_still_buys_the_shortest_training() -> None:
    assert FIRST_SHARE * 20.0 < 3 * 5
    assert steps(20.0) == 3


def test_a_candidate_whose_shortest_training_takes_most_of_the_search_is_left_out_and_said() -> None:
    plan = make_plan({"cnn": EPOCHS}, {"cnn": Cost(0.0, 1.0)}, folds=5, purse=Purse(15.0 / LAST_SHARE - 1, 0.0, 1))
    assert plan.full_steps == {}
    assert [f.code for f in plan.findings] == ["candidate-left-out"]
    assert "3 epochs, 5 folds" in plan.findings[0].message


def test_what_a_trial_takes_is_device_time_however_many_slots_share_it() -> None:
    assert steps(400.0, slots=4) == steps(400.0, slots=1)


def test_a_candidate_trained_in_one_go_is_kept_on_a_rough_estimate() -> None:
    plan = make_plan({"linear": ONE_GO}, {"linear": Cost(1.0, 1.0)}, folds=3, purse=Purse(3.0, 1.5, 1))
    assert plan.full_steps == {"linear": 1}


def test_fixed_costs_are_taken_off_first() -> None:
    assert steps(100.0, cost=Cost(4.0, 1.0)) == int(FIRST_SHARE * 100 / 5 - 4)


def test_a_candidate_trained_in_one_go_needs_one_step() -> None:
    plan = make_plan({"linear": ONE_GO}, {"linear": Cost(0.5, 0.5)}, folds=3, purse=Purse(30.0, 1.5, 1))
    assert (plan.full_steps, plan.reserve_seconds) == ({"linear": 1}, 1.5)


def test_a_cost_of_nothing_is_no_trouble() -> None:
    assert steps(10.0, cost=Cost(0.0, 0.0)) == 27


def test_every_candidate_has_as_many_rungs() -> None:
    plan = make_plan({"cnn": EPOCHS, "linear": ONE_GO}, {"cnn": Cost(0, 1), "linear": Cost(0, 1)}, folds=3,
                     purse=Purse(inf, 0.0, 1))  # fmt: skip
    assert [(f.steps, f.folds) for f in rungs(plan, "cnn", 3)] == [(3, 1), (9, 1), (27, 1), (27, 3)]
    assert [(f.steps, f.folds) for f in rungs(plan, "linear", 3)] == [(1, 1), (1, 1), (1, 1), (1, 3)]
