"""Columns have the roles the user gives them, or the mistake is named."""

from __future__ import annotations

import pytest

from automl.core.request import SearchRequest
from automl.data.roles import Roles, checked
from automl.errors import DataError

NAMES = ("id", "x", "when", "house", "w", "outcome")


def test_a_request_gives_all_roles() -> None:
    request = SearchRequest(
        "tabular-clf", target="a", drop=("b",), sample_weight="c", positive="d", group="e", split_time="f"
    )
    assert Roles.of(request) == Roles("a", ("b",), "c", "d", "e", "f")


@pytest.mark.parametrize(
    ("roles", "split"),
    [(Roles(), "stratified"), (Roles(group="house"), "group"), (Roles(split_time="when"), "time")],
    ids=["none", "group", "time"],
)
def test_the_split_follows_from_the_roles(roles: Roles, split: str) -> None:
    assert roles.split == split


@pytest.mark.parametrize("name", ["target", "label", "class", "y", "Label", " Y "])
def test_a_column_with_the_name_of_a_target_is_the_target(name: str) -> None:
    assert checked(Roles(), ("a", name, "b"), "d.csv").target == name


@pytest.mark.parametrize(
    "names", [("a", "b"), ("target", "label", "a"), ("outcome", "a")], ids=["none", "two", "other"]
)
def test_no_target_is_guessed_where_several_or_none_may_be_meant(names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"--target: the column to predict is needed for d.csv. Got none. Columns: '"):
        checked(Roles(), names, "d.csv")


REFUSED = {
    "target": (Roles(target="outcom"), r"--target 'outcom': d.csv has no such column. Did you mean 'outcome'\?"),
    "case": (Roles(target="OUTCOME"), r"--target 'OUTCOME': .* Did you mean 'outcome'\?"),
    "far": (Roles(target="price"), r"--target 'price': d.csv has no such column. Columns: 'id', 'x'"),
    "drop": (Roles(target="outcome", drop=("idd",)), r"--drop 'idd': .* Did you mean 'id'\?"),
    "weight": (Roles(target="outcome", sample_weight="ww"), "--sample-weight 'ww': d.csv has no such column"),
    "group": (Roles(target="outcome", group="hous"), r"--group 'hous': .* Did you mean 'house'\?"),
    "time": (Roles(target="outcome", split_time="wen"), r"--split-time 'wen': .* Did you mean 'when'\?"),
    "both-splits": (Roles(target="outcome", group="house", split_time="when"), "folds go by groups or by time"),
    "target-dropped": (
        Roles(target="outcome", drop=("outcome",)),
        "--drop 'outcome': a column has one role. Got --target",
    ),
    "target-weight": (Roles(target="w", sample_weight="w"), "--sample-weight 'w': a column has one role. Got --target"),
    "target-group": (Roles(target="house", group="house"), "--group 'house': a column has one role"),
    "weight-group": (Roles(target="outcome", sample_weight="w", group="w"), "--group 'w': a column has one role"),
    "time-dropped": (
        Roles(target="outcome", split_time="when", drop=("when",)),
        "--drop 'when': a column has one role",
    ),
}


@pytest.mark.parametrize(("roles", "message"), REFUSED.values(), ids=REFUSED)
def test_a_role_that_cannot_be_is_named_with_its_flag(roles: Roles, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked(roles, NAMES, "d.csv")


def test_a_column_may_be_dropped_twice() -> None:
    assert checked(Roles(target="outcome", drop=("id", "id")), NAMES, "d.csv").drop == ("id", "id")


def test_many_columns_are_listed_in_part() -> None:
    with pytest.raises(DataError, match=r"'c11' and 88 more\.$"):
        checked(Roles(), [f"c{n}" for n in range(100)], "d.csv")
