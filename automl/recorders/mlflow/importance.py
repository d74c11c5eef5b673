"""How much each parameter went with the score, among the trials that were made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.core.history import History, Trial
from automl.core.leaderboard import trial_score
from automl.core.space import Value

FEWEST_TRIALS = 6
"""With fewer full trials of a candidate its parameters are left out: chance alone would give high values."""


def importances(history: History) -> dict[str, float]:
    """Return `candidate.parameter` → strength in [0, 1], the strongest first.

    Numbers: absolute rank correlation of value and score (Spearman 1904, https://doi.org/10.2307/1412159). Choices: the
    correlation ratio of the scores' ranks (root of the share of their variance that lies between the choices). A hint,
    no proof of a cause: a searcher did not choose these trials at random.
    """
    found: dict[str, float] = {}
    by_candidate: dict[str, list[Trial]] = {}
    for trial in history.full():
        by_candidate.setdefault(trial.configuration.candidate, []).append(trial)
    for candidate, trials in by_candidate.items():
        for name in sorted({n for t in trials for n in t.configuration.values}):
            strength = _strength(trials, name)
            if strength is not None:
                found[f"{candidate}.{name}"] = strength
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _strength(trials: Sequence[Trial], name: str) -> float | None:
    pairs = [(t.configuration.values[name], score) for t in trials
             if name in t.configuration.values and (score := trial_score(t)) is not None]  # fmt: skip
    values = [value for value, _ in pairs]
    if len(pairs) < FEWEST_TRIALS or len(set(values)) < 2:
        return None
    scores = _ranks(np.array([score for _, score in pairs], float))
    if scores.std() == 0:
        return 0.0
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return float(min(1.0, abs(np.corrcoef(_ranks(np.array(values, float)), scores)[0, 1])))
    return _correlation_ratio(values, scores)


def _correlation_ratio(values: Sequence[Value], scores: np.ndarray) -> float:
    codes = np.unique([str(v) for v in values], return_inverse=True)[1]
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=scores) / counts
    between = float((counts * (means - scores.mean()) ** 2).sum())
    return float(min(1.0, np.sqrt(between / ((scores - scores.mean()) ** 2).sum())))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 0, equal values sharing their mean rank."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: np.ndarray = ((ends - counts + ends - 1) / 2)[codes]
    return ranks
