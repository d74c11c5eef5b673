"""What was spent and what is promised: budget − settled − reserved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from automl.core.budget import Budget

Device = Literal["cpu", "gpu"]


@dataclass(frozen=True)
class Receipt:
    """The bill of a run. Seconds of the device's account, wall seconds of the program.

    Attributes:
        device: what the leases held.
        leased_seconds: sum over settled leases of share × held time.
        wall_seconds: from the first line of the program, downtime left out.
        trials: configurations started.
        leases: number of settled leases.
    """

    device: Device
    leased_seconds: float
    wall_seconds: float
    trials: int
    leases: int


@dataclass
class Ledger:
    """Reserve before a job starts, settle the measured cost after; never more than the budget.

    >>> ledger = Ledger(Budget(cpu=10.0), device="cpu")
    >>> ledger.reserve(1, 6.0)
    >>> ledger.free_device_seconds()
    4.0
    >>> ledger.settle(1, 5.0)
    >>> ledger.free_device_seconds()
    5.0
    """

    budget: Budget
    device: Device
    settled: float = 0.0
    trials: int = 0
    leases: int = 0
    reserved: dict[int, float] = field(default_factory=dict)

    def free_device_seconds(self) -> float:
        """Return the device seconds that may still be reserved; infinity without such a limit."""
        limit = self.budget.gpu if self.device == "gpu" else self.budget.cpu
        return float("inf") if limit is None else max(0.0, limit - self.settled - sum(self.reserved.values()))

    def free_trials(self) -> float:
        """Return how many trials may still be started; infinity without such a limit."""
        return float("inf") if self.budget.trials is None else self.budget.trials - self.trials

    def reserve(self, job: int, seconds: float) -> None:
        """Promise device seconds to a job.

        Raises:
            ValueError: the job holds a reservation already, or more is asked than is free, or less than nothing.
        """
        _check_amount(job, seconds)
        if job in self.reserved:
            raise ValueError(f"job {job} holds a reservation already")
        if seconds > self.free_device_seconds() + 1e-9:
            raise ValueError(f"job {job} asks for {seconds} s, {self.free_device_seconds()} s are free")
        self.reserved[job] = seconds

    def settle(self, job: int, seconds: float) -> None:
        """Replace a job's reservation by what it cost.

        Raises:
            ValueError: the job holds no reservation, or the cost is no number of at least 0.
        """
        _check_amount(job, seconds)
        if job not in self.reserved:
            raise ValueError(f"job {job} holds no reservation")
        del self.reserved[job]
        self.settled += seconds
        self.leases += 1

    def start_trial(self) -> None:
        """Count one more configuration."""
        self.trials += 1

    def receipt(self, wall_seconds: float) -> Receipt:
        """Return the bill at this moment."""
        return Receipt(self.device, self.settled, wall_seconds, self.trials, self.leases)


def _check_amount(job: int, seconds: float) -> None:
    if not seconds >= 0:
        raise ValueError(f"job {job}: seconds are 0 or more. Got {seconds}")
