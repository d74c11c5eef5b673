"""What are no series to learn from is refused in one line that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.data.roles import Roles
from automl.data.sources import open_source, prepare_test
from automl.errors import DataError
from automl.tasks import image_clf, sequence_clf, tabular_clf

X = np.random.default_rng(0).normal(0, 1, (8, 2, 5))
Y = np.array([0, 1] * 4)
LONG: dict[str, list[Any]] = {
    "id": [n // 5 for n in range(40)],
    "t": [n % 5 for n in range(40)],
    "x": X[:, 0].ravel().tolist(),
    "label": ["ab"[n // 5 % 2] for n in range(40)],
}
ROLES: dict[str, Any] = {"target": "label", "series_id": "id", "series_time": "t"}


def put(values: Any, place: Any, value: Any) -> Any:
    """Return values with another one in a place."""
    changed = values.copy()
    changed[place] = value
    return changed


def npz(tmp_path: Path, **arrays: Any) -> Path:
    np.savez(tmp_path / "s.npz", **arrays)
    return tmp_path / "s.npz"


ARRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"X": X}, r"s.npz: arrays X and y are needed. Got no y"),
    "nothing": ({"Z": X}, "Got no X and no y"),
    "no channels": ({"X": X[:, 0], "y": Y}, r"s.npz: X: shape \(series, channels, steps\) is needed. Got \(8, 5\)"),
    "objects": ({"X": np.array([[1], [1, 2]], object), "y": Y}, "an object array is stored as a pickle"),
    "texts": ({"X": X.astype(str), "y": Y}, "numbers are needed, .* Got dtype <U"),
    "infinite": ({"X": put(X, (3, 1, 2), np.inf), "y": Y}, "Got inf in series 4, channel '1', step 3"),
    "lengths": ({"X": X, "y": Y, "lengths": [5, 5, 5, -3, 5, 5, 5, 5]}, "lengths .* from 1 to 5.* Got -3 for series 4"),
    "long lengths": ({"X": X, "y": Y, "lengths": [6] * 8}, "Got 6 for series 1"),
    "few labels": ({"X": X, "y": Y[:5]}, "y: one label per series is needed. Got 5 labels for 8 series"),
    "missing labels": ({"X": X, "y": put(Y.astype(float), 2, np.nan)}, "every series needs a label. Got 1 missing"),
    "codes": ({"X": X, "y": Y, "classes": ["a"]}, "codes must be in 0 to 0"),
    "one class": ({"X": X, "y": Y * 0}, "at least two classes are needed. Got one class only: '0'"),
    "few series": ({"X": X[:3], "y": Y[:3]}, "at least 4 series are needed. Got 3"),
    "no values": ({"X": X * np.nan, "y": Y}, "values are needed. Got 8 steps, all missing"),
    "names": ({"X": X, "y": np.arange(8)}, "classes must recur. Got 8 different labels for 8 series"),
}


@pytest.mark.parametrize(("arrays", "message"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_say_nothing_are_refused(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        open_source(npz(tmp_path, **arrays), sequence_clf.TASK, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.npy"))


TABLES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no id given": ({}, {"series_id": ""}, "--series-id: the column that says whose step .* Columns: 'id'"),
    "no such id": ({}, {"series_id": "idd"}, "--series-id 'idd': data has no such column. Did you mean 'id'"),
    "no such time": ({}, {"series_time": "tt"}, "--series-time 'tt': data has no such column. Did you mean 't'"),
    "two roles": ({}, {"series_time": "id"}, "--series-time 'id': a column has one role. Got --series-id"),
    "changing label": (
        {"label": put(LONG["label"], 12, "b")},
        {},
        "data: series '2': --target 'label' must be the same in all rows of a series. Got 'a' and 'b'",
    ),
    "label missing here and there": ({"label": put(LONG["label"], 13, None)}, {}, "Got 'a' and ''"),
    "no label": (
        {"label": [None] * 5 + LONG["label"][5:]},
        {},
        "column 'label': every series needs a label. Got 1 of 8 without one, the first '0'",
    ),
    "changing group": (
        {"g": [n // 4 for n in range(40)]},
        {"group": "g"},
        "series '0': --group 'g' must be the same in all rows of a series. Got '0' and '1'",
    ),
    "changing weight": ({"w": [1.0] * 39 + [2.0]}, {"sample_weight": "w"}, "series '7': --sample-weight 'w' must be"),
    "a negative weight": ({"w": [-1.0] * 5 + [1.0] * 35}, {"sample_weight": "w"}, "weights must be 0 or more. Got -1"),
    "a word for a weight": (
        {"w": ["much"] * 40},
        {"sample_weight": "w"},
        "--sample-weight 'w': data, one row per series: every row needs a number. Got 'much' in row 1",
    ),
    "one group": ({"g": [1] * 40}, {"group": "g"}, "at least two groups are needed. Got 1"),
    "no id in a row": ({"id": put(LONG["id"], 7, None)}, {}, "column 'id': every row needs the id .* in row 8"),
    "no time in a row": ({"t": put(LONG["t"], 7, None)}, {}, "column 't': every row needs a time, .* in row 8"),
    "infinite": ({"x": put(LONG["x"], 7, -np.inf)}, {}, "data: row 8: column 'x': values must be finite"),
    "no channels": ({"x": ["word"] * 40}, {}, r"columns of numbers are needed as channels. Got 0 beside 'x'"),
    "all dropped": ({}, {"drop": ("x",)}, "are needed as channels. Got 0. Add or drop"),
    "one class": ({"label": ["a"] * 40}, {}, "column 'label': at least two classes are needed. Got one class only"),
    "no such positive": ({}, {"positive": "c"}, "--positive 'c': data, one row per series: column 'label' has no such"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "roles", "message"), TABLES.values(), ids=TABLES)
def test_tables_that_say_nothing_are_refused(
    columns: dict[str, Any], roles: dict[str, Any], message: str, tmp_path: Path
) -> None:
    given = Roles(**{**ROLES, **roles})
    with pytest.raises(DataError, match=message):
        open_source({**LONG, **columns}, sequence_clf.TASK, roles=given, cache=tmp_path / "cache")


FORMS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "a tuple of four": ((X, Y, Y, Y), {}, r"arrays are given as \(X, y\) or \(X, y, classes\). Got a tuple of 4"),
    "a frame with y": ((pd.DataFrame(LONG), Y), {}, "data: X: an array .* Got a DataFrame. Give a table with one step"),
    "a target for arrays": (
        (X, Y),
        {"target": "label"},
        "--target 'label': it is for tables, and the data",
    ),
    "dropped of arrays": ((X, Y), {"drop": ("a", "b")}, "--drop 'a,b': it is for tables"),
    "positive of arrays": ((X, Y), {"positive": "a"}, "--positive 'a': it is for tables"),
    "a list of other channels": (([X[0], X[1][:, :3]], Y[:2]), {}, "all series need the same channels"),
    "nothing": ("", {}, "DATA: task sequence-clf needs data. Got none. DATA is an .npz"),
    "text": ((X, Y), {"text": "x"}, "--text 'x': it is for texts, and sequence-clf is about series"),
}


@pytest.mark.parametrize(("given", "roles", "message"), FORMS.values(), ids=FORMS)
def test_forms_that_are_not_known_are_refused(given: Any, roles: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        open_source(given, sequence_clf.TASK, roles=Roles(**roles), cache=tmp_path / "cache")


def test_roles_of_a_table_are_refused_for_an_npz_file(tmp_path: Path) -> None:
    path = npz(tmp_path, X=X, y=Y)
    with pytest.raises(DataError, match=r"--series-id 'id': it is for tables, and s\.npz holds arrays"):
        open_source(path, sequence_clf.TASK, roles=Roles(series_id="id"), cache=tmp_path / "cache")


@pytest.mark.parametrize("task", [tabular_clf.TASK, image_clf.TASK], ids=["tables", "images"])
@pytest.mark.parametrize("roles", [Roles(series_id="id"), Roles(series_time="id")], ids=["id", "time"])
def test_roles_of_series_are_refused_elsewhere(task: Any, roles: Roles, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"--series-\w+ 'id': it is for series, and {task.info.name} is about"):
        open_source("", task, roles=roles, cache=tmp_path / "cache")


PATHS = {
    "nothing there": ("none.npz", "none.npz: not found. DATA is an .npz"),
    "a folder": ("", "Got a folder. Convert it"),
    "a picture": ("a.png", "Got a file that ends in '.png'"),
}


@pytest.mark.parametrize(("name", "message"), PATHS.values(), ids=PATHS)
def test_paths_of_other_things_are_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    with pytest.raises(DataError, match=message):
        open_source(tmp_path / name, sequence_clf.TASK, cache=tmp_path / "cache")


TESTS: dict[str, tuple[Callable[[], Any], str]] = {
    "a strange label": (lambda: (X[:2, :1], ["a", "c"]), r"labels must be among the classes of training .* Got 'c'"),
    "other channels": (lambda: (X, ["a", "b"] * 4), r"test data: X: 1 channels are needed, .* Got 2"),
    "another id": (
        lambda: {**{k: v for k, v in LONG.items() if k != "id"}, "no": LONG["id"]},
        "test data: 1 of the columns of the training data are missing: 'id'",
    ),
    "no target": (
        lambda: {k: v for k, v in LONG.items() if k != "label"},
        "test data: the target, 'label', is needed. Got none of that name",
    ),
    "a strange label in a table": (lambda: {**LONG, "label": ["z"] * 40}, "labels must be among .* Got 'z'"),
    "a missing label": (lambda: {**LONG, "label": [None] * 40}, "every series needs a label. Got 8 of 8 without one"),
    "words": (lambda: {**LONG, "x": ["w"] * 40}, "test data: column 'x' had numbers in training"),
    "nothing": (lambda: "", "test data: needs a path or arrays. Got ''"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "message"), TESTS.values(), ids=TESTS)
def test_test_data_unlike_training_data_is_refused(given: Callable[[], Any], message: str, tmp_path: Path) -> None:
    train = open_source(LONG, sequence_clf.TASK, roles=Roles(**ROLES), cache=tmp_path).data
    with pytest.raises(DataError, match=message):
        prepare_test(given(), train, cache=tmp_path)


def test_a_test_table_is_refused_where_training_had_arrays(tmp_path: Path) -> None:
    train = open_source((X, Y), sequence_clf.TASK, cache=tmp_path).data
    with pytest.raises(DataError, match="test data: the model learned from arrays without names"):
        prepare_test(LONG, train, cache=tmp_path)
