from __future__ import annotations

from automl.core.protocols import Scheduler
from automl.schedulers import asha, full
from automl.testing.scheduler_suite import SchedulerSuite


class TestAshaScheduler(SchedulerSuite):
    def make(self, *, greater_is_better: bool) -> Scheduler:
        return asha.make(greater_is_better=greater_is_better)


class TestFullScheduler(SchedulerSuite):
    def make(self, *, greater_is_better: bool) -> Scheduler:
        return full.make(greater_is_better=greater_is_better)
