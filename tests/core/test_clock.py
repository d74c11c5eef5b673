import pytest

from automl.core.clock import Clock, FakeClock, MonotonicClock


def elapsed(clock: Clock) -> float:
    before = clock.now()
    return clock.now() - before


@pytest.mark.parametrize("clock", [FakeClock(), MonotonicClock()], ids=["fake", "machine"])
def test_time_does_not_go_back(clock):
    assert elapsed(clock) >= 0


def test_a_fake_clock_stands_still():
    assert elapsed(FakeClock(5.0)) == 0.0


@pytest.mark.parametrize("steps", [(), (0.0,), (1.5, 2.0)])
def test_a_fake_clock_moves_as_it_is_told(steps):
    clock = FakeClock(start=10.0)
    for seconds in steps:
        clock.advance(seconds)
    assert clock.now() == 10.0 + sum(steps)


def test_a_fake_clock_cannot_go_back():
    with pytest.raises(ValueError, match=r"a clock cannot go back\. Got -1\.0 seconds"):
        FakeClock().advance(-1.0)
