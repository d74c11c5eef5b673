from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.fidelity import StepRange
from automl.core.space import (
    CandidateSpace,
    Choice,
    Configuration,
    Float,
    Int,
    Parameter,
    SearchSpace,
    Value,
    describe,
)
from automl.errors import SpaceError

CNN = CandidateSpace("cnn", "a test", {
    "lr": Float(1e-3, 3.0, default=0.4, log=True),
    "optimizer": Choice(("sgd", "adamw"), default="sgd"),
    "momentum": Float(0.8, 0.99, default=0.9, when={"optimizer": ("sgd",)}),
    "nesterov": Choice((True, False), default=True, when={"optimizer": ("sgd",), "momentum": (0.9, 0.95)}),
}, StepRange("epochs", 3, 27), "cnn.toml")  # fmt: skip
SPACE = SearchSpace({"cnn": CNN, "baseline": CandidateSpace("baseline", "a test", {})})

PARAMS: list[tuple[str, Parameter]] = [
    ("float", Float(-1.0, 1.0, default=0.0)),
    ("float-log", Float(1e-5, 10.0, default=0.1, log=True)),
    ("float-step", Float(0.0, 1.0, default=0.5, step=0.25)),
    ("int", Int(-3, 3, default=0)),
    ("int-log", Int(1, 1000, default=10, log=True)),
    ("int-step", Int(16, 128, default=64, step=16)),
    ("choice", Choice(("a", 1, 0.5, True), default="a")),
]
EACH = pytest.mark.parametrize("param", [p for _, p in PARAMS], ids=[name for name, _ in PARAMS])


def draws(param: Parameter, count: int = 300) -> list[Value]:
    rng = np.random.default_rng(0)
    return [param.sample(rng) for _ in range(count)]


@EACH
def test_every_draw_is_accepted_and_plain(param: Parameter) -> None:
    assert all(param.accepts(v) and type(v) in (float, int, str, bool) for v in draws(param))


@EACH
def test_the_default_is_accepted(param: Parameter) -> None:
    assert param.accepts(param.default)


def test_both_ends_of_a_whole_range_are_drawn() -> None:
    assert set(draws(Int(-3, 3, default=0))) == set(range(-3, 4))
    assert {1, 2, 3} <= set(draws(Int(1, 3, default=1, log=True)))


def test_a_step_is_a_grid_with_both_ends() -> None:
    assert set(draws(Float(0.0, 1.0, default=0.5, step=0.25))) == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert set(draws(Int(16, 128, default=64, step=16))) == set(range(16, 129, 16))


def test_a_log_range_gives_each_decade_the_same_share() -> None:
    values = draws(Float(1e-2, 1e2, default=1.0, log=True), 2000)
    assert sum(float(v) < 1.0 for v in values) / 2000 == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("param", "value"),
    [
        (Float(0.0, 1.0, default=0.5), 1.5),
        (Float(0.0, 1.0, default=0.5), True),
        (Float(0.0, 1.0, default=0.5), "0.5"),
        (Float(0.0, 1.0, default=0.5), math.nan),
        (Int(0, 9, default=5), 5.0),
        (Int(0, 9, default=1), True),
        (Int(0, 9, default=5), 10),
        (Choice((1, 2), default=1), 1.0),
        (Choice((0, 1), default=1), True),
        (Choice(("a",), default="a"), "b"),
    ],
    ids=str,
)
def test_a_value_outside_of_the_range_or_of_another_type_is_not_accepted(param: Parameter, value: Value) -> None:
    assert not param.accepts(value)


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (Float(0.1, 1.0, default=0.5, log=True), "[0.1, 1.0] (log)"),
        (Float(0.0, 1.0, default=0.5, step=0.5), "[0.0, 1.0] in steps of 0.5"),
        (Int(1, 9, default=1), "[1, 9]"),
        (Int(1, 9, default=1, step=2), "[1, 9] in steps of 2"),
        (Choice(("a", 1), default=1), "{'a', 1}"),
    ],
    ids=str,
)
def test_a_range_is_told_in_words(param: Parameter, words: str) -> None:
    assert describe(param) == words


def test_equal_configurations_have_equal_keys_in_any_order() -> None:
    one, other = Configuration("cnn", {"a": 1, "b": 0.1}), Configuration("cnn", {"b": 0.1, "a": 1})
    assert one.key() == other.key() != Configuration("cnn", {"a": 1, "b": 0.2}).key()


def test_the_default_configuration_has_the_active_defaults() -> None:
    assert CNN.default().values == {"lr": 0.4, "optimizer": "sgd", "momentum": 0.9, "nesterov": True}


def test_completing_adds_active_defaults_only() -> None:
    assert CNN.complete({"optimizer": "adamw"}).values == {"lr": 0.4, "optimizer": "adamw"}


def test_a_condition_on_a_conditional_parameter_falls_with_it() -> None:
    assert "nesterov" not in CNN.complete({"momentum": 0.85}).values


def test_every_sample_lies_in_the_space() -> None:
    rng = np.random.default_rng(0)
    assert all(SPACE.check(SPACE.sample(rng)) for _ in range(200))


def test_inactive_parameters_take_no_randomness() -> None:
    small = CandidateSpace("cnn", "a test", {k: CNN.params[k] for k in ("lr", "optimizer")})
    for seed in range(20):
        long, short = CNN.sample(np.random.default_rng(seed)), small.sample(np.random.default_rng(seed))
        assert {k: long.values[k] for k in short.values} == short.values


def test_candidates_are_drawn_alike() -> None:
    rng = np.random.default_rng(0)
    names = [SPACE.sample(rng).candidate for _ in range(400)]
    assert 150 < names.count("cnn") < 250


BAD: list[tuple[str, dict[str, Value], str]] = [
    ("unknown", {"lrr": 0.1}, r"cnn.toml: 'lrr' is not a parameter of cnn. Known: lr, optimizer"),
    ("outside", {"lr": 5.0}, r"cnn.toml: lr must lie in \[0.001, 3.0\] \(log\). Got 5.0"),
    ("inactive", {"optimizer": "adamw", "momentum": 0.9}, r"cnn.toml: momentum counts only when .*sgd.*Got 0.9"),
]


@pytest.mark.parametrize(("values", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_configuration_outside_of_its_space_is_refused(values: dict[str, Value], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        CNN.complete(values)


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"cnn.toml: optimizer has no value"):
        CNN.check(Configuration("cnn", {"lr": 0.1}))


def test_an_unknown_candidate_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"'vit' is not in this space. Known: cnn, baseline"):
        SPACE.check(Configuration("vit", {}))


def hashed(**changes: object) -> str:
    fields = {"candidate": "cnn", "source": "a test", "params": CNN.params, "steps": CNN.steps} | changes
    return SearchSpace({"cnn": CandidateSpace(**fields)}).sha256()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"params": {**CNN.params, "lr": Float(1e-3, 2.0, default=0.4, log=True)}},
        {"params": {**CNN.params, "lr": Float(1e-3, 3.0, default=0.5, log=True)}},
        {"params": {**CNN.params, "lr": Float(1e-3, 3.0, default=0.4)}},
        {"params": {**CNN.params, "momentum": Float(0.8, 0.99, default=0.9)}},
        {"steps": StepRange("epochs", 3, 28)},
    ],
    ids=["range", "default", "scale", "condition", "steps"],
)
def test_the_hash_follows_what_shapes_the_search(change: dict[str, object]) -> None:
    assert hashed(**change) != hashed()


def test_the_hash_does_not_follow_where_a_space_came_from() -> None:
    assert hashed(origin="elsewhere.toml", source="another") == hashed()
