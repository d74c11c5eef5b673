from __future__ import annotations

import pytest

from automl.core.space import Configuration, SearchSpace
from automl.errors import SpaceError
from automl.spaces import read_portfolio, read_space

CNN = """candidate = "cnn"
source = "x"
[params]
lr        = { float = [0.01, 2.0], default = 0.1 }
optimizer = { choice = ["sgd", "adamw"], default = "sgd" }
momentum  = { float = [0.8, 0.99], default = 0.9, when = { optimizer = "sgd" } }
"""
SPACE = SearchSpace({
    "cnn": read_space(CNN, "built-in/cnn.toml"),
    "baseline": read_space('candidate = "baseline"\nsource = "x"', "built-in/baseline.toml"),
})  # fmt: skip
ORIGIN = "built-in/portfolio.toml"


def entry(candidate: str, params: str = "") -> str:
    return f'[[configuration]]\ncandidate = "{candidate}"\n' + (f"params = {{ {params} }}\n" if params else "")


def test_entries_are_completed_with_defaults_in_their_order() -> None:
    first, second = read_portfolio(entry("baseline") + entry("cnn", "lr = 0.5"), ORIGIN, SPACE)
    assert first == Configuration("baseline", {})
    assert second == Configuration("cnn", {"lr": 0.5, "optimizer": "sgd", "momentum": 0.9})


def test_an_inactive_parameter_gets_no_default() -> None:
    (one,) = read_portfolio(entry("cnn", "optimizer = 'adamw'"), ORIGIN, SPACE)
    assert one.values == {"lr": 0.1, "optimizer": "adamw"}


def test_a_whole_number_for_a_float_is_the_same_configuration() -> None:
    whole, point = (read_portfolio(entry("cnn", f"lr = {n}"), ORIGIN, SPACE) for n in ("1", "1.0"))
    assert whole[0].key() == point[0].key()


def test_entries_of_candidates_left_out_are_skipped() -> None:
    assert read_portfolio(entry("resnet") + entry("baseline"), ORIGIN, SPACE, known=["resnet", "cnn", "baseline"]) == (
        Configuration("baseline", {}),
    )


@pytest.mark.parametrize(("rows", "count"), [(10, 1), (99, 1), (100, 2), (500, 2), (501, 1), (None, 2)])
def test_an_entry_is_kept_to_data_of_its_size(rows: int | None, count: int) -> None:
    text = entry("baseline") + entry("cnn") + "rows = [100, 500]\n"
    assert len(read_portfolio(text, ORIGIN, SPACE, rows=rows)) == count


@pytest.mark.parametrize("limits", ["5", "[1]", "[5, 1]", "[-1, 4]", '["a", 4]', "[1.5, 4]", "[true, 4]"])
def test_a_malformed_size_is_refused(limits: str) -> None:
    with pytest.raises(SpaceError, match=r"configuration 1.*rows must be \[least, most\]"):
        read_portfolio(entry("cnn") + f"rows = {limits}\n", ORIGIN, SPACE)


def test_an_empty_portfolio_is_allowed() -> None:
    assert read_portfolio("", ORIGIN, SPACE) == ()


def test_an_entry_outside_a_users_own_space_gives_way_to_its_default() -> None:
    mine = SearchSpace({"cnn": read_space(CNN.replace("2.0", "0.2"), "mine/cnn.toml")})
    assert read_portfolio(entry("cnn", "lr = 1.0"), ORIGIN, mine) == (mine.candidates["cnn"].default(),)


def test_defaults_that_take_the_place_of_several_entries_come_once() -> None:
    mine = SearchSpace({"cnn": read_space(CNN.replace("2.0", "0.2"), "mine/cnn.toml")})
    assert len(read_portfolio(entry("cnn", "lr = 1.0") + entry("cnn", "lr = 1.5"), ORIGIN, mine)) == 1


BAD = [
    ("outside", entry("cnn", "lr = 5.0"), r"configuration 1: \{'lr': 5.0\} lies outside its space: .*Got 5.0"),
    ("unknown-param", entry("cnn", "lrr = 0.5"), r"configuration 1: .*'lrr' is not a parameter of cnn"),
    ("inactive", entry("cnn", "optimizer = 'adamw', momentum = 0.9"), r"configuration 1: .*momentum counts only when"),
    ("unknown-candidate", entry("cnnn"), r"configuration 1: 'cnnn' is not a candidate. Did you mean cnn\?"),
    ("twice", entry("baseline") + entry("cnn") + entry("baseline"), r"configurations 1 and 3 are equal"),
    ("no-candidate", "[[configuration]]\nparams = {}", r"configuration 1: candidate is missing"),
    ("unknown-key", entry("cnn") + "lr = 0.5", r"configuration 1: unknown key 'lr'. Known: candidate, params"),
    (
        "list-value",
        entry("cnn", "lr = [0.5]"),
        r"configuration 1: 'lr' must be a text, a number or true/false. Got \[0.5\]",
    ),
    ("one-table", '[configuration]\ncandidate = "cnn"', r"configuration: must be a list of tables"),
    ("top-key", "[[configurations]]", r"unknown key 'configurations'. Did you mean configuration\?"),
    ("syntax", "[[configuration]", r"portfolio.toml: line 1: not valid TOML"),
]


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_mistake_is_named_with_its_entry(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        read_portfolio(text, ORIGIN, SPACE, known=["cnn", "baseline"])
