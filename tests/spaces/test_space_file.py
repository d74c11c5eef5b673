from __future__ import annotations

import pytest

from automl.core.fidelity import ONE_GO, StepRange
from automl.core.space import CandidateSpace, Choice, Float, Int
from automl.errors import SpaceError
from automl.spaces import read_space

HEAD = 'candidate = "resnet"\nsource = "https://arxiv.org/abs/1512.03385"\n'
PARAMS = """[params]
lr        = { float = [1e-3, 3.0], log = true, default = 0.4 }
optimizer = { choice = ["sgd", "adamw"], default = "sgd" }
momentum  = { float = [0.8, 0.99], default = 0.9, when = { optimizer = "sgd" } }
width     = { int = [16, 128], step = 16, default = 64 }
[fidelity]
epochs    = { low = 3, full = 27 }
"""


def with_param(line: str) -> CandidateSpace:
    return read_space(f"{HEAD}[params]\n{line}\n", "mine.toml")


def with_fidelity(line: str) -> CandidateSpace:
    return read_space(f"{HEAD}[fidelity]\n{line}\n", "mine.toml")


def test_a_good_file_gives_its_parameters_in_order() -> None:
    space = read_space(HEAD + PARAMS, "mine.toml")
    assert list(space.params) == ["lr", "optimizer", "momentum", "width"]
    assert space.params["lr"] == Float(1e-3, 3.0, default=0.4, log=True)
    assert space.params["width"] == Int(16, 128, default=64, step=16)
    assert space.params["optimizer"] == Choice(("sgd", "adamw"), default="sgd")


def test_a_good_file_gives_candidate_source_steps_and_origin() -> None:
    space = read_space(HEAD + PARAMS, "mine.toml")
    assert (space.candidate, space.source) == ("resnet", "https://arxiv.org/abs/1512.03385")
    assert (space.steps, space.origin) == (StepRange("epochs", 3, 27), "mine.toml")


def test_a_condition_becomes_a_tuple_of_allowed_values() -> None:
    assert read_space(HEAD + PARAMS, "mine.toml").params["momentum"].when == {"optimizer": ("sgd",)}


def test_a_condition_may_list_several_values() -> None:
    space = with_param(
        'a = { choice = ["x", "y", "z"], default = "x" }\nb = { int = [1, 3], default = 2, when = { a = ["x", "z"] } }'
    )
    assert space.params["b"].when == {"a": ("x", "z")}


def test_a_file_without_parameters_and_fidelity_trains_in_one_go() -> None:
    space = read_space(HEAD, "mine.toml")
    assert (space.params, space.steps) == ({}, ONE_GO)


def test_whole_numbers_are_taken_as_floats_where_the_parameter_is_one() -> None:
    param = with_param("c = { float = [0, 10], default = 1 }").params["c"]
    assert isinstance(param, Float)
    assert [type(v) for v in (param.low, param.high, param.default)] == [float, float, float]


def test_choices_of_different_types_are_kept_as_they_are() -> None:
    param = with_param('share = { choice = ["sqrt", 0.5, false], default = 0.5 }').params["share"]
    assert param == Choice(("sqrt", 0.5, False), default=0.5)


