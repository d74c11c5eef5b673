"""The rule of a table survives as JSON, and a malformed one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from automl.serving.errors import ModelError
from automl.serving.table import Column, TableRule

RULE = TableRule(
    (Column("size", "number", format=","), Column("said", "text"), Column("colour", "category", ("red", "blue")),
     Column("day", "date", format="%d.%m.%Y"), Column("new", "boolean")),
    separator=";",
)  # fmt: skip
MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "another kind": ({"kind": "image"}, r"kind must be 'table' here\. Got 'image'"),
    "no columns": ({"columns": []}, r"columns must be a list of 1 to \d+\. Got '\[\]'"),
    "columns that are no list": ({"columns": {"a": 1}}, "columns must be a list"),
    "a column that is no object": ({"columns": ["a"]}, r"a column must be an object\. Got 'a'"),
    "no name": ({"columns": [{"kind": "number"}]}, r"needs a name and a kind of .* Got None, 'number'"),
    "an unknown kind": ({"columns": [{"name": "a", "kind": "video"}]}, "Got 'a', 'video'"),
    "the same name twice": ({"columns": [{"name": "a", "kind": "text"}] * 2}, r"different names\. Got \['a', 'a'\]"),
    "a category that is no text": (
        {"columns": [{"name": "a", "kind": "category", "categories": [1]}]},
        r"column 'a': categories must be texts\. Got '\[1\]'",
    ),
    "a format that is no text": (
        {"columns": [{"name": "a", "kind": "date", "format": 3}]},
        r"format must be text\. Got 3",
    ),
    "a long separator": ({"separator": ";;"}, r"separator must be one sign\. Got ';;'"),
}


def test_a_rule_survives_as_json() -> None:
    assert TableRule.from_json(json.loads(json.dumps(RULE.to_json()))) == RULE


def test_texts_are_apart_from_what_is_a_number() -> None:
    assert [column.name for column in RULE.numbers] == ["size", "colour", "day", "new"]
    assert [column.name for column in RULE.texts] == ["said"]


@pytest.mark.parametrize(("change", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_rule_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=rf"^input: .*{message}"):
        TableRule.from_json(RULE.to_json() | change)


def test_keys_of_later_versions_are_left_alone() -> None:
    assert TableRule.from_json(RULE.to_json() | {"later": 1}) == RULE
