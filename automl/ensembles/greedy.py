"""Greedy ensemble selection: add, again and again, the model that helps the mean most.

Source: Caruana et al. 2004, Ensemble selection from libraries of models, https://doi.org/10.1145/1015330.1015432, with
replacement, started from the best model, on a library pruned to its best (Caruana et al. 2006,
https://doi.org/10.1109/ICDM.2006.76, section 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from automl.core.metrics import Metric
from automl.core.scores import Pool

STEPS = 25
LIBRARY = 12
"""How many trials are candidates for the ensemble."""
_TIE = np.float32(1e-20)


class Latency(NamedTuple):
    """What predicting may cost.

    Attributes:
        costs: (T,) milliseconds a row of each trial; an ensemble costs the sum over its members.
        most: the limit.
    """

    costs: np.ndarray
    most: float


def greedy_weights(
    predictions: Sequence[np.ndarray],
    y: np.ndarray,
    metric: Metric,
    *,
    steps: int = STEPS,
    latency: Latency | None = None,
) -> np.ndarray:
    """Return the weight of each model in a greedily built mean of predictions, summing to 1.

    Never worse on these rows than the best single model: the best of all prefixes is taken, the shortest of equals.

    Args:
        predictions: per model (n, classes) probabilities or (n,) values; where scores are equal the earlier is taken,
            so pass the simpler first.
        y: (n,) targets.
        metric: what good means.
        steps: how many models are added in all, repetitions counted.
        latency: bounds the members.
    """
    pool = Pool(tuple(predictions), y, metric)
    return Greedy(pool, steps=steps, latency=latency)(np.ones(len(y)))


class Greedy:
    """Greedy selection on a pool: a `core.scores.Select`, prepared once for many bootstrap samples.

    Where it is told what kind of model each trial is, the best of each kind may become a member even if a dozen of
    another kind are better: what errs differently helps a mean most.
    """

    def __init__(
        self, pool: Pool, *, steps: int = STEPS, latency: Latency | None = None, kinds: Sequence[str] = ()
    ) -> None:
        self._pool = pool
        self._kinds = kinds or [""] * len(pool.predictions)
        self._steps = steps
        self._latency = latency
        self._objective = _objective(pool)

    def __call__(self, counts: np.ndarray) -> np.ndarray:
        """Return the weights (T,) chosen on rows that count so often (n,)."""
        singles = np.nan_to_num(self._pool.metric.sign * self._pool.scores(counts), nan=-np.inf)
        library = self._library(singles)
        bag = self._objective.bag(library, counts)
        costs = None if self._latency is None else self._latency.costs[library]
        picks = _climb(bag, self._steps, costs=costs, most=math.inf if self._latency is None else self._latency.most)
        weights = np.bincount(library[picks], minlength=len(self._pool.predictions))
        return np.asarray(weights / weights.sum())

    def _library(self, singles: np.ndarray) -> np.ndarray:
        """Return who may become a member: the best of each kind of model, then the best of all."""
        ranked = np.argsort(-singles, kind="stable").tolist()
        firsts = {self._kinds[i]: i for i in reversed(ranked)}
        chosen = sorted(ranked, key=lambda i: firsts[self._kinds[i]] != i)[:LIBRARY]
        return np.sort(np.array(chosen))


def _climb(bag: Bag, steps: int, *, costs: np.ndarray | None, most: float) -> list[int]:
    """Return the models added, in order, up to the best prefix."""
    picks: list[int] = []
    path: list[float] = []
    for _ in range(steps):
        gains = bag.values()
        if costs is not None:
            members = list(set(picks))
            too_dear = costs[members].sum() + costs > most
            too_dear[members] = False
            gains = np.where(too_dear & bool(picks), -np.inf, gains)
        picks.append(int(gains.argmax()))
        path.append(float(gains[picks[-1]]))
        bag.add(picks[-1])
    return picks[: int(np.argmax(path)) + 1]


class Bag(Protocol):
    """The rows of one sample and the sum of the models added so far."""

    def values(self) -> np.ndarray:
        """Return how good the mean would be with each model added, (T,); greater is better."""
        ...

    def add(self, model: int) -> None:
        """Add a model."""
        ...


class Objective(Protocol):
    """A metric laid out over a whole pool."""

    def bag(self, library: np.ndarray, counts: np.ndarray) -> Bag:
        """Return the rows that count, of the models of the library."""
        ...


def _objective(pool: Pool) -> Objective:
    name = pool.metric.name
    if name in ("accuracy", "balanced_accuracy"):
        return Margins(pool)
    if name in _LOSSES:
        return RowLosses(pool)
    return AnyMetric(pool)


class Margins:
    """Accuracy and balanced accuracy, by how far the true class leads each other class.

    A row is right where the least lead is above zero. Rows on which all models agree that the true class leads all
    others, or that a certain class leads it, are right or wrong for every mean: they are left out of the search, and
    so are classes that no model puts above the true one (rows are sorted by the number of such rivals, so that the
    rival of each rank concerns the first rows only). This is exact and saves most of the work.
    """

    def __init__(self, pool: Pool) -> None:
        stacked = np.stack(pool.predictions).astype(np.float32, copy=False)
        leads = _leads(stacked, pool.y)
        is_settled = (leads.min(axis=0) > 0).all(axis=0) | (leads.max(axis=0) <= 0).any(axis=0)
        rivals = (leads.min(axis=0) <= 0).sum(axis=0)
        order = np.argsort(-rivals, kind="stable")
        self._open = order[~is_settled[order]]
        most = int(rivals[self._open].max(initial=1))
        self._leads = _rivals_first(leads[:, :, self._open], most)
        self._extents = [np.count_nonzero(rivals[self._open] > rank) for rank in range(most)]
        self._y = pool.y
        self._is_balanced = pool.metric.name == "balanced_accuracy"

    def bag(self, library: np.ndarray, counts: np.ndarray) -> Bag:
        """Return the open rows that count."""
        weights = counts.astype(np.float64)
        if self._is_balanced:
            support = np.bincount(self._y, weights=weights)
            weights = np.divide(weights, support[self._y], out=np.zeros_like(weights), where=weights > 0)
        weights = weights[self._open]
        kept = np.flatnonzero(weights)
        extents = np.searchsorted(kept, self._extents).tolist()
        return _MarginBag(self._leads[library][:, :, kept], weights[kept], extents=extents)


def _leads(stacked: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return (T, classes - 1, n): the probability of the true class less each other; equal counts as the lower code."""
    models, rows, classes = stacked.shape
    others = np.arange(classes - 1)[:, None] + (np.arange(classes - 1)[:, None] >= y)
    leads = np.empty((models, classes - 1, rows), dtype=np.float32)
    for model, probabilities in enumerate(stacked):
        np.subtract(probabilities[np.arange(rows), y], probabilities[np.arange(rows), others], out=leads[model])
    return np.where((leads == 0) & (others > y), _TIE, leads)


