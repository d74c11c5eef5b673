"""What the page about a run says, computed from the run's history and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from automl.core.data import Finding
from automl.core.events import Decided, Planned, RunStarted, Winner
from automl.core.history import History
from automl.core.job import REFIT_FOLD
from automl.core.leaderboard import Row, Unranked, leaderboard, unranked
from automl.core.ledger import Receipt
from automl.core.metrics import Metric, metric
from automl.report.confusion import Confusion, confusion
from automl.report.importance import ColumnImportance
from automl.report.numbers import NumberFit, number_fit
from automl.report.parameters import ParameterPlot, parameter_plots
from automl.report.reliability import Reliability, reliability
from automl.report.spend import Bill, Span, bill, is_measuring, spans
from automl.serving.calibration import calibrate, decided

_CURVES = 6


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for rows that the models did not see.

    Attributes:
        y: (n,) class codes or values.
        predictions: trial → (n, classes) probabilities or (n,) values; NaN where a row was not predicted.
    """

    y: np.ndarray
    predictions: Mapping[int, np.ndarray]

    def mixed(self, winner: Winner) -> np.ndarray | None:
        """Return what the winner gives, calibrated; None if one of its trials is not here."""
        if any(trial not in self.predictions for trial in winner.weights):
            return None
        mean = np.sum([w * self.predictions[t].astype(np.float64) for t, w in winner.weights.items()], axis=0)
        return calibrate(np.asarray(mean), winner.calibration)


@dataclass(frozen=True)
class Moment:
    """A trial became full.

    Attributes:
        at: run seconds.
    """

    at: float
    trial: int
    candidate: str
    score: float


@dataclass(frozen=True)
class Curve:
    """The validation score of a trial over its steps.

    Attributes:
        points: (step, mean, least, greatest over the folds).
    """

    trial: int
    candidate: str
    points: tuple[tuple[int, float, float, float], ...]


@dataclass(frozen=True)
class SpaceUsed:
    """A search space that was in force."""

    candidate: str
    origin: str
    sha256: str
    full_steps: int | None


@dataclass(frozen=True)
class ReportData:
    """All that the page says.

    Attributes:
        run: the run folder as the user would type it.
        candidates: in the order of their colours.
        best_parameters: name of the candidate whose parameters are drawn, and the plots.
        confusion, reliability: of classes; fit: of numbers.
    """

    run: str
    started: RunStarted
    metric: Metric
    history: History
    decided: Decided | None
    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    others: tuple[Unranked, ...]
    candidates: tuple[str, ...]
    moments: tuple[Moment, ...]
    curves: tuple[Curve, ...]
    spans: tuple[Span, ...]
    bill: Bill
    spaces: tuple[SpaceUsed, ...]
    best_parameters: tuple[str, tuple[ParameterPlot, ...]] = ("", ())
    confusion: Confusion | None = None
    reliability: Reliability | None = None
    fit: NumberFit | None = None
    importance: ColumnImportance | None = None
    notes: dict[str, str] = field(default_factory=dict)


def build(
    history: History,
    *,
    run: str = "",
    out_of_fold: OutOfFold | None = None,
    receipt: Receipt | None = None,
    importance: ColumnImportance | None = None,
) -> ReportData:
    """Return what the page about a run says.

    Args:
        history: the run, finished or not.
        run: the run folder as the user would type it.
        out_of_fold: predictions of the trials in the winner, to hold them against the truth.
        receipt: the bill; computed from the history if it is not given.
        importance: of the columns of a table.
    """
    started = history.started
    assert started is not None
    measure = metric(started.metric)
    rows = tuple(leaderboard(history, measure))
    return ReportData(
        run=run or f"runs/{started.name}",
        started=started,
        metric=measure,
        history=history,
        decided=history.decided,
        findings=(*started.findings, *(history.planned.findings if history.planned else ())),
        rows=rows,
        others=tuple(unranked(history)),
        candidates=_candidates(history, rows),
        moments=_moments(history, rows),
        curves=_curves(history, rows),
        spans=spans(history),
        bill=bill(history, receipt),
        spaces=_spaces(started, history.planned),
        best_parameters=_best_parameters(history, rows),
        **_truth(history, started, out_of_fold),
        importance=importance,
        notes=_notes(history, rows),
    )


def _candidates(history: History, rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Return the candidates that were tried, those that do best first."""
    tried = (trial.configuration.candidate for trial in history.trials.values())
    return tuple(dict.fromkeys([*(row.candidate for row in rows), *tried]))


def _moments(history: History, rows: tuple[Row, ...]) -> tuple[Moment, ...]:
    trained = [ended for ended in history.ended_jobs if not is_measuring(ended)]
    last = {m.trial: ended.at for ended in trained for m in ended.result.members if m.fold != REFIT_FOLD}
    found = [Moment(last[r.trial], r.trial, r.candidate, r.score) for r in rows if r.score is not None]
    return tuple(sorted(found, key=lambda moment: (moment.at, moment.trial)))


def _curves(history: History, rows: tuple[Row, ...]) -> tuple[Curve, ...]:
    """Return the curve of the best trial of each candidate that is trained in steps."""
    found: dict[str, Curve] = {}
    for row in rows:
        points = _curve(history, row.trial)
        if len(points) > 1 and row.candidate not in found:
            found[row.candidate] = Curve(row.trial, row.candidate, points)
    return tuple(found.values())[:_CURVES]


def _curve(history: History, trial: int) -> tuple[tuple[int, float, float, float], ...]:
    by_step: dict[int, list[float]] = {}
    results = history.trials[trial].results.values()
    for result in results:
        for step, score in result.curve:
            by_step.setdefault(step, []).append(score)
    whole = {step: scores for step, scores in by_step.items() if len(scores) == len(results)}
    return tuple((s, sum(v) / len(v), min(v), max(v)) for s, v in sorted(whole.items()))


def _spaces(started: RunStarted, planned: Planned | None) -> tuple[SpaceUsed, ...]:
    steps = planned.full_steps if planned else {}
    return tuple(
        SpaceUsed(name, started.space_origins.get(name, ""), hashlib.sha256(text.encode()).hexdigest(), steps.get(name))
        for name, text in started.spaces.items()
    )


def _best_parameters(history: History, rows: tuple[Row, ...]) -> tuple[str, tuple[ParameterPlot, ...]]:
    for row in rows:
        plots = parameter_plots(history, row.candidate)
        if plots:
            return row.candidate, plots
    return "", ()


class _Truth(TypedDict, total=False):
    """What the winner's predictions look like beside the truth, as far as it can be said."""

    confusion: Confusion | None
    reliability: Reliability | None
    fit: NumberFit | None


def _truth(history: History, started: RunStarted, known: OutOfFold | None) -> _Truth:
    if known is None or history.decided is None:
        return {}
    winner = history.decided.winner
    mixed = known.mixed(winner)
    if mixed is None:
        return {}
    classes = started.spec.classes
    if not classes:
        return {"fit": number_fit(known.y, mixed)}
    return {
        "confusion": confusion(known.y, decided(mixed, winner.decision), classes),
        "reliability": reliability(known.y, mixed, classes),
    }


def _notes(history: History, rows: tuple[Row, ...]) -> dict[str, str]:
    """Return what the best trial decided while training, such as precision."""
    if not rows:
        return {}
    return {k: v for r in history.trials[rows[0].trial].results.values() for k, v in r.notes.items()}
