"""The contract of an executor. Inherit in a test file and give `make`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal

import pytest

from automl.core.clock import Clock, MonotonicClock
from automl.core.job import Job, JobResult, MemberResult, Report
from automl.core.protocols import WAIT, Done, Executor
from automl.testing.workloads import ORDER, act

GRACE_SECONDS = 7.0
"""How long after its deadline a job that resists every signal but the last may come back."""


@dataclass
class ScriptedPort:
    """A port that hands out a list of jobs and writes down what it is told.

    Attributes:
        patience: jobs are handed out only while fewer than this many run; WAIT otherwise.
        interrupt_after: from so many results on, nothing more is handed out and what runs must end now.
    """

    jobs: Sequence[Job]
    clock: Clock = field(default_factory=MonotonicClock)
    patience: int = sys.maxsize
    interrupt_after: int = sys.maxsize
    results: list[JobResult] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    running: dict[int, float] = field(default_factory=dict)
    ended_at: dict[int, float] = field(default_factory=dict)
    most_running: int = 0
    idles: list[float] = field(default_factory=list)
    given: int = 0

    def next_job(self) -> Job | Done | Literal["wait"]:
        """Return the next job of the list."""
        if self.is_interrupted:
            return Done("interrupted")
        if self.given == len(self.jobs):
            return WAIT if self.running and self.patience < sys.maxsize else Done("the list is empty")
        if len(self.running) >= self.patience:
            return WAIT
        job = self.jobs[self.given]
        self.given += 1
        self.running[job.id] = self.clock.now()
        self.most_running = max(self.most_running, len(self.running))
        return job

    @cached_property
    def _leases(self) -> dict[int, float]:
        return {job.id: job.lease.seconds for job in self.jobs}

    @property
    def is_interrupted(self) -> bool:
        """Whether everything shall end now."""
        return len(self.results) >= self.interrupt_after

    def is_over(self) -> bool:
        """Whether nothing more is handed out."""
        return self.is_interrupted or self.given == len(self.jobs)

    def deadline(self, job: int) -> float:
        """Return when a running job's lease ends."""
        if self.is_interrupted:
            return self.clock.now()
        return self.running[job] + self._leases[job]

    def on_report(self, report: Report) -> None:
        """Write down a sign of life."""
        self.reports.append(report)

    def on_end(self, result: JobResult) -> None:
        """Write down a result; it must be of a job that runs."""
        granted = self.running.pop(result.job)
        self.ended_at[result.job] = self.clock.now() - granted
        self.results.append(result)

    def on_idle(self) -> None:
        """Write down the time."""
        self.idles.append(time.monotonic())

    def member(self, job: int) -> MemberResult:
        """Return how the only member of a job ended."""
        return next(r.members[0] for r in self.results if r.job == job)


class ExecutorSuite:
    """What every executor must do.

    Attributes:
        slots: how many are asked for.
    """

    slots = 2

    def make(self, slots: int) -> Executor:
        """Return an executor that was not started."""
        raise NotImplementedError(f"{type(self).__name__}.make gives no executor with {slots} slots")

    def clock(self) -> Clock:
        """Return the clock that this executor's jobs take their time from."""
        return MonotonicClock()

    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        """Give each test a started executor and stop it afterwards."""
        executor = self.make(self.slots)
        executor.warm((ORDER.factory.partition(":")[0],))
        executor.start(ORDER)
        yield executor
        executor.stop()

    def play(
        self, executor: Executor, *jobs: Job, patience: int = sys.maxsize, interrupt_after: int = sys.maxsize
    ) -> ScriptedPort:
        """Return the port after all jobs were run."""
        port = ScriptedPort(jobs, self.clock(), patience, interrupt_after)
        executor.run(port)
        return port

    def test_every_job_comes_back_exactly_once(self, executor: Executor) -> None:
        """Whatever the order."""
        port = self.play(executor, *(act(n, seconds=0.03 * (n % 3)) for n in range(9)))
        assert sorted(r.job for r in port.results) == list(range(9))

    def test_nothing_runs_any_more_when_run_returns(self, executor: Executor) -> None:
        """Done drains."""
        assert not self.play(executor, *(act(n, seconds=0.1) for n in range(5))).running

    def test_no_job_at_all_is_no_trouble(self, executor: Executor) -> None:
        """Done may be the first answer."""
        assert self.play(executor).results == []

    def test_run_may_be_called_again(self, executor: Executor) -> None:
        """As finalising does with refits."""
        self.play(executor, act(0))
        assert self.play(executor, act(1)).member(1).outcome == "done"

    def test_jobs_never_exceed_slots_and_use_them_all(self, executor: Executor) -> None:
        """A slot holds one job."""
        port = self.play(executor, *(act(n, seconds=0.2) for n in range(3 * executor.slots)))
        assert port.most_running == executor.slots

    def test_a_port_that_waits_is_asked_again_after_the_next_result(self, executor: Executor) -> None:
        """WAIT is not the end."""
        assert len(self.play(executor, *(act(n) for n in range(4)), patience=1).results) == 4

    def test_a_failed_job_does_not_disturb_the_next(self, executor: Executor) -> None:
        """The outcome is handed on as it is."""
        port = self.play(executor, *(act(n, "raise" if n == 0 else "done") for n in range(4)))
        assert [port.member(n).outcome for n in range(4)] == ["error", "done", "done", "done"]

    def test_held_seconds_are_measured_from_grant_to_release(self, executor: Executor) -> None:
        """And are those of the port's clock."""
        port = self.play(executor, act(0, seconds=0.3))
        assert 0.3 <= port.results[0].held_seconds == pytest.approx(port.ended_at[0], abs=0.2)

    def test_a_job_is_cut_at_its_deadline(self, executor: Executor) -> None:
        """An obedient one by itself."""
        port = self.play(executor, act(0, seconds=30.0, lease=0.4))
        assert port.member(0).outcome == "stopped"
        assert port.ended_at[0] <= 0.4 + 0.3

    def test_stopping_twice_and_without_a_start_is_no_trouble(self) -> None:
        """As an error on the way does."""
        executor = self.make(self.slots)
        executor.stop()
        executor.stop()


