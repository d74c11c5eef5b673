"""Objects in memory become cells, the same from every library."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from automl.serving.errors import InputError
from automl.serving.table_cells import Cells, cells_of, chunk_of, number_text, rows_within, texts_of

DAY = datetime.date(2019, 3, 23)
TEXTS = {
    "texts": (["a", "b"], ["a", "b"]),
    "text and nothing": (["a", None], ["a", ""]),
    "truth values": ([True, None], ["true", ""]),
    "array of truth values": (np.array([True, False]), ["true", "false"]),
    "numbers among texts": ([3.0, 2.5, "a", 7], ["3", "2.5", "a", "7"]),
    "dates": ([DAY, datetime.datetime(2019, 3, 23, 20, 21)], ["2019-03-23", "2019-03-23 20:21:00"]),
    "array of times": (np.array(["2019-03-23T20:21", "NaT"], "M8[s]"), ["2019-03-23T20:21:00", ""]),
    "array of texts": (np.array(["a", "b"]), ["a", "b"]),
    "decimals": ([Decimal("1.50"), None], ["1.50", ""]),
    "large whole numbers": ([2**53 + 1, None], ["9007199254740993", ""]),
    "array of large whole numbers": (np.array([2**53 + 1]), ["9007199254740993"]),
    "what pandas calls missing": (np.array(["a", pd.NA, pd.NaT, np.nan], object), ["a", "", "", ""]),
    "infinite among texts": (["a", float("inf")], ["a", "inf"]),
}
NUMBERS = {
    "floats": ([1.5, None], [1.5, np.nan]),
    "whole": ([1, 2], [1, 2]),
    "nothing": ([None, None], [np.nan, np.nan]),
    "array": (np.array([1, 2], np.int8), [1, 2]),
    "spans of time": (np.array([90, "NaT"], "m8[s]"), [90, np.nan]),
}
FRAMES = {
    "dict of lists": {"a": [1, 2], "b": ["x", None]},
    "list of dicts": [{"a": 1, "b": "x"}, {"a": 2}],
    "pandas": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "pandas categories": pd.DataFrame({"a": [1, 2], "b": pd.Series(["x", None], dtype="category")}),
    "arrow": pa.table({"a": [1, 2], "b": ["x", None]}),
    "structured": np.array([(1, "x"), (2, "")], [("a", "i8"), ("b", "U1")]),
}
REFUSED = {
    "a list": [[1], [2]],
    "a dict": [{"x": 1}],
    "bytes": [b"a"],
    "complex": np.array([1j]),
    "a matrix": np.zeros((2, 2)),
}


@pytest.mark.parametrize(("values", "cells"), TEXTS.values(), ids=TEXTS.keys())
def test_values_become_texts(values: Any, cells: Cells) -> None:
    assert cells_of(values, "x") == cells


@pytest.mark.parametrize(("values", "cells"), NUMBERS.values(), ids=NUMBERS.keys())
def test_numbers_stay_numbers(values: Any, cells: Cells) -> None:
    np.testing.assert_array_equal(cells_of(values, "x"), np.array(cells, np.float64))


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED.keys())
def test_other_values_are_refused_by_the_name_of_the_column(values: Any) -> None:
    with pytest.raises(InputError, match=r"column 'size'.* Got "):
        cells_of(values, "size")


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_every_kind_of_frame_gives_the_same_chunk(frame: Any) -> None:
    chunk = chunk_of(frame)
    assert list(chunk) == ["a", "b"]
    assert (list(chunk["a"]), chunk["b"]) == ([1.0, 2.0], ["x", ""])


def test_names_that_are_no_texts_become_texts() -> None:
    assert list(chunk_of({0: [1], 1: [2]})) == ["0", "1"]


@pytest.mark.parametrize(
    "frame", [{0: [1], "0": [2]}, pd.DataFrame([[1, 2]], columns=["0", "0"])], ids=["dict", "data frame"]
)
def test_two_columns_of_one_name_are_refused(frame: Any) -> None:
    with pytest.raises(InputError, match="Got '0' twice"):
        chunk_of(frame)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InputError, match=r"same number of rows\. Got \{'a': 1, 'b': 2\}"):
        chunk_of({"a": [1], "b": [1, 2]})


@pytest.mark.parametrize("frame", ["text", 3, [1, 2], None], ids=repr)
def test_what_is_no_frame_is_refused(frame: Any) -> None:
    with pytest.raises(InputError, match=r"a dict of columns or a list of dicts is needed\. Got "):
        chunk_of(frame)


def test_a_column_that_is_no_column_is_refused() -> None:
    with pytest.raises(InputError, match=r"a list or an array is needed\. Got int"):
        chunk_of({"a": 3})


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (-0.5, "-0.5"), (1e20, "1e+20"), (0.1, "0.1")])
def test_a_number_as_text_reads_back_as_the_same_number(value: float, text: str) -> None:
    assert number_text(value) == text
    assert float(text) == value


def test_an_array_of_numbers_has_texts() -> None:
    assert texts_of(np.array([3.0, np.nan, np.inf, 3.0])) == ["3", "", "inf", "3"]


def test_chunks_of_wide_tables_have_fewer_rows() -> None:
    assert [rows_within(50_000, columns) for columns in (0, 10, 100, 100_000)] == [50_000, 20_000, 2_000, 100]
