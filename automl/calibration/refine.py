"""What becomes of a chosen model's scores before they are shown: decided on rows it did not learn from, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from automl.calibration.decision import MOST_CLASSES, fit_decision, fit_prior_decision
from automl.calibration.isotonic import LEAST_RARER, fit_isotonic
from automl.calibration.temperature import Temperature, fit_temperature
from automl.core.data import Split
from automl.core.events import Winner
from automl.core.folds import train_rows, valid_rows
from automl.core.metrics import METRICS, Metric
from automl.core.scores import TimeLeft, bootstrap_counts
from automl.serving.calibration import calibrate, decided

MOST_ROWS = 50_000
MOST_NUMBERS = 400_000
LEAST_ROWS = 100
"""Fewer rows say too little about one number."""
SECONDS_PER_NUMBER = 1e-5
"""What all of it takes, per row and class, on one core: 2 to 6 times 1e-6 at rest. With less time fewer rows are
looked at."""
_PARTS = 5
_RESAMPLES = 100


class _Fitted(Protocol):
    """What a fit gives."""

    def to_json(self) -> dict[str, Any]:
        """Return it as a manifest has it."""
        ...


_Fit = Callable[[np.ndarray, np.ndarray], _Fitted]
_Apply = Callable[[np.ndarray, Mapping[str, Any]], np.ndarray]


@dataclass(frozen=True)
class Refinement:
    """What was found to help.

    Attributes:
        calibration: as in a manifest; {} for none.
        decision: as in a manifest; {} for none.
        gain: of the metric on rows that neither model nor refinement had seen, above zero where it is better.
        words: what was done, for people; empty for nothing.
    """

    calibration: Mapping[str, Any] = field(default_factory=dict)
    decision: Mapping[str, Any] = field(default_factory=dict)
    gain: float = 0.0
    words: str = ""

    def of(self, winner: Winner, metric: Metric) -> Winner:
        """Return a winner with this calibration and decision; its scores are moved by what they bring."""
        if not self.words:
            return winner
        gain = metric.sign * self.gain
        return replace(
            winner,
            cv=metric.bounded(winner.cv + gain),
            corrected=metric.bounded(winner.corrected + gain),
            low=metric.bounded(winner.low + gain),
            high=metric.bounded(winner.high + gain),
            method=f"{winner.method}; {gain:+.4f} by {self.words}, judged on folds they were not fitted on",
            calibration=dict(self.calibration),
            decision=dict(self.decision),
        )


@dataclass(frozen=True)
class Unseen:
    """What a model says of rows that it did not learn from.

    Attributes:
        scores: (n, classes) out-of-fold probabilities, or (n,) values; NaN where a row was not predicted.
        y: (n,) class codes, or values.
        folds: (n,) the fold in which each row was validated.
        split: how folds were made.
    """

    scores: np.ndarray
    y: np.ndarray
    folds: np.ndarray
    split: Split = "stratified"


def refine(
    unseen: Unseen,
    metric: Metric,
    *,
    deploy: Literal["bag", "refit"],
    rng: np.random.Generator,
    time_left: TimeLeft | None = None,
) -> Refinement:
    """Return the calibration and decision that make a model's out-of-fold scores better, or none.

    Each is fitted on some folds and judged on the others, in order of time where rows have one, and is accepted only
    if what it gains in log-loss, or in a metric of labels, is more than its standard error. A calibration must not
    worsen the metric either. What is accepted is fitted anew on all folds.

    Args:
        unseen: of the chosen model; at most 50,000 rows are used.
        metric: what good means.
        deploy: whether the models of all folds are kept, or one that is trained anew.
        rng: the source of randomness.
        time_left: seconds that may be used; None where no decision may depend on time.
    """
    scores = unseen.scores
    if scores.ndim != 2 or metric.needs == "values":
        return Refinement()
    rows = np.flatnonzero(np.isfinite(scores).all(axis=1))
    most = min(MOST_ROWS, MOST_NUMBERS // scores.shape[1])
    if time_left is not None:
        most = min(most, int(max(0.0, time_left()) / (SECONDS_PER_NUMBER * scores.shape[1])))
    if min(len(rows), most) < LEAST_ROWS:
        return Refinement()
    if len(rows) > most:
        rows = np.sort(rng.choice(rows, size=most, replace=False))
    parts = _parts(unseen.folds[rows], unseen.split)
    if not parts:
        return Refinement()
    return _Bench(scores[rows], np.asarray(unseen.y[rows]), parts, metric, deploy == "bag").refined(rng)


class _Part(NamedTuple):
    """Rows to fit on, and rows to judge by."""

    fit_rows: np.ndarray
    judged: np.ndarray


class _Step(NamedTuple):
    """A refinement that is judged: how it is fitted, how it is applied, and its cross-fitted scores."""

    json: dict[str, Any]
    scores: np.ndarray


@dataclass(frozen=True)
class _Bench:
    """Rows on which refinements are fitted and judged."""

    scores: np.ndarray
    y: np.ndarray
    parts: tuple[_Part, ...]
    metric: Metric
    is_bag: bool

    @property
    def judged(self) -> np.ndarray:
        """Return the rows that some part judges by, in order."""
        return np.sort(np.concatenate([part.judged for part in self.parts]))

    def refined(self, rng: np.random.Generator) -> Refinement:
        """Return what helps."""
        calibration = self._calibrated()
        decision = _Step({}, calibration.scores)
        if self.metric.needs == "labels":
            decision = self._decided(calibration, rng)
        words = " and ".join(
            [*_calibration_words(calibration.json), *(["weights of classes"] if decision.json else [])]
        )
        return Refinement(calibration.json, decision.json, self._gain(decision.scores, self.scores), words)

    def _calibrated(self) -> _Step:
        """Return the best calibration that is accepted."""
        best = _Step({}, self.scores)
        fits: list[_Fit] = [fit_temperature]
        if self.scores.shape[1] == 2 and np.bincount(self.y, minlength=2).min() >= LEAST_RARER:
            fits.append(fit_isotonic)
        for fit in fits:
            step = self._step(self.scores, fit, calibrate)
            if self._is_sharper(step.scores, best.scores) and self._gain(step.scores, best.scores) >= 0:
                best = step
        if self.is_bag and best.json.get("kind") == "temperature":
            return self._step(self.scores, _bag_temperature, calibrate)
        return best

    def _decided(self, calibration: _Step, rng: np.random.Generator) -> _Step:
        """Return the best decision that is accepted, on calibrated scores."""
        best = _Step({}, calibration.scores)
        fits = [fit_prior_decision] if self.scores.shape[1] > 2 else []
        fits += [fit_decision] if self.scores.shape[1] <= MOST_CLASSES else []
        for fit in fits:
            step = self._step(calibration.scores, partial(fit, metric=self.metric), decided)
            if self._is_gain(step.scores, best.scores, rng):
                best = step
        return best

    def _step(self, scores: np.ndarray, fit: _Fit, apply: _Apply) -> _Step:
        """Fit on each part's rows and apply to the rows it judges by; and fit on all."""
        crossed = scores.copy()
        for part in self.parts:
            fitted = fit(scores[part.fit_rows], self.y[part.fit_rows])
            crossed[part.judged] = apply(scores[part.judged], fitted.to_json())
        return _Step(fit(scores, self.y).to_json(), crossed)

    def _is_sharper(self, scores: np.ndarray, before: np.ndarray) -> bool:
        """Whether the log-loss falls by more than its standard error, over rows and over parts."""
        losses = [METRICS["log_loss"].row_values(self.y, s) for s in (before, scores)]
        assert losses[0] is not None
        assert losses[1] is not None
        gains = losses[0].values - losses[1].values
        rows = gains[self.judged]
        by_part = np.array([gains[part.judged].mean() for part in self.parts])
        errors = [float(np.std(g, ddof=1)) / len(g) ** 0.5 for g in (rows, by_part) if len(g) > 1]
        return float(rows.mean()) > max(errors, default=0.0)

    def _gain(self, scores: np.ndarray, before: np.ndarray) -> float:
        """Return what the metric gains; nothing where a calibration keeps the order of rows and only that counts."""
        if self.metric.needs == "probabilities" and self.metric.name != "log_loss" and scores.shape[1] == 2:
            return 0.0
        rows = self.judged
        after, plain = (self.metric.score(self.y[rows], s[rows]) for s in (scores, before))
        return self.metric.sign * (after - plain)

    def _is_gain(self, scores: np.ndarray, before: np.ndarray, rng: np.random.Generator) -> bool:
        """Whether the metric rises by more than the standard error of the difference, over resampled rows."""
        rows = self.judged
        first, second = (self.metric.scorer(self.y[rows], s[rows]) for s in (before, scores))
        counts = [bootstrap_counts(len(rows), rng) for _ in range(_RESAMPLES)]
        gains = self.metric.sign * np.array([second(c) - first(c) for c in counts])
        return self._gain(scores, before) > float(np.nanstd(gains))


def _bag_temperature(scores: np.ndarray, y: np.ndarray) -> Temperature:
    return fit_temperature(scores, y).of_bag()


def _parts(folds: np.ndarray, split: Split) -> tuple[_Part, ...]:
    """Return the folds merged to at most five parts, in their order, each with the rows to fit on."""
    known, places = np.unique(folds, return_inverse=True)
    merged = places * min(_PARTS, len(known)) // len(known)
    parts = [_Part(train_rows(merged, part, split), valid_rows(merged, part)) for part in range(int(merged.max()) + 1)]
    return tuple(part for part in parts if len(part.fit_rows) and len(part.judged))


def _calibration_words(calibration: Mapping[str, Any]) -> list[str]:
    if not calibration:
        return []
    if calibration["kind"] == "temperature":
        return [f"temperature {calibration['temperature']:.2f}"]
    return ["an isotonic line"]
