"""A workload that does what its configuration says, well or badly: what executors are held against."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, replace

from automl.core.job import Job, JobResult, Lease, Member, MemberResult, Report
from automl.core.protocols import ReportSink, WorkOrder
from automl.core.space import Configuration, Value

ORDER = WorkOrder("automl.testing.workloads:make", {"greeting": "hello"})
_TURN_SECONDS = 0.01


def make(arguments: dict[str, str]) -> ActingWorkload:
    """Build the workload from the texts of a work order."""
    return ActingWorkload(arguments["greeting"])


def act(number: int, what: str = "done", *, seconds: float = 0.02, lease: float = float("inf")) -> Job:
    """Return a job whose only member acts.

    Args:
        number: of the job and of its trial.
        what: "done"; "report" three signs of life first; "raise"; "die" by SIGKILL; "exit"; "stubborn" ignores SIGTERM
            and its deadline; "deaf" ignores its deadline only.
        seconds: how long it takes.
        lease: how long it may take.
    """
    values: dict[str, Value] = {"what": what, "seconds": seconds}
    member = Member(number, 0, Configuration("acting", values))
    return Job(number, (member,), 0, 0, 1, 1, lease=Lease(seconds=lease))


@dataclass(frozen=True)
class ActingWorkload:
    """Acts as `act` says. It tells the process that ran it in the notes of the result."""

    greeting: str

    def run(self, job: Job, report: ReportSink, deadline: float) -> JobResult:
        """Run a job member by member."""
        began = time.monotonic()
        members = tuple(self._member(job, member, report, deadline) for member in job.members)
        return JobResult(job.id, members, time.monotonic() - began)

    def _member(self, job: Job, member: Member, report: ReportSink, deadline: float) -> MemberResult:
        what, seconds = str(member.configuration.values["what"]), float(member.configuration.values["seconds"])
        notes = {"process": str(os.getpid()), "greeting": self.greeting}
        result = MemberResult(member.trial, member.fold, "done", score=0.5, steps=1, best_step=1, notes=notes)
        match what:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(3)
            case "stubborn":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            case "report":
                for step in (1, 2, 3):
                    report(Report(job.id, member.trial, member.fold, step, step / 10))
            case "raise":
                return replace(result, outcome="error", score=None, message="ValueError: as it was told")
        is_obedient = what not in ("stubborn", "deaf")
        return _sleep(result, seconds, deadline if is_obedient else float("inf"))


def _sleep(result: MemberResult, seconds: float, deadline: float) -> MemberResult:
    """Return result after so many seconds, or as stopped when the deadline comes first."""
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        if now >= deadline - 5 * _TURN_SECONDS:
            return replace(result, outcome="stopped", score=None, message="cut at the deadline")
        time.sleep(min(_TURN_SECONDS, end - now))
    return result


class ActingWorld:
    """The same acts in simulated time, for the simulated executor."""

    def run(self, job: Job) -> JobResult:
        """Return how a job ends and how long it takes."""
        values = job.members[0].configuration.values
        what, seconds = str(values["what"]), float(values["seconds"])
        outcomes = {"die": "lost", "exit": "lost", "raise": "error"}
        members = tuple(
            MemberResult(m.trial, m.fold, outcomes.get(what, "done"), score=0.5, steps=1)  # type: ignore[arg-type]
            for m in job.members
        )
        return JobResult(job.id, members, seconds, "simulated")
