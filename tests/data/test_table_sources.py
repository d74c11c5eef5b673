"""A table is prepared once, the same way from every form, or from none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.core.protocols import DataSource
from automl.data.folder import DataFolder
from automl.data.roles import Roles
from automl.data.sources import open_source, prepare_test
from automl.serving.table import UNSEEN, Table
from automl.tasks import tabular_clf, tabular_reg

from .conftest import Columns, Open, Write

LABEL = {"target": "label", "drop": ("price", "w", "house")}


def test_a_file_becomes_a_table(open_table: Open, write: Write, columns: Columns) -> None:
    data: DataSource = open_table(write(**columns), **LABEL).data
    assert isinstance(data.X, Table)
    assert data.X.numbers[:3, 0].tolist() == columns["x"][:3]
    assert (data.spec.kind, data.spec.rows, data.spec.shape, data.spec.target) == ("table", 40, (3,), "label")
    assert (data.spec.classes, data.spec.class_counts) == (("no", "yes"), (20, 20))
    assert data.y[:2].tolist() == [1, 0]


def test_columns_and_what_became_of_them_are_told(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), target="label", drop=("price",), sample_weight="w", group="house").data
    assert data.spec.columns == {
        "x": "number",
        "colour": "category",
        "day": "date",
        "w": "weight",
        "house": "group",
        "price": "dropped",
        "label": "target",
    }


def test_a_number_is_a_target_of_regression(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), "number", target="price", drop=("label",)).data
    assert (data.spec.classes, data.spec.class_counts, data.y.dtype) == ((), (), np.float64)
    assert data.y.tolist() == columns["price"]


def test_weights_have_mean_one_and_are_no_feature(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), target="label", sample_weight="w").data
    assert data.weights is not None
    assert data.weights.tolist() == (np.array(columns["w"], float) / np.mean(columns["w"])).tolist()
    assert data.spec.is_weighted
    assert "w" not in [column["name"] for column in data.spec.input["columns"]]


def test_groups_are_codes_and_no_feature(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), target="label", group="house").data
    assert data.groups is not None
    assert data.groups.tolist() == [n // 4 for n in range(40)]
    assert data.spec.split == "group"


def test_time_gives_ranks_and_stays_a_feature(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), target="label", split_time="day").data
    assert data.groups is not None
    assert data.groups.tolist() == [n % 28 for n in range(40)]
    assert "day" in [column["name"] for column in data.spec.input["columns"]]


def test_without_roles_there_are_no_weights_and_no_groups(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), target="label").data
    assert (data.weights, data.groups, data.spec.split, data.spec.is_weighted) == (None, None, "stratified", False)


def test_texts_come_back_as_they_were(open_table: Open, write: Write) -> None:
    said = [f"Ünï {'word ' * (n % 5)}number {n * n} is here" for n in range(60)]
    data = open_table(write(said=said, label=["a", "b"] * 30), target="label").data
    assert list(data.X.texts[0]) == [text.strip() for text in said]
    assert data.X.numbers.shape == (60, 0)


def test_prepared_arrays_cannot_be_changed(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), target="label").data
    with pytest.raises(ValueError, match="read-only"):
        data.X.numbers[0] = 0


def test_the_same_file_is_prepared_once(open_table: Open, write: Write, columns: Columns) -> None:
    path = write(**columns)
    first = open_table(path, **LABEL)
    before = (first.data.folder / "X.npy").stat().st_mtime_ns
    again = open_table(path, **LABEL)
    assert (again.data.folder / "X.npy").stat().st_mtime_ns == before
    assert again.findings == first.findings


@pytest.mark.parametrize(
    "roles",
    [
        {"target": "colour"},
        {"target": "label", "drop": ("x",)},
        {"target": "label", "sample_weight": "w"},
        {"target": "label", "group": "house"},
        {"target": "label", "split_time": "day"},
        {"target": "label", "positive": "no"},
    ],
    ids=["target", "drop", "weight", "group", "time", "positive"],
)
def test_other_roles_are_other_data(open_table: Open, write: Write, columns: Columns, roles: dict[str, object]) -> None:
    path = write(**columns)
    first, other = (open_table(path, **given).data.spec for given in ({"target": "label"}, roles))
    assert first.fingerprint != other.fingerprint


def test_the_name_of_the_file_is_no_part_of_the_fingerprint(open_table: Open, write: Write, columns: Columns) -> None:
    specs = [open_table(write(name, **columns), **LABEL).data.spec for name in ("one.csv", "two.csv")]
    assert specs[0].fingerprint == specs[1].fingerprint
    assert [spec.name for spec in specs] == ["one", "two"]


def test_one_value_changes_the_fingerprint(open_table: Open, write: Write, columns: Columns) -> None:
    first = open_table(write(**columns), **LABEL).data.spec
    columns["x"][7] += 0.001
    assert open_table(write(**columns), **LABEL).data.spec.fingerprint != first.fingerprint


def test_a_damaged_copy_is_prepared_anew(open_table: Open, write: Write, columns: Columns) -> None:
    path = write(**columns)
    folder = open_table(path, target="label", sample_weight="w").data.folder
    (folder / "weights.npy").unlink()
    assert open_table(path, target="label", sample_weight="w").data.is_whole()


@pytest.mark.parametrize("separator", [";", "\t", "|"], ids=["semicolon", "tab", "bar"])
def test_a_separator_makes_no_difference(open_table: Open, write: Write, columns: Columns, separator: str) -> None:
    path = write(**columns)
    first = open_table(path, **LABEL).data
    path.write_text(path.read_text().replace(",", separator))
    assert np.array_equal(open_table(path, **LABEL).data.X.numbers, first.X.numbers, equal_nan=True)


DEFAULTS = [(tabular_clf.TASK, "breast-cancer", 569, 30), (tabular_reg.TASK, "diabetes", 442, 10)]


@pytest.mark.parametrize(("task", "name", "rows", "features"), DEFAULTS, ids=["clf", "reg"])
def test_without_data_a_real_table_is_used(tmp_path: Path, task: object, name: str, rows: int, features: int) -> None:
    opened = open_source("", task, cache=tmp_path, roles=Roles())  # type: ignore[arg-type]
    assert (opened.data.spec.name, opened.data.spec.rows, opened.data.spec.shape) == (name, rows, (features,))
    assert "leak-suspected" not in [finding.code for finding in opened.findings]


def test_roles_hold_for_the_default_data_too(tmp_path: Path) -> None:
    opened = open_source("", tabular_reg.TASK, cache=tmp_path, roles=Roles(target="bmi", drop=("s1",)))
    assert (opened.data.spec.target, opened.data.spec.columns["s1"]) == ("bmi", "dropped")


def test_test_data_follow_the_rule_and_the_classes_of_training(
    open_table: Open, write: Write, columns: Columns, tmp_path: Path
) -> None:
    train = open_table(write(**columns), **LABEL).data
    path = write("t.csv", label=["no", "yes"], colour=["blue", "pink"], day=["2024-04-01", ""], x=[1, ""], more=[1, 2])
    test = prepare_test(path, train, cache=tmp_path / "cache")
    assert test.data.y.tolist() == [0, 1]
    assert test.data.X.numbers[:, 1].tolist() == [train.X.numbers[2, 1], UNSEEN]
    assert np.isnan(test.data.X.numbers[1, [0, 2]]).all()
    assert "columns-extra" in [finding.code for finding in test.findings]


def test_columns_that_training_left_out_are_no_extra_ones(
    open_table: Open, write: Write, columns: Columns, tmp_path: Path
) -> None:
    path = write(**columns)
    train = open_table(path, **LABEL).data
    found = prepare_test(path, train, cache=tmp_path / "cache").findings
    assert [finding.code for finding in found] == ["test-overlap"]


def test_a_spec_alone_prepares_test_data(open_table: Open, write: Write, columns: Columns, tmp_path: Path) -> None:
    path = write(**columns)
    train = open_table(path, "number", target="price", drop=("label",)).data
    test = prepare_test(path, train.spec, cache=tmp_path / "cache")
    assert (test.data.y.tolist(), test.findings) == (columns["price"], ())


def test_a_table_from_a_folder_is_the_one_that_was_written(open_table: Open, write: Write, columns: Columns) -> None:
    data = open_table(write(**columns), target="label", group="house").data
    again = DataFolder(data.folder)
    assert (again.spec, again.findings) == (data.spec, data.findings)
    assert again.is_whole()
