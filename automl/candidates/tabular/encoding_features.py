"""Which engineered columns are worth having: those that tell more of the target than what they are made of.

In the manner of the preprocessing that lifts gradient boosting on tables most (group aggregates, arithmetic and
categorical crosses, mean targets out of inner folds, chosen by rank correlation), each step by its own source: crosses,
Luo et al. 2019, https://arxiv.org/abs/1904.12857; choice by relevance and redundancy, Peng et al. 2005,
https://doi.org/10.1109/TPAMI.2005.159; rank correlation, Spearman 1904, https://doi.org/10.2307/1412159.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from automl.candidates.tabular.encoder_options import EncoderOptions, FeatureOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock, finished, raw_values
from automl.candidates.tabular.encoding_rows import Learned
from automl.candidates.tabular.encoding_terms import (
    Arithmetic,
    Grouping,
    OfGroup,
    ShareOf,
    TargetOf,
    Term,
    arithmetic_block,
)  # fmt: skip
from automl.serving.table_encoder import block_of

MOST_COMPARED = 10_000
"""Rows that terms are compared on."""
_NUMBERS = 8  # the most relevant ones are combined
_GROUPINGS = 8
_DATES = 4
_MOST_CATEGORIES = 50  # columns
_STRETCHES = 24  # of a number with more values than that
_LIFT = 0.01  # rank correlation that a term must have above what it is made of
_ALIKE = 0.95  # rank correlation above which the less relevant of two is left out


@dataclass(frozen=True)
class _Scored:
    """A term with what it tells.

    Attributes:
        term: what it is.
        relevance: its rank correlation with the target.
        ranks: of its most relevant column, standardised (r,).
        width: its columns.
    """

    term: Term
    relevance: float
    ranks: np.ndarray
    width: int


class _Comparison:
    """Rank correlations with the target, on some of the rows learned from."""

    def __init__(self, learned: Learned) -> None:
        self.learned = learned.fewer(MOST_COMPARED)
        targets = self.learned.targets if learned.classes else _ranks(self.learned.targets)
        spread = targets.std(axis=0)
        self._targets = (targets - targets.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        self.columns = _ranks(np.asarray(self.learned.sample.numbers, np.float64))
        self.known: dict[object, float] = dict(enumerate(self.relevance(self.columns).tolist()))

    def relevance(self, ranks: np.ndarray) -> np.ndarray:
        """Return the largest absolute correlation of each column of ranks with a target, (w,)."""
        largest: np.ndarray = np.abs(ranks.T @ self._targets).max(axis=1) / len(ranks)
        return largest

    def score(self, term: Term) -> _Scored:
        """Return a term with what it tells."""
        ranks = _ranks(_out_of_fold(term.fit(self.learned), self.learned))
        relevance = self.relevance(ranks)
        best = int(np.argmax(relevance))
        return _Scored(term, float(relevance[best]), ranks[:, best], ranks.shape[1])

    def lift(self, scored: _Scored) -> float:
        """Return how much more a term tells than what it is made of."""
        return scored.relevance - max((self.known.get(parent, 0.0) for parent in scored.term.parents), default=0.0)


def engineered(learned: Learned, options: EncoderOptions) -> list[FittedBlock]:
    """Return blocks of engineered columns, `options.features.most` at most, those that tell most of the target."""
    wanted = options.features
    if wanted.most < 1 or not learned.rule.numbers:
        return []
    comparison = _Comparison(learned)
    chosen = _chosen(comparison, _scored(comparison, wanted), wanted.most)
    arithmetic = [term for term in chosen if isinstance(term, Arithmetic)]
    blocks = [arithmetic_block(arithmetic, learned)] if arithmetic else []
    blocks += [term.fit(learned) for term in chosen if not isinstance(term, Arithmetic)]
    return [finished(block, learned, options) for block in blocks]


def _scored(comparison: _Comparison, wanted: FeatureOptions) -> list[_Scored]:
    """Return all terms that are looked at; first the groupings alone, which the others are compared with."""
    found = _groupings(comparison)
    alone = [comparison.score(TargetOf((grouping,))) for grouping in found]
    comparison.known |= {grouping: scored.relevance for grouping, scored in zip(found, alone, strict=True)}
    found.sort(key=lambda grouping: -comparison.known[grouping])
    more = [comparison.score(term) for term in _terms(comparison, found[:_GROUPINGS], wanted)]
    return (alone if wanted.targets else []) + more


def _terms(comparison: _Comparison, groupings: list[Grouping], wanted: FeatureOptions) -> Iterator[Term]:
    numbers = _best_numbers(comparison)
    if wanted.pairs:
        for column, other in combinations(numbers, 2):
            for operation in ("add", "subtract", "multiply", "divide"):
                yield Arithmetic(column, other, operation)
            yield Arithmetic(other, column, "divide")
        for column, other in combinations(_of_kind(comparison.learned, "date")[:_DATES], 2):
            yield Arithmetic(column, other, "subtract")
    if wanted.aggregates:
        for column in numbers:
            for by in groupings:
                if by.coder["column"] != column:
                    yield from (OfGroup(column, by, what) for what in ("mean", "deviation", "subtract", "divide"))
    if wanted.crosses:
        for both in combinations(sorted(groupings, key=lambda by: int(by.coder["column"])), 2):
            yield from (TargetOf(both), ShareOf(both))


def _chosen(comparison: _Comparison, scored: list[_Scored], most: int) -> list[Term]:
    """Return the terms that tell most, of those that tell more than what they are made of and than a better one."""
    useful = [each for each in scored if comparison.lift(each) >= _LIFT]
    useful.sort(key=lambda each: -each.relevance)
    kept, ranks = [], [comparison.columns]
    for each in useful:
        if each.width <= most and np.abs(each.ranks @ np.hstack(ranks)).max() / len(each.ranks) < _ALIKE:
            kept.append(each.term)
            ranks.append(each.ranks[:, None])
            most -= each.width
    return kept


def _of_kind(learned: Learned, kind: str) -> list[int]:
    return [place for place, column in enumerate(learned.rule.numbers) if column.kind == kind]


def _best_numbers(comparison: _Comparison) -> list[int]:
    numbers = _of_kind(comparison.learned, "number")
    return sorted(sorted(numbers, key=lambda place: -comparison.known[place])[:_NUMBERS])


def _groupings(comparison: _Comparison) -> list[Grouping]:
    """Return groupings by categories, booleans and the most relevant numbers."""
    rule, found = comparison.learned.rule, []
    for place in (_of_kind(comparison.learned, "category") + _of_kind(comparison.learned, "boolean"))[
        :_MOST_CATEGORIES
    ]:
        column = rule.numbers[place]
        size = 2 if column.kind == "boolean" else len(column.categories)
        found.append(Grouping(column.name, {"column": place, "size": size}))
    for place in _best_numbers(comparison):
        if edges := _edges(comparison.learned.sample.numbers[:, place]):
            found.append(Grouping(rule.numbers[place].name, {"column": place, "edges": edges}))
    return found


def _edges(values: np.ndarray) -> list[float]:
    """Return edges between few values, or between stretches with alike many rows; none if there is one value."""
    known = values[np.isfinite(values)]
    distinct = np.unique(known)
    if len(distinct) <= _STRETCHES:
        edges = distinct[:-1] + np.diff(distinct) / 2
    else:
        edges = np.quantile(known, np.arange(1, _STRETCHES) / _STRETCHES)
    return [float(edge) for edge in np.unique(edges)]


def _out_of_fold(block: FittedBlock, learned: Learned) -> np.ndarray:
    """Return what a block gives for the sampled rows that it was learned from, without their own targets."""
    if not block.inner:
        return raw_values(block, learned.sample)
    folds, values = learned.folds[learned.places], np.empty((len(learned.places), len(block.names)))
    for fold, inner in zip(np.unique(learned.folds), block.inner, strict=True):
        values[folds == fold] = block_of(inner).values(learned.sample[folds == fold])
    return values


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of each column, equal ones their mean, with mean 0 and deviation 1; missing ones 0."""
    out = np.zeros(values.shape)
    for place, column in enumerate(values.T):
        is_known = ~np.isnan(column)
        _, member, counts = np.unique(column[is_known], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - (counts + 1) / 2
        out[is_known, place] = middle[member] - middle[member].mean() if len(member) else 0.0
    spread = out.std(axis=0)
    return out / np.where(spread > 0, spread, 1.0)
