from __future__ import annotations

import pytest

from automl.core.clock import Clock, FakeClock
from automl.core.protocols import Executor
from automl.executors.inprocess import InProcessExecutor
from automl.executors.local import LocalExecutor
from automl.executors.simulated import SimulatedExecutor
from automl.testing.executor_suite import ExecutorSuite, ProcessExecutorSuite, RealExecutorSuite
from automl.testing.workloads import ActingWorld


class TestInProcessExecutor(RealExecutorSuite):
    slots = 1

    def make(self, slots: int) -> Executor:
        return InProcessExecutor()


class TestSimulatedExecutor(ExecutorSuite):
    time: FakeClock

    @pytest.fixture(autouse=True)
    def fake_time(self) -> None:
        self.time = FakeClock()

    def make(self, slots: int) -> Executor:
        return SimulatedExecutor(ActingWorld(), self.time, slots=slots)

    def clock(self) -> Clock:
        return self.time


class TestLocalExecutor(ProcessExecutorSuite):
    def make(self, slots: int) -> Executor:
        return LocalExecutor(slots)
