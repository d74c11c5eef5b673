"""Series from a file, from a table and from memory are the same series."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.serving.errors import InputError
from automl.serving.series import Series, SeriesRule
from automl.serving.series_read import read_series, series_of

ARRAYS = SeriesRule(("0", "1"))
LONG = SeriesRule(("x", "y"), "id", "t")
X = np.array([[[1, 2, np.nan], [3, 4, np.nan]], [[5, 6, 7], [8, np.nan, 9]]])
FRAME = pd.DataFrame({"id": ["a", "b", "b", "a", "b"], "t": [1, 3, 1, 2, 2], "x": [1, 7, 5, 2, 6],
                      "y": [3, 9, 8, 4, None]})  # fmt: skip


def same(one: Any, other: Series) -> bool:
    a, b = one.packed(), other.packed()
    return np.array_equal(a.values, b.values, equal_nan=True) and np.array_equal(a.ends, b.ends)


def expected() -> Series:
    return Series.of([np.array([[1, 3], [2, 4]]), np.array([[5, 8], [6, np.nan], [7, 9]])])


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def jsonl(path: Path) -> Path:
    rows = FRAME.astype(object).where(FRAME.notna(), None).to_dict("records")
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


WRITERS: dict[str, Callable[[Path], object]] = {
    "s.csv": lambda path: FRAME.to_csv(path, index=False),
    "s.tsv": lambda path: FRAME.to_csv(path, index=False, sep="\t"),
    "s.jsonl": jsonl,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_is_read_by_its_ids(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    rows = read_series(tmp_path / name, LONG)
    assert rows.names == ["a", "b"]
    assert same(rows.X, expected())
    assert rows.notes[-1] == f"{name}: 2 series in 5 rows, in the order of first appearance"


def test_an_npz_file_is_read() -> None:
    assert same(series_of(X, ARRAYS, "X"), expected())


@pytest.mark.parametrize("rule", [ARRAYS, LONG], ids=["of-arrays", "of-a-table"])
def test_an_npz_file_gives_the_series_of_its_array(rule: SeriesRule, tmp_path: Path) -> None:
    rows = read_series(npz(tmp_path / "s.npz", X=X, more=np.zeros(3)), rule)
    assert rows.names == ["0", "1"]
    assert same(rows.X, expected())


def test_lengths_in_an_npz_file_are_heeded(tmp_path: Path) -> None:
    rows = read_series(npz(tmp_path / "s.npz", X=X, lengths=[1, 3]), ARRAYS)
    assert rows.X.lengths.tolist() == [1, 3]  # type: ignore[attr-defined]


OBJECTS: dict[str, Any] = {
    "array": X,
    "lists": [[[1, 3], [2, 4]], [[5, 8], [6, np.nan], [7, 9]]],
    "arrays": (np.array([[1, 3], [2, 4]]), np.array([[5, 8], [6, np.nan], [7, 9]])),
    "frame": FRAME,
    "columns": FRAME.to_dict("list"),
    "rows": FRAME.to_dict("records"),
    "structured": FRAME.drop(columns="id").assign(id=[0, 1, 1, 0, 1]).to_records(index=False),
    "series": expected(),
}


@pytest.mark.parametrize("given", OBJECTS.values(), ids=OBJECTS)
def test_objects_in_memory_are_the_same_series(given: Any) -> None:
    assert same(series_of(given, LONG, "X"), expected())


def test_an_array_of_arrays_is_a_list() -> None:
    boxed = np.empty(2, object)
    boxed[0], boxed[1] = OBJECTS["arrays"]
    assert same(series_of(boxed, ARRAYS, "X"), expected())


@pytest.mark.parametrize("given", [X[:, :1], [[1, 2], [3]], X[:, 0]], ids=["array", "list", "two-axes"])
def test_other_channels_are_refused(given: Any) -> None:
    with pytest.raises(InputError, match=r"X: 2 channels are needed, as in training: \['0', '1'\]. Got 1"):
        series_of(given, ARRAYS, "X")


@pytest.mark.parametrize("given", [FRAME, FRAME.to_dict("records")], ids=["frame", "rows"])
def test_a_table_is_refused_where_training_had_arrays(given: Any) -> None:
    with pytest.raises(InputError, match="X: the model learned from arrays without names"):
        series_of(given, ARRAYS, "X")


FILES: dict[str, tuple[str, bytes, SeriesRule, str]] = {
    "ending": ("s.png", b"x", LONG, r"s.png: series are read from an .npz file with X, or a table .* Got the ending"),
    "no zip": ("s.npz", b"x", ARRAYS, "s.npz: an .npz file is needed"),
    "a table for arrays": ("s.csv", b"id,t,x,y\n", ARRAYS, "s.csv: the model learned from arrays"),
    "no columns": ("s.csv", b"a,b\n1,2\n", LONG, "4 of the columns of the training data are missing: 'id', 't', 'x'"),
    "no rows": ("s.csv", b"id,t,x,y\n", LONG, "rows are needed below the line of names"),
    "empty": ("s.csv", b"", LONG, "a line with the names of the columns is needed"),
}


@pytest.mark.parametrize(("name", "content", "rule", "message"), FILES.values(), ids=FILES)
def test_files_that_are_no_series_are_refused(
    name: str, content: bytes, rule: SeriesRule, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_series(tmp_path / name, rule)


def test_an_npz_file_without_series_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"s\.npz: an array X is needed. Got none"):
        read_series(npz(tmp_path / "s.npz", y=X), ARRAYS)


def test_pickled_series_are_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"s\.npz: X: an object array is stored as a pickle"):
        read_series(npz(tmp_path / "s.npz", X=np.array([[1], [1, 2]], object)), ARRAYS)


def test_a_folder_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Got a folder"):
        read_series(tmp_path, LONG)
    with pytest.raises((InputError, OSError), match=r"none\.csv"):
        read_series(tmp_path / "none.csv", LONG)
