"""The grammar of `--budget`, text by text."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.budget import UNITS, Budget
from automl.errors import BudgetError

GOOD = {
    "1h": Budget(wall=3600.0),
    "1.5h": Budget(wall=5400.0),
    "0.25h": Budget(wall=900.0),
    "090min": Budget(wall=5400.0),
    "1min": Budget(wall=60.0),
    "2.5m": Budget(wall=150.0),
    "1s": Budget(wall=1.0),
    "0.1s": Budget(wall=0.1),
    "3600s": Budget(wall=3600.0),
    "1gpu-h": Budget(gpu=3600.0),
    "0.125gpu-h": Budget(gpu=450.0),
    "15gpu-min": Budget(gpu=900.0),
    "7.5gpu-s": Budget(gpu=7.5),
    "1cpu-h": Budget(cpu=3600.0),
    "0.5cpu-min": Budget(cpu=30.0),
    "600cpu-s": Budget(cpu=600.0),
    "1trials": Budget(trials=1),
    "3.0trials": Budget(trials=3),
    "1000000trials": Budget(trials=1_000_000),
    "20 trials": Budget(trials=20),
    "20\ttrials": Budget(trials=20),
    " 1h ": Budget(wall=3600.0),
    "1h,5trials": Budget(wall=3600.0, trials=5),
    "5trials,1h": Budget(wall=3600.0, trials=5),
    "1h , 5trials": Budget(wall=3600.0, trials=5),
    "1gpu-h,1cpu-h": Budget(gpu=3600.0, cpu=3600.0),
    "1gpu-h,1cpu-h,1h": Budget(gpu=3600.0, cpu=3600.0, wall=3600.0),
    "4trials,3h,2cpu-h,1gpu-h": Budget(gpu=3600.0, cpu=7200.0, wall=10800.0, trials=4),
}
BAD = {
    "": "has no unit",
    " ": "has no unit",
    ",": "has no unit",
    "1h,": "has no unit",
    ",1h": "has no unit",
    "1h,,2trials": "has no unit",
    "10": r"'10' has no unit\. .* Write for example 10min",
    "1.5": r"'1\.5' has no unit",
    "h": "h has no number. Write for example 8h",
    "trials": "trials has no number. Write for example 8trials",
    "8GPU-H": r"'GPU-H' is not a unit\. Did you mean gpu-h\?",
    "8Gpu-h": r"Did you mean gpu-h\?",
    "1H": r"'H' is not a unit\. Did you mean h\?",
    "30MIN": r"'MIN' is not a unit\. Did you mean min\?",
    "5Trials": r"Did you mean trials\?",
    "5trails": r"Did you mean trials\?",
    "8gpuh": r"Did you mean gpu-h\?",
    "8gpu_h": "NUMBER UNIT",
    "8cpu-hours": r"Did you mean cpu-h\?",
    "8cpu": "'cpu' is not a unit",
    "8gpu": "'gpu' is not a unit",
    "3days": "'days' is not a unit",
    "3hours": r"'hours' is not a unit\. Did you mean h\?",
    "3hrs": r"'hrs' is not a unit\. Did you mean h\?",
    "3minutes": r"'minutes' is not a unit\. Did you mean min\?",
    "3gpu-minutes": r"Did you mean gpu-min\?",
    "3seconds": r"'seconds' is not a unit\. Did you mean s\?",
    "1parsec": "'parsec' is not a unit",
    "soon": "'soon' is not a unit",
    "inf": "'inf' is not a unit",
    "infh": "'infh' is not a unit",
    "nanmin": "'nanmin' is not a unit",
    "-1h": "NUMBER UNIT, joined by commas",
    "+1h": "NUMBER UNIT, joined by commas",
    "1e3s": "NUMBER UNIT, joined by commas",
    "1.h": "NUMBER UNIT, joined by commas",
    ".5h": "NUMBER UNIT, joined by commas",
    "1,5h": "'1' has no unit",
    "1h30min": "NUMBER UNIT, joined by commas",
    "1h 30min": "NUMBER UNIT, joined by commas",
    "1h;2trials": "NUMBER UNIT, joined by commas",
    "1h+2trials": "NUMBER UNIT, joined by commas",
    "8 gpu - h": "NUMBER UNIT, joined by commas",
    "0h": r"above zero\. Got 0h\. Write for example 1h",
    "0.0s": r"above zero\. Got 0\.0s",
    "0trials": r"above zero\. Got 0trials",
    "1h,0trials": r"above zero\. Got 0trials",
    "0.5trials": r"trials come whole\. Got 0\.5trials\. Write 1trials",
    "7.25trials": r"trials come whole\. Got 7\.25trials\. Write 7trials",
    "1h,1h": "1h and 1h limit the same thing",
    "1h,60min": "1h and 60min limit the same thing",
    "1h,60m": "1h and 60m limit the same thing",
    "1trial,2trials": "1trial and 2trials limit the same thing",
    "1gpu-h,60gpu-min": "limit the same thing",
    "1cpu-h,2trials,3cpu-s": "1cpu-h and 3cpu-s limit the same thing",
    "9" * 400 + "h": "is beyond all measure. Leave this limit out",
    "9" * 400 + "trials": "is beyond all measure. Leave this limit out",
}


@pytest.mark.parametrize(("text", "budget"), GOOD.items(), ids=GOOD)
def test_a_text_is_read(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize(("text", "message"), BAD.items(), ids=[text[:20] or "empty" for text in BAD])
def test_a_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        Budget.parse(text)


@pytest.mark.parametrize("text", BAD, ids=[text[:20] or "empty" for text in BAD])
def test_a_refusal_is_one_line_that_begins_with_the_flag(text: str) -> None:
    with pytest.raises(BudgetError, match=r"^--budget '[^\n]*$"):
        Budget.parse(text)


@pytest.mark.parametrize("budget", GOOD.values(), ids=GOOD)
def test_a_budget_is_written_as_it_is_read(budget: Budget) -> None:
    assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize("budget", GOOD.values(), ids=GOOD)
def test_a_budget_is_timed_unless_it_counts_trials_alone(budget: Budget) -> None:
    assert budget.is_timed is (budget.wall is not None or budget.cpu is not None or budget.gpu is not None)


@pytest.mark.parametrize("budget", GOOD.values(), ids=GOOD)
def test_limits_are_finite_and_above_zero(budget: Budget) -> None:
    assert all(0 < amount < math.inf for _, amount in budget.limits())


@pytest.mark.parametrize("seed", range(20))
def test_any_budget_survives_being_written_and_read(seed: int) -> None:
    rng = np.random.default_rng(seed)
    timed = {
        name: round(float(rng.exponential(1e4)), 6) + 1e-6 for name in ("wall", "cpu", "gpu") if rng.random() < 0.5
    }
    budget = Budget(**timed, trials=int(rng.integers(1, 1000)))
    again = Budget.parse(str(budget))
    assert dict(again.limits()) == pytest.approx(dict(budget.limits()))


@pytest.mark.parametrize("seed", range(10))
def test_adding_is_the_same_in_either_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [f"{rng.integers(1, 99)}{unit}" for unit in rng.choice([u for u in UNITS if u != "trial"], size=2)]
    first, second = map(Budget.parse, texts)
    assert first.plus(second) == second.plus(first)


@pytest.mark.parametrize("text", GOOD, ids=GOOD)
def test_adding_nothing_changes_nothing(text: str) -> None:
    assert GOOD[text].plus(Budget()) == GOOD[text] == Budget().plus(GOOD[text])


@pytest.mark.parametrize("text", GOOD, ids=GOOD)
def test_adding_a_budget_to_itself_doubles_every_limit(text: str) -> None:
    doubled = {account: 2 * amount for account, amount in GOOD[text].limits()}
    assert dict(GOOD[text].plus(GOOD[text]).limits()) == doubled


def test_trials_stay_a_whole_number_when_they_are_added() -> None:
    assert type(Budget(trials=1).plus(Budget(trials=2)).trials) is int


def test_limits_are_listed_in_the_order_of_their_price() -> None:
    assert [account for account, _ in Budget.parse("1trials,1h,1cpu-h,1gpu-h").limits()] == [
        "gpu",
        "cpu",
        "wall",
        "trials",
    ]


@pytest.mark.parametrize("unit", UNITS)
def test_a_number_and_its_unit_may_stand_apart(unit: str) -> None:
    assert Budget.parse(f"2 {unit}") == Budget.parse(f"2{unit}")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_in_capitals_is_met_with_the_right_one(unit: str) -> None:
    with pytest.raises(BudgetError, match=f"Did you mean {unit}"):
        Budget.parse(f"2{unit.upper()}")
