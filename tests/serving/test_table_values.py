"""Texts become numbers, truth values and categories as people write them."""

from __future__ import annotations

import numpy as np
import pytest

from automl.serving.table_cells import Cells
from automl.serving.table_values import (
    LARGEST,
    booleans,
    categories,
    category_text,
    is_missing,
    number_of,
    numbers,
)

NUMBERS = {
    "plain": ("12.5", 12.5),
    "exponent": ("1.5e3", 1500.0),
    "large exponent letter": ("2E-3", 0.002),
    "spaces around": ("  7 ", 7.0),
    "plus": ("+3", 3.0),
    "no digit before the point": (".5", 0.5),
    "no digit behind the point": ("5.", 5.0),
    "currency in front": ("$5,720", 5720.0),
    "currency behind": ("12 €", 12.0),
    "currency and sign": ("-$5", -5.0),
    "sign behind the currency": ("$-5", -5.0),
    "percent": ("12%", 12.0),
    "groups by comma": ("1,234,567.5", 1234567.5),
    "groups by space": ("1 234", 1234.0),
    "groups by narrow space": ("1\u202f234", 1234.0),
    "groups by apostrophe": ("1'234'567", 1234567.0),
    "brackets": ("(300)", -300.0),
    "typographic minus": ("\u22123", -3.0),
    "infinite": ("inf", np.inf),
}
NO_NUMBERS = (
    "abc",
    "1_000",
    "1e",
    "e5",
    "$",
    "%",
    "(3",
    "3)",
    "+-5",
    "1,23",
    "1,234,56",
    "1.2.3",
    "2019-03-23",
    "12abc",
)
MISSING = ("", "  ", "NA", "n/a", " NaN ", "NULL", "None", "-", "?", ".", "#N/A", "Missing", "<NA>", "NaT")


@pytest.mark.parametrize(("text", "value"), NUMBERS.values(), ids=NUMBERS.keys())
def test_a_number_is_read_as_people_write_it(text: str, value: float) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize("text", MISSING, ids=repr)
def test_a_missing_value_is_no_number_but_missing(text: str) -> None:
    assert np.isnan(number_of(text))
    assert is_missing(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,5", 1.5), ("1.234,5", 1234.5), ("-0,25 €", -0.25), ("12", 12.0), ("1.234", 1234.0)],
)
def test_a_decimal_comma_is_read_where_it_is_asked_for(text: str, value: float) -> None:
    assert number_of(text, comma=True) == value


def test_a_decimal_point_is_no_number_in_a_column_of_decimal_commas() -> None:
    assert number_of("1.5", comma=True) is None


@pytest.mark.parametrize(
    "cells",
    [["1", "2.5", "-3e2"], ["1", "", "3"], ["1", "NA", "$3"], np.array([1.0, np.nan, 3.0])],
    ids=["plain", "empty", "written by people", "numbers already"],
)
def test_a_column_gives_the_same_numbers_at_once_as_one_by_one(cells: Cells) -> None:
    wanted = [value if isinstance(value, float) else number_of(value) for value in cells]
    np.testing.assert_array_equal(numbers(cells).values, wanted)


def test_what_is_no_number_is_counted_and_shown() -> None:
    parsed = numbers(["1", "abc", "", "def"])
    assert (parsed.odd, parsed.example) == (2, "abc")
    np.testing.assert_array_equal(parsed.values, [1.0, np.nan, np.nan, np.nan])


def test_digits_with_an_underscore_are_a_name_also_among_plain_numbers() -> None:
    assert numbers(["1_000", "2"]).odd == 1


def test_what_single_precision_cannot_hold_is_missing() -> None:
    values = numbers(["inf", "-inf", "1e39", "-1e39", "1e38"]).values
    np.testing.assert_array_equal(values, [np.nan] * 4 + [1e38])
    assert numbers(np.array([np.inf, LARGEST])).values.tolist()[1] == LARGEST


def test_more_texts_than_are_remembered_are_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.serving.table_values._CACHED", 2)
    assert numbers(["$1", "$2", "$3", "$3"]).values.tolist() == [1, 2, 3, 3]


def test_a_column_without_rows_has_no_numbers() -> None:
    assert len(numbers([]).values) == 0


@pytest.mark.parametrize(("text", "value"), [("Yes", 1), ("no", 0), ("TRUE", 1), ("f", 0), ("1.0", 1), ("0", 0)])
def test_a_truth_value_is_read_in_any_spelling(text: str, value: float) -> None:
    assert booleans([text]).values.tolist() == [value]


def test_numbers_are_truth_values_if_they_are_0_and_1() -> None:
    parsed = booleans(np.array([0.0, 1.0, np.nan, 2.0]))
    np.testing.assert_array_equal(parsed.values, [0, 1, np.nan, np.nan])
    assert (parsed.odd, parsed.example) == (1, "2")


@pytest.mark.parametrize(
    ("text", "category"),
    [(" a ", "a"), ("3.0", "3"), ("3.10", "3.10"), ("True", "true"), ("none", "none"), ("None", ""), ("007", "007"),
     ("10", "10"), ("größe", "größe"), ("x\ud800", "x?")],
    ids=["spaces", "whole", "version", "truth", "small none", "missing", "zeros", "ten", "umlaut", "surrogate"],
)  # fmt: skip
def test_a_category_is_the_same_however_it_is_written(text: str, category: str) -> None:
    assert category_text(text) == category
    assert category_text(category) == category


def test_a_column_of_numbers_has_the_categories_of_its_texts() -> None:
    assert categories(np.array([3.0, np.nan, 2.5])) == categories(["3", "", "2.5"]) == ["3", "", "2.5"]
