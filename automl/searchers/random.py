"""Uniform random search, without repetition.

Source: Bergstra and Bengio 2012, https://www.jmlr.org/papers/v13/bergstra12a.html.
"""

from __future__ import annotations

import numpy as np

from automl.core.history import History
from automl.core.space import Configuration, SearchSpace
from automl.searchers.untried import draw


def make(*, greater_is_better: bool) -> RandomSearcher:
    """Return the searcher; the direction of the metric makes no difference to it."""
    del greater_is_better
    return RandomSearcher()


class RandomSearcher:
    """Draws a candidate uniformly, then each of its active parameters from its range."""

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        """Return a random configuration that was not tried yet, a repetition only where next to nothing is left."""
        return draw(space, history, rng)
