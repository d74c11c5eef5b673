"""What schedulers ask of a history."""

from __future__ import annotations

from automl.core.fidelity import Fidelity
from automl.core.history import History, Trial
from automl.core.plan import rungs


def missing_folds(trial: Trial, history: History) -> tuple[int, ...]:
    """Return the folds that a trial at the top rung still needs and that nobody trains."""
    if trial.rung < history.top_rung or trial.status not in ("running", "paused"):
        return ()
    busy = trial.running_folds | {m.fold for job in history.retries for m in job.members if m.trial == trial.number}
    return tuple(f for f in range(history.folds) if f not in trial.kept_folds and f not in busy)


def ladder_of(trial: Trial, history: History) -> tuple[Fidelity, ...]:
    """Return the ladder of a trial's candidate under the plan in force."""
    assert history.planned is not None
    return rungs(history.planned, trial.configuration.candidate, history.folds)