BAD_PARAMS = [
    (
        "kind",
        "lr = { gaussian = [0.01, 1.0], default = 0.4 }",
        r"mine.toml: params.lr: needs one kind.*'gaussian'.*float, int, choice",
    ),
    ("kind-near", "lr = { flaot = [0.01, 1.0], default = 0.4 }", r"params.lr: .*'flaot'. Did you mean float\?"),
    ("kind-none", "lr = { default = 0.4 }", r"params.lr: needs one kind of distribution. Got none"),
    (
        "kind-two",
        "lr = { float = [0.1, 1.0], choice = [1], default = 0.4 }",
        r"params.lr: has 2 distributions. Got float and choice",
    ),
    ("no-table", "lr = 0.4", r"params.lr: must be a table. Got 0.4"),
    ("text-bounds", 'lr = { float = ["0.01", "1.0"], default = 0.4 }', r"params.lr: must be a number. Got '0.01'"),
    ("bool-bound", "lr = { float = [true, 1.0], default = 0.4 }", r"params.lr: must be a number. Got True"),
    ("infinite", "lr = { float = [0.1, inf], default = 0.4 }", r"params.lr: must be a finite number.*Got inf"),
    ("not-a-number", "lr = { float = [nan, 1.0], default = 0.4 }", r"params.lr: must be a finite number.*Got nan"),
    (
        "three-bounds",
        "lr = { float = [0.1, 0.5, 1.0], default = 0.4 }",
        r"params.lr: float needs two numbers.*\[0.1, 0.5, 1.0\]",
    ),
    ("scalar-bounds", "lr = { float = 0.1, default = 0.4 }", r"params.lr: float needs two numbers.*Got 0.1"),
    (
        "swapped",
        "lr = { float = [3.0, 0.001], default = 0.4 }",
        r"params.lr: float needs low < high. Got \[3.0, 0.001\]. Swap",
    ),
    (
        "equal-bounds",
        "lr = { float = [1.0, 1.0], default = 1.0 }",
        r"params.lr: float needs low < high.*choice = \[1.0\]",
    ),
    (
        "log-zero",
        "lr = { float = [0.0, 1.0], log = true, default = 0.4 }",
        r"params.lr: log needs low above 0. Got \[0.0, 1.0\]",
    ),
    ("log-zero-int", "n = { int = [0, 9], log = true, default = 4 }", r"params.n: log needs low above 0. Got \[0, 9\]"),
    (
        "log-and-step",
        "lr = { float = [0.1, 1.0], log = true, step = 0.1, default = 0.4 }",
        r"params.lr: log and step exclude.*step = 0.1",
    ),
    (
        "log-text",
        'lr = { float = [0.1, 1.0], log = "yes", default = 0.4 }',
        r"params.lr.log: must be true or false. Got 'yes'",
    ),
    ("step-zero", "lr = { float = [0.1, 1.0], step = 0.0, default = 0.4 }", r"params.lr.step: must lie in.*Got 0.0"),
    (
        "step-too-large",
        "n = { int = [1, 9], step = 9, default = 1 }",
        r"params.n.step: must lie in.*Got 9. Write at most 8",
    ),
    (
        "step-misses-high",
        "n = { int = [1, 10], step = 2, default = 1 }",
        r"params.n.step: high must be.*\[1, 10\].*Write 9 for high",
    ),
    (
        "default-off-grid",
        "n = { int = [1, 9], step = 2, default = 4 }",
        r"params.n.default: must be 1 plus a multiple of 2. Got 4",
    ),
    ("default-missing", "lr = { float = [0.1, 1.0] }", r"params.lr: default is missing"),
    (
        "default-outside",
        "lr = { float = [0.01, 1.0], log = true, default = 5.0 }",
        r"params.lr.default: must lie in \[0.01, 1.0\].*Got 5.0",
    ),
    (
        "default-float-for-int",
        "n = { int = [1, 9], default = 4.0 }",
        r"params.n.default: must be a whole number. Got 4.0",
    ),
    (
        "default-none-of-choices",
        'o = { choice = ["sgd", "adamw"], default = "rmsprop" }',
        r"params.o.default: .*'adamw'.*Got 'rmsprop'",
    ),
    (
        "default-other-type",
        "o = { choice = [0, 1], default = true }",
        r"params.o.default: must lie in \{0, 1\}. Got True",
    ),
    ("default-list", 'o = { choice = ["a"], default = ["a"] }', r"params.o.default: .*Got \['a'\]"),
    ("choices-empty", 'o = { choice = [], default = "a" }', r"params.o: choice must list at least one value. Got \[\]"),
    (
        "choices-no-list",
        'o = { choice = "a", default = "a" }',
        r"params.o: choice must list at least one value. Got 'a'",
    ),
    ("choices-twice", 'o = { choice = ["a", "b", "a"], default = "a" }', r"params.o: choice lists 'a' twice"),
    ("choices-like-bool", "o = { choice = [1, true], default = 1 }", r"params.o: choice lists True twice"),
    ("choices-date", "o = { choice = [2020-01-01], default = 1 }", r"params.o: a choice is a text, a number.*datetime"),
    ("int-float-bounds", "n = { int = [1.0, 9.0], default = 4 }", r"params.n: must be a whole number. Got 1.0"),
    ("int-huge", "n = { int = [1, 99999999999999999999], default = 4 }", r"params.n: must be at most 9007199254740992"),
    (
        "unknown-key",
        "lr = { float = [0.1, 1.0], defualt = 0.4 }",
        r"params.lr: unknown key 'defualt'. Did you mean default\?",
    ),
    ("bad-name", '"l r" = { float = [0.1, 1.0], default = 0.4 }', r"params: a parameter has letters.*Got 'l r'"),
]


