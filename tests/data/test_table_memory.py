"""Data frames and arrays are tables too, and the same ones as files of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data.sources import prepare_test
from automl.data.table_memory import MemoryTable, table_in_memory
from automl.errors import DataError
from automl.serving.errors import InputError

from .conftest import Columns, Open, Write


def test_a_data_frame_is_the_table_of_its_file(open_table: Open, write: Write, columns: Columns) -> None:
    from_file = open_table(write(**columns), target="label", sample_weight="w", group="house").data
    in_memory = open_table(pd.DataFrame(columns), target="label", sample_weight="w", group="house").data
    assert in_memory.spec.fingerprint == from_file.spec.fingerprint
    assert in_memory.spec.name == "arrays"


def test_arrays_have_columns_by_number(open_table: Open) -> None:
    X, y = np.random.default_rng(0).normal(size=(30, 2)), ["a", "b"] * 15
    data = open_table((X, y)).data
    assert data.spec.columns == {"x0": "number", "x1": "number", "target": "target"}
    assert np.array_equal(data.X.numbers, X)


def test_a_frame_and_a_series_keep_their_names(open_table: Open, columns: Columns) -> None:
    frame = pd.DataFrame(columns)
    data = open_table((frame.drop(columns="price"), frame["price"]), "number").data
    assert (data.spec.target, data.y.tolist()) == ("price", columns["price"])


@pytest.mark.parametrize(
    "y",
    [np.arange(30) % 2, (np.arange(30) % 2).astype(bool), pd.Series(["b", "a"] * 15), np.array([["b"], ["a"]] * 15)],
    ids=["numbers", "truth", "series", "one-column"],
)
def test_targets_come_in_any_form(open_table: Open, y: object) -> None:
    data = open_table((np.random.default_rng(0).normal(size=(30, 1)), y)).data
    assert sorted(data.spec.class_counts) == [15, 15]


KINDS = {
    "categorical": pd.Categorical(["a", None, "b"] * 10),
    "strings": pd.array(["a", None, "b"] * 10, dtype="string"),
    "objects": np.array(["a", None, "b"] * 10, object),
    "mixed": np.array(["a", np.nan, 1] * 10, object),
}


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_missing_categories_of_any_dtype_are_missing(open_table: Open, values: object) -> None:
    frame = pd.DataFrame({"c": values, "x": np.arange(30) / 7, "label": ["a", "b"] * 15})
    data = open_table(frame, target="label").data
    assert data.spec.columns["c"] == "category"
    assert np.isnan(data.X.numbers[:, 0]).sum() == 10


NUMBERS = {
    "float32": np.array([1.5, np.nan, 3] * 10, np.float32),
    "Int64": pd.array([1, None, 3] * 10, dtype="Int64"),
    "Float64": pd.array([1.5, None, 3] * 10, dtype="Float64"),
    "objects": np.array([1.5, None, 3] * 10, object),
    "timedelta": pd.to_timedelta([1, None, 3] * 10, unit="s"),
    "dates": pd.to_datetime(["2024-01-01", None, "2024-03-01"] * 10),
    "zoned": pd.to_datetime(["2024-01-01", None, "2024-03-01"] * 10).tz_localize("Europe/Berlin"),
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_missing_numbers_of_any_dtype_are_missing(open_table: Open, values: object) -> None:
    frame = pd.DataFrame({"n": values, "x": np.arange(30) / 7, "label": ["a", "b"] * 15})
    data = open_table(frame, target="label").data
    assert data.spec.columns["n"] in ("number", "date")
    assert np.isnan(data.X.numbers[:, 0]).tolist() == [False, True, False] * 10


def test_another_value_in_memory_is_other_data(open_table: Open, columns: Columns) -> None:
    frame = pd.DataFrame(columns)
    first = open_table(frame, target="label").data.spec
    frame.loc[3, "x"] = 99.0
    assert open_table(frame, target="label").data.spec.fingerprint != first.fingerprint


def test_a_test_set_in_memory_follows_training(open_table: Open, columns: Columns, tmp_path: Path) -> None:
    train = open_table(pd.DataFrame(columns), target="label", drop=("price", "w", "house")).data
    X = pd.DataFrame({"day": ["2024-05-01"], "colour": ["red"], "x": [2.5]})
    test = prepare_test((X, ["yes"]), train, cache=tmp_path / "cache").data
    assert (test.y.tolist(), test.X.numbers[0, 0]) == ([1], 2.5)


REFUSED = {
    "one-axis": ((np.zeros(4), [1] * 4), r"X: shape \(rows, columns\) is needed for a table. Got \(4,\)"),
    "images": ((np.zeros((4, 8, 8)), [1] * 4), r"Got \(4, 8, 8\), ndarray"),
    "ragged": (([[1], [1, 2]], [1, 2]), "X: rows of one length are needed"),
    "length": ((np.zeros((4, 2)), [1, 2]), "one target per row is needed. Got 2 targets for 4 rows"),
    "y-shape": ((np.zeros((4, 2)), np.zeros((4, 2))), r"y: shape \(n,\) is needed. Got \(4, 2\)"),
    "three": ((1, 2, 3), r"arrays of a table are given as \(X, y\). Got a tuple of 3"),
    "no-rows": (pd.DataFrame({"a": []}), "rows and columns are needed. Got 0 rows, 1 columns"),
    "no-columns": (pd.DataFrame(), "rows and columns are needed. Got 0 rows, 0 columns"),
    "levels": (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), "Got 2 levels"),
    "name-taken": (
        (pd.DataFrame({"y": [1]}), pd.Series([1], name="y")),
        "y is called 'y', and X has a column of that name",
    ),
    "complex": (
        (np.zeros((4, 1), complex), [1] * 4),
        "column 'x0': numbers, texts or dates are needed. Got dtype complex",
    ),
    "repeated": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "names must differ. Got 'a' twice"),
    "lists": (pd.DataFrame({"a": [[1], [2]]}), "column 'a', row 1: a value must be text, a number"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_in_memory_is_refused(given: object, message: str) -> None:
    with pytest.raises((DataError, InputError), match=message):
        table_in_memory(given, "data")


def test_a_named_target_contradicts_arrays_with_one(open_table: Open) -> None:
    with pytest.raises(DataError, match=r"target 'z': data given as \(X, y\) has its target in y"):
        open_table((np.zeros((4, 1)), ["a", "b"] * 2), target="z")


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_chunks_join_to_the_table(rows: int) -> None:
    table = MemoryTable({"a": np.arange(7.0), "b": list("abcdefg")}, "data")
    chunks = list(table.chunks(["b"], rows))
    assert [text for chunk in chunks for text in chunk["b"]] == list("abcdefg")
    assert {tuple(chunk) for chunk in chunks} == {("b",)}


def test_the_hash_tells_texts_from_numbers_and_names() -> None:
    tables = [{"a": ["1"]}, {"a": np.array([1.0])}, {"b": ["1"]}, {"a": ["1", "1"]}]
    assert len({MemoryTable(columns, "d").sha256() for columns in tables}) == 4
