from __future__ import annotations

import pytest

from automl.core.seeds import stream
from automl.core.space import Configuration, SearchSpace
from automl.searchers.portfolio import PortfolioSearcher
from automl.searchers.random import RandomSearcher
from automl.testing.history_builder import HistoryBuilder
from automl.testing.searcher_suite import SPACE, grow

FIRST = [SPACE.candidates[name].default() for name in ("linear", "baseline", "cnn")]


def searcher(first: list[Configuration] = FIRST) -> PortfolioSearcher:
    return PortfolioSearcher(first, RandomSearcher())


def test_the_list_is_asked_for_in_its_order() -> None:
    assert grow(HistoryBuilder(), searcher(), 3) == FIRST


def test_the_other_searcher_goes_on_after_the_list() -> None:
    builder = HistoryBuilder()
    grow(builder, searcher(), 3)
    expected = RandomSearcher().ask(SPACE, builder.history, stream(1))
    assert searcher().ask(SPACE, builder.history, stream(1)) == expected


def test_what_was_tried_for_another_reason_is_left_out() -> None:
    builder = HistoryBuilder()
    builder.full(FIRST[0], [0.5, 0.5])
    assert searcher().ask(SPACE, builder.history, stream(1)) == FIRST[1]


def test_a_candidate_that_is_not_in_the_space_yet_waits() -> None:
    builder, only_cnn = HistoryBuilder(), SearchSpace({"cnn": SPACE.candidates["cnn"]})
    builder.full(searcher().ask(only_cnn, builder.history, stream(1)), [0.5, 0.5])
    assert searcher().ask(SPACE, builder.history, stream(2)) == FIRST[0]


@pytest.mark.parametrize(("asked", "origin"), [(0, "portfolio"), (2, "portfolio"), (3, "searcher")], ids=str)
def test_the_origin_of_the_next_proposal_is_known(asked: int, origin: str) -> None:
    builder = HistoryBuilder()
    grow(builder, searcher(), asked)
    assert searcher().origin(SPACE, builder.history) == origin


def test_an_empty_list_changes_nothing() -> None:
    assert searcher([]).origin(SPACE, HistoryBuilder().history) == "searcher"


def test_what_was_passed_over_for_lack_of_time_gives_way_to_the_next() -> None:
    builder = HistoryBuilder()
    builder.history.skipped.add(FIRST[0].key())
    assert searcher().ask(SPACE, builder.history, stream(1)) == FIRST[1]
