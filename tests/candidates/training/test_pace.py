from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.training.pace import LEAST_SECONDS, Pace
from automl.core.clock import FakeClock
from automl.testing.context import LocalContext


def context(clock: FakeClock, *, seconds: float, is_timed: bool = True) -> LocalContext:
    return LocalContext(
        np.arange(2), np.arange(0), 2, Path(), is_timed=is_timed, seconds=seconds + LEAST_SECONDS, clock=clock
    )


def test_with_time_enough_progress_is_that_of_the_steps() -> None:
    clock = FakeClock()
    pace = Pace(context(clock, seconds=100), 50, reserve_seconds=0)
    clock.advance(20)
    assert pace.progress(25) == 0.5


def test_with_too_little_time_progress_is_that_of_the_clock() -> None:
    clock = FakeClock()
    pace = Pace(context(clock, seconds=10), 1000, reserve_seconds=0)
    clock.advance(4)
    assert pace.progress(3) == pytest.approx(0.4)
    clock.advance(7)
    assert pace.progress(4) == 1


def test_what_is_reserved_is_no_time_for_training() -> None:
    clock = FakeClock()
    pace = Pace(context(clock, seconds=10), 1000, reserve_seconds=5)
    clock.advance(5)
    assert pace.progress(1) == pytest.approx(1)


def test_a_budget_of_trials_reads_no_clock() -> None:
    clock = FakeClock()
    pace = Pace(context(clock, seconds=10, is_timed=False), 100, reserve_seconds=0)
    clock.advance(1000)
    assert pace.progress(1) == 0.01


def test_an_endless_deadline_is_no_deadline() -> None:
    assert Pace(context(FakeClock(), seconds=float("inf")), 10, reserve_seconds=1).progress(10) == 1


def test_without_time_it_does_not_begin() -> None:
    with pytest.raises(TimeoutError, match=r"needs more than 3\.2 s\. Got 3\.2 s"):
        Pace(context(FakeClock(), seconds=3), 10, reserve_seconds=3)
