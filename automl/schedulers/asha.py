"""Asynchronous successive halving that pauses and continues, then adds folds and races them, and minds the deadline.

Source: Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning, https://arxiv.org/abs/1810.05934,
Algorithm 2 (promotion). Folds as the last rung and racing over them: Birattari et al. 2002, A Racing Algorithm for
Configuring Metaheuristics, section 2. What is ours: cheap trials and the first iterative one go to the top at once, so
that there is a good model early, and near the deadline the best paused trial is finished while that is still possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from statistics import pstdev

from automl.core.history import History, Trial
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
"""A trial is given up when its folds are worse than the best trial's by this many standard deviations of a fold."""


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
        return view.race() or view.hurry() or view.promote() or view.start() or view.drain()

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
        return self.history.top_rung

    def race(self) -> Move | None:
        """Return a fold of a trial at the top, or its end if its folds are clearly worse than the best trial's."""
        for trial in self.history.trials.values():
            folds = missing_folds(trial, self.history)
            if folds and self._has_lost(trial) and not trial.running_folds:
                return Stop(trial.number, "its folds are clearly worse than the best trial's")
            if folds and not self._has_lost(trial):
                return Continue(trial.number, folds[:1], self.top)
        return None

    def hurry(self) -> Move | None:
        """Return the best paused trial, taken to the top, when there will soon be no time left for it."""
        fitting = [t for t in self._paused() if self.wall_to_top(t) * HASTE <= self.outlook.seconds_left]
        if not fitting or self.outlook.seconds_left == inf:
            return None
        best = max(fitting, key=self._promise)
        look = max((self.seconds(t, 0, 0) for t in self._paused()), default=0.0)
        if self.wall_to_top(best) * HASTE + look < self.outlook.seconds_left:
            return None
        return self._to_top(best)

    def promote(self) -> Move | None:
        """Return a trial in the best third of its rung, highest rung first, if the next rung fits."""
        for rung in reversed(range(self.top)):
            arrived = sorted(self._arrived(rung), key=lambda t: -self._score(t, rung))
            for trial in arrived[: len(arrived) // ETA]:
                if trial.status == "paused" and trial.rung == rung and self._fits(trial, rung + 1):
                    return Continue(trial.number, self._next_folds(trial, rung + 1), rung + 1)
        return None

    def start(self) -> Move | None:
        """Return a start while the budget admits one."""
        return Start() if self.outlook.may_start and self.outlook.seconds_left > 0 else None

    def drain(self) -> Move:
        """Return the last promotions of a budget of trials: a third of the iterative trials reach the top."""
        if self.history.running:
            return WAIT
        paused = self._paused()
        reached = [t for t in self.history.trials.values() if self._is_stepped(t) and t.rung == self.top]
        if paused and len(reached) < max(1, (len(paused) + len(reached)) // ETA):
            return self._to_top(max(paused, key=self._promise))
        return Done("every trial is finished")

    def first_rung(self, configuration: Configuration) -> int:
        planned = self.history.planned
        assert planned is not None
        if planned.full_steps[configuration.candidate] == 1:
            return self.top
        if not any(self._is_stepped(t) for t in self.history.trials.values()):
            return self.top
        full = rungs(planned, configuration.candidate, self.history.folds)[-1]
        cost = self.costs.seconds(configuration, start=0, stop=full.steps) * full.folds / self.outlook.slots
        return self.top if cost <= CHEAP_SHARE * self.outlook.seconds_left < inf else 0

    def seconds(self, trial: Trial, fold: int, rung: int) -> float:
        """Return the seconds until a fold of a trial is at a rung."""
        stop = ladder_of(trial, self.history)[rung].steps
        return self.costs.seconds(trial.configuration, start=min(trial.steps(fold), stop), stop=stop)

    def wall_to_top(self, trial: Trial) -> float:
        """Return the wall seconds until all folds are done, side by side on all slots."""
        need = [self.seconds(trial, f, self.top) for f in range(self.history.folds) if f not in trial.kept_folds]
        rounds = -(-len(need) // self.outlook.slots)
        return max(need, default=0.0) * rounds

    def _paused(self) -> list[Trial]:
        return [t for t in self.history.with_status("paused") if t.rung < self.top and t.reports]

    def _is_stepped(self, trial: Trial) -> bool:
        return ladder_of(trial, self.history)[-1].steps > 1

    def _arrived(self, rung: int) -> list[Trial]:
        known = [t for t in self.history.trials.values() if self._is_stepped(t)]
        return [t for t in known if self._score(t, rung) > -inf]

    def _score(self, trial: Trial, rung: int) -> float:
        score = trial.score_at(rung, ladder_of(trial, self.history)[rung].steps)
        return -inf if score is None else self.sign * score

    def _promise(self, trial: Trial) -> tuple[float, int]:
        """Order paused trials: at the highest rung that two of them share the better score, else the higher rung."""
        return self._score(trial, trial.rung) + 1e-9 * trial.rung, -trial.number

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
        best = max(self.history.full(), key=lambda t: self._score(t, self.top), default=None)
        folds = sorted(trial.kept_folds)
        if best is None or not folds or not self._is_stepped(trial):
            return False
        theirs = {f: self.sign * (r.score or 0.0) for f, r in best.results.items()}
        mine = sum(self.sign * (trial.results[f].score or 0.0) for f in folds) / len(folds)
        return mine < sum(theirs[f] for f in folds) / len(folds) - RACE_WIDTH * pstdev(theirs.values())
