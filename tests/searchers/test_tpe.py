from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from automl.core.seeds import stream
from automl.core.space import CandidateSpace, Choice, Configuration, Float, Int, SearchSpace
from automl.searchers.evidence import Evidence
from automl.searchers.model import CandidateModel, coded, distribution, plain
from automl.searchers.random import RandomSearcher
from automl.searchers.tpe import OPEN_SHARE, TpeSearcher, candidate_weights, make
from automl.testing.history_builder import HistoryBuilder
from automl.testing.searcher_suite import SPACE, grow, score

ONE = CandidateSpace("one", "a test", {"x": Float(0.0, 1.0, default=0.5), "y": Float(0.0, 1.0, default=0.5)})


def complete(number: int, candidate: str, loss: float) -> Evidence:
    return Evidence(number, Configuration(candidate, {}), "complete", 3, loss)


def best_score(searcher: TpeSearcher | RandomSearcher, asks: int) -> float:
    builder = HistoryBuilder()
    for _ in range(asks):
        configuration = searcher.ask(SPACE, builder.history, stream(0, "ask", len(builder.history.trials)))
        builder.full(configuration, [score(configuration)] * 2)
    return max(t.reports[3] for t in builder.history.full())


def test_it_finds_better_configurations_than_random_search() -> None:
    assert best_score(make(greater_is_better=True), 50) > best_score(RandomSearcher(), 50)


def test_it_follows_the_direction_of_the_metric() -> None:
    builder = HistoryBuilder(metric="log_loss")
    for place in range(40):
        configuration = SPACE.candidates["cnn"].sample(stream(0, place))
        builder.full(configuration, [float(configuration.values["lr"])] * 2)
    only = SearchSpace({"cnn": SPACE.candidates["cnn"]})
    drawn = [make(greater_is_better=False).ask(only, builder.history, stream(1, i)).values["lr"] for i in range(20)]
    assert np.median([float(v) for v in drawn]) < 0.02


def test_a_score_of_a_low_rung_never_beats_a_complete_one() -> None:
    told = [Evidence(i, Configuration("one", {"x": 0.9, "y": 0.5}), "pruned", 0, -9.0) for i in range(20)]
    told += [Evidence(20 + i, Configuration("one", {"x": 0.1, "y": 0.5}), "complete", 3, -0.1) for i in range(3)]
    drawn = [float(CandidateModel(ONE, told, seed=s).propose().values["x"]) for s in range(20)]
    assert np.median(drawn) < 0.5


def test_running_trials_push_proposals_away() -> None:
    told = [Evidence(i, at(i * 7 % 40 / 40, i * 3 % 40 / 40), "complete", 3, abs(i * 7 % 40 - 20)) for i in range(40)]
    busy = [Evidence(40 + i, at(0.5, 0.5), "running") for i in range(8)]
    free, pushed = (np.mean([distance(told + more, seed) for seed in range(20)]) for more in ([], busy))
    assert pushed > free


def at(x: float, y: float) -> Configuration:
    return Configuration("one", {"x": x, "y": y})


def distance(told: list[Evidence], seed: int) -> float:
    return max(abs(float(value) - 0.5) for value in CandidateModel(ONE, told, seed=seed).propose().values.values())


def test_one_stream_gives_one_proposal_and_another_another() -> None:
    builder = HistoryBuilder()
    grow(builder, TpeSearcher(greater_is_better=True), 40)
    asked = [TpeSearcher(greater_is_better=True).ask(SPACE, builder.history, stream(s)) for s in (1, 1, 2)]
    assert asked[0] == asked[1] != asked[2]


def test_most_trials_go_to_the_best_candidate_and_some_to_the_others() -> None:
    told = [complete(i, "cnn" if i % 2 else "linear", -0.9 if i % 2 else -0.5) for i in range(100)]
    weights = candidate_weights(["cnn", "linear"], told)
    assert weights["cnn"] == pytest.approx(10.5 / 11)
    assert sum(weights.values()) == pytest.approx(1.0)


