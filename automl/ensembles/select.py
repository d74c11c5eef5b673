"""Choose what is deployed: the best single model or the greedy ensemble, whichever is honestly better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from automl.core.events import Winner
from automl.core.metrics import Metric
from automl.core.scores import (
    LEAST_RESAMPLES,
    Pool,
    Sample,
    Select,
    correct,
    moved,
    out_of_bag,
    p_better,
    share_above_zero,
    widened,
)
from automl.ensembles.field import Contestant, Field, Rules
from automl.ensembles.resampling import affordable, most_resamples, sampled_rows

NO_RULES = Rules()
HALVES_COST = 5.0
"""How many times the first ensemble's seconds must be left for choosing on halves."""


@dataclass(frozen=True)
class Choice:
    """What was chosen and how sure we are; the fields are those of `core.events.Winner`.

    Attributes:
        p_ensemble: probability that the ensemble is better than the single model; None where there was no choice.
        note: what a person should know about the choice; empty if nothing.
    """

    kind: Literal["single", "ensemble"]
    candidate: str
    weights: dict[int, float]
    cv: float
    se: float
    corrected: float
    low: float
    high: float
    p_better: float | None
    method: str
    p_ensemble: float | None = None
    note: str = ""

    def winner(self) -> Winner:
        """Return the choice as it is journaled."""
        return Winner(
            kind=self.kind,
            candidate=self.candidate,
            weights=self.weights,
            cv=self.cv,
            se=self.se,
            corrected=self.corrected,
            low=self.low,
            high=self.high,
            p_better=self.p_better,
            method=self.method,
        )


def choose(
    contestants: Sequence[Contestant],
    y: np.ndarray,
    metric: Metric,
    *,
    folds: np.ndarray,
    rng: np.random.Generator,
    rules: Rules = NO_RULES,
) -> Choice:
    """Return the best single model or the greedy ensemble.

    Both ways to choose are run on the same bootstrap samples and scored on the rows left out; where time does not
    suffice for that, each on either half of the rows and scored on the other. The ensemble is taken if it is better
    there with a probability of at least `field.CONVINCING`. A single model gives way to a simpler one (fewer
    bytes, then name, then number) inside the noise of the best. Without `rules.time_left` the same arguments give the
    same choice.

    Args:
        contestants: full trials; the best 50 are looked at.
        y: (n,) targets.
        metric: what good means.
        folds: (n,) the fold in which each row was validated.
        rng: the source of randomness.
        rules: what bounds the choice.

    Raises:
        ValueError: no contestant, or no row that all of them predicted.
    """
    field = Field.of(contestants, y, metric=metric, folds=folds, rng=rng, rules=rules)
    verdict = _judge(field, rng)
    if verdict.p_ensemble is not None and verdict.p_ensemble >= field.convincing:
        return _conclude(field, verdict.ensemble, verdict, verdict.scores[:, 1], rng=rng)
    return _conclude(field, verdict.single, verdict, verdict.scores[:, 0], rng=rng)


def likely_members(
    contestants: Sequence[Contestant],
    y: np.ndarray,
    metric: Metric,
    *,
    folds: np.ndarray,
    rng: np.random.Generator,
    rules: Rules = NO_RULES,
) -> frozenset[int]:
    """Return the trials that `choose` is likely to take, without its scores; the ensemble's where there is doubt.

    Raises:
        ValueError: as `choose`.
    """
    field = Field.of(contestants, y, metric=metric, folds=folds, rng=rng, rules=rules)
    verdict = _judge(field, rng)
    is_doubtful = verdict.p_ensemble is None and bool(verdict.ensemble.any())
    is_mixed = is_doubtful or (verdict.p_ensemble or 0.0) >= field.convincing
    weights = verdict.ensemble if is_mixed else verdict.single
    return frozenset(field.contestants[i].trial for i in np.flatnonzero(weights))


