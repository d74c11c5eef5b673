"""Train every configuration to the end at once."""

from __future__ import annotations

from automl.core.history import History
from automl.core.protocols import WAIT, Continue, CostModel, Done, Move, Outlook, Start
from automl.core.space import Configuration
from automl.schedulers.moves import missing_folds


def make(*, greater_is_better: bool) -> FullScheduler:
    """Return the scheduler; it compares no scores."""
    return FullScheduler()


class FullScheduler:
    """Starts a trial, trains all its folds, starts the next."""

    def next(self, history: History, outlook: Outlook, costs: CostModel) -> Move:
        """Return the next move: the folds of what was started come before a new start."""
        for number in sorted(history.standings.unfinished):
            folds = missing_folds(history.trials[number], history)
            if folds:
                return Continue(number, folds[:1], history.top_rung)
        if outlook.may_start and outlook.seconds_left > 0:
            return Start()
        return WAIT if history.running else Done("every trial is finished")

    def first_rung(self, configuration: Configuration, history: History, outlook: Outlook, costs: CostModel) -> int:
        """Return the top rung."""
        return history.top_rung
