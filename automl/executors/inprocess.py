"""One job after another in this process: for debugging, and the reference that other executors are held against."""

from __future__ import annotations

import time
from importlib import import_module

from automl.core.job import JobResult
from automl.core.protocols import WAIT, Done, Port, Workload, WorkOrder


def make(slots: int = 1, *, gpus: int = 0) -> InProcessExecutor:
    """Return the executor; it has one slot whatever is asked for."""
    return InProcessExecutor()


class InProcessExecutor:
    """Runs each job to its end before it asks for the next."""

    slots = 1

    def __init__(self) -> None:
        self._workload: Workload | None = None

    def warm(self, preload: tuple[str, ...]) -> None:
        """Do nothing: modules are imported when they are used."""

    def start(self, order: WorkOrder) -> None:
        """Build the workload."""
        module, _, attribute = order.factory.partition(":")
        self._workload = getattr(import_module(module), attribute)(order.arguments)

    def run(self, port: Port) -> None:
        """Pump the port until it is done.

        Raises:
            RuntimeError: the port waits although nothing runs.
        """
        assert self._workload is not None
        while True:
            job = port.next_job()
            if isinstance(job, Done):
                return
            if job == WAIT:
                raise RuntimeError(f"the port says {job!r} although no job runs")
            granted = time.monotonic()
            result = self._workload.run(job, port.on_report, port.deadline(job.id))
            port.on_end(JobResult(job.id, result.members, time.monotonic() - granted, "inprocess"))
            port.on_idle()

    def stop(self) -> None:
        """Let the workload go."""
        self._workload = None
