"""Series are rows: sliced without copies, saved without pickles, and described by a rule that comes back from JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.serving.errors import ModelError
from automl.serving.rows import arrays_of, load_rows, rows_of, save_rows
from automl.serving.series import Series, SeriesRule
from automl.testing.context import waving_series

WAVES: Series = waving_series(12).X


def same(one: Any, other: Series) -> bool:
    a, b = one.packed(), other.packed()
    return np.array_equal(a.values, b.values, equal_nan=True) and np.array_equal(a.ends, b.ends)


ROWS: dict[str, Any] = {
    "all": slice(None),
    "a part": slice(3, 9),
    "backwards": slice(None, None, -1),
    "some": np.array([5, 0, 5, 11]),
    "a mask": np.arange(12) % 3 == 0,
    "none": slice(0, 0),
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_are_taken_as_of_an_array(rows: Any) -> None:
    np.testing.assert_array_equal(WAVES[rows].padded(40), WAVES.padded(40)[rows])


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_saved_series_come_back(rows: Any, tmp_path: Path) -> None:
    save_rows(tmp_path / "rows.npz", WAVES[rows])
    assert same(load_rows(tmp_path / "rows.npz"), WAVES[rows])


def test_series_taken_apart_and_put_together_are_the_same() -> None:
    assert same(rows_of(arrays_of(WAVES)), WAVES)


def test_what_is_packed_stands_alone() -> None:
    packed = WAVES[2:4].packed()
    assert len(packed.values) == WAVES.lengths[2:4].sum() == packed.ends[-1]


RULES = {
    "arrays": SeriesRule(("0", "1")),
    "a table": SeriesRule(("x", "y"), "id", "t"),
    "kinds": SeriesRule(("x", "y"), "id", "", ("comma", "boolean")),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_comes_back_from_json(rule: SeriesRule) -> None:
    assert SeriesRule.from_json({**rule.to_json(), "later": 1}) == rule


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "kind": ({"kind": "table"}, "kind must be 'series' here. Got 'table'"),
    "no channels": ({"channels": []}, "channels must be 1 to 10000 different names"),
    "equal channels": ({"channels": ["x", "x"]}, "different names"),
    "a number": ({"channels": ["x", 1]}, "different names"),
    "id": ({"id": 3}, "id and time must be names of columns"),
    "an unknown kind": ({"kinds": ["number", "word"]}, "kinds must be one of number, comma, boolean for each channel"),
    "one kind of two": ({"kinds": ["number"]}, "for each channel. Got"),
    "kinds are no list": ({"kinds": "nc"}, "for each channel. Got 'nc'"),
    "a kind that is a list": ({"kinds": [["number"], "comma"]}, "for each channel. Got"),
}


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_a_rule_that_is_broken_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        SeriesRule.from_json({**SeriesRule(("x", "y"), "id", "t").to_json(), **change})