def _rivals_first(leads: np.ndarray, most: int) -> np.ndarray:
    """Return leads over so many other classes, those in front that some model puts above the true one."""
    order = np.argsort(leads.min(axis=0), axis=0, kind="stable")[:most]
    return np.ascontiguousarray(np.take_along_axis(leads, order[None], axis=1))


class _MarginBag:
    def __init__(self, leads: np.ndarray, weights: np.ndarray, *, extents: list[int]) -> None:
        self._leads = leads
        self._extents = extents
        self._weights = weights
        self._sum = np.zeros(leads.shape[1:], dtype=np.float32)

    def values(self) -> np.ndarray:
        """Return how good the mean would be with each model added."""
        least = self._leads[:, 0] + self._sum[0]
        step = np.empty_like(least)
        for rival, extent in enumerate(self._extents[1:], start=1):
            here = np.s_[:, :extent]
            np.add(self._leads[:, rival, :extent], self._sum[rival, :extent], out=step[here])
            np.minimum(least[here], step[here], out=least[here])
        return np.asarray(np.round((least > 0) @ self._weights, 9))

    def add(self, model: int) -> None:
        """Add a model to the sum."""
        self._sum += self._leads[model]


def _surprise(mean: np.ndarray, y: np.ndarray) -> np.ndarray:
    eps = np.float32(np.finfo(np.float32).eps)
    return np.asarray(-np.log(np.clip(mean, eps, 1 - eps)))


def _squared(mean: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray((mean - y) ** 2)


def _absolute(mean: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(mean - y))


def _squared_log(mean: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray((np.log1p(np.maximum(mean, 1e-6 - 1)) - np.log1p(y)) ** 2)


_LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "log_loss": _surprise, "rmse": _squared, "r2": _squared, "mae": _absolute, "rmsle": _squared_log,
}  # fmt: skip
"""Losses whose weighted sum orders models as the metric does; `r2` falls as the squared error grows."""


class RowLosses:
    """Metrics that are means over rows of a function of one number: the true class's probability, or the value."""

    def __init__(self, pool: Pool) -> None:
        self._loss = _LOSSES[pool.metric.name]
        rows = np.arange(len(pool.y))
        columns = [p if p.ndim == 1 else p[rows, pool.y] for p in pool.predictions]
        is_value = pool.metric.needs == "values"
        self._numbers = np.stack(columns).astype(np.float64 if is_value else np.float32)
        self._y = pool.y

    def bag(self, library: np.ndarray, counts: np.ndarray) -> Bag:
        """Return the rows that count."""
        kept = np.flatnonzero(counts)
        return _LossBag(self._numbers[library][:, kept], self._y[kept], weights=counts[kept], loss=self._loss)


class _LossBag:
    def __init__(
        self,
        numbers: np.ndarray,
        y: np.ndarray,
        *,
        weights: np.ndarray,
        loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> None:
        self._numbers, self._y, self._loss = numbers, y, loss
        self._weights = weights.astype(numbers.dtype)
        self._sum = np.zeros(numbers.shape[1], dtype=numbers.dtype)
        self._added = 0

    def values(self) -> np.ndarray:
        """Return how good the mean would be with each model added."""
        means = (self._numbers + self._sum) / self._numbers.dtype.type(self._added + 1)
        return np.asarray(-(self._loss(means, self._y) @ self._weights))

    def add(self, model: int) -> None:
        """Add a model to the sum."""
        self._sum += self._numbers[model]
        self._added += 1


class AnyMetric:
    """Metrics of whole rankings or confusion tables: every mean is scored afresh."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def bag(self, library: np.ndarray, counts: np.ndarray) -> Bag:
        """Return the rows that count."""
        kept = np.flatnonzero(counts)
        predictions = [self._pool.predictions[i][kept] for i in library]
        return _ScoredBag(Pool(tuple(predictions), self._pool.y[kept], self._pool.metric), counts[kept])


class _ScoredBag:
    def __init__(self, pool: Pool, weights: np.ndarray) -> None:
        self._pool = pool
        self._weights = weights
        self._sum = np.zeros_like(pool.predictions[0])

    def values(self) -> np.ndarray:
        """Return how good the mean would be with each model added."""
        metric, y = self._pool.metric, self._pool.y
        scores = np.array([metric.scorer(y, self._sum + p)(self._weights) for p in self._pool.predictions])
        return np.asarray(np.nan_to_num(metric.sign * scores, nan=-np.inf))

    def add(self, model: int) -> None:
        """Add a model to the sum."""
        self._sum += self._pool.predictions[model]
