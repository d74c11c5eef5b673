"""What full training means in this run: the one decision that fits the ladder to the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automl.core.data import Finding
from automl.core.events import Planned
from automl.core.fidelity import Fidelity, StepRange, ladder
from automl.core.job import Cost

DEPTH = 3
"""Rungs on one fold before the rung of all folds."""

FIRST_SHARE = 0.42
"""Share of the search that one full trial of an iterative candidate may take: two fit, and what is quick beside them.
Measured on 20,000 images at 10 minutes: three shorter ones scored less, see docs/benchmarks.md."""

LAST_SHARE = 0.85
"""A candidate whose shortest full training takes more of the search than this is left out."""

ONE_GO_SHARE = 3.0
"""The same for one that trains in one go: it is the first real model of a search of seconds, so a rough estimate must
not keep it out; if it does not end in time, nothing but these seconds is lost."""


@dataclass(frozen=True)
class Purse:
    """What the search may spend.

    Attributes:
        device_seconds: over all slots, the reserve taken off; infinity under a budget of trials alone.
        reserve_seconds: wall seconds held back for finalising.
        slots: workers.
    """

    device_seconds: float
    reserve_seconds: float
    slots: int


def make_plan(steps: Mapping[str, StepRange], costs: Mapping[str, Cost], *, folds: int, purse: Purse) -> Planned:
    """Return the steps of full training for each candidate that fits.

    Args:
        steps: candidate → the range its space allows.
        costs: candidate → measured cost of one fold of its default configuration.
        folds: how many folds full training has.
        purse: what the search may spend.
    """
    full: dict[str, int] = {}
    findings: list[Finding] = []
    for name, allowed in steps.items():
        affordable = _affordable(costs[name], folds, purse, FIRST_SHARE)
        least = min(affordable, allowed.full)
        if least < allowed.low:
            share = LAST_SHARE if allowed.full > 1 else ONE_GO_SHARE
            least = min(_affordable(costs[name], folds, purse, share), allowed.low)
        if least < allowed.low:
            findings.append(_left_out(name, costs[name], allowed, folds))
            continue
        full[name] = least
    return Planned(full, dict(costs), purse.reserve_seconds, tuple(findings))


def rungs(planned: Planned, candidate: str, folds: int) -> tuple[Fidelity, ...]:
    """Return the ladder of a candidate under this plan."""
    return ladder(planned.full_steps[candidate], folds, depth=DEPTH)


def _affordable(cost: Cost, folds: int, purse: Purse, share: float) -> int:
    """Return the steps with which one full trial takes this share of the purse; bounded, never negative."""
    if purse.device_seconds == float("inf"):
        return 10**9
    per_fold = purse.device_seconds * share / folds - cost.fixed_seconds
    return max(0, min(10**9, int(per_fold / max(1e-9, cost.step_seconds))))


def _left_out(name: str, cost: Cost, allowed: StepRange, folds: int) -> Finding:
    need = cost.seconds(allowed.low) * folds
    least = f"{allowed.low} {allowed.unit}, {folds} folds"
    text = f"{name} is left out: its shortest full training ({least}) takes about {need:.0f} s"
    return Finding("candidate-left-out", "info", text)
