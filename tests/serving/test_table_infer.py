"""Kinds of columns are found in one pass."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from automl.serving.table import TableRule
from automl.serving.table_cells import Cells
from automl.serving.table_infer import KINDS, Inferred, infer, is_id_name

N = 60


def inferred(cells: Cells, name: str = "x", **options: Any) -> Inferred:
    return infer([{name: cells}], [name], **options)


def turns(*values: str) -> list[str]:
    return [values[row % len(values)] for row in range(N)]


def numbered(form: str = "{}", start: int = 0) -> list[str]:
    return [form.format(number) for number in range(start, start + N)]


COLUMNS = {
    "decimals": (numbered("{}.5"), "number"),
    "few whole numbers": (turns("1", "2", "3"), "number"),
    "two whole numbers": (turns("1", "2"), "number"),
    "numbers with blanks": ([*numbered("{}.5"), " ", "NA"], "number"),
    "money": (numbered("${},000"), "number"),
    "numbers and an odd word": ([*numbered("{}.5"), "abc"], "number"),
    "array": (np.linspace(0, 1, N), "number"),
    "years in order": (numbered(start=1960), "number"),
    "0 and 1": (turns("0", "1"), "boolean"),
    "0 and 1 with missing": (turns("0", "1", ""), "boolean"),
    "0.0 and 1.0": (turns("0.0", "1.0"), "boolean"),
    "array of 0 and 1": (np.array([0.0, 1.0, np.nan] * 10), "boolean"),
    "yes and no": (turns("Yes", "No"), "boolean"),
    "words of truth": (turns("true", "false"), "boolean"),
    "letters of truth": (turns("y", "n"), "boolean"),
    "two of the same truth": (turns("yes", "true"), "category"),
    "yes and none": (turns("yes", "none"), "category"),
    "words": (turns("red", "green"), "category"),
    "numbers among words": (turns("1", "2", "x"), "category"),
    "one word or missing": (turns("x", ""), "category"),
    "tickets that repeat": (turns(*numbered("A/5 {}")[:40]), "category"),
    "few sentences": (turns("no phone service", "not known to us"), "category"),
    "days": (turns("2019-03-23", "2019-03-24"), "date"),
    "times": (numbered("2019-03-23 20:21:{:02d}"), "date"),
    "days of people": (turns("23/03/2019", "01/02/2019"), "date"),
    "sentences": (numbered("this is sentence {}"), "text"),
    "names": ([f"{first} {last}" for first in numbered("F{}")[:8] for last in numbered("L{}")[:8]], "text"),
    "codes that differ": (numbered("75{}-VHV"), "identifier"),
    "from 0": (numbered(), "identifier"),
    "from 1": (numbered(start=1), "identifier"),
    "array from 0": (np.arange(float(N)), "identifier"),
    "one value": (turns("a"), "constant"),
    "one number": (turns("1", "1.0"), "constant"),
    "all missing": (turns("", "NA"), "constant"),
    "array of nothing": (np.full(N, np.nan), "constant"),
}


@pytest.mark.parametrize(("cells", "kind"), COLUMNS.values(), ids=COLUMNS.keys())
def test_the_kind_of_a_column_shows_in_its_values(cells: Cells, kind: str) -> None:
    found = inferred(cells)
    assert found.kinds == {"x": kind}
    assert [column.kind for column in found.rule.columns] == ([kind] if kind in KINDS[:5] else [])


@pytest.mark.parametrize(("cells", "kind"), COLUMNS.values(), ids=COLUMNS.keys())
def test_the_kind_is_the_same_seen_in_many_chunks(cells: Cells, kind: str) -> None:
    chunks = [{"x": cells[start : start + 7]} for start in range(0, len(cells), 7)]
    assert infer(chunks, ["x"]).kinds == {"x": kind}


@pytest.mark.parametrize(
    ("name", "kind"), [("order_id", "identifier"), ("PassengerId", "identifier"), ("price", "number")]
)
def test_a_name_makes_numbers_that_all_differ_an_identifier(name: str, kind: str) -> None:
    assert inferred(numbered("{}7"), name).kinds == {name: kind}


def test_numbers_that_repeat_are_no_identifier_whatever_their_name() -> None:
    assert inferred(turns(*numbered()[:59]), "id").kinds == {"id": "number"}


def test_few_rows_do_not_show_an_identifier() -> None:
    assert inferred(["1", "2", "3"]).kinds == {"x": "number"}
    assert inferred(["a", "b", "c"]).kinds == {"x": "category"}


def test_categories_come_by_frequency_and_then_by_name() -> None:
    (column,) = inferred([*"bbbaaacc", "NA", " d ", ""]).rule.columns
    assert column.categories == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "cells",
    [["3", "3.0", "x"], [" 3", "x", "3 "], ["3", "x", "3.00"]],
    ids=["with a point", "with spaces", "with zeros"],
)
def test_spellings_of_one_value_are_one_category(cells: Cells) -> None:
    assert inferred(cells).rule.columns[0].categories == ("3", "x")


def test_numbers_and_texts_of_the_same_value_are_one_category() -> None:
    found = infer([{"x": ["3", "x"]}, {"x": np.array([3.0, np.nan])}], ["x"])
    assert found.rule.columns[0].categories == ("3", "x")


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["1,5", "2,25", "3"], ","),
        (["1,500", "2"], ""),
        (["1.2.2019", "2.2.2019"], "%d.%m.%Y"),
        (["2019-01-01"] * 2, ""),
    ],
    ids=["decimal comma", "thousands", "day", "ISO"],
)
def test_the_rule_says_how_values_are_written(cells: Cells, form: str) -> None:
    assert inferred([*cells, ""]).rule.columns[0].format == form


@pytest.mark.parametrize(
    ("cells", "code", "message"),
    [
        ([*numbered("{}.5"), "abc", "abc"], "odd-values", r"x: 2 values that are no numbers .* 'abc'\."),
        (["01/02/2019", "03/04/2019"], "ambiguous-dates", r"x: dates .* month before the day\."),
        (["01-02-2019", "03-04-2019"], "ambiguous-dates", r"x: dates .* day before the month\."),
    ],
    ids=["odd values", "either way", "either way with dashes"],
)
def test_what_people_should_know_is_noted(cells: Cells, code: str, message: str) -> None:
    (note,) = inferred(cells).notes
    assert note.code == code
    assert re.fullmatch(message, note.message)


def test_columns_keep_the_order_of_names_and_dropped_ones_are_not_looked_at() -> None:
    chunk = {"c": ["1", "2"], "a": ["1.5", "2"], "b": ["x", "y"]}
    found = infer([chunk], ["a", "b", "c", "d"], dropped=["b", "d"], separator=";")
    assert [column.name for column in found.rule.columns] == ["a", "c"]
    assert found.kinds == {"a": "number", "b": "dropped", "c": "number", "d": "dropped"}
    assert (found.rows, found.rule.separator) == (2, ";")


def test_the_rule_survives_as_json() -> None:
    rule = infer([{"a": turns("x", "y"), "b": turns("1,5", "2")}], ["a", "b"]).rule
    assert TableRule.from_json(rule.to_json()) == rule


def test_no_rows_are_constant_columns() -> None:
    assert infer([], ["x"]) == (TableRule(()), {"x": "constant"}, 0, [])


def test_too_many_categories_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.serving.table_infer._COUNTED", 50)
    monkeypatch.setattr("automl.serving.table_infer._ALL_KEPT", 10)
    names = [f"c{number % 1500}" for number in range(3000)]
    found = inferred(names)
    assert [note.code for note in found.notes] == ["many-categories"]
    assert 1000 <= len(found.rule.columns[0].categories) < 1500


@pytest.mark.parametrize("name", ["id", "ID", "user_id", "customerID", "Id number", "row-index", "UUID"])
def test_a_name_says_that_it_identifies(name: str) -> None:
    assert is_id_name(name)


@pytest.mark.parametrize("name", ["width", "paid", "humid", "idea", "price", "", "42"])
def test_other_names_do_not(name: str) -> None:
    assert not is_id_name(name)
