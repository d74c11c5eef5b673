"""What the trials of a history say about their configurations, and which of them a model looks at."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from automl.core.history import History, Trial
from automl.core.space import Configuration

Kind = Literal["complete", "pruned", "running", "failed"]

MOST = 200
"""Trials a model looks at; asking takes time in proportion to them."""
BEST = 20
"""How many of these are the best of those too old to be looked at otherwise."""
STRIDE = 50
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
    trials = list(history.trials.values())
    if len(trials) <= MOST:
        return _said(trials, history, greater_is_better=greater_is_better)
    border = math.ceil((len(trials) - MOST + BEST) / STRIDE) * STRIDE
    candidates = _best_at_the_top(trials[:border], history.top_rung, -1.0 if greater_is_better else 1.0)
    said = _said(candidates, history, greater_is_better=greater_is_better)
    best = heapq.nsmallest(BEST, (e for e in said if e.has_score), key=Evidence.rank)
    recent = _said(trials[border:], history, greater_is_better=greater_is_better)
    return sorted(best, key=lambda e: e.number) + recent


def _said(trials: Iterable[Trial], history: History, *, greater_is_better: bool) -> list[Evidence]:
    return [evidence(t, history.top_rung, greater_is_better=greater_is_better) for t in trials]


def _best_at_the_top(trials: Sequence[Trial], top_rung: int, sign: float) -> Sequence[Trial]:
    """Return trials that hold the BEST best: those at the top rank first, so that few need a closer look."""
    losses = {t.number: sign * t.reports[top_rung] for t in trials if top_rung in t.reports}
    finite = [t for t in trials if math.isfinite(losses.get(t.number, math.inf))]
    return heapq.nsmallest(BEST, finite, key=lambda t: losses[t.number]) if len(finite) >= BEST else trials
