"""What the trials of a history say about their configurations, and which of them a model looks at."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import Literal

from automl.core.history import History, Trial
from automl.core.space import Configuration

Kind = Literal["complete", "pruned", "running", "failed"]

MOST = 500
"""Trials a model looks at; asking costs more than linear time in them."""
BEST = 50
"""How many of these are the best of those too old to be looked at otherwise."""
STRIDE = 100
"""The border between old and recent moves by so many trials at once."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one trial says.

    Attributes:
        kind: "complete" with a score of full training, "pruned" with one of a lower rung, "running" without any yet,
            "failed" where none will come.
        rung: where the score was taken; -1 without one.
        loss: the score, signed so that less is better; infinite without one.
    """

    number: int
    configuration: Configuration
    kind: Kind
    rung: int = -1
    loss: float = math.inf

    @property
    def has_score(self) -> bool:
        """Whether the trial was measured."""
        return self.rung >= 0

    def rank(self) -> tuple[int, float, int]:
        """Return a key that sorts the best first: the higher rung, then the better score, then the older trial."""
        return (-self.rung, self.loss, self.number)


def evidence(trial: Trial, top_rung: int, *, greater_is_better: bool) -> Evidence:
    """Return what a trial says; a low-fidelity score is never taken for one of full training."""
    rung, score = _last_score(trial, top_rung)
    if trial.status == "failed" or (score is not None and not math.isfinite(score)):
        return Evidence(trial.number, trial.configuration, "failed")
    if score is None:
        kind: Kind = "running" if trial.status in ("running", "paused") else "failed"
        return Evidence(trial.number, trial.configuration, kind)
    kind = "complete" if trial.status == "full" and rung == top_rung else "pruned"
    return Evidence(trial.number, trial.configuration, kind, rung, -score if greater_is_better else score)


def _last_score(trial: Trial, top_rung: int) -> tuple[int, float | None]:
    """Return the highest rung with a score; folds done at the top count as the rung of one full fold."""
    if top_rung in trial.reports:
        return top_rung, trial.reports[top_rung]
    scores = [r.score for r in trial.results.values() if r.score is not None]
    if trial.rung == top_rung and trial.kept_folds and scores:
        return top_rung - 1, sum(scores) / len(scores)
    rung = max(trial.reports, default=-1)
    return rung, trial.reports.get(rung)


def window(history: History, *, greater_is_better: bool) -> list[Evidence]:
    """Return what the latest trials and the best of the older ones say, at most MOST, in order of number.

    A pure function of the history: however a run came to this point, the same trials are looked at.
    """
    everything = [evidence(t, history.top_rung, greater_is_better=greater_is_better) for t in history.trials.values()]
    if len(everything) <= MOST:
        return everything
    border = math.ceil((len(everything) - MOST + BEST) / STRIDE) * STRIDE
    measured = (e for e in everything[:border] if e.has_score)
    best = heapq.nsmallest(BEST, measured, key=Evidence.rank)
    return sorted(best, key=lambda e: e.number) + everything[border:]