def test_a_candidate_that_only_paused_is_neither_leading_nor_given_up() -> None:
    told = [complete(i, "linear", -0.5) for i in range(10)]
    told += [Evidence(10 + i, Configuration("cnn", {}), "pruned", 0, -0.1) for i in range(10)]
    weights = candidate_weights(["cnn", "linear"], told)
    assert weights["cnn"] / weights["linear"] == pytest.approx(OPEN_SHARE)


def test_a_candidate_that_only_fails_is_asked_for_less_and_less() -> None:
    told = [complete(i, "linear", -0.5) for i in range(10)]
    told += [Evidence(10 + i, Configuration("cnn", {}), "failed") for i in range(4)]
    weights = candidate_weights(["cnn", "linear"], told)
    assert weights["cnn"] / weights["linear"] == pytest.approx(OPEN_SHARE / 5)


def test_candidates_outside_of_the_space_do_not_count() -> None:
    told = [complete(i, "baseline", -1.0) for i in range(10)] + [complete(10, "cnn", -0.5)]
    assert candidate_weights(["cnn"], told) == {"cnn": 1.0}


def test_parameters_of_a_branch_are_drawn_when_it_is_taken() -> None:
    builder = HistoryBuilder()
    proposed = grow(builder, TpeSearcher(greater_is_better=True), 80)
    branches = Counter((c.values["optimizer"], "momentum" in c.values) for c in proposed if c.candidate == "cnn")
    assert set(branches) == {("sgd", True), ("adamw", False)}


PARAMS = [
    ("float", Float(0.0, 1.0, default=0.5), 0.25),
    ("float-log", Float(1e-3, 1.0, default=0.5, log=True), 0.1),
    ("float-step", Float(0.0, 1.0, default=0.5, step=0.3), 0.9),
    ("int", Int(1, 9, default=3), 4),
    ("int-log", Int(1, 9, default=3, log=True), 4),
    ("int-step", Int(1, 10, default=3, step=2), 9),
]


@pytest.mark.parametrize(("param", "value"), [c[1:] for c in PARAMS], ids=[c[0] for c in PARAMS])
def test_a_value_survives_the_way_to_optuna_and_back(param: Float | Int, value: float) -> None:
    form = distribution(param)
    back = plain(form.to_external_repr(form.to_internal_repr(coded(value, param))), param)
    assert (back, type(back)) == (pytest.approx(value), type(param.default))


@pytest.mark.parametrize("param", [c[1] for c in PARAMS], ids=[c[0] for c in PARAMS])
def test_the_ends_of_the_form_for_optuna_lie_in_the_range(param: Float | Int) -> None:
    form = distribution(param)
    assert form.log == param.log
    assert all(param.accepts(plain(end, param)) for end in (form.low, form.high))


def test_choices_of_any_type_survive() -> None:
    param = Choice(("sqrt", 0.5, False, 3), default=0.5)
    form = distribution(param)
    assert [plain(place, param) for place in form.choices] == ["sqrt", 0.5, False, 3]


def test_values_are_held_inside_the_range_in_spite_of_rounding() -> None:
    assert plain(1.0000000001, Float(0.0, 1.0, default=0.5)) == 1.0


def test_optuna_says_nothing_below_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        grow(HistoryBuilder(), TpeSearcher(greater_is_better=True), 30)
    assert caplog.records == []


def test_optuna_is_not_imported_before_a_model_is_asked() -> None:
    code = "import sys, automl.searchers.tpe, automl.searchers.random; print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_asking_after_ten_thousand_trials_takes_at_most_thrice_what_it_takes_after_five_hundred() -> None:
    builder, seconds = HistoryBuilder(folds=1), {}
    for place in range(10_000):
        configuration = SPACE.sample(stream(0, place))
        builder.full(configuration, [score(configuration)])
        if place + 1 in (500, 10_000):
            start = time.process_time()
            for again in range(10):
                TpeSearcher(greater_is_better=True).ask(SPACE, builder.history, stream(1, again))
            seconds[place + 1] = time.process_time() - start
    assert seconds[10_000] <= 3 * seconds[500] + 0.02
