"""What is left to try, and what the model of a candidate proposes."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.events import ProposalSkipped
from automl.core.seeds import stream
from automl.core.space import CandidateSpace, Choice, Configuration, Float, Int, Parameter, SearchSpace, Value
from automl.searchers.evidence import Evidence
from automl.searchers.model import CandidateModel, coded, distribution, plain
from automl.searchers.portfolio import PortfolioSearcher
from automl.searchers.random import RandomSearcher
from automl.searchers.tpe import candidate_weights
from automl.searchers.untried import draw, is_tried, open_space
from automl.testing.history_builder import HistoryBuilder

NONE = CandidateSpace("none", "a test", {})
COIN = CandidateSpace("coin", "a test", {"side": Choice(("heads", "tails"), "heads")})
WIDE = CandidateSpace("wide", "a test", {"x": Float(0.0, 1.0, 0.5)})
SPACE = SearchSpace({"none": NONE, "coin": COIN, "wide": WIDE})
HEADS, TAILS = (Configuration("coin", {"side": side}) for side in ("heads", "tails"))
PARAMS: dict[str, Parameter] = {
    "float": Float(-1.0, 1.0, 0.0),
    "float-log": Float(1e-4, 1.0, 0.1, log=True),
    "float-step": Float(0.1, 0.7, 0.3, step=0.1),
    "int": Int(-3, 9, 0),
    "int-log": Int(1, 512, 8, log=True),
    "int-step": Int(16, 130, 16, step=16),
    "choice": Choice(("a", 1, 0.5, True), "a"),
}
EACH = pytest.mark.parametrize("param", PARAMS.values(), ids=PARAMS)


def builder(*configurations: Configuration) -> HistoryBuilder:
    made = HistoryBuilder()
    for configuration in configurations:
        made.full(configuration, [0.5, 0.5])
    return made


@pytest.mark.parametrize(
    ("tried", "left"),
    [
        ((), ["none", "coin", "wide"]),
        ((NONE.default(),), ["coin", "wide"]),
        ((HEADS, TAILS), ["none", "coin", "wide"]),
        ((NONE.default(), HEADS), ["coin", "wide"]),
    ],
    ids=len,
)
def test_candidates_with_nothing_to_choose_leave_once_they_were_tried(
    tried: tuple[Configuration, ...], left: list[str]
) -> None:
    assert list(open_space(SPACE, builder(*tried).history).candidates) == left


def test_a_space_of_which_nothing_is_left_stays_whole() -> None:
    space = SearchSpace({"none": NONE})
    assert open_space(space, builder(NONE.default()).history) is space


@pytest.mark.parametrize("how", ["full", "paused", "stopped", "failed", "start"])
def test_a_configuration_counts_as_tried_whatever_became_of_it(how: str) -> None:
    made = HistoryBuilder()
    arguments = {"full": ([0.5, 0.5],), "paused": (0.5,), "stopped": (0.5,)}.get(how, ())
    getattr(made, how)(HEADS, *arguments)
    assert is_tried(HEADS, made.history)
    assert not is_tried(TAILS, made.history)


@pytest.mark.parametrize("seed", range(5))
def test_the_last_side_of_the_coin_is_found(seed: int) -> None:
    space = SearchSpace({"coin": COIN})
    assert draw(space, builder(HEADS).history, stream(seed)) == TAILS


@pytest.mark.parametrize("seed", range(5))
def test_a_spent_space_repeats_itself(seed: int) -> None:
    space = SearchSpace({"coin": COIN})
    assert draw(space, builder(HEADS, TAILS).history, stream(seed)) in (HEADS, TAILS)


@pytest.mark.parametrize("seed", range(3))
def test_random_search_never_repeats_itself_in_a_wide_space(seed: int) -> None:
    made = HistoryBuilder()
    for place in range(30):
        proposed = RandomSearcher().ask(SPACE, made.history, stream(seed, place))
        assert not is_tried(proposed, made.history) or proposed.candidate == "coin"
        made.full(proposed, [0.5, 0.5])


@pytest.mark.parametrize("count", range(4))
def test_a_portfolio_is_tried_in_its_order(count: int) -> None:
    listed = (TAILS, NONE.default(), HEADS)
    searcher = PortfolioSearcher(listed, RandomSearcher())
    made = builder(*listed[:count])
    asked = searcher.ask(SPACE, made.history, stream(0))
    assert searcher.origin(SPACE, made.history) == ("portfolio" if count < 3 else "searcher")
    assert asked == listed[count] if count < 3 else asked.candidate == "wide" or asked in (HEADS, TAILS)


def test_a_portfolio_passes_over_candidates_that_are_not_in_the_space() -> None:
    searcher = PortfolioSearcher((NONE.default(), HEADS), RandomSearcher())
    assert searcher.ask(SearchSpace({"coin": COIN}), HistoryBuilder().history, stream(0)) == HEADS


def test_what_was_skipped_was_not_tried() -> None:
    made = HistoryBuilder()
    made.add(ProposalSkipped(HEADS, 9.0, 1.0))
    assert not is_tried(HEADS, made.history)


@EACH
def test_a_value_survives_the_way_to_the_model_and_back(param: Parameter) -> None:
    rng = np.random.default_rng(0)
    for value in [param.sample(rng) for _ in range(30)]:
        back = plain(coded(value, param), param)  # type: ignore[arg-type]
        assert back == pytest.approx(value) if isinstance(value, float) else (type(back), back) == (type(value), value)
        assert param.accepts(back)


@EACH
def test_the_model_knows_every_value_of_the_range(param: Parameter) -> None:
    rng, known = np.random.default_rng(0), distribution(param)
    assert all(known._contains(known.to_internal_repr(coded(param.sample(rng), param))) for _ in range(30))


@EACH
@pytest.mark.parametrize("seed", range(2))
def test_what_a_model_proposes_lies_in_its_space(param: Parameter, seed: int) -> None:
    space = CandidateSpace("one", "a test", {"x": param})
    rng = np.random.default_rng(seed)
    told = [Evidence(i, space.sample(rng), "complete", 3, float(rng.random())) for i in range(12)]
    proposed = CandidateModel(space, told, seed=seed).propose()
    assert space.check(proposed) is proposed


@pytest.mark.parametrize("kind", ["complete", "pruned", "running", "failed"])
def test_a_model_takes_evidence_of_every_kind(kind: str) -> None:
    rung, loss = (2, 0.5) if kind in ("complete", "pruned") else (-1, float("inf"))
    told = [Evidence(i, Configuration("wide", {"x": i / 9}), kind, rung, loss) for i in range(9)]  # type: ignore[arg-type]
    assert WIDE.check(CandidateModel(WIDE, told, seed=0).propose()).candidate == "wide"


@pytest.mark.parametrize("seed", range(3))
def test_a_model_asked_alike_answers_alike(seed: int) -> None:
    told = [Evidence(i, Configuration("wide", {"x": i / 9}), "complete", 3, abs(i - 4.0)) for i in range(9)]
    first, second = (CandidateModel(WIDE, told, seed=seed).propose() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("losses", "leading"),
    [
        ({"a": [0.1] * 5, "b": [0.9] * 5}, "a"),
        ({"a": [0.9] * 5, "b": [0.1] * 5}, "b"),
        ({"a": [0.5] * 8, "b": [0.4]}, "b"),
    ],
    ids=["first", "second", "few but best"],
)
def test_the_candidate_with_the_best_trials_is_asked_most(losses: dict[str, list[float]], leading: str) -> None:
    told, values = [], list(losses.items())
    for name, values_of in values:
        told += [Evidence(len(told) + i, Configuration(name, {}), "complete", 3, v) for i, v in enumerate(values_of)]
    weights = candidate_weights(["a", "b"], told)
    assert max(weights, key=lambda name: weights[name]) == leading


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "b", "c", "d"]], ids=len)
def test_weights_of_candidates_are_shares_and_none_is_given_up(names: list[str]) -> None:
    told = [Evidence(i, Configuration("a", {"x": 1.0}), "complete", 3, 0.1) for i in range(30)]
    weights = candidate_weights(names, told)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert min(weights.values()) > 0


def test_failures_make_a_candidate_less_likely() -> None:
    complete = [Evidence(i, Configuration("a", {}), "complete", 3, 0.1) for i in range(10)]
    seen: list[float] = []
    for failures in range(4):
        failed = [Evidence(20 + i, Configuration("b", {}), "failed") for i in range(failures)]
        seen.append(candidate_weights(["a", "b"], [*complete, *failed])["b"])
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 4


@pytest.mark.parametrize(
    ("value", "place"), [("a", 0), (1, 1), (0.5, 2), (True, 3)], ids=["text", "one", "half", "true is not one"]
)
def test_a_choice_is_coded_by_its_place(value: Value, place: int) -> None:
    assert coded(value, PARAMS["choice"]) == place