@pytest.mark.parametrize(("line", "message"), [case[1:] for case in BAD_PARAMS], ids=[case[0] for case in BAD_PARAMS])
def test_a_mistake_in_a_parameter_is_named(line: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        with_param(line)


A = 'a = { choice = ["x", "y"], default = "x" }'
BAD_CONDITIONS = [
    (
        "unknown",
        A,
        "b = { int = [1, 2], default = 1, when = { schedule = 1 } }",
        r"params.b.when: 'schedule' is not a parameter.*Known: a",
    ),
    (
        "near",
        A,
        "aa = { int = [1, 2], default = 1, when = { A = 1 } }",
        r"params.aa.when: 'A' is not a parameter.*Known: a",
    ),
    (
        "later",
        "b = { int = [1, 2], default = 1, when = { a = 'x' } }",
        A,
        r"params.b.when: 'a' stands after b. Move a above b",
    ),
    (
        "itself",
        A,
        "b = { int = [1, 2], default = 1, when = { b = 1 } }",
        r"params.b.when: b and 'b' depend on each other",
    ),
    (
        "impossible",
        A,
        "b = { int = [1, 2], default = 1, when = { a = 'z' } }",
        r"params.b.when.a: must lie in \{'x', 'y'\}. Got 'z'",
    ),
    ("one-impossible", A, "b = { int = [1, 2], default = 1, when = { a = ['x', 3] } }", r"params.b.when.a: .*Got 3"),
    ("empty", A, "b = { int = [1, 2], default = 1, when = { a = [] } }", r"params.b.when.a: lists no value"),
    ("no-table", A, "b = { int = [1, 2], default = 1, when = 'a' }", r"params.b.when: must be a table. Got 'a'"),
]


@pytest.mark.parametrize(
    ("first", "second", "message"), [c[1:] for c in BAD_CONDITIONS], ids=[c[0] for c in BAD_CONDITIONS]
)
def test_a_mistake_in_a_condition_is_named(first: str, second: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        with_param(f"{first}\n{second}")


def test_conditions_in_a_circle_are_said_to_be_one() -> None:
    circle = (
        "a = { int = [1, 2], default = 1, when = { c = 1 } }\n"
        "b = { int = [1, 2], default = 1, when = { a = 1 } }\n"
        "c = { int = [1, 2], default = 1, when = { b = 1 } }"
    )
    with pytest.raises(SpaceError, match=r"params.a.when: a and 'c' depend on each other"):
        with_param(circle)


BAD_FILES = [
    ("no-candidate", 'source = "x"', r"mine.toml: candidate is missing among \['source'\]"),
    ("no-source", 'candidate = "cnn"', r"mine.toml: source is missing among \['candidate'\]"),
    ("empty-source", 'candidate = "cnn"\nsource = " "', r"mine.toml: source: must be a text. Got ' '"),
    ("candidate-number", 'candidate = 3\nsource = "x"', r"mine.toml: candidate: must be a text. Got 3"),
    ("candidate-path", 'candidate = "../cnn"\nsource = "x"', r"mine.toml: candidate: a name has letters.*Got '../cnn'"),
    (
        "unknown-key",
        'candidate = "cnn"\nsource = "x"\n[parms]',
        r"mine.toml: unknown key 'parms'. Did you mean params\?",
    ),
    ("params-text", 'candidate = "cnn"\nsource = "x"\nparams = "lr"', r"mine.toml: params: must be a table. Got 'lr'"),
    ("syntax", 'candidate = "cnn"\nsource = "x"\nlr = {', r"mine.toml: line 3: not valid TOML"),
    (
        "key-twice",
        'candidate = "cnn"\ncandidate = "x"',
        r"mine.toml: line 2: not valid TOML: Cannot overwrite a value. Got .candidate = \"x\"",
    ),
    ("unfinished-text", 'candidate = """cnn', r"mine.toml: line 1: not valid TOML"),
    ("deep", "a = " + "[" * 100_000, r"mine.toml: brackets are nested too deeply in 100004"),
    ("digits", "a = " + "1" * 10_000, r"mine.toml: a value cannot be read: .*Shorten the number"),
    ("control", "a = \x00", r"mine.toml: line 1: not valid TOML"),
]


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in BAD_FILES], ids=[case[0] for case in BAD_FILES])
def test_a_mistake_in_a_file_is_named(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        read_space(text, "mine.toml")


BAD_FIDELITIES = [
    (
        "unit",
        "epoch = { low = 1, full = 2 }",
        r"fidelity: unknown key 'epoch'. Did you mean epochs\? Known: epochs, rounds",
    ),
    (
        "two-units",
        "epochs = { low = 1, full = 2 }\nrounds = { low = 1, full = 2 }",
        r"fidelity: counts in one unit. Got epochs and rounds",
    ),
    ("no-table", "epochs = 27", r"fidelity.epochs: must be a table with low and full. Got 27"),
    ("no-full", "epochs = { low = 1 }", r"fidelity.epochs: full is missing"),
    ("no-low", "epochs = { full = 1 }", r"fidelity.epochs: low is missing"),
    ("more", "epochs = { low = 1, full = 2, ful = 3 }", r"fidelity.epochs: unknown key 'ful'. Did you mean full\?"),
    ("float", "epochs = { low = 1.0, full = 2 }", r"fidelity.epochs.low: must be a whole number. Got 1.0"),
    ("zero", "epochs = { low = 0, full = 2 }", r"fidelity.epochs: needs 1 <= low <= full. Got low = 0, full = 2"),
    ("swapped", "epochs = { low = 9, full = 3 }", r"fidelity.epochs: needs 1 <= low <= full. Got low = 9, full = 3"),
]


@pytest.mark.parametrize(("line", "message"), [c[1:] for c in BAD_FIDELITIES], ids=[c[0] for c in BAD_FIDELITIES])
def test_a_mistake_in_the_fidelity_is_named(line: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        with_fidelity(line)


@pytest.mark.parametrize("line", [c[1] for c in BAD_PARAMS], ids=[c[0] for c in BAD_PARAMS])
def test_an_error_is_one_line(line: str) -> None:
    with pytest.raises(SpaceError, match=r"mine.toml") as caught:
        with_param(line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
