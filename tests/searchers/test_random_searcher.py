from __future__ import annotations

from collections import Counter

from automl.core.seeds import stream
from automl.core.space import CandidateSpace, Choice, SearchSpace
from automl.searchers.random import RandomSearcher
from automl.searchers.untried import is_tried, open_space
from automl.testing.history_builder import HistoryBuilder
from automl.testing.searcher_suite import SPACE

BASELINE = SPACE.candidates["baseline"].default()


def test_candidates_are_drawn_alike() -> None:
    history = HistoryBuilder().history
    counts = Counter(RandomSearcher().ask(SPACE, history, stream(0, i)).candidate for i in range(300))
    assert min(counts[name] for name in SPACE.candidates) > 70


def test_a_spent_space_is_repeated_rather_than_refused() -> None:
    builder = HistoryBuilder()
    builder.full(BASELINE, [0.1, 0.1])
    only = SearchSpace({"baseline": SPACE.candidates["baseline"]})
    assert RandomSearcher().ask(only, builder.history, stream(0)) == BASELINE


def test_the_last_of_a_small_space_is_found() -> None:
    builder, choice = HistoryBuilder(), Choice((1, 2, 3, 4), default=1)
    space = SearchSpace({"one": CandidateSpace("one", "a test", {"x": choice})})
    for value in (1, 2, 4):
        builder.full(space.candidates["one"].complete({"x": value}), [0.5, 0.5])
    assert RandomSearcher().ask(space, builder.history, stream(0)).values == {"x": 3}


def test_a_candidate_with_nothing_to_choose_leaves_the_space_once_it_was_tried() -> None:
    builder = HistoryBuilder()
    builder.start(BASELINE)
    assert list(open_space(SPACE, builder.history).candidates) == ["linear", "cnn"]


def test_a_configuration_is_tried_once_it_was_started() -> None:
    builder = HistoryBuilder()
    assert not is_tried(BASELINE, builder.history)
    builder.start(BASELINE)
    assert is_tried(SPACE.candidates["baseline"].default(), builder.history)
