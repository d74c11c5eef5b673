"""How sure a score is: the winner's, corrected for having been selected, and a fixed model's.

The best of many cross-validated scores is too good to be true: part of why it is the best is luck on these rows.
`corrected_score` prices that luck without training anything anew. Source: Tsamardinos et al. 2018, Bootstrapping the
out-of-sample predictions for efficient and accurate cross-validation, https://doi.org/10.1007/s10994-018-5714-4,
Algorithm 5 (BBC-CV). docs/design/0007-scores.md says what we add to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from automl.core.intervals import Interval, student, wilson
from automl.core.metrics import Metric, Scorer

MOST_ROWS = 20_000
MOST_RESAMPLES = 200
LEAST_RESAMPLES = 20
"""Fewer resamples of the selection than this say too little; the row bootstrap is taken instead."""
ROW_RESAMPLES = 1000
_CHUNK = 50
_TAILS = (0.025, 0.975)
_OUT_OF_BAG = math.exp(-1)
"""The expected share of rows that a bootstrap sample leaves out."""

Select = Callable[[np.ndarray], np.ndarray]
"""A way to choose on a pool: takes how often each row counts (n,), gives the weights of the trials (T,), sum 1."""
TimeLeft = Callable[[], float]
"""Seconds that may still be used. None instead of one: no decision may depend on time."""


class Corrected(NamedTuple):
    """A score with its 95 % interval.

    Attributes:
        score: in the metric's own sign and unit.
        low: lower end of the interval.
        high: upper end of the interval.
        method: in words, how it was found.
        resamples: how many bootstrap samples of the selection stand behind it; 0 for a row bootstrap.
    """

    score: float
    low: float
    high: float
    method: str
    resamples: int


@dataclass(frozen=True)
class Pool:
    """Out-of-fold predictions of several trials on the same rows.

    Attributes:
        predictions: per trial (n, classes) or (n,), float32; where scores are equal, the earlier trial is preferred.
        y: (n,) targets.
        metric: what good means.
    """

    predictions: tuple[np.ndarray, ...]
    y: np.ndarray
    metric: Metric

    @cached_property
    def scorers(self) -> tuple[Scorer, ...]:
        """Return each trial's score as a function of row weights."""
        return tuple(self.metric.scorer(self.y, p) for p in self.predictions)

    def scores(self, counts: np.ndarray) -> np.ndarray:
        """Return each trial's score on rows that count so often, (T,)."""
        return np.array([scorer(counts) for scorer in self.scorers])

    def best(self, counts: np.ndarray) -> np.ndarray:
        """Return all weight on the single trial that scores best: the plainest `Select`."""
        signed = np.nan_to_num(self.metric.sign * self.scores(counts), nan=-np.inf)
        return np.asarray(np.arange(len(self.predictions)) == signed.argmax(), dtype=np.float64)

    def blend(self, weights: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the weighted mean of the predictions, of some rows or of all."""
        chosen = [(w, self.predictions[i]) for i, w in enumerate(weights) if w > 0]
        if len(chosen) == 1:
            return chosen[0][1] if rows is None else chosen[0][1][rows]
        return np.asarray(sum(np.float32(w) * (p if rows is None else p[rows]) for w, p in chosen))

    def score(self, weights: np.ndarray, rows: np.ndarray | None = None) -> float:
        """Return the score of a weighted mean, on some rows or on all."""
        if rows is not None and weights.max() == 1.0:
            counts = np.zeros(len(self.y))
            counts[rows] = 1.0
            return self.scorers[int(weights.argmax())](counts)
        return self.metric.score(self.y if rows is None else self.y[rows], self.blend(weights, rows))

    def sampled(self, rows: int, rng: np.random.Generator) -> Pool:
        """Return this pool on at most so many rows, drawn without replacement."""
        if len(self.y) <= rows:
            return self
        kept = np.sort(rng.choice(len(self.y), size=rows, replace=False))
        return Pool(tuple(p[kept] for p in self.predictions), self.y[kept], self.metric)


Strategy = Callable[[Pool], Select]
"""Prepares a way to choose on a pool, once for many bootstrap samples of its rows."""


def best_single(pool: Pool) -> Select:
    """Return the plainest way to choose: the trial that scores best, the first of equals."""
    return pool.best


def standard_error(fold_scores: Sequence[float]) -> float:
    """Return the standard error of the mean of fold scores; NaN for fewer than two.

    Folds share training rows, so this is a little too small; there is no unbiased estimate (Bengio and Grandvalet
    2004, https://www.jmlr.org/papers/v5/grandvalet04a.html).
    """
    if len(fold_scores) < 2:
        return float("nan")
    k = len(fold_scores)
    mean = math.fsum(fold_scores) / k
    return math.sqrt(math.fsum((s - mean) ** 2 for s in fold_scores) / (k - 1) / k)


def out_of_bag(
    pool: Pool,
    strategies: Sequence[Select],
    *,
    rng: np.random.Generator,
    resamples: int = MOST_RESAMPLES,
    time_left: TimeLeft | None = None,
) -> np.ndarray:
    """Return, for each bootstrap sample, the score of what each strategy selects on it, on the rows it leaves out.

    All strategies see the same samples, so that their scores can be compared in pairs. Sampling ends early when the
    time is up, and at once when the first sample shows that `LEAST_RESAMPLES` do not fit.

    Returns:
        (B, strategies) float64, B ≤ resamples. Samples on which a score is undefined are left out.
    """
    scores: list[list[float]] = []
    dearest = 0.0
    for done in range(resamples):
        before = math.inf if time_left is None else time_left()
        if before < dearest * max(1, LEAST_RESAMPLES - done) or before <= 0:
            break
        counts = bootstrap_counts(len(pool.y), rng)
        outside = np.flatnonzero(counts == 0)
        if len(outside):
            scores.append([pool.score(select(counts), outside) for select in strategies])
        if time_left is not None:
            dearest = max(dearest, before - time_left())
    table = np.array(scores, dtype=np.float64).reshape(len(scores), len(strategies))
    return np.asarray(table[np.isfinite(table).all(axis=1)])


def corrected_score(
    pool: Pool,
    strategy: Strategy,
    *,
    rng: np.random.Generator,
    sample_rows: int | None = None,
    resamples: int = MOST_RESAMPLES,
    time_left: TimeLeft | None = None,
) -> Corrected:
    """Return the score to expect of what a strategy chooses, with a 95 % interval for it on a new sample.

    Args:
        pool: predictions of all trials that are chosen among, at most some 50; 20,000 rows of them are used.
        strategy: the whole selection, ensemble building included: `best_single`, or `ensembles.greedy.Greedy`.
        rng: the source of randomness.
        sample_rows: rows of the new sample; the pool's number if None.
        resamples: most bootstrap samples.
        time_left: bounds the number of bootstrap samples; None for a result that depends on no clock.
    """
    small = pool.sampled(MOST_ROWS, rng)
    select = strategy(small)
    weights = select(np.ones(len(small.y)))
    scores = np.empty((0, 1))
    if len(pool.predictions) > 1:
        scores = out_of_bag(small, [select], rng=rng, resamples=resamples, time_left=time_left)
    sample = Sample(known=len(pool.y), new=sample_rows or len(pool.y))
    return correct(small, weights, scores[:, 0], sample=sample, rng=rng, time_left=time_left)


def widened(found: Corrected, error: float, folds: int, metric: Metric) -> Corrected:
    """Return a corrected score whose interval is at least as wide as the folds differ.

    For folds of groups or times: rows of one group, or of one time, are alike, so that resampling rows tells less than
    half of how a sample of other groups or of a later time may differ.

    Args:
        found: from `correct`.
        error: standard error of the mean of the fold scores.
        folds: how many.
        metric: what the score is of.
    """
    if folds < 2 or not math.isfinite(error):
        return found
    reach = student(folds - 1) * error
    low, high = metric.bounded(found.score - reach), metric.bounded(found.score + reach)
    if found.low <= low and high <= found.high:
        return found
    method = f"{found.method}; widened to the standard error over folds"
    return found._replace(low=min(found.low, low), high=max(found.high, high), method=method)


def moved(found: Corrected, by: float, metric: Metric) -> Corrected:
    """Return a corrected score with its interval moved, within what the metric can be."""
    score, low, high = (metric.bounded(end + by) for end in (found.score, found.low, found.high))
    return found._replace(score=score, low=low, high=high)


class Sample(NamedTuple):
    """How many rows a score is known from, and how many rows the new sample has that it is foretold for."""

    known: int
    new: int


def correct(
    pool: Pool,
    weights: np.ndarray,
    scores: np.ndarray,
    *,
    sample: Sample,
    rng: np.random.Generator,
    time_left: TimeLeft | None = None,
) -> Corrected:
    """Return the corrected score of a choice from the out-of-bag scores of the strategy that made it.

    The score is their mean. The interval adds two errors, that of the score itself, known from `sample.known` rows,
    and that of a new sample of `sample.new` rows. Both are row-bootstrap deviations of the chosen model, scaled by the
    square root of the rows. If the out-of-bag scores vary more than those of a fixed model would, the selection is
    unstable, and the interval is widened by that factor.

    Args:
        pool: the rows that were resampled.
        weights: what the strategy chose on all of them.
        scores: (B,) from `out_of_bag`; with fewer than `LEAST_RESAMPLES` the plain score and no widening are taken.
        sample: the two sizes.
        rng: the source of randomness.
        time_left: bounds the row bootstrap.
    """
    blended = pool.blend(weights)
    plain = pool.metric.score(pool.y, blended)
    deviations = _row_scores(pool.metric, pool.y, blended, rng=rng, time_left=time_left) - plain
    deviations = deviations[np.isfinite(deviations)]
    is_enough = len(scores) >= LEAST_RESAMPLES
    widening = _widening(scores, deviations) if is_enough else 1.0
    rows = len(pool.y)
    both = math.sqrt(rows / sample.known) * deviations + math.sqrt(rows / sample.new) * rng.permutation(deviations)
    effective = 1 / (1 / sample.known + 1 / sample.new) / widening**2
    center = float(scores.mean()) if is_enough else plain
    low, high = _ends(pool.metric, pool.y, center=center, deviations=widening * both, rows=effective)
    if is_enough:
        method = f"bootstrap of the selection, {len(scores)} resamples of {rows} out-of-fold rows"
        return Corrected(center, low, high, method, len(scores))
    why = "a single trial" if len(pool.predictions) == 1 else "no time to bootstrap the selection, not corrected"
    return Corrected(center, low, high, f"row bootstrap, {len(deviations)} resamples of {rows} rows ({why})", 0)


def row_interval(
    metric: Metric,
    y: np.ndarray,
    predicted: np.ndarray,
    *,
    rng: np.random.Generator,
    resamples: int = ROW_RESAMPLES,
    time_left: TimeLeft | None = None,
) -> Interval:
    """Return the 95 % interval of a fixed model's score, from the rows of a test set resampled.

    The ends are percentiles of the bootstrap. Metrics that count labels reach at least as far as Wilson's interval
    of the share of right rows (https://doi.org/10.1080/01621459.1927.10502953), and a perfect ranking as far as
    Wilson's for the rarer class: a flawless score on few rows is no certainty, though each resample repeats it.
    """
    kept = np.sort(rng.choice(len(y), size=MOST_ROWS, replace=False)) if len(y) > MOST_ROWS else slice(None)
    score = metric.score(y, predicted)
    drawn = _row_scores(metric, y[kept], predicted[kept], rng=rng, resamples=resamples, time_left=time_left)
    scale = math.sqrt(min(len(y), MOST_ROWS) / len(y))
    deviations = scale * (drawn - metric.score(y[kept], predicted[kept]))
    return _ends(metric, y, center=score, deviations=deviations[np.isfinite(deviations)], rows=len(y))


def p_better(
    y: np.ndarray,
    winner: np.ndarray,
    baseline: np.ndarray,
    *,
    metric: Metric,
    rng: np.random.Generator,
    resamples: int = ROW_RESAMPLES,
) -> float:
    """Return the probability that winner is better than baseline: the share of resampled rows on which it is.

    Both are scored on the same resampled rows, so that rows that are hard for both do not blur the difference. Equal
    scores count half.

    Args:
        y: (n,) targets.
        winner: its predictions of the same rows.
        baseline: likewise.
        metric: what better means.
        rng: the source of randomness.
        resamples: how many times; a quarter for metrics that are no row means.
    """
    kept = np.sort(rng.choice(len(y), size=MOST_ROWS, replace=False)) if len(y) > MOST_ROWS else slice(None)
    scorers = [metric.scorer(y[kept], p[kept]) for p in (winner, baseline)]
    times = resamples if metric.row_values(y[:1], winner[:1]) is not None else resamples // 4
    differences = np.empty(times)
    for b in range(times):
        counts = bootstrap_counts(len(y[kept]), rng)
        differences[b] = metric.sign * (scorers[0](counts) - scorers[1](counts))
    known = differences[np.isfinite(differences)]
    return share_above_zero(known)


def share_above_zero(differences: np.ndarray) -> float:
    """Return the share of differences above zero, zeros counted half; 0.5 of none at all.

    >>> share_above_zero(np.array([1.0, 0.0]))
    0.75
    """
    return float(np.mean((np.sign(differences) + 1) / 2)) if len(differences) else 0.5


def bootstrap_counts(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each row is in one bootstrap sample, (rows,) float64, summing to rows."""
    return np.bincount(rng.integers(rows, size=rows), minlength=rows).astype(np.float64)


def _row_scores(
    metric: Metric,
    y: np.ndarray,
    predicted: np.ndarray,
    *,
    rng: np.random.Generator,
    resamples: int = ROW_RESAMPLES,
    time_left: TimeLeft | None = None,
) -> np.ndarray:
    """Return the scores of bootstrap samples of rows, at least one chunk of them."""
    rows = metric.row_values(y, predicted)
    scorer = metric.scorer(y, predicted)
    times = resamples if rows is not None else max(_CHUNK, resamples // 4)
    scores: list[float] = []
    while len(scores) < times:
        scores += [scorer(bootstrap_counts(len(y), rng)) for _ in range(min(_CHUNK, times - len(scores)))]
        if time_left is not None and time_left() <= 0:
            break
    return np.array(scores)


def _widening(scores: np.ndarray, deviations: np.ndarray) -> float:
    """Return how much more out-of-bag scores vary than a fixed model's would.

    The rows left out are a sample without replacement of the share 1/e of n rows, so the variance of a fixed model's
    score on them is (e - 1) times that of its score on n rows.
    """
    expected = float(np.std(deviations)) * math.sqrt(1 / _OUT_OF_BAG - 1)
    return max(1.0, float(np.std(scores)) / expected) if expected > 0 else 1.0


def _ends(metric: Metric, y: np.ndarray, *, center: float, deviations: np.ndarray, rows: float) -> Interval:
    low, high = (center + np.quantile(deviations, _TAILS)).tolist() if len(deviations) else (center, center)
    if not metric.greater_is_better:
        return Interval(max(metric.optimum, low), high)
    if metric.needs == "values":
        return Interval(low, min(metric.optimum, high))
    if metric.needs == "labels" or center >= metric.optimum:
        rarest = 1.0 if metric.needs == "labels" else float(np.bincount(y)[np.unique(y)].min()) / len(y)
        floor = wilson(min(1.0, max(0.0, center)), max(1.0, rows * rarest))
        low, high = min(low, floor.low), max(high, floor.high)
    return Interval(max(0.0, low), min(1.0, high))
