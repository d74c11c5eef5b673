"""The parent's end of one worker process."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from automl.core.job import Job, JobResult, MemberResult, Outcome

TERM_GRACE_SECONDS = 5.0
"""Between SIGTERM and SIGKILL for a worker that is past its deadline."""


class Slot:
    """One worker: idle, or busy with one job until a deadline.

    Attributes:
        pid: of the process, 0 until it says so; its parent is the zygote, so it is watched through its pipe.
        job: what it runs, None when idle.
    """

    def __init__(self, name: str, pipe: Connection) -> None:
        self.name = name
        self.pid = 0
        self.pipe = pipe
        self.job: Job | None = None
        self.granted = 0.0
        self.deadline = float("inf")
        self._termed: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the worker has said that it can take jobs."""
        return self.pid != 0

    def boot(self, *, pid: int) -> None:
        """Take in that the worker is ready."""
        self.pid = pid

    def assign(self, job: Job, deadline: float) -> None:
        """Send a job; the lease begins now."""
        self.job, self.granted, self.deadline, self._termed = job, time.monotonic(), deadline, None
        with suppress(BrokenPipeError):  # a worker that just died is noticed at the next read
            self.pipe.send(("job", job, deadline))

    def release(self) -> None:
        """Mark the slot idle."""
        self.job = None

    def held_seconds(self) -> float:
        """Return the seconds since the lease was granted."""
        return time.monotonic() - self.granted

    def enforce_deadline(self, now: float) -> None:
        """Signal a worker that does not return by itself: SIGTERM at the deadline, SIGKILL a grace later."""
        if self.job is None or now < self.deadline:
            return
        if self._termed is None:
            self._termed = now
            self._signal(signal.SIGTERM)
        elif now - self._termed >= TERM_GRACE_SECONDS:
            self._signal(signal.SIGKILL)

    def kill(self) -> None:
        """End the process at once and close the pipe."""
        self._signal(signal.SIGKILL)
        self.pipe.close()

    @property
    def was_told_to_end(self) -> bool:
        """Whether this worker was past its deadline and got SIGTERM."""
        return self._termed is not None

    def lost(self, message: str) -> JobResult:
        """Return the result of a job whose worker is gone."""
        assert self.job is not None
        outcome: Outcome = "lost" if self._termed is None else "timeout"
        return failed(self.job, outcome, message, held_seconds=self.held_seconds(), worker=self.name)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def failed(job: Job, outcome: Outcome, message: str, *, held_seconds: float, worker: str = "") -> JobResult:
    """Return a result in which every member ended alike."""
    members = tuple(MemberResult(m.trial, m.fold, outcome, message=message) for m in job.members)
    return JobResult(job.id, members, held_seconds, worker)
