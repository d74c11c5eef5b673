"""Wall budgets count from the moment the process began."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from automl.__main__ import LONGEST_START_SECONDS, process_age, started

STAT = "42 (a (odd) name) S " + " ".join(["0"] * 18) + " {ticks} 0 0"


@pytest.mark.parametrize(("ticks", "age"), [(0, 10.0), (500, 5.0), (1000, 0.0)])
def test_age_is_read_from_the_process_table(ticks: int, age: float) -> None:
    assert process_age(STAT.format(ticks=ticks), seconds_since_boot=10.0, ticks_per_second=100) == age


def test_a_process_that_was_something_else_before_counts_from_its_first_line() -> None:
    first_line = time.monotonic() + 10 * LONGEST_START_SECONDS
    assert started(first_line) == first_line


def test_the_start_of_the_interpreter_is_counted() -> None:
    code = "import time; from automl.__main__ import FIRST_LINE as f, STARTED as s; print(f - s, time.monotonic() - s)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, since = map(float, done.stdout.split())
    assert 0.0 <= before <= since < 60.0
