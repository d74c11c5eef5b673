"""The separator of a file shows in its first lines."""

from __future__ import annotations

import pytest

from automl.serving.errors import InputError
from automl.serving.table_separator import layout_of, trimmed

HEADS = {
    "comma": (["a,b", "1,2"], ",", ","),
    "semicolon": (["a;b", "1;2"], ",", ";"),
    "tab in a .csv": (["a\tb", "1\t2"], ",", "\t"),
    "bar": (["a|b", "1|2"], ",", "|"),
    "comma in a .tsv": (["a,b", "1,2"], "\t", ","),
    "one column": (["a", "1", "2"], ",", ","),
    "semicolon, and a comma in a name": (["km, all;b", "1;2"], ",", ";"),
    "texts with semicolons": (["a,b", "x;y,1", "z,2"], ",", ","),
    "one column of texts with some semicolons": (["a", "x;y", "z"], ",", ","),
    "preferred where both fit": (["a,b;c", "1,2;3"], ",", ","),
    "quoted": (['"a;b",c', '"1;2",3'], ",", ","),
    "missing at the end": (["a;b;c", "1;2;", "1;;3"], ",", ";"),
    "empty behind the last": (["a;b", "1;2;"], ",", ";"),
    "malformed": (["a,b", "1,2,3"], ",", ","),
    "blank line": (["a;b", "", "1;2"], ",", ";"),
}


@pytest.mark.parametrize(("head", "preferred", "separator"), HEADS.values(), ids=HEADS.keys())
def test_the_first_lines_tell_the_separator(head: list[str], preferred: str, separator: str) -> None:
    assert layout_of(head, preferred, name="t.csv").separator == separator


def test_a_row_that_goes_on_below_the_head_does_not_count() -> None:
    head = ["a;b", "1;2", '3;"begun']
    assert layout_of(head, ",", name="t.csv", is_cut=True).separator == ";"


def test_decimal_commas_between_semicolons_are_not_guessed_at() -> None:
    with pytest.raises(InputError, match=r"^t\.csv: columns seem to be separated by ';'.* Got '-0,5' in line 3"):
        layout_of(["a;b", "1;2", "-0,5;3"], ",", name="t.csv")


@pytest.mark.parametrize(("line", "skips"), [('1, "x, y"', True), ('1,"x"', False)])
def test_a_quote_behind_a_space_is_seen(line: str, skips: bool) -> None:
    assert layout_of(["a,b", line], ",", name="t.csv").skips_space == skips


@pytest.mark.parametrize(("row", "rest"), [(["a", "", " "], ["a"]), (["", ""], [""]), (["a", "b"], ["a", "b"])])
def test_empty_fields_at_the_end_are_left_out(row: list[str], rest: list[str]) -> None:
    assert trimmed(row) == rest
