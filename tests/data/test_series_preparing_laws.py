"""Laws of preparing series: any order of rows, any cut into chunks and any type give what a plain loop would give."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.core.data import Finding
from automl.data import series_findings, series_long
from automl.data.folder import DataFolder
from automl.data.labels import encode, encode_with
from automl.data.roles import Roles
from automl.data.series_arrays import LabelledSeries
from automl.data.series_channels import ChannelFinder, Channels
from automl.data.series_constants import SeriesConstant
from automl.data.series_findings import means, series_hashes
from automl.data.series_writer import SeriesGiven, write_test, write_train
from automl.data.sources import open_source
from automl.data.table_prepare import TableGiven
from automl.data.table_sides import SideArrays
from automl.errors import DataError
from automl.serving.series import Series, SeriesRule
from automl.serving.series_ids import SeriesIds
from automl.tasks import sequence_clf

SEEDS = range(5)
ROLES = Roles(target="label", series_id="id", series_time="t")
Rows = list[dict[str, Any]]


def small_parts(seed: int, *, count: int = 9, channels: int = 2, values: int = 50) -> list[np.ndarray]:
    """Return series of small whole numbers, some missing, of 1 to 6 steps."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(count):
        part = rng.integers(0, values, (rng.integers(1, 7), channels)).astype(np.float32)
        parts.append(np.where(rng.random(part.shape) < 0.1, np.float32(np.nan), part))
    return parts


def drawn_rows(seed: int) -> Rows:
    """Return rows of steps in any order, with times that recur, and the label of each series."""
    rng = np.random.default_rng(seed)
    rows = [{"id": f"p{number}", "t": int(rng.integers(0, 4)), "x": float(value[0]), "z": float(value[1]),
             "label": "ab"[number % 2]}
            for number, part in enumerate(small_parts(seed)) for value in np.nan_to_num(part)]  # fmt: skip
    return [rows[place] for place in rng.permutation(len(rows)).tolist()]


def grouped(rows: Rows) -> dict[str, Rows]:
    """Return the steps of each series in the order of time, equal times as they come: series as they first appear."""
    ids = list(dict.fromkeys(row["id"] for row in rows))
    return {name: sorted((row for row in rows if row["id"] == name), key=lambda row: row["t"]) for name in ids}


def prepared(path: Path, rows: Rows, columns: Sequence[str] = ("id", "t", "x", "z", "label")) -> DataFolder:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return open_source(path, sequence_clf.TASK, roles=ROLES, cache=path.parent / "cache").data


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_in_any_order_become_what_a_loop_over_ids_and_times_gives(seed: int, tmp_path: Path) -> None:
    rows = drawn_rows(seed)
    data, expected = prepared(tmp_path / "s.csv", rows), grouped(rows)
    flat = [[step["x"], step["z"]] for steps in expected.values() for step in steps]
    assert data.X.values.tolist() == flat
    assert data.X.lengths.tolist() == [len(steps) for steps in expected.values()]
    assert [data.spec.classes[code] for code in data.y] == [steps[0]["label"] for steps in expected.values()]


@pytest.mark.parametrize("seed", SEEDS)
def test_where_the_roles_stand_in_a_table_changes_nothing(seed: int, tmp_path: Path) -> None:
    rows = drawn_rows(seed)
    first = prepared(tmp_path / "a" / "s.csv", rows)
    other = prepared(tmp_path / "b" / "s.csv", rows, ("x", "label", "t", "z", "id"))
    assert other.spec.fingerprint == first.spec.fingerprint


@pytest.mark.parametrize("seed", SEEDS)
def test_the_facts_of_a_table_are_counts_of_its_series(seed: int, tmp_path: Path) -> None:
    rows = drawn_rows(seed)
    spec, expected = prepared(tmp_path / "s.csv", rows).spec, grouped(rows)
    labels = [steps[0]["label"] for steps in expected.values()]
    lengths = [len(steps) for steps in expected.values()]
    assert spec.class_counts == (labels.count("a"), labels.count("b"))
    assert spec.shape == (2, round(sum(lengths) / len(lengths)), max(lengths))
    assert sum(spec.class_counts) == spec.rows == len(expected)


def padded(parts: Sequence[np.ndarray], steps: int) -> np.ndarray:
    """Return series as an array, one value at a time."""
    out = np.full((len(parts), parts[0].shape[1], steps), np.nan)
    for row, part in enumerate(parts):
        for step, values in enumerate(part):
            out[row, :, step] = values
    return out


