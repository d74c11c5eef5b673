"""Rows are saved without pickles and come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.serving.rows import Rows, arrays_of, load_rows, rows_of, save_rows
from automl.serving.table import Table
from automl.serving.texts import Texts

NUMBERS = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, -1.0]])
TABLES = {
    "numbers": Table(NUMBERS),
    "texts": Table(NUMBERS, (Texts.of(["a", "", "c"]), Texts.of(["ü", "y", "z"]))),
    "texts alone": Table(np.zeros((2, 0)), (Texts.of(["a", "b"]),)),
    "no rows": Table(np.zeros((0, 2)), (Texts.of([]),)),
}


def same(table: Table, other: Table) -> bool:
    texts = [list(column) for column in table.texts] == [list(column) for column in other.texts]
    return texts and np.array_equal(table.numbers, other.numbers, equal_nan=True)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_saved_table_comes_back(tmp_path: Path, table: Table) -> None:
    save_rows(tmp_path / "rows.npz", table)
    assert same(load_rows(tmp_path / "rows.npz"), table)


def test_a_saved_array_comes_back(tmp_path: Path) -> None:
    X = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    save_rows(tmp_path / "rows.npz", X)
    np.testing.assert_array_equal(load_rows(tmp_path / "rows.npz"), X)


def test_more_than_ten_texts_keep_their_order() -> None:
    texts = tuple(Texts.of([str(number)]) for number in range(12))
    table = rows_of(arrays_of(Table(np.zeros((1, 0)), texts)))
    assert [list(column) for column in table.texts] == [[str(number)] for number in range(12)]


def test_rows_of_a_table_are_taken_with_their_texts() -> None:
    assert same(TABLES["texts"][np.array([2, 0])], Table(NUMBERS[[2, 0]], (Texts.of(["c", "a"]), Texts.of(["z", "ü"]))))


def test_tables_are_joined_in_order() -> None:
    table = TABLES["texts"]
    assert same(Table.joined([table[:1], table[1:1], table[1:]]), table)


def test_rows_have_no_notes_unless_they_are_given() -> None:
    assert Rows(["0"], NUMBERS[:1]).notes == ()
