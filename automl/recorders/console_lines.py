"""A run as plain lines, for logs and pipes: one for what matters, none for the rest."""

from __future__ import annotations

from collections.abc import Iterator

from automl.core.data import Finding
from automl.core.events import (
    Event,
    JobEnded,
    PhaseChanged,
    Planned,
    Resumed,
    RunEnded,
    RunStarted,
    TrialStopped,
    Warned,
)
from automl.core.history import History, Trial
from automl.core.leaderboard import trial_score
from automl.core.scores import standard_error
from automl.core.words import score_words
from automl.recorders.console_state import counts, leader, spends
from automl.recorders.console_words import ASCII, clock, data_words, set_up_words, spent


def lines(event: Event, history: History) -> Iterator[str]:
    """Yield what to tell about an event.

    Args:
        event: what happened.
        history: the run with this event taken in.
    """
    match event:
        case RunStarted():
            yield f"{event.spec.name}, {event.request.task}: {data_words(event.spec, ASCII)}"
            yield set_up_words(event, ASCII)
            yield from map(_finding, event.findings)
        case Planned():
            full = ", ".join(f"{name} {steps}" for name, steps in event.full_steps.items())
            yield f"plan: full training is {full} steps; {clock(event.reserve_seconds)} kept back for finishing"
            yield from map(_finding, event.findings)
        case JobEnded():
            yield from _trials(event, history)
        case PhaseChanged():
            yield f"{event.phase}: {event.reason}"
        case Resumed():
            added = f", {event.added_budget} added" if event.added_budget else ""
            yield f"going on after {clock(event.at)}{added}"
        case RunEnded():
            yield f"{event.status}: {event.reason}"
        case Warned() | TrialStopped():
            yield from warnings(event)


def warnings(event: Event) -> Iterator[str]:
    """Yield what must be told even when all else is silent."""
    if isinstance(event, Warned):
        yield f"warning: {event.source}: {event.message}"
    if isinstance(event, RunStarted | Planned):
        yield from (_finding(finding) for finding in event.findings if finding.level == "warning")


def heartbeat(history: History, now: float) -> str:
    """Return the state of a run in one line."""
    words = ", ".join(f"{number} {status}" for status, number in counts(history))
    best = leader(history)
    score = f"; best {best.configuration.candidate} {score_words(trial_score(best) or 0.0)}" if best else ""
    return f"{words}{score}; {', '.join(map(spent, spends(history, now)))}"


def _trials(event: JobEnded, history: History) -> Iterator[str]:
    """Yield the trials that this very job brought to an end; probes and refits bring none."""
    told: set[int] = set()
    for member in event.result.members:
        trial = history.trials.get(member.trial)
        if trial is None or trial.number in told:
            continue
        name = f"trial {trial.number} {trial.configuration.candidate}"
        if trial.failure is member:
            told.add(trial.number)
            yield f"{name} failed: {trial.reason}"
        elif trial.status == "full" and trial.results.get(member.fold) is member:
            told.add(trial.number)
            yield f"{name}: {_score(trial)}{', best so far' if trial is leader(history) else ''}"


def _score(trial: Trial) -> str:
    score, error = trial_score(trial), standard_error([r.score for r in trial.results.values() if r.score is not None])
    if score is None:
        return "without a finite score"
    return f"{score_words(score)} +- {score_words(0.0 if error != error else error)}"


def _finding(finding: Finding) -> str:
    return f"{'warning' if finding.level == 'warning' else 'note'}: {finding.message}"