class RealExecutorSuite(ExecutorSuite):
    """What every executor must do that runs a workload, and not only simulates one."""

    def test_reports_arrive_in_order_before_the_result(self, executor: Executor) -> None:
        """Signs of life are for the live view."""
        port = self.play(executor, act(0, "report"))
        assert [(r.job, r.step, r.score) for r in port.reports] == [(0, 1, 0.1), (0, 2, 0.2), (0, 3, 0.3)]


class ProcessExecutorSuite(RealExecutorSuite):
    """What every executor must do whose jobs run in processes of their own."""

    @pytest.mark.parametrize("end", ["die", "exit"])
    def test_a_lost_worker_is_reported_once_and_replaced(self, executor: Executor, end: str) -> None:
        """The slot goes on."""
        port = self.play(executor, act(0, end), *(act(n) for n in range(1, 6)))
        assert [port.member(n).outcome for n in range(6)] == ["lost", *["done"] * 5]
        assert len(port.results) == 6

    def test_every_worker_may_die_and_the_rest_is_still_done(self, executor: Executor) -> None:
        """Also several times in a row."""
        port = self.play(executor, *(act(n, "die") for n in range(4)), act(4))
        assert [port.member(n).outcome for n in range(5)] == [*["lost"] * 4, "done"]

    def test_a_job_that_ignores_its_deadline_is_ended(self, executor: Executor) -> None:
        """It ends as timed out."""
        port = self.play(executor, act(0, "deaf", seconds=60.0, lease=0.3), act(1))
        assert [port.member(n).outcome for n in (0, 1)] == ["timeout", "done"]
        assert port.ended_at[0] <= 1.5

    @pytest.mark.slow
    def test_a_job_that_ignores_signals_is_killed(self, executor: Executor) -> None:
        """After a grace."""
        port = self.play(executor, act(0, "stubborn", seconds=60.0, lease=0.3))
        assert port.member(0).outcome == "timeout"
        assert port.ended_at[0] <= 0.3 + GRACE_SECONDS

    def test_an_interrupt_ends_what_runs_at_once(self, executor: Executor) -> None:
        """A deadline that moves up is obeyed."""
        port = self.play(executor, act(0, seconds=0.1), act(1, seconds=60.0), act(2, seconds=60.0), interrupt_after=1)
        assert {r.job for r in port.results} >= {0, 1}
        assert port.ended_at[1] <= 5.0

    def test_the_port_is_told_that_it_is_idle_at_least_every_fifth_of_a_second(self, executor: Executor) -> None:
        """Also while nothing happens; twice that is allowed here, since machines are busy."""
        idles = self.play(executor, act(0, seconds=1.0)).idles
        assert max(b - a for a, b in pairwise(idles)) <= 0.4

    def test_workers_are_warm(self, executor: Executor) -> None:
        """A process serves many jobs."""
        port = self.play(executor, *(act(n) for n in range(8)))
        assert len({port.member(n).notes["process"] for n in range(8)}) <= executor.slots

    def test_jobs_do_not_run_in_the_drivers_process(self, executor: Executor) -> None:
        """A crash of theirs is not ours, and the order reached them."""
        notes = self.play(executor, act(0)).member(0).notes
        assert notes["process"] != str(os.getpid())
        assert notes["greeting"] == "hello"

    def test_nothing_is_alive_after_stop(self) -> None:
        """Also what was in the middle of a job."""
        executor = self.make(self.slots)
        executor.start(ORDER)
        process = int(self.play(executor, act(0)).member(0).notes["process"])
        executor.stop()
        assert _is_gone(process, within=2.0)


def _is_gone(process: int, *, within: float) -> bool:
    """Whether a process ends in time; one that is dead and not yet reaped counts as gone."""
    import psutil

    end = time.monotonic() + within
    while time.monotonic() < end:
        if not psutil.pid_exists(process) or psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False
