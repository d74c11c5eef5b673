"""Model-based search over candidates and their parameters: first which candidate, then a Parzen estimator of its own.

Why in two steps: in the union of all spaces no parameter but the candidate is present in every trial, so that one
estimator over the union treats all parameters as independent, and calls good only what is good among all candidates.
Compared in docs/design/0002-search.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from automl.core.history import History
from automl.core.space import Configuration, SearchSpace
from automl.searchers.evidence import Evidence, window
from automl.searchers.untried import draw, is_tried, open_space

STARTUP = 10
"""Measured trials, of all candidates, before any model is asked."""
OWN = 5
"""Measured trials of a candidate before its model is asked."""
RETRIES = 3
"""Further proposals when a configuration was tried already, before a random one is taken."""
BEST_SHARE = 0.1
"""Share of the complete trials that count as good when a candidate is chosen (Optuna's default for TPE)."""
MOST_GOOD = 25
OPEN_SHARE = 0.3
"""Weight of a candidate without a complete trial, relative to the leading candidate's."""


def make(*, greater_is_better: bool) -> TpeSearcher:
    """Return the searcher for a metric of this direction."""
    return TpeSearcher(greater_is_better=greater_is_better)


class TpeSearcher:
    """Chooses a candidate by its share of the best trials, then asks a model of that candidate's own trials.

    It keeps nothing between two calls: the same space, history and random stream give the same proposal.

    Args:
        greater_is_better: the direction of the metric.
    """

    def __init__(self, *, greater_is_better: bool) -> None:
        self._greater_is_better = greater_is_better

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        """Return a configuration that was not tried yet, a repetition only where next to nothing is left."""
        told = window(history, greater_is_better=self._greater_is_better)
        left = open_space(space, history)
        if sum(e.has_score for e in told) < STARTUP:
            return draw(left, history, rng)
        weights = candidate_weights(list(left.candidates), told)
        name = str(rng.choice(list(weights), p=list(weights.values())))
        own = [e for e in told if e.configuration.candidate == name]
        one = SearchSpace({name: left.candidates[name]})
        if sum(e.has_score for e in own) < OWN:
            return draw(one, history, rng)
        return _ask_model(one, own, history, rng)


def candidate_weights(names: Sequence[str], told: Iterable[Evidence]) -> Mapping[str, float]:
    """Return the probability with which each candidate is chosen: its share of the best tenth of the complete trials.

    One further good trial is thought to be shared by all, so that none is ever given up. A candidate that has no
    complete trial yet cannot be compared: it weighs OPEN_SHARE of the leading one, less with each failure.

    Args:
        names: the candidates to choose from.
        told: what the trials say.
    """
    known = [e for e in told if e.configuration.candidate in names]
    complete = sorted((e for e in known if e.kind == "complete"), key=Evidence.rank)
    good = [e.configuration.candidate for e in complete[: _count_good(len(complete))]]
    weights = {name: good.count(name) + 1.0 / len(names) for name in names}
    leading = max(weights.values())
    for name in set(names) - {e.configuration.candidate for e in complete}:
        failures = sum(e.kind == "failed" and e.configuration.candidate == name for e in known)
        weights[name] = OPEN_SHARE * leading / (1 + failures)
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _count_good(complete: int) -> int:
    return min(MOST_GOOD, -(-complete // round(1 / BEST_SHARE)))


def _ask_model(
    space: SearchSpace, own: Sequence[Evidence], history: History, rng: np.random.Generator
) -> Configuration:
    from automl.searchers.model import CandidateModel

    (candidate,) = space.candidates.values()
    model = CandidateModel(candidate, own, seed=int(rng.integers(2**32)))
    for _ in range(1 + RETRIES):
        proposed = model.propose()
        if not is_tried(proposed, history):
            return proposed
    return draw(space, history, rng)
