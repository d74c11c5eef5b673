"""Parquet files are tables: every type of value in batches, or one line of refusal."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from automl.data.table_parquet import open_parquet
from automl.serving.errors import InputError
from automl.serving.table_cells import Cells

from .conftest import Columns, Open, Write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "d.parquet"


def cells(path: Path, values: Any) -> Cells:
    pq.write_table(pa.table({"a": values}), path)
    (chunk,) = open_parquet(path).chunks()
    return chunk["a"]


NUMBERS = {
    "int": (pa.array([1, None, 3]), [1, np.nan, 3]),
    "int8": (pa.array([1, 2, 3], pa.int8()), [1, 2, 3]),
    "uint64": (pa.array([1, 2], pa.uint64()), [1, 2]),
    "float32": (pa.array([0.5, None], pa.float32()), [0.5, np.nan]),
    "half": (pa.array(np.array([0.5, 2], np.float16)), [0.5, 2]),
    "decimal": (pa.array([Decimal("1.25"), None]), [1.25, np.nan]),
    "duration": (pa.array([datetime.timedelta(seconds=90), None]), [90, np.nan]),
    "coded": (pa.array([5, 7, 5]).dictionary_encode(), [5, 7, 5]),
}
TEXTS = {
    "text": (pa.array(["a", None, ""]), ["a", "", ""]),
    "large": (pa.array(["a"], pa.large_string()), ["a"]),
    "categories": (pa.array(["x", "y", None]).dictionary_encode(), ["x", "y", ""]),
    "truth": (pa.array([True, False, None]), ["true", "false", ""]),
    "long-ids": (pa.array([2**60 + 1]), ["1152921504606846977"]),
    "date": (pa.array([datetime.date(2024, 3, 1), None]), ["2024-03-01T00:00:00", ""]),
    "moment": (pa.array([datetime.datetime(2024, 3, 1, 10, 0, 1)], pa.timestamp("s")), ["2024-03-01T10:00:01.000"]),
    "zone": (pa.array([0], pa.timestamp("s", "Asia/Tokyo")), ["1970-01-01T00:00:00.000"]),
    "time": (pa.array([datetime.time(10, 30)]), ["10:30:00.000000"]),
    "null": (pa.nulls(2), ["", ""]),
}


@pytest.mark.parametrize(("values", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_float64(path: Path, values: Any, expected: list[float]) -> None:
    found = cells(path, values)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, np.array(expected, np.float64), equal_nan=True)


@pytest.mark.parametrize(("values", "expected"), TEXTS.values(), ids=TEXTS)
def test_all_else_is_text(path: Path, values: Any, expected: list[str]) -> None:
    assert cells(path, values) == expected


REFUSED = {
    "list": pa.array([[1, 2]]),
    "struct": pa.array([{"b": 1}]),
    "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
    "bytes": pa.array([b"x"]),
    "fixed-bytes": pa.array([b"xy"], pa.binary(2)),
}


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED)
def test_a_column_that_is_no_value_is_refused_with_its_type(path: Path, values: Any) -> None:
    with pytest.raises(InputError, match=r"column 'a': a value must be text.* Got the type .*leave it out: --drop a"):
        cells(path, values)


def test_a_column_that_is_not_read_may_be_anything(path: Path) -> None:
    pq.write_table(pa.table({"a": [[1]], "b": [1.0]}), path)
    assert [chunk["b"].tolist() for chunk in open_parquet(path).chunks(["b"])] == [[1.0]]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_batches_hold_so_many_rows_across_row_groups(path: Path, size: int) -> None:
    pq.write_table(pa.table({"a": np.arange(20.0)}), path, row_group_size=6)
    chunks = [chunk["a"] for chunk in open_parquet(path).chunks(rows=size)]
    assert max(map(len, chunks)) <= size
    assert np.concatenate(chunks).tolist() == list(range(20))


def test_row_labels_of_a_data_frame_are_left_out_and_told(path: Path) -> None:
    pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index([7, 9])).to_parquet(path)
    table = open_parquet(path)
    assert (table.names, [note.code for note in table.notes]) == (("a",), ["index-left-out"])


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-20], lambda b: b"", lambda b: b"PAR1" + b[9:], lambda b: b"a,b\n1,2\n"],
    ids=["cut", "empty", "altered", "text"],
)  # fmt: skip
def test_a_damaged_file_is_refused_in_one_line(path: Path, damage: Any) -> None:
    pq.write_table(pa.table({"a": np.arange(1000.0)}), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        InputError, match=r"^[^\n]*d.parquet: cannot be read as Parquet \([^\n]*Write the file again\.$"
    ):
        list(open_parquet(path).chunks())


def test_names_that_repeat_are_refused(path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(InputError, match=r"column names must differ. Got 'a' twice"):
        open_parquet(path)


def test_a_table_without_columns_is_refused(path: Path) -> None:
    pq.write_table(pa.table({}), path)
    with pytest.raises(InputError, match=r"at least one column is needed. Got 0"):
        open_parquet(path)


def test_parquet_is_the_table_of_its_csv(open_table: Open, write: Write, columns: Columns, path: Path) -> None:
    pd.DataFrame(columns).to_parquet(path)
    parquet, csv = (open_table(source, target="label").data.spec for source in (path, write(**columns)))
    assert parquet.fingerprint == csv.fingerprint
