"""Tables that nothing can be learned from are refused in one line, before anything is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.data.roles import Roles
from automl.data.sources import open_source, prepare_test
from automl.errors import DataError
from automl.tasks import image_clf

from .conftest import Columns, Open, Write

ROLES = {
    "label-missing": ("label", [""] * 3, {}, "d.csv: column 'label': every row needs a label. Got 3 missing of 40"),
    "label-all-missing": ("label", [""] * 40, {}, "Got 40 missing of 40, the first in row 1"),
    "one-class": ("label", ["a"] * 40, {}, "column 'label': at least two classes are needed. Got one class only: 'a'"),
    "unique-labels": (
        "label",
        [f"id{n}" for n in range(40)],
        {},
        "classes must recur. Got 40 different labels in 40 rows",
    ),
    "amounts": (
        "label",
        [n / 7 for n in range(40)],
        {},
        "looks like an identifier or an amount. .* --task tabular-reg",
    ),
    "weight-text": ("w", ["heavy"], {"sample_weight": "w"}, "--sample-weight 'w': d.csv: .* Got 'heavy' in row 1"),
    "weight-negative": ("w", [1, -1], {"sample_weight": "w"}, "weights must be 0 or more. Got -1 in row 2"),
    "weight-zero": ("w", [0] * 40, {"sample_weight": "w"}, "some weight must be above 0"),
    "weight-missing": ("w", [1, ""], {"sample_weight": "w"}, "Got 1 missing or infinite of 40, the first in row 2"),
    "one-group": (
        "house",
        ["h"] * 40,
        {"group": "house"},
        "--group 'house': d.csv: at least two groups are needed. Got 1",
    ),
    "time-text": ("day", ["soon"] * 40, {"split_time": "day"}, "--split-time 'day': d.csv: .* Got 'soon' in row 1"),
    "time-one-odd": ("day", ["2024-01-01", "soon"], {"split_time": "day"}, "Got 'soon' in row 2"),
    "time-missing": (
        "day",
        ["2024-01-01", ""],
        {"split_time": "day"},
        "Got 1 missing or infinite of 40, the first in row 2",
    ),
    "time-constant": ("day", ["2024-01-01"] * 40, {"split_time": "day"}, "at least two different times are needed"),
    "no-feature": (
        "x",
        [1],
        {"drop": ("x", "colour", "day", "w", "house", "price")},
        "a column to predict from is needed",
    ),
    "positive": ("x", [1], {"positive": "maybe"}, "--positive 'maybe': d.csv: column 'label' has no such label"),
}


@pytest.mark.parametrize(("name", "values", "roles", "message"), ROLES.values(), ids=ROLES)
def test_a_column_that_cannot_be_what_it_is_for_is_named(
    name: str,
    values: list[object],
    roles: dict[str, object],
    message: str,
    open_table: Open,
    write: Write,
    columns: Columns,
    tmp_path: Path,
) -> None:
    columns[name][: len(values)] = values
    with pytest.raises(DataError, match=message):
        open_table(write(**columns), target="label", **roles)
    assert list((tmp_path / "cache" / "data").iterdir()) == []


NUMBERS = {
    "label": ("label", [], {}, "d.csv: column 'label': every row needs a number .* Got 'yes' in row 1. .* tabular-clf"),
    "one-odd": ("price", [1, "cheap"], {}, "column 'price': .* Got 'cheap' in row 2"),
    "missing": ("price", ["", 1, ""], {}, "Got 2 missing or infinite of 40, the first in row 1"),
    "infinite": ("price", [1, 2, "inf"], {}, "Got 1 missing or infinite of 40, the first in row 3"),
    "constant": ("price", [7] * 40, {}, "column 'price': the target must vary. Got the single value 7 in 40 rows"),
    "date": ("day", [], {}, "Got '2024-03-01' in row 1"),
    "positive": ("price", [], {"positive": "1"}, "--positive '1': it is for two classes. Got a number"),
}


@pytest.mark.parametrize(("target", "values", "roles", "message"), NUMBERS.values(), ids=NUMBERS)
def test_a_target_of_regression_must_be_a_number_that_varies(
    target: str,
    values: list[object],
    roles: dict[str, object],
    message: str,
    open_table: Open,
    write: Write,
    columns: Columns,
) -> None:
    columns[target][: len(values)] = values
    with pytest.raises(DataError, match=message):
        open_table(write(**columns), "number", target=target, **roles)


@pytest.mark.parametrize("rows", [1, 3])
def test_few_rows_are_refused(rows: int, open_table: Open, write: Write) -> None:
    path = write(x=range(rows), label=["a", "b", "a"][:rows])
    with pytest.raises(DataError, match=f"d.csv: at least 4 rows are needed. Got {rows} row"):
        open_table(path, target="label")


def test_a_table_without_rows_is_refused(open_table: Open, write: Write) -> None:
    with pytest.raises(DataError, match=r"d.csv: rows are needed below the line of names"):
        open_table(write(x=[], label=[]), target="label")


@pytest.mark.parametrize("name", ["pets", "d.npz", "d.zip", "d.xlsx", "d", "d.csv.gz"])
def test_what_is_no_table_is_refused_with_the_kinds_there_are(name: str, open_table: Open, tmp_path: Path) -> None:
    path = tmp_path / name
    path.mkdir() if name == "pets" else path.write_bytes(b"x")
    with pytest.raises(DataError, match=rf"{name}: DATA is a table with a line of names \(.csv .*parquet"):
        open_table(path)


def test_a_folder_of_images_has_another_task(open_table: Open, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Got a folder. Images are learned by --task image-clf"):
        open_table(tmp_path)


@pytest.mark.parametrize("place", ["none.csv", "a\0b.csv", "loop/x.csv"])
def test_what_is_not_there_is_named(place: str, open_table: Open, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match=r"not found.* DATA is a table"):
        open_table(tmp_path / place)


def test_an_image_task_says_what_tables_are_learned_by(write: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Got a file that ends in '.csv'. Tables are learned by --task tabular-clf"):
        open_source(write(x=[1]), image_clf.TASK, cache=tmp_path)


@pytest.mark.parametrize("role", ["target", "sample_weight", "positive", "group", "split_time"])
def test_an_image_task_has_no_columns(role: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"--{role.replace('_', '-')}: it is for tables, and image-clf is about images"):
        open_source("", image_clf.TASK, roles=Roles(**{role: "a"}), cache=tmp_path)


def test_an_image_task_takes_no_data_frame(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data: images are a path, \(X, y\) or \(X, y, classes\). Got a dict"):
        open_source({"x": [1]}, image_clf.TASK, cache=tmp_path)


TESTS = {
    "no-target": (
        {"x": [1], "colour": ["red"], "day": [""]},
        "t.csv: the target, 'label', is needed. Got none of that name",
    ),
    "no-feature": (
        {"label": ["no"], "X ": [1], "colour": ["red"], "day": [""]},
        "a column of training, 'x', .* mean 'X'",
    ),
    "new-label": (
        {"label": ["nope"], "x": [1], "colour": [""], "day": [""]},
        "among the classes of training .* Got 'nope'",
    ),
    "no-label": ({"label": ["no", ""], "x": [1, 2], "colour": ["", ""], "day": ["", ""]}, "Got 1 missing of 2"),
    "words": ({"label": ["no", "yes"], "x": ["a", "b"], "colour": ["", ""], "day": ["", ""]}, "column 'x' had numbers"),
    "no-dates": ({"label": ["no"], "x": [1], "colour": [""], "day": ["soon"]}, "column 'day' had dates in training"),
}


@pytest.mark.parametrize(("given", "message"), TESTS.values(), ids=TESTS)
def test_test_data_that_are_not_like_training_are_refused(
    given: Columns, message: str, open_table: Open, write: Write, columns: Columns, tmp_path: Path
) -> None:
    train = open_table(write(**columns), target="label", drop=("price", "w", "house")).data
    with pytest.raises(DataError, match=message):
        prepare_test(write("t.csv", **given), train, cache=tmp_path / "cache")


def test_no_test_data_is_no_test_data(open_table: Open, write: Write, columns: Columns) -> None:
    train = open_table(write(**columns), target="label").data
    with pytest.raises(DataError, match=r"test data: needs a path or arrays. Got ''. DATA is a table"):
        prepare_test("", train)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_bytes_that_are_no_table_are_refused_with_the_name_of_the_file(
    name: str, open_table: Open, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(np.random.default_rng(0).bytes(3000))
    with pytest.raises(DataError, match=name):
        open_table(tmp_path / name, target="label")
