"""Tables with one step a row become series, in whatever order the rows come and however they are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.errors import InputError
from automl.serving.series import Series, SeriesRule
from automl.serving.series_long import LongReader, LongSeries, series_of_chunk
from automl.serving.table_cells import Chunk

RULE = SeriesRule(("x", "up"), "id", "t", ("number", "boolean"))
TABLE: Chunk = {
    "id": ["b", "a", "b", "a", "c"],
    "t": ["2", "9", "1", "10", "0"],
    "x": ["4", "1", "3", "", "5"],
    "up": ["yes", "no", "no", "yes", "yes"],
}


def read(chunk: Chunk = TABLE, rule: SeriesRule = RULE, *, rows: int = 1000) -> LongSeries:
    """Return a table as series, read in chunks of so many rows."""
    reader = LongReader(rule, "d.csv")
    for start in range(0, len(chunk["id"]), rows):
        reader.add({name: cells[start : start + rows] for name, cells in chunk.items()})
    return reader.finish()


def same(one: Series, other: list[Any] | Series) -> bool:
    expected = other if isinstance(other, Series) else Series.of(np.array(part) for part in other)
    a, b = one.packed(), expected.packed()
    return np.array_equal(a.values, b.values, equal_nan=True) and np.array_equal(a.ends, b.ends)


def test_series_come_in_the_order_of_their_first_rows_and_steps_in_that_of_time() -> None:
    found = read()
    assert found.names == ["b", "a", "c"]
    assert same(found.series, [[[3, 0], [4, 1]], [[1, 0], [np.nan, 1]], [[5, 1]]])


def test_without_a_time_steps_stay_as_they_come() -> None:
    found = read(rule=SeriesRule(("x",), "id"))
    assert same(found.series, [[[4], [3]], [[1], [np.nan]], [[5]]])


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_size_of_chunks_makes_no_difference(rows: int) -> None:
    assert same(read(rows=rows).series, read().series)


def test_the_order_of_rows_makes_no_difference_but_for_the_order_of_series() -> None:
    rng = np.random.default_rng(0)
    ids, times = np.repeat(np.arange(30), 20), np.tile(np.arange(20.0), 30)
    chunk: Chunk = {"id": ids.astype(np.float64), "t": times, "x": rng.normal(0, 1, 600), "up": np.tile([1.0, 0], 300)}
    order = rng.permutation(600)
    mixed = read({name: np.asarray(cells)[order] for name, cells in chunk.items()})
    places = [mixed.names.index(str(number)) for number in range(30)]
    assert same(mixed.series[np.array(places)], read(chunk).series)


@pytest.mark.parametrize(
    "times",
    [["2024-01-03", "2024-01-02", "2024-01-01"], ["3.5", "2.5", "-1"], np.array([3.0, 2.0, 1.0]), ["$3", "$2", "$1"]],
    ids=["dates", "texts", "numbers", "amounts"],
)
def test_times_may_be_written_in_many_ways(times: Any) -> None:
    found = read({"id": ["a"] * 3, "t": times, "x": ["1", "2", "3"], "up": ["y"] * 3})
    assert found.series.values[:, 0].tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    "ids",
    [["1", "1.0", " 1 "], [" a", "a ", "a"], ["NA", "NA", "NA"], np.array([7.0, 7.0, 7.0]), ["-", "-", "-"]],
    ids=["numbers", "spaces", "a-country", "floats", "a-dash"],
)
def test_ids_are_equal_however_they_are_written(ids: Any) -> None:
    assert len(read({"id": ids, "t": ["1", "2", "3"], "x": ["1"] * 3, "up": ["y"] * 3}).names) == 1


def test_steps_of_equal_time_are_told_and_stay_in_order() -> None:
    found = read({"id": ["a", "b", "a", "a"], "t": ["2", "2", "1", "2"], "x": ["1", "2", "3", "4"], "up": ["y"] * 4})
    assert found.series.values[:, 0].tolist() == [3, 1, 4, 2]
    assert "1 steps have the time of the step before in the same series, such as in 'a'" in found.notes[0].message


def test_equal_times_of_other_series_are_nothing_special() -> None:
    assert read().notes == []


def test_a_decimal_comma_is_read_where_training_had_one() -> None:
    rule = SeriesRule(("x",), "id", kinds=("comma",))
    assert read({"id": ["a", "a"], "x": ["1,5", "1.234,25"]}, rule).series.values[:, 0].tolist() == [1.5, 1234.25]


def test_odd_values_count_as_missing_and_are_told() -> None:
    found = read({**TABLE, "x": ["4", "off", "3", "1", "5"]})
    assert np.isnan(found.series.values[:, 0]).sum() == 1
    assert "column 'x': 1 values are no numbers, such as 'off'" in found.notes[0].message


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": ["b", "a", " ", "a", "c"]}, "column 'id': every row needs the id of its series.* in row 3"),
    "no id number": ({"id": np.array([1, 1, np.nan, 2, 2])}, "Got none in row 3"),
    "no time": ({"t": ["2", "9", "1", "", "0"]}, "column 't': every row needs a time, .* Got '' in row 4"),
    "no such time": ({"t": ["2", "9", "soon", "1", "0"]}, "Got 'soon' in row 3"),
    "infinite": ({"x": ["4", "inf", "3", "1", "5"]}, "d.csv: row 2: column 'x': values must be finite, .* Got 'inf'"),
    "infinite number": ({"x": np.array([1, 2, 3, -np.inf, 5])}, "row 4: column 'x': .* Got '-inf'"),
    "too large": ({"x": ["4", "", "1e39", "1", "5"]}, "row 3: .* Got '1e39'"),
    "words": ({"x": ["a", "b", "c", "1", "5"]}, "column 'x' had numbers in training. Got 'a' and 2 more"),
}  # fmt: skip


@pytest.mark.parametrize("rows", [5, 1])
@pytest.mark.parametrize(("columns", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_step_is_named_with_its_row(columns: dict[str, Any], message: str, rows: int) -> None:
    with pytest.raises(InputError, match=message):
        read({**TABLE, **columns}, rows=rows)


@pytest.mark.parametrize("name", ["id", "t", "x", "up"])
def test_a_missing_column_is_named(name: str) -> None:
    chunk = {column: cells for column, cells in TABLE.items() if column != name}
    with pytest.raises(InputError, match=f"rows: 1 of the columns of the training data are missing: '{name}'"):
        series_of_chunk(chunk, RULE, "rows")


def test_further_columns_are_left_alone() -> None:
    assert same(series_of_chunk({**TABLE, "more": ["?"] * 5}, RULE, "rows").series, read().series)
