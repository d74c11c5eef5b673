"""Who may be chosen, in order of preference, with what they predicted of the rows that all of them predicted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from automl.core.data import Split
from automl.core.metrics import Metric
from automl.core.scores import Pool, Select, TimeLeft, p_better, standard_error
from automl.ensembles.greedy import Greedy, Latency
from automl.ensembles.ties import FEW_ROWS, Ties

MOST_TRIALS = 50
CONVINCING = 0.5
"""The ensemble is taken if it is better with at least this probability. On few rows no difference is certain, and the
mean of several models varies less from sample to sample than the one that happened to be best."""
CONVINCING_OF_TIES = 0.25
"""As `CONVINCING`, for the mean of what ties on few rows: it is taken unless the single model is clearly better."""
NOISE_SHARE = 0.1
NOISE_PROBABILITY = 0.6
"""A simpler model is taken if it falls short by less than this share of the standard error, and the best one is better
with less than this probability."""
MOST_FIELD_ROWS = 100_000
"""Most rows by which trials are ranked. With fifteen trials on a million rows the area under the curve alone took 18 s;
ranks are as sure to a third of a standard error of these rows, and the score of what is chosen is that of all rows."""


@dataclass(frozen=True)
class Contestant:
    """A full trial that may be chosen.

    Attributes:
        trial: its number.
        candidate: what kind of model it is.
        predictions: out of fold, (n, classes) or (n,), float32; NaN where it predicted nothing.
        size_bytes: of all its fold models.
        latency_ms: to predict one row, all its fold models together.
        end_seconds: to export its models and look at the test set with them.
    """

    trial: int
    candidate: str
    predictions: np.ndarray
    size_bytes: int = 0
    latency_ms: float = 0.0
    end_seconds: float = 0.0


@dataclass(frozen=True)
class Rules:
    """What bounds the choice.

    Attributes:
        baseline: trial the winner is compared with; None for no comparison.
        max_latency_ms: most a prediction of one row may take; None for no limit.
        max_end_seconds: most that all models together may take to be exported and tested; None for no limit.
        sample_rows: rows of the new sample that the interval is for, the test's; None for as many as the data has.
        time_left: seconds that may still be used; None where no decision may depend on time.
        split: how folds were made; with groups or times the interval is at least as wide as the folds differ.
    """

    baseline: int | None = None
    max_latency_ms: float | None = None
    max_end_seconds: float | None = None
    sample_rows: int | None = None
    time_left: TimeLeft | None = None
    split: Split = "stratified"

    def seconds(self) -> float:
        """Return the seconds that may still be used; without end where no decision may depend on time."""
        return math.inf if self.time_left is None else self.time_left()


class FoldScore(NamedTuple):
    """The mean over folds and its standard error."""

    cv: float
    se: float


@dataclass(frozen=True)
class Field:
    """The contestants in order of preference, with their predictions on rows that all of them predicted.

    Attributes:
        contestants: with their predictions of all rows.
        pool: their predictions of the rows that are compared, and folds, those rows' folds.
        whole: all rows that all of them predicted.
    """

    contestants: tuple[Contestant, ...]
    pool: Pool
    folds: np.ndarray
    whole: _Whole
    rules: Rules
    baseline: np.ndarray | None
    note: str = ""

    @classmethod
    def of(
        cls,
        contestants: Sequence[Contestant],
        y: np.ndarray,
        *,
        metric: Metric,
        folds: np.ndarray,
        rng: np.random.Generator,
        rules: Rules,
    ) -> Field:
        """Return the field of those who keep the rules."""
        if not contestants:
            raise ValueError(f"a choice needs a contestant. Got {len(contestants)}")
        able, rows = _common_rows(contestants)
        if not rows.any():
            raise ValueError(f"no row was predicted by all of the trials {[c.trial for c in contestants]}")
        common = slice(None) if rows.all() else np.flatnonzero(rows)
        count, kept = int(np.count_nonzero(rows)), common
        if count > MOST_FIELD_ROWS:
            kept = np.sort(rng.choice(np.flatnonzero(rows), size=MOST_FIELD_ROWS, replace=False))
        allowed, note = _quick_enough(_light_enough(able, rules.max_end_seconds), rules.max_latency_ms)
        trimmed = {c.trial: c.predictions[kept] for c in allowed}
        ranked = sorted(allowed, key=lambda c: -metric.sign * metric.score(y[kept], trimmed[c.trial]))[:MOST_TRIALS]
        simple = tuple(sorted(ranked, key=lambda c: (c.size_bytes, c.candidate, c.trial)))
        pool = Pool(tuple(trimmed[c.trial] for c in simple), y[kept], metric)
        baseline = next((c.predictions[kept] for c in able if c.trial == rules.baseline), None)
        return cls(simple, pool, folds[kept], _Whole(y, folds, common, count), rules, baseline, note)

    @property
    def latency(self) -> Latency | None:
        """Return what bounds the members of an ensemble: the greater of each one's shares of the limits.

        The baseline is no member: it leaves every ranking as it is, so that ties could give it any weight.
        """
        limits = {"latency_ms": self.rules.max_latency_ms, "end_seconds": self.rules.max_end_seconds}
        shares = [
            [getattr(c, name) / most for c in self.contestants] for name, most in limits.items() if most is not None
        ]
        if any(c.trial == self.rules.baseline for c in self.contestants):
            shares.append([math.inf if c.trial == self.rules.baseline else 0.0 for c in self.contestants])
        return Latency(np.max(shares, axis=0), 1.0) if shares else None

    @property
    def is_small(self) -> bool:
        """Whether there are so few rows that what ties is averaged."""
        return len(self.pool.y) < FEW_ROWS

    @property
    def convincing(self) -> float:
        """Return how probable it must be that the mean of several models is better, for it to be taken."""
        return CONVINCING_OF_TIES if self.is_small else CONVINCING

    def mixer(self, pool: Pool) -> Select:
        """Return how several models are mixed, prepared on these rows."""
        kinds = [c.candidate for c in self.contestants]
        if not self.is_small:
            return Greedy(pool, latency=self.latency, kinds=kinds)
        return Ties(pool, kinds, self.folds, latency=self.latency)

    def simplest_near_best(self, rng: np.random.Generator) -> np.ndarray:
        """Return all weight on the simplest trial whose shortfall from the best one is noise."""
        sign, metric = self.pool.metric.sign, self.pool.metric
        scores = [_fold_score(metric, self.pool.y, p, folds=self.folds) for p in self.pool.predictions]
        signed = np.nan_to_num([sign * s.cv for s in scores], nan=-np.inf)
        best = int(signed.argmax())
        chosen = best
        for i in range(best):
            if signed[best] - signed[i] < NOISE_SHARE * scores[best].se and self._is_noise(best, i, rng):
                chosen = i
                break
        return np.asarray(np.arange(len(signed)) == chosen, dtype=np.float64)

    def _is_noise(self, best: int, other: int, rng: np.random.Generator) -> bool:
        first, second = self.pool.predictions[best], self.pool.predictions[other]
        return p_better(self.pool.y, first, second, metric=self.pool.metric, rng=rng) < NOISE_PROBABILITY

    def fold_score(self, weights: np.ndarray) -> FoldScore:
        """Return the mean score over the folds of a weighted mean, on all rows that all trials predicted."""
        y, folds, common, _ = self.whole
        blended = Pool(tuple(c.predictions for c in self.contestants), y, self.pool.metric).blend(weights)
        return _fold_score(self.pool.metric, y[common], blended[common], folds=folds[common])


class _Whole(NamedTuple):
    """All rows of the data, and which of them all trials predicted."""

    y: np.ndarray
    folds: np.ndarray
    common: slice | np.ndarray
    rows: int


def _fold_score(metric: Metric, y: np.ndarray, predicted: np.ndarray, *, folds: np.ndarray) -> FoldScore:
    """Return the mean score over the folds of predictions of these rows."""
    parts = [folds == f for f in np.unique(folds)]
    scores = [metric.score(y[rows], predicted[rows]) for rows in parts]
    known = [s for s in scores if s == s]
    return FoldScore(float(np.mean(known)) if known else float("nan"), standard_error(known))


class _Allowed(NamedTuple):
    contestants: Sequence[Contestant]
    note: str


def _light_enough(contestants: Sequence[Contestant], most: float | None) -> Sequence[Contestant]:
    """Return who can be exported and tested in time; if nobody can, the lightest."""
    light = [c for c in contestants if most is None or c.end_seconds <= most]
    return light or [min(contestants, key=lambda c: (c.end_seconds, c.trial))]


def _quick_enough(contestants: Sequence[Contestant], most: float | None) -> _Allowed:
    """Return who keeps the latency limit; if nobody does, the quickest, for a model is always given."""
    quick = [c for c in contestants if most is None or c.latency_ms <= most]
    if quick:
        return _Allowed(quick, "")
    quickest = min(contestants, key=lambda c: (c.latency_ms, c.size_bytes, c.trial))
    note = (
        f"max-latency-ms: no model predicts a row within {most} ms; the quickest was taken, "
        f"trial {quickest.trial} ({quickest.candidate}) with {quickest.latency_ms:.3g} ms."
    )
    return _Allowed([quickest], note)


class _Common(NamedTuple):
    contestants: Sequence[Contestant]
    rows: np.ndarray


def _common_rows(contestants: Sequence[Contestant]) -> _Common:
    """Return who predicted at least half as many rows as the fullest, and the rows that all of these predicted."""
    finite = [np.isfinite(c.predictions.reshape(len(c.predictions), -1)).all(axis=1) for c in contestants]
    counts = np.array([np.count_nonzero(f) for f in finite])
    able = np.flatnonzero(2 * counts >= counts.max()).tolist()
    return _Common([contestants[i] for i in able], np.logical_and.reduce([finite[i] for i in able]))
