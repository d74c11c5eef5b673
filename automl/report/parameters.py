"""How the parameters of a candidate go with its score."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from automl.core.history import History, Trial
from automl.core.space import Value

LEAST_TRIALS = 4
ENOUGH_TRIALS = 8
"""From here on a higher rung says more than further trials."""
MOST_PLOTS = 6


@dataclass(frozen=True)
class ParameterPlot:
    """One parameter against the score, at one rung, since scores of different rungs do not compare.

    Attributes:
        values: of each trial; numbers, or texts for a choice.
        scores: of each trial, at the same rung.
        trials: their numbers.
        strength: from 0 to 1, how well the parameter's value alone orders the scores.
        is_log: whether the numbers span decades.
    """

    name: str
    values: tuple[Value, ...]
    scores: tuple[float, ...]
    trials: tuple[int, ...]
    rung: int
    strength: float
    is_log: bool

    @property
    def is_number(self) -> bool:
        """Whether the values have an order."""
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in self.values)


def parameter_plots(history: History, candidate: str) -> tuple[ParameterPlot, ...]:
    """Return the parameters that were varied, the strongest first; none with too few trials."""
    trials = [t for t in history.trials.values() if t.configuration.candidate == candidate]
    rungs = [rung for trial in trials for rung in trial.reports]
    if not rungs:
        return ()
    rung = max(set(rungs), key=lambda r: (min(rungs.count(r), ENOUGH_TRIALS), r))
    reached = [trial for trial in trials if rung in trial.reports and math.isfinite(trial.reports[rung])]
    names = dict.fromkeys(name for trial in reached for name in trial.configuration.values)
    plots = [_plot(name, reached, rung) for name in names]
    found = [plot for plot in plots if plot is not None]
    return tuple(sorted(found, key=lambda plot: -plot.strength)[:MOST_PLOTS])


def rank_correlation(values: np.ndarray, scores: np.ndarray) -> float:
    """Return Spearman's correlation, 0 where either is constant.

    >>> rank_correlation(np.array([1.0, 10.0, 100.0]), np.array([3.0, 2.0, 1.0]))
    -1.0
    """
    a, b = _ranks(values), _ranks(scores)
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.round(np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std()), 12))


def correlation_ratio(groups: list[str], scores: np.ndarray) -> float:
    """Return η on the ranks of scores: 1 if the group decides the order, 0 if it says nothing or all are one group.

    Source: Fisher 1925, Statistical Methods for Research Workers, section 45.
    """
    ranks = _ranks(scores)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if total == 0:
        return 0.0
    members = [ranks[[group == g for group in groups]] for g in set(groups)]
    between = sum(len(m) * (float(m.mean()) - float(ranks.mean())) ** 2 for m in members)
    return math.sqrt(min(1.0, between / total))


def _plot(name: str, trials: list[Trial], rung: int) -> ParameterPlot | None:
    having = [trial for trial in trials if name in trial.configuration.values]
    values = tuple(trial.configuration.values[name] for trial in having)
    if len(having) < LEAST_TRIALS or len(set(map(repr, values))) < 2:
        return None
    scores = tuple(trial.reports[rung] for trial in having)
    plot = ParameterPlot(name, values, scores, tuple(t.number for t in having), rung, 0.0, is_log=False)
    if not plot.is_number:
        strength, is_log = correlation_ratio([str(v) for v in values], np.array(scores)), False
    else:
        numbers = np.array(values, dtype=np.float64)
        strength = abs(rank_correlation(numbers, np.array(scores)))
        is_log = bool(numbers.min() > 0 and numbers.max() / numbers.min() >= 20)
    return ParameterPlot(name, values, scores, plot.trials, rung, strength, is_log)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 0, ties share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)
