"""A world in which jobs take simulated time: searches of hours in milliseconds, with any number of workers."""

from __future__ import annotations

import heapq
from typing import Protocol

from automl.core.clock import FakeClock
from automl.core.job import Job, JobResult, MemberResult
from automl.core.protocols import WAIT, Done, Port, WorkOrder


class World(Protocol):
    """Knows how each job would end."""

    def run(self, job: Job) -> JobResult:
        """Return the job's result; held_seconds says how long it took."""
        ...


class SimulatedExecutor:
    """Pumps a port against a world, moving the clock from one job's end to the next."""

    def __init__(self, world: World, clock: FakeClock, *, slots: int = 1) -> None:
        self.slots = slots
        self._world = world
        self._clock = clock
        self._running: list[tuple[float, int, JobResult]] = []

    def warm(self, preload: tuple[str, ...]) -> None:
        """Do nothing: there is nothing to boot."""

    def start(self, order: WorkOrder) -> None:
        """Do nothing: the world is there already."""

    def stop(self) -> None:
        """Forget what runs."""
        self._running.clear()

    def run(self, port: Port) -> None:
        """Pump the port until it is done and every job has come back or was cut at its deadline.

        Raises:
            RuntimeError: the port waits although nothing runs.
        """
        finished = False
        while not (finished and not self._running):
            finished = self._hand_out(port) or finished
            if self._running:
                self._finish_one(port)
                port.on_idle()

    def _hand_out(self, port: Port) -> bool:
        while len(self._running) < self.slots:
            job = port.next_job()
            if isinstance(job, Done):
                return True
            if job == WAIT:
                if not self._running:
                    raise RuntimeError(f"the port says {job!r} although no job runs")
                return False
            heapq.heappush(self._running, self._ending(job, port.deadline(job.id)))
        return False

    def _ending(self, job: Job, deadline: float) -> tuple[float, int, JobResult]:
        result = self._world.run(job)
        end = self._clock.now() + result.held_seconds
        if end <= deadline:
            return end, job.id, result
        cut = tuple(MemberResult(m.trial, m.fold, "stopped", message="the deadline came") for m in job.members)
        held = max(0.0, deadline - self._clock.now())
        return self._clock.now() + held, job.id, JobResult(job.id, cut, held)

    def _finish_one(self, port: Port) -> None:
        end, _, result = heapq.heappop(self._running)
        self._clock.advance(max(0.0, end - self._clock.now()))
        port.on_end(result)
