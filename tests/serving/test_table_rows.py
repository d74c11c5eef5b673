"""Cells become the same rows from every kind of file and object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from automl.serving.errors import InputError, ModelError
from automl.serving.table import Column, Table, TableRule
from automl.serving.table_rows import ChunkReader, read_table, table_of, to_table

RULE = TableRule((
    Column("size", "number"),
    Column("new", "boolean"),
    Column("said", "text"),
    Column("colour", "category", ("red", "3", "true")),
    Column("day", "date"),
))  # fmt: skip
NUMBERS = np.array([[1.5, 1, 0, 86400], [np.nan, 0, 1, 0], [3, np.nan, np.nan, np.nan], [4, 1, -1, 0.5]])
SAID = ["one two", "", "drei", "four"]
CSV = """day,said,colour,size,new
1970-01-02,one two,red,1.5,yes
1970-01-01,,3.0,,no
,drei,,3,
1970-01-01 00:00:00.5, four ,lilac,$4,TRUE
"""
COLUMNS = {
    "day": ["1970-01-02", "1970-01-01", None, "1970-01-01T00:00:00.5"],
    "said": ["one two", None, "drei", "four"],
    "colour": ["red", 3, None, "lilac"],
    "size": [1.5, None, 3, 4],
    "new": [True, False, None, True],
}
ROWS = [{name: column[row] for name, column in COLUMNS.items() if column[row] is not None} for row in range(4)]
DAYS = pd.to_datetime(COLUMNS["day"], format="ISO8601")
OBJECTS = {
    "dict of columns": COLUMNS,
    "list of dicts": ROWS,
    "data frame": pd.DataFrame(COLUMNS),
    "data frame with types": pd.DataFrame({**COLUMNS, "day": DAYS, "new": pd.array(COLUMNS["new"], dtype="boolean")}),
    "data frame with a zone": pd.DataFrame({**COLUMNS, "day": DAYS.tz_localize("UTC")}),
    "arrow": pa.table({**COLUMNS, "colour": ["red", "3", None, "lilac"], "day": DAYS}),
    "array": np.array([[ROWS[row].get(column.name) for column in RULE.columns] for row in range(4)], object),
    "further columns": {**COLUMNS, "other": [1, 2, 3, 4]},
}


def check(table: Table) -> None:
    np.testing.assert_array_equal(table.numbers, NUMBERS)
    assert [list(texts) for texts in table.texts] == [SAID]


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_csv_file_becomes_rows_by_the_rule(tmp_path: Path) -> None:
    rows = read_table(written(tmp_path, CSV), RULE)
    check(rows.X)
    assert (rows.names, rows.notes) == (["0", "1", "2", "3"], ())


def test_json_lines_become_the_same_rows(tmp_path: Path) -> None:
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    check(read_table(written(tmp_path, text, "t.jsonl"), RULE).X)


@pytest.mark.parametrize("rows", OBJECTS.values(), ids=OBJECTS.keys())
def test_every_object_in_memory_becomes_the_same_rows(rows: Any) -> None:
    check(table_of(rows, RULE))


def test_a_structured_array_becomes_rows() -> None:
    rows = np.array([(1.5, "a")], [("size", "f8"), ("said", "U3")])
    assert table_of(rows, TableRule((RULE.columns[0],))).numbers.tolist() == [[1.5]]


def test_an_array_of_numbers_is_in_the_order_of_the_rule() -> None:
    rule = TableRule((Column("a", "number"), Column("b", "category", ("3", "4"))))
    assert table_of(np.array([[1, 4], [2, 3]]), rule).numbers.tolist() == [[1, 1], [2, 0]]


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 5, 1)], ids=str)
def test_an_array_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"an array of shape \(n, 5\) is needed, its columns \['size'.* Got \(3"):
        table_of(np.zeros(shape), RULE)


def test_chunks_give_the_rows_of_the_whole(tmp_path: Path) -> None:
    reader = ChunkReader(RULE)
    parts = [reader.table({name: cells[start : start + 2] for name, cells in _cells().items()}) for start in (0, 2)]
    check(Table.joined(parts))


def _cells() -> dict[str, list[str]]:
    lines = [line.split(",") for line in CSV.splitlines()]
    return {name: [line[place] for line in lines[1:]] for place, name in enumerate(lines[0])}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^t\.csv: 4 of the columns .* missing: 'new', 'said'.* Got 'size', 'other'"):
        read_table(written(tmp_path, "size,other\n1,2\n"), RULE)


def test_a_missing_column_in_memory_is_named() -> None:
    with pytest.raises(InputError, match=r"1 of the columns .* missing: 'size'"):
        table_of({name: cells for name, cells in COLUMNS.items() if name != "size"}, RULE)


def test_further_columns_are_left_alone_and_told(tmp_path: Path) -> None:
    rule = TableRule((Column("size", "number"),))
    rows = read_table(written(tmp_path, "extra,size\nx,1\n"), rule)
    assert rows.X.numbers.tolist() == [[1]]
    assert rows.notes == ("t.csv: columns that the model does not use are left alone: 'extra'.",)


@pytest.mark.parametrize(
    ("kind", "cells", "wanted"),
    [("number", ["abc"], "numbers"), ("date", ["2019-02-30", "x", ""], "dates"), ("boolean", ["maybe"], "true or")],
)
def test_a_column_that_is_not_what_it_was_is_refused(kind: str, cells: list[str], wanted: str) -> None:
    with pytest.raises(InputError, match=rf"column 'x1' had {wanted}.* in training\. Got '{cells[0]}'"):
        to_table(TableRule((Column("x1", kind),)), {"x1": cells})


def test_a_few_odd_values_are_missing_and_told(tmp_path: Path) -> None:
    rows = read_table(written(tmp_path, "a,b\n1,1\n2,1\nabc,1\n"), TableRule((Column("a", "number"),)))
    assert np.isnan(rows.X.numbers[:, 0]).tolist() == [False, False, True]
    assert "column 'a': 1 values are no numbers, such as 'abc'" in rows.notes[1]


def test_a_column_without_any_value_is_missing_and_no_mistake() -> None:
    table = to_table(RULE, {column.name: ["", ""] for column in RULE.columns})
    assert np.isnan(table.numbers).all()


def test_decimal_commas_are_read_by_the_rule() -> None:
    rule = TableRule((Column("a", "number", format=","),))
    assert to_table(rule, {"a": ["1,5", "2"]}).numbers.tolist() == [[1.5], [2]]


def test_more_categories_than_are_remembered_are_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.serving.table_rows._CACHED", 1)
    rule = TableRule((Column("a", "category", ("x", "y")),))
    assert to_table(rule, {"a": ["y", "x", "z", "y "]}).numbers[:, 0].tolist() == [1, 0, -1, 1]


def test_an_unknown_format_of_dates_is_the_models_mistake() -> None:
    with pytest.raises(ModelError, match=r"column 'day': format: .* Got '%Q'"):
        ChunkReader(TableRule((Column("day", "date", format="%Q"),)))


@pytest.mark.parametrize("text", ["NA", "None", "nan", "  "])
def test_a_missing_text_is_empty(text: str) -> None:
    table = to_table(TableRule((Column("said", "text"),)), {"said": [text, "none"]})
    assert (list(table.texts[0]), table.numbers.shape) == (["", "none"], (2, 0))


def test_numbers_may_be_texts() -> None:
    assert list(to_table(TableRule((Column("said", "text"),)), {"said": np.array([3.0, np.nan])}).texts[0]) == ["3", ""]


def test_no_objects_are_no_rows() -> None:
    assert len(table_of({name: [] for name in COLUMNS}, RULE)) == 0
