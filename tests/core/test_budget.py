import pytest

from automl.core.budget import UNITS, Budget
from automl.errors import BudgetError


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("8gpu-h", Budget(gpu=28_800.0)),
        ("2gpu-min", Budget(gpu=120.0)),
        ("5gpu-s", Budget(gpu=5.0)),
        ("0.5cpu-h", Budget(cpu=1_800.0)),
        ("3cpu-min", Budget(cpu=180.0)),
        ("9cpu-s", Budget(cpu=9.0)),
        ("2h", Budget(wall=7_200.0)),
        ("30min", Budget(wall=1_800.0)),
        ("30m", Budget(wall=1_800.0)),
        ("10s", Budget(wall=10.0)),
        ("20trials", Budget(trials=20)),
        ("1trial", Budget(trials=1)),
        ("8gpu-h,2h", Budget(gpu=28_800.0, wall=7_200.0)),
        (" 8 gpu-h , 20 trials ", Budget(gpu=28_800.0, trials=20)),
        ("1h,1cpu-h,1gpu-h,1trials", Budget(wall=3_600.0, cpu=3_600.0, gpu=3_600.0, trials=1)),
    ],
)
def test_each_unit_is_read_into_its_account(text, budget):
    assert Budget.parse(text) == budget


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30", r"'30' has no unit\. .* Write for example 30min"),
        ("", r"'' has no unit\. .* Write for example 30min"),
        ("1h,", r"'' has no unit"),
        ("gpu-h", r"gpu-h has no number\. Write for example 8gpu-h"),
        ("8gpuh", r"'gpuh' is not a unit\. Did you mean gpu-h\?"),
        ("3fortnights", r"'fortnights' is not a unit"),
        ("8GPU-H", r"'GPU-H' is not a unit"),
        ("0h", r"must be above zero\. Got 0h\. Write for example 1h"),
        ("0.0min", r"must be above zero\. Got 0\.0min"),
        ("-3h", r"NUMBER UNIT, joined by commas\. Got '-3h'"),
        ("1e3s", r"NUMBER UNIT, joined by commas\. Got '1e3s'"),
        ("2.5trials", r"trials come whole\. Got 2\.5trials\. Write 2trials"),
        ("0.5trials", r"trials come whole\. Got 0\.5trials\. Write 1trials"),
        ("1h,30min", r"1h and 30min limit the same thing\. Keep one"),
        ("nans", r"'nans' is not a unit"),
    ],
)
def test_a_mistake_is_told_with_the_value_and_what_to_do(text, message):
    with pytest.raises(BudgetError, match=message):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["8gpu-h", "90min", "0.25cpu-h,17trials", "1gpu-h,2cpu-h,3h,4trials"])
def test_the_text_of_a_budget_is_read_back_as_the_same(text):
    assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)


@pytest.mark.parametrize("unit", [u for u in UNITS if u != "trial"])
def test_every_unit_that_is_named_is_read(unit):
    assert list(Budget.parse(f"2{unit}").limits()) == [(UNITS[unit][0], 2 * UNITS[unit][1])]


@pytest.mark.parametrize(
    ("text", "timed"), [("20trials", False), ("1s", True), ("1cpu-s", True), ("1h,20trials", True)]
)
def test_a_budget_of_trials_alone_reads_no_clock(text, timed):
    assert Budget.parse(text).is_timed is timed


@pytest.mark.parametrize(
    ("mine", "more", "total"),
    [
        ("1h", "30min", Budget(wall=5_400.0)),
        ("1h", "2gpu-h", Budget(wall=3_600.0, gpu=7_200.0)),
        ("5trials", "3trials", Budget(trials=8)),
        ("1cpu-h,5trials", "1cpu-h", Budget(cpu=7_200.0, trials=5)),
    ],
)
def test_budgets_add_up_account_by_account(mine, more, total):
    assert Budget.parse(mine).plus(Budget.parse(more)) == total


def test_accounts_without_a_limit_are_not_listed():
    assert list(Budget(trials=3).limits()) == [("trials", 3.0)]
