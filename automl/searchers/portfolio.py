"""Configurations that are known to be good come first, then another searcher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from automl.core.events import Origin
from automl.core.history import History
from automl.core.protocols import Searcher
from automl.core.space import Configuration, SearchSpace
from automl.searchers.untried import is_tried


class PortfolioSearcher:
    """Asks for a list of configurations in its order, and lets another searcher go on after it.

    Source: Feurer et al. 2022, Auto-sklearn 2.0, https://arxiv.org/abs/2007.04074, section 3 (greedy portfolios).

    Args:
        configurations: what is tried first, in this order.
        then: who goes on.
    """

    def __init__(self, configurations: Sequence[Configuration], then: Searcher) -> None:
        self._configurations = tuple(configurations)
        self._then = then

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        """Return the first configuration of the list that is in space and was neither tried nor passed over.

        After the list, what `then` proposes.
        """
        listed = next(self._left(space, history), None)
        return listed if listed is not None else self._then.ask(space, history, rng)

    def origin(self, space: SearchSpace, history: History) -> Origin:
        """Return where the next proposal will come from."""
        return "searcher" if next(self._left(space, history), None) is None else "portfolio"

    def _left(self, space: SearchSpace, history: History) -> Iterator[Configuration]:
        for configuration in self._configurations:
            is_open = configuration.candidate in space.candidates and configuration.key() not in history.skipped
            if is_open and not is_tried(configuration, history):
                yield configuration
