"""How far a configuration is trained, and the ladder of such steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fidelity:
    """One rung of a candidate's ladder.

    Attributes:
        steps: epochs or boosting rounds done at the end of this rung; 1 for candidates that train in one go.
        folds: how many of the folds are trained.
        rows: share of the training rows, in (0, 1].
    """

    steps: int
    folds: int
    rows: float = 1.0


@dataclass(frozen=True)
class StepRange:
    """The `[fidelity]` table of a space: the unit a candidate counts in, the least and the most of it."""

    unit: str
    low: int
    full: int


ONE_GO = StepRange(unit="fit", low=1, full=1)


def ladder(full_steps: int, folds: int, *, low_steps: int = 1, depth: int = 3, eta: int = 3) -> tuple[Fidelity, ...]:
    """Return the rungs from a short look at one fold to full training on all of them.

    Every candidate gets the same number of rungs, so that rung i means the same for all: the share eta^-(depth-1-i)
    of the full steps on one fold for i < depth, then the full steps on all folds.

    Source: Li et al. 2018, Hyperband, https://arxiv.org/abs/1603.06560, Algorithm 1 (geometric resources).

    >>> [(f.steps, f.folds) for f in ladder(27, 5)]
    [(3, 1), (9, 1), (27, 1), (27, 5)]
    """
    shares = [max(min(low_steps, full_steps), round(full_steps / eta ** (depth - 1 - i))) for i in range(depth)]
    rungs = [Fidelity(steps=max(1, s), folds=1) for s in shares]
    return (*rungs, Fidelity(steps=full_steps, folds=folds))
