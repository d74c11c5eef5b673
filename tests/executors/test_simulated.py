from __future__ import annotations

import pytest

from automl.core.clock import FakeClock
from automl.core.protocols import WAIT
from automl.executors.inprocess import InProcessExecutor
from automl.executors.simulated import SimulatedExecutor
from automl.testing.executor_suite import ScriptedPort
from automl.testing.workloads import ORDER, ActingWorld, act


def played(*seconds: float, slots: int = 1, lease: float = float("inf")) -> tuple[ScriptedPort, FakeClock]:
    clock = FakeClock()
    port = ScriptedPort([act(n, seconds=s, lease=lease) for n, s in enumerate(seconds)], clock)
    SimulatedExecutor(ActingWorld(), clock, slots=slots).run(port)
    return port, clock


def test_the_clock_moves_by_what_jobs_take() -> None:
    assert played(3600.0, 1800.0)[1].now() == 5400.0


def test_slots_work_side_by_side() -> None:
    assert played(3.0, 2.0, 2.0, slots=2)[1].now() == 4.0


def test_jobs_come_back_in_the_order_in_which_they_end() -> None:
    assert [r.job for r in played(3.0, 1.0, 2.0, slots=3)[0].results] == [1, 2, 0]


def test_equal_ends_come_back_in_the_order_of_their_numbers() -> None:
    assert [r.job for r in played(*[1.0] * 5, slots=5)[0].results] == [0, 1, 2, 3, 4]


def test_a_job_is_cut_exactly_at_its_deadline() -> None:
    port, clock = played(9.0, lease=4.0)
    assert (clock.now(), port.results[0].held_seconds, port.member(0).outcome) == (4.0, 4.0, "stopped")


def test_a_thousand_workers_cost_nothing() -> None:
    assert played(*[1.0] * 5000, slots=1000)[1].now() == 5.0


class Waiting(ScriptedPort):
    """A port that never has anything."""

    def next_job(self) -> str:  # type: ignore[override]
        return WAIT


@pytest.mark.parametrize("name", ["simulated", "inprocess"])
def test_a_port_that_waits_for_nothing_is_a_bug_that_is_told(name: str) -> None:
    executor = InProcessExecutor() if name == "inprocess" else SimulatedExecutor(ActingWorld(), FakeClock())
    executor.start(ORDER)
    with pytest.raises(RuntimeError, match="'wait' although no job runs"):
        executor.run(Waiting([]))
