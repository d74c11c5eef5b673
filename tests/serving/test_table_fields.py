from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from automl.serving import table_fields as fields


def test_well_formed_fields_are_given_back() -> None:
    assert fields.whole({"n": 3}, "n", 0, 3) == 3
    assert fields.number({"n": 3}, "n", 0, 3) == 3.0
    assert fields.word({"n": "b"}, "n", ("a", "b")) == "b"
    assert fields.strings({"n": ["b"]}, "n") == ["b"]
    assert fields.wholes([0, 2.0], "n", 0, 2).tolist() == [0, 2]


def test_null_is_a_gap_where_gaps_are_allowed() -> None:
    np.testing.assert_array_equal(fields.numbers([1, None], "n", gaps=True), [1, np.nan])


@pytest.mark.parametrize(
    "read",
    [
        lambda value: fields.whole({"n": value}, "n", 0, 3), lambda value: fields.number({"n": value}, "n", 0, 3),
        lambda value: fields.word({"n": value}, "n", ("a",)), lambda value: fields.items({"n": value}, "n", 2),
        lambda value: fields.strings({"n": value}, "n"), lambda value: fields.numbers(value, "n"),
        lambda value: fields.numbers(value, "n", gaps=True), lambda value: fields.wholes(value, "n", 0, 3),
        lambda value: fields.mapping(value, "n"),
    ],
    ids=["whole", "number", "word", "items", "strings", "numbers", "gaps", "wholes", "mapping"],
)  # fmt: skip
@pytest.mark.parametrize(
    "value",
    [None, True, "x" * 1000, -1, 4, float("nan"), float("inf"), 10**400, [], [[1]], [True], [float("nan")], [1e999]],
    ids=lambda value: str(value)[:9],
)
def test_anything_else_is_a_value_error_with_a_short_text(read: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(ValueError, match=r"^plan: n must be .* Got ") as caught:
        read(value)
    assert len(str(caught.value)) < 200
