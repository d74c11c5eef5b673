from __future__ import annotations

import pytest

from automl import registry
from automl.core.protocols import Searcher
from automl.searchers.portfolio import PortfolioSearcher
from automl.testing.searcher_suite import SPACE, SearcherSuite


class TestRandom(SearcherSuite):
    def make(self) -> Searcher:
        return registry.resolve("searcher", "random")(greater_is_better=True)


class TestTpe(SearcherSuite):
    def make(self) -> Searcher:
        return registry.resolve("searcher", "tpe")(greater_is_better=True)


class TestPortfolioBeforeTpe(SearcherSuite):
    def make(self) -> Searcher:
        first = [space.default() for space in SPACE.candidates.values()]
        return PortfolioSearcher(first, registry.resolve("searcher", "tpe")(greater_is_better=True))


def test_every_registered_searcher_is_under_contract() -> None:
    assert set(registry.BUILT_IN["searcher"]) == {"random", "tpe"}


def test_a_suite_without_a_searcher_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match=r"SearcherSuite.make must return a searcher"):
        SearcherSuite().make()