class _Verdict(NamedTuple):
    """What is known of the best single model and of the ensemble.

    Attributes:
        single, ensemble: weights of the contestants; all 0 where no ensemble was built.
        pool: the rows that the resamples are drawn from.
        scores: (resamples, 2) on the rows left out, of the single model and of the ensemble.
        p_ensemble: probability that the ensemble is better; None where there is no choice.
    """

    single: np.ndarray
    ensemble: np.ndarray
    pool: Pool
    scores: np.ndarray
    p_ensemble: float | None


def _judge(field: Field, rng: np.random.Generator) -> _Verdict:
    """Hold the best single model and the greedy ensemble against each other, in the time that is left."""
    rules, metric = field.rules, field.pool.metric
    small = field.pool.sampled(sampled_rows(field.pool), rng)
    single = field.simplest_near_best(rng)
    if len(field.contestants) == 1 or rules.seconds() <= 0:
        return _Verdict(single, np.zeros(len(single)), small, np.empty((0, 2)), None)
    greedy = field.mixer(small)
    before = rules.seconds()
    ensemble = greedy(np.ones(len(small.y)))
    took = before - rules.seconds()  # not a number where no decision may depend on time: then there are resamples
    drawn = affordable(small, took, rules.seconds(), rng)
    judged = greedy if drawn is small else field.mixer(drawn)
    ways: list[Select] = [drawn.best, judged]
    if drawn is not small:  # what is prepared once must not count for each resample
        judged(np.ones(len(drawn.y)))
    scores = out_of_bag(drawn, ways, rng=rng, resamples=most_resamples(drawn), time_left=rules.time_left)
    p_ensemble = None
    if np.count_nonzero(ensemble) > 1 and len(scores) >= LEAST_RESAMPLES:
        p_ensemble = share_above_zero(metric.sign * (scores[:, 1] - scores[:, 0]))
    elif np.count_nonzero(ensemble) > 1 and rules.seconds() > HALVES_COST * took:
        p_ensemble = _better_on_other_half(small, greedy, rng)
    return _Verdict(single, ensemble, drawn, scores, p_ensemble)


def _better_on_other_half(pool: Pool, greedy: Select, rng: np.random.Generator) -> float:
    """Return the probability that an ensemble is better than the best trial, each chosen on the other half of rows."""
    half = rng.permutation(len(pool.y)) % 2
    probabilities = []
    for part in (0, 1):  # apart, since two mixtures need not rank rows on one scale
        rows, learned = np.flatnonzero(half == part), (half != part).astype(np.float64)
        mixed, single = (pool.blend(select(learned), rows) for select in (greedy, pool.best))
        probabilities.append(p_better(pool.y[rows], mixed, single, metric=pool.metric, rng=rng))
    return float(np.mean(probabilities))


def _conclude(
    field: Field,
    weights: np.ndarray,
    verdict: _Verdict,
    scores: np.ndarray,
    *,
    rng: np.random.Generator,
) -> Choice:
    """Return the choice of these weights, whose scores on rows left out of resamples are scores."""
    rows, metric, small = field.whole.rows, field.pool.metric, verdict.pool
    blended = field.pool.blend(weights)
    sample = Sample(known=rows, new=field.rules.sample_rows or rows)
    found = correct(small, weights, scores, sample=sample, rng=rng, time_left=field.rules.time_left)
    if len(small.y) < len(field.pool.y):  # what a part of the rows tells is the optimism, not the score
        found = moved(found, field.pool.score(weights) - small.score(weights), metric)
    fold_score = field.fold_score(weights)
    if field.rules.split != "stratified":
        found = widened(found, fold_score.se, len(np.unique(field.folds)), metric)
    members = np.flatnonzero(weights)
    better = None
    if field.baseline is not None:
        better = p_better(field.pool.y, blended, field.baseline, metric=metric, rng=rng)
    return Choice(
        kind="single" if len(members) == 1 else "ensemble",
        candidate=field.contestants[members[0]].candidate if len(members) == 1 else "ensemble",
        weights={field.contestants[i].trial: float(weights[i]) for i in members},
        cv=fold_score.cv,
        se=fold_score.se,
        corrected=found.score,
        low=found.low,
        high=found.high,
        p_better=better,
        method=found.method,
        p_ensemble=verdict.p_ensemble,
        note=field.note,
    )