def from_arrays(X: object, cache: Path) -> DataFolder:
    return open_source((X, ["a", "b", "b"] * 3), sequence_clf.TASK, cache=cache).data


@pytest.mark.parametrize("more", [0, 1, 17], ids=lambda more: f"{more} more")
def test_padding_of_any_length_is_no_part_of_the_data(more: int, tmp_path: Path) -> None:
    parts = [np.nan_to_num(part) for part in small_parts(1)]
    listed = from_arrays(parts, tmp_path / "list").spec
    assert from_arrays(padded(parts, 6 + more), tmp_path / "array").spec == listed


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64", ">f8"])
def test_the_type_of_an_array_is_no_part_of_the_data(dtype: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).integers(0, 100, (9, 2, 5))
    kept = from_arrays(X.astype(dtype), tmp_path / dtype[-2:]).X.values
    assert kept.dtype == np.float32
    assert kept.tolist() == X.transpose(0, 2, 1).reshape(-1, 2).tolist()


def given(parts: Sequence[np.ndarray], **fields: Any) -> SeriesGiven:
    sides = SideArrays(np.arange(len(parts)) % 2, ("a", "b"))
    made = SeriesGiven("d", "d.npz", Series.of(parts), SeriesRule(("0", "1")), sides)
    return replace(made, **fields)


def fingerprint(folder: Path, data: SeriesGiven) -> str:
    folder.mkdir()
    write_train(folder, data, sequence_clf.TASK)
    return DataFolder(folder).spec.fingerprint


def test_one_kind_of_nan_is_as_good_as_another(tmp_path: Path) -> None:
    parts, other = small_parts(3), [part.copy() for part in small_parts(3)]
    for part in other:
        part.view(np.uint32)[np.isnan(part)] = 0xFFC00123
    assert fingerprint(tmp_path / "a", given(parts)) == fingerprint(tmp_path / "b", given(other))


def other_ends(parts: Sequence[np.ndarray]) -> Series:
    """Return series of the same steps, of which one ends a step earlier and the next begins there."""
    series = Series.of(parts)
    long = int(np.flatnonzero(series.lengths[:-1] > 1)[0])
    return Series.of_packed(series.values, series.ends - (np.arange(len(parts)) == long))


