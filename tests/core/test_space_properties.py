"""What holds for every space: draws are accepted, checks are exact, words round-trip."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np
import pytest

from automl.core.space import CandidateSpace, Choice, Configuration, Float, Int, Parameter, SearchSpace, Value, describe
from automl.errors import SpaceError

TREE = CandidateSpace("tree", "a test", {
    "booster": Choice(("trees", "linear", "none"), "trees"),
    "depth": Int(1, 12, 6, when={"booster": ("trees",)}),
    "rounds": Int(10, 1000, 100, log=True, when={"booster": ("trees", "linear")}),
    "subsample": Float(0.1, 0.7, 0.5, step=0.1, when={"booster": ("trees",)}),
    "bins": Int(16, 255, 255, step=16, when={"booster": ("trees",), "depth": (1, 2, 3)}),
    "l2": Float(1e-6, 10.0, 1.0, log=True),
})  # fmt: skip
GRIDS = [
    Float(0.1, 0.7, 0.1, step=0.1),
    Float(0.0, 1.0, 0.0, step=0.1),
    Float(0.3, 0.9, 0.3, step=0.2),
    Float(-0.7, 0.7, 0.0, step=0.7),
    Float(1e-3, 3e-3, 1e-3, step=1e-3),
    Float(0.0, 0.95, 0.0, step=0.3),
    Float(5.0, 5.0, 5.0, step=1.0),
    Float(2.0, 2.0, 2.0),
    Float(2.0, 2.0, 2.0, log=True),
    Int(7, 7, 7),
    Int(7, 7, 7, log=True),
    Int(1, 2, 1, log=True),
    Int(-5, 5, 0, step=3),
]


@pytest.mark.parametrize("param", GRIDS, ids=describe)
def test_no_draw_leaves_its_range_by_rounding(param: Parameter) -> None:
    rng = np.random.default_rng(0)
    assert all(param.accepts(param.sample(rng)) for _ in range(100))


@pytest.mark.parametrize(
    ("param", "values"),
    [
        (Float(0.1, 0.7, 0.1, step=0.2), [0.1, 0.3, 0.5, 0.7]),
        (Float(0.0, 0.95, 0.0, step=0.3), [0.0, 0.3, 0.6, 0.9]),
        (Int(-5, 5, 0, step=3), [-5, -2, 1, 4]),
        (Int(1, 3, 1), [1, 2, 3]),
        (Choice(("a", 1, True), "a"), ["a", 1, True]),
    ],
    ids=lambda value: describe(value) if not isinstance(value, list) else "",
)
def test_a_grid_is_drawn_whole(param: Parameter, values: list[Value]) -> None:
    rng = np.random.default_rng(0)
    drawn = {param.sample(rng) for _ in range(200)}
    assert sorted(map(float_or_text, drawn)) == pytest.approx(sorted(map(float_or_text, set(values))))


def float_or_text(value: Value) -> float:
    return float(len(value)) if isinstance(value, str) else float(value)


@pytest.mark.parametrize(
    ("param", "value", "accepted"),
    [
        (Float(0.0, 1.0, 0.5), 0.0, True),
        (Float(0.0, 1.0, 0.5), 1, True),
        (Float(0.0, 1.0, 0.5), True, False),
        (Float(0.0, 1.0, 0.5), math.nan, False),
        (Float(0.0, 1.0, 0.5), math.inf, False),
        (Float(0.0, 1.0, 0.5), -1e-12, False),
        (Float(0.0, 1.0, 0.5), "0.5", False),
        (Int(0, 9, 5), 5, True),
        (Int(0, 9, 5), 5.0, False),
        (Int(0, 9, 5), True, False),
        (Int(0, 9, 5), 10, False),
        (Int(0, 9, 5), "5", False),
        (Choice((1, 2), 1), 1, True),
        (Choice((1, 2), 1), 1.0, False),
        (Choice((1, 2), 1), True, False),
        (Choice((True, False), True), 1, False),
        (Choice(("1", "2"), "1"), 1, False),
        (Choice((0.5, 1.0), 0.5), 1, False),
    ],
    ids=lambda value: repr(value) if not isinstance(value, Float | Int | Choice) else type(value).__name__,
)
def test_a_value_is_accepted_by_range_and_type(param: Parameter, value: Value, accepted: bool) -> None:
    assert param.accepts(value) is accepted


@pytest.mark.parametrize("seed", range(8))
def test_a_sample_is_complete_and_passes_its_check(seed: int) -> None:
    drawn = TREE.sample(np.random.default_rng(seed))
    assert TREE.check(drawn) is drawn
    assert TREE.complete(drawn.values) == drawn


@pytest.mark.parametrize("seed", range(8))
def test_a_sample_survives_json(seed: int) -> None:
    drawn = TREE.sample(np.random.default_rng(seed))
    again = Configuration(drawn.candidate, json.loads(json.dumps(dict(drawn.values))))
    assert again == drawn
    assert again.key() == drawn.key()


@pytest.mark.parametrize("seed", range(8))
def test_taking_a_value_away_or_adding_one_fails_the_check(seed: int) -> None:
    drawn = TREE.sample(np.random.default_rng(seed))
    for name in drawn.values:
        with pytest.raises(SpaceError, match=r"has no value|counts only when"):
            TREE.check(Configuration("tree", {k: v for k, v in drawn.values.items() if k != name}))


@pytest.mark.parametrize(
    ("values", "active"),
    [
        ({}, ["booster", "l2"]),
        ({"booster": "none"}, ["booster", "l2"]),
        ({"booster": "linear"}, ["booster", "rounds", "l2"]),
        ({"booster": "trees"}, ["booster", "depth", "rounds", "subsample", "l2"]),
        ({"booster": "trees", "depth": 3}, ["booster", "depth", "rounds", "subsample", "bins", "l2"]),
        ({"booster": "trees", "depth": 4}, ["booster", "depth", "rounds", "subsample", "l2"]),
        ({"depth": 3}, ["booster", "l2"]),
    ],
    ids=str,
)
def test_conditions_decide_what_is_active(values: Mapping[str, Value], active: list[str]) -> None:
    assert [name for name in TREE.params if TREE.is_active(name, values)] == active


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"depht": 3}, r"tree: 'depht' is not a parameter of tree\. Known: booster, depth"),
        ({"depth": 0}, r"tree: depth must lie in \[1, 12\]\. Got 0"),
        ({"depth": 2.0}, r"depth must lie in \[1, 12\]\. Got 2\.0"),
        ({"booster": "forest"}, r"booster must lie in \{'trees', 'linear', 'none'\}\. Got 'forest'"),
        ({"booster": "none", "depth": 3}, r"depth counts only when \{'booster': \('trees',\)\}\. Got 3\. Leave it out"),
        ({"booster": "linear", "subsample": 0.5}, "subsample counts only when"),
        ({"depth": 9, "bins": 16}, "bins counts only when"),
        ({"l2": 1e-7}, r"l2 must lie in \[1e-06, 10\.0\] \(log\)\. Got 1e-07"),
        ({"subsample": 0.71}, r"subsample must lie in \[0\.1, 0\.7\] in steps of 0\.1\. Got 0\.71"),
        ({"rounds": math.inf}, "rounds must lie in"),
    ],
    ids=str,
)
def test_a_configuration_outside_is_refused_in_words(given: Mapping[str, Value], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        TREE.complete(given)


@pytest.mark.parametrize("origin", ["", "search_spaces/tabular-clf/tree.toml"])
def test_a_refusal_names_the_file_where_there_is_one(origin: str) -> None:
    space = CandidateSpace("tree", "a test", TREE.params, origin=origin)
    with pytest.raises(SpaceError, match=f"^{origin or 'tree'}: "):
        space.complete({"depth": 99})


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (Float(0.0, 1.0, 0.5), "[0.0, 1.0]"),
        (Float(0.1, 1.0, 0.5, step=0.1), "[0.1, 1.0] in steps of 0.1"),
        (Int(1, 9, 5), "[1, 9]"),
        (Int(1, 9, 5, step=1), "[1, 9]"),
        (Int(1, 9, 5, step=4), "[1, 9] in steps of 4"),
        (Int(1, 9, 5, log=True), "[1, 9] (log)"),
        (Choice(("a", 1, 0.5, True), "a"), "{'a', 1, 0.5, True}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_range_in_words(param: Parameter, words: str) -> None:
    assert describe(param) == words


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {}, False),
    ],
    ids=str,
)
def test_keys_tell_configurations_apart_by_name_value_and_type(
    one: Mapping[str, Value], other: Mapping[str, Value], same: bool
) -> None:
    assert (Configuration("c", one).key() == Configuration("c", other).key()) is same


def test_the_same_values_of_another_candidate_have_another_key() -> None:
    assert Configuration("a", {"x": 1}).key() != Configuration("b", {"x": 1}).key()


def test_a_union_refuses_a_candidate_that_it_does_not_hold() -> None:
    with pytest.raises(SpaceError, match=r"'forest' is not in this space\. Known: tree\."):
        SearchSpace({"tree": TREE}).check(Configuration("forest", {}))


@pytest.mark.parametrize("seed", range(3))
def test_the_same_stream_draws_the_same_configurations(seed: int) -> None:
    space = SearchSpace({"tree": TREE, "none": CandidateSpace("none", "a test", {})})
    first, second = (np.random.default_rng(seed) for _ in range(2))
    assert [space.sample(first) for _ in range(20)] == [space.sample(second) for _ in range(20)]
