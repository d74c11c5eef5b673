"""What every searcher must do. Inherit `SearcherSuite` in a test and give it a searcher.

class TestMySearcher(SearcherSuite):
    def make(self) -> Searcher:
        return MySearcher(greater_is_better=True)
"""

from __future__ import annotations

import copy

import numpy as np

from automl.core.history import History
from automl.core.protocols import Searcher
from automl.core.seeds import stream
from automl.core.space import CandidateSpace, Choice, Configuration, Float, Int, SearchSpace
from automl.testing.history_builder import HistoryBuilder

SPACE = SearchSpace({
    "baseline": CandidateSpace("baseline", "a test", {}),
    "linear": CandidateSpace("linear", "a test", {"c": Float(1e-4, 1e2, default=1.0, log=True)}),
    "cnn": CandidateSpace("cnn", "a test", {
        "lr": Float(1e-3, 3.0, default=0.4, log=True),
        "optimizer": Choice(("sgd", "adamw"), default="sgd"),
        "momentum": Float(0.8, 0.99, default=0.9, when={"optimizer": ("sgd",)}),
        "width": Int(16, 128, default=64, step=16),
        "depth": Int(1, 9, default=3, log=True),
        "dropout": Float(0.0, 0.5, default=0.1, step=0.1),
        "flip": Choice((True, False), default=True),
    }),
})  # fmt: skip
"""A conditional space with every kind of parameter and a candidate without any."""


def grow(builder: HistoryBuilder, searcher: Searcher, asks: int, *, space: SearchSpace = SPACE) -> list[Configuration]:
    """Ask so often and let each trial end in one of the ways a trial can; every fourth goes on running for a while."""
    proposed = []
    for _ in range(asks):
        number = len(builder.history.trials)
        configuration = searcher.ask(space, builder.history, stream(0, "ask", number))
        proposed.append(configuration)
        _live(builder, configuration, number)
    return proposed


def score(configuration: Configuration) -> float:
    """Return how good a configuration of SPACE is: cnn beats linear, and each has a best value of its parameter."""
    if configuration.candidate == "baseline":
        return 0.1
    if configuration.candidate == "linear":
        return 0.5 - 0.02 * abs(float(np.log10(float(configuration.values["c"]))))
    return 0.9 - 0.1 * abs(float(np.log10(float(configuration.values["lr"]) / 0.1)))


def _live(builder: HistoryBuilder, configuration: Configuration, number: int) -> None:
    value = score(configuration)
    match number % 8:
        case 0 | 4:
            builder.start(configuration)
            _end_oldest(builder)
        case 1 | 2:
            builder.full(configuration, [value] * builder.history.folds)
        case 3:
            builder.failed(configuration)
        case 5:
            builder.stopped(configuration, value / 2)
        case _:
            builder.paused(configuration, value / 2)


def _end_oldest(builder: HistoryBuilder) -> None:
    running = [p.job for p in builder.history.running.values()]
    if len(running) > 2:
        builder.end(running[0].members[0].trial, [score(running[0].members[0].configuration)])


class SearcherSuite:
    """The contract of `Searcher` as tests."""

    def make(self) -> Searcher:
        """Return a new searcher for a metric where greater is better."""
        raise NotImplementedError(f"{type(self).__name__}.make must return a searcher")

    def test_proposals_lie_in_the_space(self) -> None:
        """Every proposal passes `SearchSpace.check`, in a conditional space and with trials in every state."""
        for configuration in grow(HistoryBuilder(), self.make(), 60):
            assert SPACE.check(configuration) is configuration

    def test_a_proposal_follows_from_space_history_and_stream_alone(self) -> None:
        """Asked twice with the same stream, a searcher says the same."""
        builder, searcher = HistoryBuilder(), self.make()
        grow(builder, searcher, 30)
        first, second = (searcher.ask(SPACE, builder.history, stream(7)) for _ in range(2))
        assert first == second

    def test_a_searcher_rebuilt_from_the_journal_says_the_same(self) -> None:
        """What lived through a run and what was made at any point of its replay propose the same, running trials in."""
        builder, lived = HistoryBuilder(), self.make()
        for _ in range(6):
            grow(builder, lived, 7)
            said = lived.ask(SPACE, builder.history, stream(1, len(builder.events)))
            assert said == self.make().ask(SPACE, builder.replayed(), stream(1, len(builder.events)))

    def test_asking_changes_neither_history_nor_space(self) -> None:
        """A searcher reads what it is given and leaves it as it is."""
        builder = HistoryBuilder()
        grow(builder, self.make(), 20)
        before = copy.deepcopy(builder.history)
        self.make().ask(SPACE, builder.history, stream(2))
        assert builder.history == before

    def test_an_empty_history_is_enough(self) -> None:
        """The first proposal needs no trial, nor any event."""
        SPACE.check(self.make().ask(SPACE, History(), stream(3)))

    def test_a_history_of_failures_is_enough(self) -> None:
        """Where nothing succeeded, a searcher goes on."""
        builder = HistoryBuilder()
        for _ in range(15):
            builder.failed(SPACE.sample(stream(4, len(builder.events))))
        SPACE.check(self.make().ask(SPACE, builder.history, stream(5)))

    def test_scores_that_are_no_numbers_do_no_harm(self) -> None:
        """A trial whose score is not finite says nothing."""
        builder = HistoryBuilder()
        for place in range(15):
            builder.full(SPACE.sample(stream(6, place)), [[float("nan"), float("inf")][place % 2]] * 2)
        SPACE.check(self.make().ask(SPACE, builder.history, stream(8)))

    def test_no_configuration_is_proposed_twice_while_others_are_left(self) -> None:
        """In a small finite space each configuration comes once."""
        choices = Choice(tuple("abcdef"), default="a")
        small = SearchSpace({"one": CandidateSpace("one", "a test", {"x": choices, "y": choices})})
        builder, searcher = HistoryBuilder(), self.make()
        for place in range(30):
            builder.full(searcher.ask(small, builder.history, stream(9, place)), [0.01 * place] * 2)
        assert len({t.configuration.key() for t in builder.history.trials.values()}) == 30

    def test_a_candidate_without_parameters_is_proposed_at_most_once(self) -> None:
        """There is nothing to learn from training it again."""
        names = [c.candidate for c in grow(HistoryBuilder(), self.make(), 60)]
        assert names.count("baseline") <= 1
