"""Series are the same however they come: as arrays of any layout, lists, or tables in any order, cut anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.serving import encoders
from automl.serving.errors import InputError, ModelError
from automl.serving.rows import arrays_of, load_rows, rows_of, save_rows
from automl.serving.series import CHANNEL_KINDS, MAX_CHANNELS, Series, SeriesRule
from automl.serving.series_arrays import LARGEST, MAX_VALUES, check_size, series_of_array, series_of_list
from automl.serving.series_ids import SeriesIds
from automl.serving.series_input import SeriesInput
from automl.serving.series_long import LongReader, channel_columns, series_of_chunk, wanted_columns
from automl.serving.series_read import is_arrays, read_series, series_of

NAN = np.nan
RULE = SeriesRule(("x", "y", "z"), "id", "t")
RNG = np.random.default_rng(4)
LENGTHS = RNG.integers(1, 9, 25).tolist()
PARTS = [RNG.normal(size=(length, 3)).astype(np.float32) for length in LENGTHS]
for _part in PARTS:
    _part[RNG.random(_part.shape) < 0.3] = np.nan
    _part[-1, 0] = 1.0  # so that what is missing at the end is no padding
SERIES = Series.of(PARTS)


def parts_of(series: Any) -> list[bytes]:
    """Return the values of each series, its shape with them."""
    packed = series.packed()
    parts = np.split(packed.values, packed.ends[:-1]) if len(packed.ends) else []
    return [str(part.shape).encode() + (part + 0).tobytes() for part in parts]


EXPECTED = parts_of(SERIES)


def frame(order: np.ndarray | None = None) -> pd.DataFrame:
    """Return the series as a table with one step a row, in some order."""
    columns = pd.DataFrame(np.concatenate(PARTS), columns=["x", "y", "z"]).astype(np.float64)
    columns["id"] = np.repeat([f"s{row}" for row in range(len(PARTS))], LENGTHS)
    columns["t"] = np.concatenate([np.arange(length) for length in LENGTHS])
    return columns if order is None else columns.iloc[order]


def wide(dtype: Any = np.float32) -> np.ndarray:
    return np.asarray(SERIES.padded(), dtype)


def read_only(X: np.ndarray) -> np.ndarray:
    X = X.copy()
    X.flags.writeable = False
    return X


LAYOUTS: dict[str, Callable[[], np.ndarray]] = {
    "plain": wide,
    "double": lambda: wide(np.float64),
    "fortran": lambda: np.asfortranarray(wide()),
    "steps in front": lambda: np.ascontiguousarray(wide().transpose(2, 0, 1)).transpose(1, 2, 0),
    "backwards in memory": lambda: np.ascontiguousarray(wide()[::-1, ::-1, ::-1])[::-1, ::-1, ::-1],
    "every second": lambda: np.repeat(wide(), 2, axis=2)[:, :, ::2],
    "read only": lambda: read_only(wide()),
    "big-endian": lambda: wide().astype(">f4"),
    "more padding": lambda: np.pad(wide(), ((0, 0), (0, 0), (0, 7)), constant_values=NAN),
}


@pytest.mark.parametrize("given", LAYOUTS.values(), ids=LAYOUTS)
def test_an_array_of_any_layout_holds_the_same_series(given: Callable[[], np.ndarray]) -> None:
    series = series_of_array(given(), "X")
    assert parts_of(series) == EXPECTED
    assert series.values.dtype == np.dtype("=f4")


@pytest.mark.parametrize("given", LAYOUTS.values(), ids=LAYOUTS)
def test_reading_an_array_leaves_it_as_it_was(given: Callable[[], np.ndarray]) -> None:
    X = given()
    before = X.tobytes()
    series_of_array(X, "X").values[:] = -1
    assert X.tobytes() == before


LENGTH_TYPES: dict[str, Any] = {
    "list": LENGTHS, "tuple": tuple(LENGTHS), "bytes": np.array(LENGTHS, np.uint8), "floats": np.array(LENGTHS, float),
    "column": pd.Series(LENGTHS, index=range(100, 125)),
}  # fmt: skip


@pytest.mark.parametrize("lengths", LENGTH_TYPES.values(), ids=LENGTH_TYPES)
def test_lengths_of_any_type_say_what_padding_says(lengths: Any) -> None:
    assert parts_of(series_of_array(wide(), "X", lengths=lengths)) == EXPECTED


def known_steps(X: np.ndarray) -> list[int]:
    """Return the steps of each series, one value after the other."""
    found = []
    for one in X.tolist():
        last = 0
        for channel in one:
            last = max([last, *(place for place, value in enumerate(channel, 1) if value == value)])
        found.append(max(1, last))
    return found


@pytest.mark.parametrize("share", [0.2, 0.8, 0.97, 1.0], ids=str)
def test_a_series_ends_with_its_last_known_step(share: float) -> None:
    X = RNG.normal(size=(40, 2, 6))
    X[RNG.random(X.shape) < share] = NAN
    assert series_of_array(X, "X").lengths.tolist() == known_steps(X)


def test_the_series_of_an_array_are_those_of_its_slices() -> None:
    X = RNG.normal(size=(30, 2, 6)).astype(np.float32)
    X[RNG.random(X.shape) < 0.7] = NAN
    whole = parts_of(series_of_array(X, "X"))
    assert [parts_of(series_of_array(X[row : row + 1], "X"))[0] for row in range(30)] == whole


SINGLE: dict[str, Any] = {"largest": LARGEST, "least": -LARGEST, "nearly nothing": 1e-300}


@pytest.mark.parametrize("value", SINGLE.values(), ids=SINGLE)
def test_what_single_precision_holds_is_read_as_it_is(value: float) -> None:
    expected = [np.float32(value)]
    assert series_of_array(np.array([[[value]]]), "X").values.ravel().tolist() == expected
    assert series_of_list([[[value]]], "X").values.ravel().tolist() == expected


@pytest.mark.parametrize("value", [np.nextafter(LARGEST, np.inf), -1e300, np.inf], ids=["next", "far", "infinite"])
@pytest.mark.parametrize("row", [0, 7, 19], ids=str)
def test_what_it_does_not_hold_is_named_by_its_place(value: float, row: int) -> None:
    X = np.zeros((20, 3, 4))
    X[row, 2, 1] = value
    for read, given in ((series_of_array, X), (series_of_list, list(X.transpose(0, 2, 1)))):
        with pytest.raises(InputError, match=rf"in series {row + 1}, channel '2', step 2\. Mend it or write NaN"):
            read(given, "X")  # type: ignore[operator]


LISTS: dict[str, Any] = {
    "arrays": PARTS,
    "lists": [part.tolist() for part in PARTS],
    "tuples": tuple(tuple(map(tuple, part.tolist())) for part in PARTS),
    "doubles": [part.astype(np.float64) for part in PARTS],
    "views": [np.asfortranarray(part) for part in PARTS],
    "frames": [pd.DataFrame(part) for part in PARTS],
}


@pytest.mark.parametrize("given", LISTS.values(), ids=LISTS)
def test_a_list_of_anything_like_arrays_holds_the_same_series(given: Any) -> None:
    assert parts_of(series_of_list(given, "X")) == EXPECTED


def test_series_of_one_step_without_values_stand_between_the_others() -> None:
    series = series_of_list([[], PARTS[0], np.zeros((0, 3)), PARTS[1], []], "X")
    assert series.lengths.tolist() == [1, LENGTHS[0], 1, LENGTHS[1], 1]
    assert np.isnan(series[np.array([0, 2, 4])].packed().values).all()


@pytest.mark.parametrize("rows", [1, 7, 1000], ids=str)
@pytest.mark.parametrize("mixed", [False, True], ids=["in order", "mixed"])
def test_a_table_cut_anywhere_holds_the_series_of_the_arrays(rows: int, mixed: bool) -> None:
    order = np.random.default_rng(1).permutation(sum(LENGTHS)) if mixed else None
    table = frame(order)
    reader = LongReader(RULE, "d.csv")
    for start in range(0, len(table), rows):
        part = table.iloc[start : start + rows]
        reader.add({name: part[name].tolist() if name == "id" else part[name].to_numpy(float) for name in part})
    found = reader.finish()
    assert [EXPECTED[int(name[1:])] for name in found.names] == parts_of(found.series)


@pytest.mark.parametrize("name", ["s.csv", "s.tsv"])
def test_a_file_holds_the_series_that_were_written(name: str, tmp_path: Path) -> None:
    separator = "\t" if name.endswith("tsv") else ","
    table = frame(np.random.default_rng(2).permutation(sum(LENGTHS)))
    table.to_csv(tmp_path / name, sep=separator, index=False, float_format="%.17g")
    rows = read_series(tmp_path / name, RULE)
    assert [EXPECTED[int(given[1:])] for given in rows.names] == parts_of(rows.X)


def test_an_archive_holds_the_series_that_were_written(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "s.npz", X=wide(np.float64), lengths=np.array(LENGTHS, np.int16))
    rows = read_series(tmp_path / "s.npz", RULE)
    assert (rows.names, parts_of(rows.X)) == (list(map(str, range(25))), EXPECTED)


def test_the_order_of_columns_makes_no_difference() -> None:
    turned = frame()[["z", "t", "y", "id", "x"]]
    assert parts_of(series_of(turned, RULE, "X")) == EXPECTED


def test_the_order_of_channels_is_that_of_the_rule() -> None:
    rule = SeriesRule(("z", "x"), "id", "t")
    assert parts_of(series_of(frame(), rule, "X")) == parts_of(Series.of([part[:, [2, 0]] for part in PARTS]))


def test_a_table_of_no_rows_has_no_series() -> None:
    found = series_of_chunk({"id": [], "t": [], "x": [], "y": [], "z": []}, RULE, "rows")
    assert (found.names, len(found.series), found.series.channels) == ([], 0, 3)


@pytest.mark.parametrize("size", [1, 3, 50], ids=str)
def test_ids_are_numbered_as_they_first_come_however_they_are_cut(size: int) -> None:
    given = RNG.choice(["a", "b", " ü ", "Ä", "日本", "a b", "0x1", "-"], 50).tolist()
    ids, codes = SeriesIds("id", "d.csv"), []
    for start in range(0, 50, size):
        codes += ids.codes(given[start : start + size]).tolist()
    seen = list(dict.fromkeys(text.strip() for text in given))
    assert (ids.names, codes, ids.rows) == (seen, [seen.index(text.strip()) for text in given], 50)


def test_a_row_without_an_id_is_counted_over_chunks() -> None:
    ids = SeriesIds("who", "d.csv")
    ids.codes(["a"] * 7)
    with pytest.raises(InputError, match=r"d\.csv: column 'who': every row needs .* Got none in row 10\."):
        ids.codes(["a", "b", ""])


@pytest.mark.parametrize(
    ("given", "expected"),
    [(np.zeros((2, 3)), True), ([[1.0]], True), ([], True), ((), True), ([{"a": 1}, [2]], True),
     ([{"a": 1}], False), ({"a": [1]}, False), (np.zeros(2, [("a", float)]), False), (pd.DataFrame({"a": [1]}), False)],
    ids=["array", "list", "no list", "no tuple", "mixed", "rows", "columns", "structured", "frame"],
)  # fmt: skip
def test_what_is_an_array_is_told_from_what_is_a_table(given: Any, expected: bool) -> None:
    assert is_arrays(given) is expected


def slow_padded(series: Series, steps: int) -> np.ndarray:
    out = np.full((len(series), series.channels, steps), NAN, np.float32)
    packed = series.packed()
    for row, part in enumerate(np.split(packed.values, packed.ends[:-1])):
        for step, values in enumerate(part[:steps]):
            out[row, :, step] = values
    return out


@pytest.mark.parametrize("steps", [1, 4, 8, 30], ids=str)
@pytest.mark.parametrize("rows", [slice(None), slice(20, 3, -4), np.array([7, 7, 0])], ids=["all", "back", "some"])
def test_padding_is_step_by_step_what_plain_python_makes(rows: Any, steps: int) -> None:
    taken = SERIES[rows]
    np.testing.assert_array_equal(taken.padded(steps), slow_padded(taken, steps))
    assert taken.padded(steps).flags.c_contiguous


def test_padded_series_are_read_back() -> None:
    again = series_of_array(SERIES[::-1].padded(30), "X")
    assert parts_of(again[::-1]) == EXPECTED


def test_taking_rows_twice_is_taking_the_rows_of_rows() -> None:
    one, other = RNG.integers(0, 25, 40), RNG.integers(0, 40, 60)
    assert parts_of(SERIES[one][other]) == parts_of(SERIES[one[other]])


def test_packed_series_share_nothing_with_those_they_came_from() -> None:
    series = Series.of(PARTS)
    series[2:5].packed().values[:] = -1
    assert parts_of(series) == EXPECTED


@pytest.mark.parametrize("rows", [slice(0, 0), slice(3, 4), slice(None, None, -2)], ids=["none", "one", "back"])
def test_saved_series_hold_only_their_own_steps(rows: slice, tmp_path: Path) -> None:
    save_rows(tmp_path / "rows.npz", SERIES[rows])
    again = load_rows(tmp_path / "rows.npz")
    assert isinstance(again, Series)
    assert (parts_of(again), len(again.values)) == (EXPECTED[rows], sum(LENGTHS[rows]))


def test_arrays_of_series_are_named_and_typed() -> None:
    arrays = arrays_of(SERIES[3:])
    assert {name: array.dtype for name, array in arrays.items()} == {"series_values": "f4", "series_ends": "i8"}
    assert parts_of(rows_of(arrays)) == EXPECTED[3:]


def test_pickles_among_saved_rows_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", series_values=np.array([None], object), series_ends=np.array([1]))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_rows(tmp_path / "rows.npz")


def test_the_most_values_are_let_through_and_one_more_is_not() -> None:
    check_size(MAX_VALUES // 4, 4, "X")
    with pytest.raises(InputError, match=rf"at most {MAX_VALUES:,} values .* in 4 channels\. Split the data"):
        check_size(MAX_VALUES // 4 + 1, 4, "X")


def test_the_most_channels_are_read() -> None:
    assert series_of_array(np.zeros((1, MAX_CHANNELS, 1), np.int8), "X").channels == MAX_CHANNELS
    assert SeriesRule.from_json(SeriesRule(tuple(map(str, range(MAX_CHANNELS)))).to_json()).channels[-1] == "9999"


NAMES = ["id", "x\ty", "ü", " ", "日本", '"']


@pytest.mark.parametrize("kinds", [(), CHANNEL_KINDS * 2], ids=["plain", "kinds"])
def test_a_rule_with_names_of_any_kind_survives_a_file(kinds: Any) -> None:
    rule = SeriesRule(tuple(NAMES), "who\n", "", kinds)
    assert SeriesRule.from_json(json.loads(json.dumps(rule.to_json()))) == rule


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, [None], ["x", "x"], {"x": 1}], ids=str)
def test_a_rule_whose_channels_are_no_different_names_is_refused(junk: Any) -> None:
    with pytest.raises(ModelError, match=r"^input: channels must be 1 to 10000 different names\. Got ['\"]"):
        SeriesRule.from_json({"kind": "series", "channels": junk, "id": "", "time": ""})


@pytest.mark.parametrize("key", ["id", "time"])
@pytest.mark.parametrize("junk", [None, 1, ["id"], {}, True], ids=str)
def test_a_rule_whose_id_or_time_is_no_name_is_refused(key: str, junk: Any) -> None:
    with pytest.raises(ModelError, match=r"^input: id and time must be names of columns\. Got ['\"]"):
        SeriesRule.from_json({**RULE.to_json(), key: junk})


def test_columns_of_a_rule_are_its_channels_in_order_with_their_kinds() -> None:
    columns = channel_columns(SeriesRule(("a", "b", "c"), "id", "", ("comma", "boolean", "number")))
    assert [(c.name, c.kind, c.format) for c in columns] == [
        ("a", "number", ","), ("b", "boolean", ""), ("c", "number", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(("id_", "time", "head"), [("i", "t", ["i", "t"]), ("i", "", ["i"]), ("", "", [])], ids=str)
def test_no_more_columns_are_read_than_the_rule_names(id_: str, time: str, head: list[str]) -> None:
    assert wanted_columns(SeriesRule(("b", "a"), id_, time)) == [*head, "b", "a"]


@pytest.mark.parametrize("count", [0, 1, 2, 60], ids=str)
def test_made_up_series_are_the_same_for_the_same_seed(count: int) -> None:
    one, other = (SeriesInput(RULE, None).made_up(count, np.random.default_rng(3)) for _ in range(2))  # type: ignore[arg-type]
    assert parts_of(one) == parts_of(other)
    assert (len(one), one.channels) == (count, 3)


def test_each_kind_of_encoder_is_refused_another_kind_of_plan() -> None:
    plan = {"version": 1, "kind": "summary", "channels": 1, "longest": 5, "points": 0, "parts": ["length"]}
    assert encoders.encoder_of("series", plan).width == 1
    for kind in ("table", "text"):
        with pytest.raises(ValueError, match=r"^plan: .* Got"):
            encoders.encoder_of(kind, plan)