Y = np.arange(9) % 2
CHANGES: dict[str, dict[str, Any]] = {
    "a value": {"series": Series.of([*small_parts(3)[:8], small_parts(3)[8] + 1])},
    "an end": {"series": other_ends(small_parts(3))},
    "the order": {"series": Series.of(small_parts(3)[::-1])},
    "a label": {"sides": SideArrays(1 - Y, ("a", "b"))},
    "the classes": {"sides": SideArrays(Y, ("a", "c"))},
    "weights": {"sides": SideArrays(Y, ("a", "b"), weights=np.ones(9))},
    "groups": {"sides": SideArrays(Y, ("a", "b"), groups=np.arange(9))},
    "the channels": {"rule": SeriesRule(("0", "2"))},
    "the target": {"target": "label"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_is_learned_from_moves_the_fingerprint(change: dict[str, Any], tmp_path: Path) -> None:
    parts = small_parts(3)
    assert fingerprint(tmp_path / "a", given(parts)) != fingerprint(tmp_path / "b", given(parts, **change))


def test_neither_name_nor_remarks_move_the_fingerprint(tmp_path: Path) -> None:
    told = given(small_parts(3), name="e", shown="e.csv", findings=[Finding("x", "info", "y")])
    assert fingerprint(tmp_path / "a", given(small_parts(3))) == fingerprint(tmp_path / "b", told)


@pytest.mark.parametrize("count", [1, 3])
def test_test_data_may_be_as_few_series_as_training_may_not(count: int, tmp_path: Path) -> None:
    write_test(tmp_path, given(small_parts(0, count=count)))
    assert DataFolder(tmp_path).is_whole()
    with pytest.raises(DataError, match=rf"d\.npz: at least 4 series are needed\. Got {count}\. Add some\."):
        write_train(tmp_path, given(small_parts(0, count=count)), sequence_clf.TASK)


def test_no_test_series_are_refused(tmp_path: Path) -> None:
    none = given(small_parts(0), series=Series.of(small_parts(0))[:0])
    with pytest.raises(DataError, match=r"d\.npz: at least one series is needed\. Got 0\. Add some\."):
        write_test(tmp_path, none)


LABELLED = LabelledSeries(Series.of(small_parts(2)), np.arange(9), None, "data")
OTHERS: dict[str, Callable[[], LabelledSeries]] = {
    "values": lambda: LABELLED._replace(series=Series.of([part + 1 for part in small_parts(2)])),
    "ends": lambda: LABELLED._replace(series=Series.of([np.concatenate(small_parts(2))])),
    "labels": lambda: LABELLED._replace(y=np.arange(9)[::-1]),
    "labels as texts": lambda: LABELLED._replace(y=np.arange(9).astype(str)),
    "classes": lambda: LABELLED._replace(classes=list("abcdefghi")),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_the_key_of_arrays_sees_series_and_labels(other: Callable[[], LabelledSeries]) -> None:
    again = LABELLED._replace(series=Series.of(small_parts(2)), shown="elsewhere")
    assert again.sha256() == LABELLED.sha256() != other().sha256()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_series_say_of_themselves_is_gathered_alike_however_rows_are_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"n{number}" for number in rng.integers(0, 12, 60)]
    cells = [f"says {name[1:]}" for name in names]
    ids = SeriesIds("id", "d.csv")
    column = SeriesConstant("--group", "g", ids, "d.csv")
    for part in np.split(np.arange(60), np.sort(rng.integers(0, 61, 5))):
        column.add(ids.codes([names[row] for row in part]), [cells[row] for row in part])
    assert dict(zip(ids.names, column.finish(), strict=True)) == dict(zip(names, cells, strict=True))
    assert ids.names == list(dict.fromkeys(names))


def judged(columns: dict[str, list[str]], cuts: Sequence[int], *, has_time: bool = False) -> Channels:
    finder = ChannelFinder(list(columns))
    rows = len(next(iter(columns.values())))
    for start, end in zip([0, *cuts], [*cuts, rows], strict=True):
        finder.add({name: cells[start:end] for name, cells in columns.items()})
    return finder.finish(has_time=has_time)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_column_is_depends_on_no_cut_and_no_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = {
        "n": [str(v) for v in rng.normal(size=80)],
        "b": rng.choice(["yes", "no", ""], 80).tolist(),
        "w": rng.choice(["red", "blue", "12"], 80).tolist(),
        "d": [f"2024-02-{1 + n % 28:02d}" for n in range(80)],
    }
    order = rng.permutation(80).tolist()
    shuffled = {name: [cells[place] for place in order] for name, cells in columns.items()}
    whole = judged(columns, [])
    assert whole == judged(shuffled, sorted(rng.integers(1, 80, 4).tolist()))
    assert (whole.kinds, whole.others) == ({"n": "number", "b": "boolean"}, {"w": "text", "d": "date"})


@pytest.mark.parametrize(
    ("cells", "kind"),
    [(["yes", "0"], "boolean"), (["1", "0", "true"], "boolean"), (["T", "f"], "boolean"), (["1", "0", "2"], "number")],
    ids=["a word and a digit", "digits and a word", "letters", "digits"],
)
def test_one_word_of_truth_makes_ones_and_zeros_truth_values(cells: list[str], kind: str) -> None:
    assert judged({"c": cells}, []).kinds == {"c": kind}


def test_many_columns_that_are_left_out_are_listed_in_part() -> None:
    (finding,) = judged({f"w{number}": ["red", "blue"] for number in range(11)}, []).findings
    listed = ", ".join(f"'w{number}' (text)" for number in range(8))
    assert finding.message.endswith(f"no channels and not looked at: {listed} and 3 more")


def test_the_name_of_a_likely_time_is_quoted_for_the_shell() -> None:
    found = judged({"my day": ["2024-01-01", "2024-01-02"]}, [])
    assert found.findings[-1].message.endswith("If 'my day' is their time, use --series-time 'my day'")


@pytest.mark.parametrize("seed", SEEDS)
def test_hashes_are_equal_where_series_are_and_nowhere_else(seed: int) -> None:
    parts = small_parts(seed, count=40, channels=1, values=2)
    hashes = series_hashes(Series.of(parts)).tolist()
    is_equal = [[np.array_equal(a, b, equal_nan=True) for b in parts] for a in parts]
    assert [[a == b for b in hashes] for a in hashes] == is_equal


@pytest.mark.parametrize("seed", SEEDS)
def test_test_series_that_training_has_are_counted_as_a_loop_counts_them(seed: int) -> None:
    known, asked = (small_parts(seed + 50 * place, count=30, channels=1, values=3) for place in range(2))
    shared = sum(any(np.array_equal(one, other, equal_nan=True) for other in known) for one in asked)
    told = series_findings.test_findings(Series.of(known), Series.of(asked))[0]
    assert shared > 0
    assert told.message.startswith(f"{shared} of 30 test rows are in the training data too")


@pytest.mark.parametrize("seed", SEEDS)
def test_means_of_a_choice_of_series_are_a_choice_of_the_means(seed: int) -> None:
    series = Series.of(small_parts(seed, count=20, channels=3))
    rows = np.random.default_rng(seed).integers(0, 20, 12)
    some = Series.of_packed(*series[rows].packed())
    np.testing.assert_array_equal(means(some), means(series)[rows])


@pytest.mark.parametrize("seed", SEEDS)
def test_means_move_with_the_values_and_the_channels(seed: int) -> None:
    series = Series.of(small_parts(seed, channels=3))
    moved = Series.of_packed(series.values[:, [2, 0, 1]] * 4 + 8, series.ends)
    np.testing.assert_allclose(means(moved), means(series)[:, [2, 0, 1]] * 4 + 8, rtol=1e-12)


class Changing:
    """A table that has other rows each time it is read."""

    path, names, separator = Path("grows.csv"), ("id", "t", "x", "label"), ","

    def __init__(self, *readings: Rows) -> None:
        self.notes: list[Any] = []
        self._readings = list(readings)

    def chunks(self, columns: Any = None, rows: int = 0) -> Iterator[dict[str, list[str]]]:
        """Yield the rows of the next reading."""
        found = self._readings.pop(0)
        yield {name: [str(row[name]) for row in found] for name in columns}


@pytest.mark.parametrize("second", [lambda rows: rows[:-1], lambda rows: [{**rows[0], "id": "new"}, *rows[1:]]],
                         ids=["shorter", "other ids"])  # fmt: skip
def test_a_table_that_changes_between_the_passes_is_refused(second: Callable[[Rows], Rows], tmp_path: Path) -> None:
    rows: Rows = [{"id": n // 3, "t": n % 3, "x": n * n % 7, "label": "ab"[n // 3 % 2]} for n in range(18)]
    table: Any = Changing(rows, second(rows))
    with pytest.raises(DataError, match=r"grows\.csv: it changed while it was read\. Got 18 rows, then 1[78]"):
        series_long.build_train(tmp_path, TableGiven(table, "grows.csv", "grows"), ROLES, sequence_clf.TASK)


def drawn_labels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-3, 9, 50)


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "O", "U4", "S4"])
@pytest.mark.parametrize("seed", range(3))
def test_codes_of_labels_of_any_type_name_the_labels(seed: int, dtype: str) -> None:
    labels = drawn_labels(seed)
    found = encode(labels.astype(dtype), None, rows=50, name="y", row="series")
    assert [found.classes[code] for code in found.codes] == [str(label) for label in labels.tolist()]
    assert set(found.codes.tolist()) == set(range(len(found.classes)))


@pytest.mark.parametrize("seed", SEEDS)
def test_codes_of_test_labels_name_the_same_classes_in_any_order(seed: int) -> None:
    labels = drawn_labels(seed)
    known = [str(label) for label in np.random.default_rng(seed).permutation(np.arange(-3, 9))]
    codes = encode_with(labels, None, known=known, rows=50, name="y", row="series")
    assert [known[code] for code in codes] == labels.astype(str).tolist()


@pytest.mark.parametrize(("row", "several"), [("series", "series"), ("text", "texts"), ("image", "images")])
def test_messages_about_labels_call_a_row_what_it_is(row: str, several: str) -> None:
    with pytest.raises(DataError, match=f"one label per {row} is needed. Got 2 labels for 3 {several}"):
        encode([0, 1], None, rows=3, name="y", row=row)
    with pytest.raises(DataError, match=f"every {row} needs a label. Got 1 missing of 2. Remove those {several}"):
        encode(["a", ""], None, rows=2, name="y", row=row)


def test_a_class_without_a_name_is_told_among_classes() -> None:
    with pytest.raises(DataError, match=r"y: classes: every class needs a label. .* Remove those classes"):
        encode([0, 1], ["a", " "], rows=2, name="y", row="series")


def test_facts_of_series_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    write_train(tmp_path, given(small_parts(4), columns={"x": "channel"}), sequence_clf.TASK)
    spec = DataFolder(tmp_path).spec
    assert (spec.kind, spec.columns, spec.is_weighted, spec.split) == ("series", {"x": "channel"}, False, "stratified")
    np.testing.assert_array_equal(DataFolder(tmp_path).X.values, np.concatenate(small_parts(4)))
