"""Asynchronous successive halving that pauses and continues, then adds folds and races them, and minds the deadline.

Source: Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning, https://arxiv.org/abs/1810.05934,
Algorithm 2 (promotion). Folds as the last rung and racing over them: Birattari et al. 2002, A Racing Algorithm for
Configuring Metaheuristics, section 2. What is ours: cheap trials, the first iterative one and, under the clock, those
of the portfolio go to the top at once, so that there are good models early; near the deadline the best paused trial is
finished while that is still possible.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from statistics import pstdev

from automl.core.history import History, Trial
from automl.core.metrics import metric
from automl.core.plan import rungs
from automl.core.protocols import WAIT, Continue, CostModel, Done, Move, Outlook, Start, Stop
from automl.core.space import Configuration
from automl.schedulers.moves import ladder_of, missing_folds

ETA = 3
CHEAP_SHARE = 0.02
"""A trial whose full training takes at most this share of the time left goes to the top at once."""

HASTE = 1.15
"""Estimates are stretched by this before they are held against the deadline."""

RACE_WIDTH = 2.0
RACE_SHARE = 0.12
"""A trial is given up when its folds are worse than the best trial's by RACE_WIDTH standard deviations of a fold, and
by RACE_SHARE of what the best falls short of a perfect score: what is nearly as good helps an ensemble."""


def make(*, greater_is_better: bool) -> AshaScheduler:
    """Return the scheduler for a metric of this direction."""
    return AshaScheduler(sign=1.0 if greater_is_better else -1.0)


@dataclass(frozen=True)
class AshaScheduler:
    """Promotes the best third of each rung; sign is +1 where greater scores are better, else -1."""

    sign: float

    def next(self, history: History, outlook: Outlook, costs: CostModel) -> Move:
        """Return the next move: finish what is at the top, hurry, promote, start, drain."""
        view = _View(history, outlook, costs, self.sign)
        return view.race() or view.in_time(view.promote() or view.start()) or view.drain()

    def first_rung(self, configuration: Configuration, history: History, outlook: Outlook, costs: CostModel) -> int:
        """Return the top rung for a cheap trial or the first iterative one, else the lowest."""
        return _View(history, outlook, costs, self.sign).first_rung(configuration)


@dataclass(frozen=True)
class _View:
    """One look at the history, from which exactly one move follows."""

    history: History
    outlook: Outlook
    costs: CostModel
    sign: float

    @property
    def top(self) -> int:
        """Return the rung of full training."""
        return self.history.top_rung

    def race(self) -> Move | None:
        """Return a fold of a trial at the top, or its end if its folds are clearly worse than the best trial's."""
        for number in sorted(self.history.standings.unfinished):
            trial = self.history.trials[number]
            folds = missing_folds(trial, self.history)
            if folds and self._has_lost(trial) and not trial.running_folds:
                return Stop(trial.number, "its folds are clearly worse than the best trial's")
            if folds and not self._has_lost(trial):
                return Continue(trial.number, folds[:1], self.top)
        return None

    def in_time(self, move: Continue | Start | None) -> Move | None:
        """Return move, or instead the best paused trial taken to the top, if after move there is no time for that."""
        if move is None or self.outlook.seconds_left == inf:
            return move
        best = next((t for t in self._by_promise() if self._fits(t, self.top)), None)
        if best is None:
            return move
        trial, rung = (self.history.trials[move.trial], move.rung) if isinstance(move, Continue) else (best, 0)
        stop = ladder_of(trial, self.history)[rung].steps
        start = trial.steps(0) if isinstance(move, Continue) else 0
        takes = self.costs.seconds(trial.configuration, start=min(start, stop), stop=stop)
        if (takes + self.wall_to_top(best)) * HASTE <= self.outlook.seconds_left:
            return move
        return self._to_top(best)

    def promote(self) -> Continue | None:
        """Return a trial in the best third of its rung, highest rung first, if the next rung fits."""
        for rung in reversed(range(self.top)):
            arrived = self.history.standings.arrived_at(rung)
            for trial in self._paused_at(rung):
                if arrived.place(trial.number, trial.reports[rung], sign=self.sign) >= len(arrived) // ETA:
                    break
                if self._fits(trial, rung + 1):
                    return Continue(trial.number, self._next_folds(trial, rung + 1), rung + 1)
        return None

    def start(self) -> Start | None:
        """Return a start while the budget admits one."""
        return Start() if self.outlook.may_start and self.outlook.seconds_left > 0 else None

    def drain(self) -> Move:
        """Return the last promotions of a budget of trials: a third of the iterative trials reach the top."""
        if self.history.running:
            return WAIT
        known = len(self.history.standings.arrived_at(0))
        reached = known - sum(len(self.history.standings.paused_at(r)) for r in range(self.top))
        best = next(self._by_promise(), None)
        if best is not None and reached < max(1, known // ETA):
            return self._to_top(best)
        return Done("every trial is finished")

    def first_rung(self, configuration: Configuration) -> int:
        """Return the top rung if the trial is cheap or trained in one go, or if it fits and is trusted, else 0."""
        planned = self.history.planned
        assert planned is not None
        if planned.full_steps[configuration.candidate] == 1:
            return self.top
        full = rungs(planned, configuration.candidate, self.history.folds)[-1]
        fold = self.costs.seconds(configuration, start=0, stop=full.steps)
        fits = fold * -(-full.folds // self.outlook.slots) * HASTE <= self.outlook.seconds_left
        if fits and (self._is_first_stepped() or self._is_trusted(configuration)):
            return self.top
        is_cheap = fold * full.folds / self.outlook.slots <= CHEAP_SHARE * self.outlook.seconds_left < inf
        return self.top if is_cheap else 0

    def seconds(self, trial: Trial, fold: int, rung: int) -> float:
        """Return the seconds until a fold of a trial is at a rung."""
        stop = ladder_of(trial, self.history)[rung].steps
        return self.costs.seconds(trial.configuration, start=min(trial.steps(fold), stop), stop=stop)

    def wall_to_top(self, trial: Trial) -> float:
        """Return the wall seconds until all folds are done, side by side on all slots."""
        need = [self.seconds(trial, f, self.top) for f in range(self.history.folds) if f not in trial.kept_folds]
        rounds = -(-len(need) // self.outlook.slots)
        return max(need, default=0.0) * rounds

    def _is_trusted(self, configuration: Configuration) -> bool:
        """Whether a configuration is listed as good: under the clock it needs no proof on low rungs, its folds race."""
        assert self.history.started is not None
        return self.outlook.seconds_left < inf and configuration in self.history.started.portfolio

    def _is_first_stepped(self) -> bool:
        standings = self.history.standings
        return not standings.arrived_at(0) and not any(
            self._is_stepped(self.history.trials[n]) for n in standings.unfinished
        )

    def _paused_at(self, rung: int) -> Iterator[Trial]:
        """Yield the paused trials of a rung, best first."""
        return (self.history.trials[n] for n in self.history.standings.paused_at(rung).best(sign=self.sign))

    def _by_promise(self) -> Iterator[Trial]:
        """Yield all paused trials by their last scores, best first; of equal ones the higher rung."""
        below = reversed(range(self.top))
        return heapq.merge(*map(self._paused_at, below), key=lambda t: -self._score(t, t.rung))

    def _is_stepped(self, trial: Trial) -> bool:
        return ladder_of(trial, self.history)[-1].steps > 1

    def _score(self, trial: Trial, rung: int) -> float:
        return self.sign * trial.reports[rung]

    def _fits(self, trial: Trial, rung: int) -> bool:
        wall = self.wall_to_top(trial) if rung == self.top else self.seconds(trial, 0, rung)
        return wall * HASTE <= self.outlook.seconds_left

    def _next_folds(self, trial: Trial, rung: int) -> tuple[int, ...]:
        if rung < self.top:
            return (0,)
        return tuple(f for f in range(self.history.folds) if f not in trial.kept_folds)[:1]

    def _to_top(self, trial: Trial) -> Continue:
        return Continue(trial.number, self._next_folds(trial, self.top), self.top)

    def _has_lost(self, trial: Trial) -> bool:
        """Whether the mean over the folds done is clearly worse than the best trial's on the same folds."""
        assert self.history.started is not None
        best = next(self.history.standings.arrived_at(self.top).best(sign=self.sign), None)
        folds = sorted(trial.kept_folds)
        if best is None or not folds or not self._is_stepped(trial):
            return False
        theirs = {f: self.sign * (r.score or 0.0) for f, r in self.history.trials[best].results.items()}
        mine = sum(self.sign * (trial.results[f].score or 0.0) for f in folds) / len(folds)
        mean = sum(theirs[f] for f in folds) / len(folds)
        short = self.sign * metric(self.history.started.metric).optimum - mean
        return mine < mean - max(RACE_WIDTH * pstdev(theirs.values()), RACE_SHARE * short)
