"""Which workers this machine has, found without importing a framework."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from automl.core.budget import Budget
from automl.core.request import SearchRequest
from automl.errors import BudgetError, UserError


@dataclass(frozen=True)
class Slots:
    """The workers of a run."""

    device: Literal["cpu", "gpu"]
    count: int
    gpus: int = 0


def visible_gpus(environ: dict[str, str] | None = None, devices: Path = Path("/dev")) -> int:
    """Return how many NVIDIA GPUs a process may use, by their device files and CUDA_VISIBLE_DEVICES."""
    there = len([p for p in devices.glob("nvidia[0-9]*") if p.name[6:].isdigit()])
    named = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return there
    return min(there, len([n for n in named.split(",") if n.strip() and n.strip() != "-1"]))


def cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return the cores this process may run on, a container's quota included.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most, _, period = (quota.read_text() if quota.is_file() else "max").partition(" ")
    return there if most.strip() == "max" else max(1, min(there, round(int(most) / int(period))))


def choose_slots(request: SearchRequest, budget: Budget, *, gpus_there: int) -> Slots:
    """Return the workers for a request: one per GPU if GPUs are to be used, else one per core.

    Raises:
        BudgetError: GPU time is budgeted where no GPU is, or together with CPU time.
        UserError: more GPUs are asked for than there are.
    """
    if request.gpus is not None and request.gpus > gpus_there:
        raise UserError(f"--gpus {request.gpus}: {gpus_there} GPUs are visible here. Ask for at most {gpus_there}.")
    if budget.gpu is not None and budget.cpu is not None:
        raise BudgetError(f"--budget {request.budget}: a run works on GPUs or on CPU cores, not on both. Keep one.")
    gpus = gpus_there if request.gpus is None else request.gpus
    if budget.gpu is not None and gpus == 0:
        hours = round(budget.gpu / 3600, 3)
        raise BudgetError(
            f"--budget {request.budget}: no GPU is visible here, so {hours:g} gpu-h cannot be spent. "
            f"Write for example {hours:g}cpu-h or 30min."
        )
    if gpus and budget.cpu is None:
        return Slots("gpu", request.workers or gpus, gpus)
    return Slots("cpu", request.workers or cores())
