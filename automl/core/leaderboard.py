"""Full trials, ranked; and what became of the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from automl.core.history import History, Trial
from automl.core.job import BODY
from automl.core.metrics import Metric
from automl.core.scores import standard_error
from automl.core.space import Value

CONTESTANTS = ((1_000, 8), (5_000, 15))
"""Rows of a table below which the winner is chosen among so many trials: the more are compared on few rows, the more of
the best one is luck. Source: Cawley & Talbot 2010, On over-fitting in model selection,
https://www.jmlr.org/papers/v11/cawley10a.html. AutoGluon too tries fewer models on small data."""

_MEGABYTE = 1e6
JSON = None | bool | int | float | str | dict[str, Value]


@dataclass(frozen=True)
class Row:
    """One line of the leaderboard; the fields are the keys of `automl leaderboard --format json`.

    Attributes:
        rank: from 1; None for trials that are not full.
        score: mean over the folds, in the metric's own sign and unit; of a trial that is not full its last report.
        se: standard error of that mean; None if it cannot be told.
        device_seconds: what the trial was charged, all its jobs together.
        latency_ms: to predict one row, all fold models together.
        size_mb: of all fold models, in 10^6 bytes.
        params: the configuration.
        status: what became of the trial.
    """

    rank: int | None
    trial: int
    candidate: str
    score: float | None
    se: float | None
    device_seconds: float
    latency_ms: float
    size_mb: float
    params: dict[str, Value]
    status: str

    def as_json(self) -> dict[str, JSON]:
        """Return the row as JSON values; numbers that are not finite become None."""
        return {name: _plain(value) for name, value in self.__dict__.items()}


class Unranked(NamedTuple):
    """A trial that was stopped, failed, or is not finished, and why."""

    row: Row
    reason: str


def leaderboard(history: History, metric: Metric, *, limit: int | None = None) -> list[Row]:
    """Return the full trials, best first; equal ones by size, then name, then number. At most limit of them."""
    scored = sorted(_scored(history.full()), key=lambda s: _order(s, metric))
    return [_row(s.trial, s.score, rank=i) for i, s in enumerate(scored[:limit], start=1)]


def contestants(history: History, metric: Metric, *, most: int) -> list[int]:
    """Return the full trials that the winner is chosen among, best first: of few rows fewer.

    But for images the best of each candidate comes before the second best of any: different models make the better
    ensemble.
    """
    assert history.started is not None
    spec = history.started.spec
    if spec.kind == "image":
        return [row.trial for row in leaderboard(history, metric, limit=most)]
    rows = leaderboard(history, metric)
    fewer = min(most, next((few for below, few in CONTESTANTS if spec.rows < below), most))
    first = {row.candidate: row.trial for row in reversed(rows)}
    chosen = {row.trial for row in sorted(rows, key=lambda row: row.trial != first[row.candidate])[:fewer]}
    return [row.trial for row in rows if row.trial in chosen]


def best(history: History, metric: Metric) -> Trial | None:
    """Return the trial at the top of the leaderboard, or None if no trial is full.

    Looks only at the trials that share the top score, so that asking after every job stays cheap.
    """
    scored = _scored(_leaders(history, metric)) or _scored(history.full())
    return min(scored, key=lambda s: _order(s, metric)).trial if scored else None


def unranked(history: History) -> list[Unranked]:
    """Return the trials that are stopped, failed or paused, in order of number, with reasons."""
    others = [t for t in history.trials.values() if t.status not in ("full", "running")]
    others += [t for t in history.trials.values() if t.status == "full" and trial_score(t) is None]
    return [Unranked(_row(t, _last_report(t)), _reason(t)) for t in sorted(others, key=lambda t: t.number)]


def trial_score(trial: Trial) -> float | None:
    """Return the mean of a trial's fold scores; None if a fold has none that is finite."""
    scores = [r.score for r in trial.results.values()]
    known = [s for s in scores if s is not None and math.isfinite(s)]
    return math.fsum(known) / len(known) if known and len(known) == len(scores) else None


def place(trial: Trial, metric: Metric) -> tuple[float, int, str, int]:
    """Return what a full trial is ranked by, less being better; one without a score comes last."""
    score = trial_score(trial)
    return _order(_Scored(trial, -math.inf * metric.sign if score is None else score), metric)


def size_bytes(trial: Trial) -> int:
    """Return the size of all fold models of a trial."""
    return round(_together(trial, sum(r.size_bytes for r in trial.results.values())))


def latency_ms(trial: Trial) -> float:
    """Return the time that all fold models of a trial take to predict one row."""
    return _together(trial, math.fsum(r.latency_ms for r in trial.results.values()))


def batch_ms(trial: Trial) -> float:
    """Return the time that all fold models of a trial take to predict one row among many."""
    return _together(trial, math.fsum(r.batch_ms for r in trial.results.values()))


def body(trial: Trial) -> str:
    """Return the name of the network that all fold models of a trial share, empty for none."""
    names = {r.notes.get(BODY, "") for r in trial.results.values()}
    return names.pop() if len(names) == 1 else ""


def _together(trial: Trial, total: float) -> float:
    """Return what all fold models of a trial take; a network that all share counts once."""
    return total / len(trial.results) if body(trial) else total


class _Scored(NamedTuple):
    trial: Trial
    score: float


def _scored(trials: list[Trial]) -> list[_Scored]:
    scores = ((t, trial_score(t)) for t in trials)
    return [_Scored(t, s) for t, s in scores if s is not None]


def _leaders(history: History, metric: Metric) -> list[Trial]:
    """Return the full trials whose report at the top rung is the best one."""
    leaders: list[Trial] = []
    for number in history.standings.arrived_at(history.top_rung).best(sign=metric.sign):
        trial = history.trials[number]
        if trial.status != "full":
            continue
        if leaders and not _is_level(trial, leaders[0], history.top_rung):
            break
        leaders.append(trial)
    return leaders


def _is_level(trial: Trial, other: Trial, rung: int) -> bool:
    return math.isclose(trial.reports[rung], other.reports[rung], rel_tol=1e-12)


def _order(scored: _Scored, metric: Metric) -> tuple[float, int, str, int]:
    trial = scored.trial
    return -metric.sign * scored.score, size_bytes(trial), trial.configuration.candidate, trial.number


def _row(trial: Trial, score: float | None, *, rank: int | None = None) -> Row:
    fold_scores = [r.score for r in trial.results.values() if r.score is not None]
    error = standard_error(fold_scores)
    return Row(
        rank=rank,
        trial=trial.number,
        candidate=trial.configuration.candidate,
        score=score,
        se=error if math.isfinite(error) else None,
        device_seconds=trial.device_seconds,
        latency_ms=latency_ms(trial),
        size_mb=size_bytes(trial) / _MEGABYTE,
        params=dict(trial.configuration.values),
        status=trial.status,
    )


def _last_report(trial: Trial) -> float | None:
    return trial.reports[max(trial.reports)] if trial.reports else None


def _reason(trial: Trial) -> str:
    if trial.status == "full":
        return trial.reason or "a fold has no finite score"
    return trial.reason or (trial.failure.outcome if trial.failure is not None else "")


def _plain(value: JSON) -> JSON:
    return None if isinstance(value, float) and not math.isfinite(value) else value
