"""One table is one data set: from any format, from a warm cache, and whatever it was called."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.data.folder import DataFolder
from automl.data.roles import Roles
from automl.data.sources import open_source, prepare_test
from automl.data.table_memory import MemoryTable, table_in_memory
from automl.data.table_prepare import TableGiven, build_train
from automl.errors import DataError
from automl.serving.table_cells import ROWS, Chunk
from automl.tasks import tabular_clf

from .conftest import TASKS, Columns, Open, Write

SAID = [f"number {n * n} is said here, {'again ' * (n % 4)}" for n in range(40)]


class SmallChunks(MemoryTable):
    """A table that comes in small parts, as a long file does."""

    size = 7

    def chunks(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[Chunk]:
        """Yield seven rows at a time."""
        return super().chunks(columns, self.size)


class Shrinking(MemoryTable):
    """A file that somebody cuts while it is read."""

    passes = 0

    def chunks(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[Chunk]:
        """Yield all rows the first time, and all but the last three after that."""
        self.passes += 1
        for chunk in super().chunks(columns, rows):
            yield chunk if self.passes == 1 else {name: cells[:-3] for name, cells in chunk.items()}


def built(folder: Path, columns: Columns, kind: type[MemoryTable] = MemoryTable, **roles: Any) -> DataFolder:
    """Return columns prepared in a folder without a cache."""
    folder.mkdir()
    table = table_in_memory(columns, "d").table
    given = TableGiven(kind({name: cells for chunk in table.chunks() for name, cells in chunk.items()}, "d"), "d", "d")
    build_train(folder, given, Roles(**{"target": "label", **roles}), tabular_clf.TASK)
    return DataFolder(folder)


def as_csv(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_csv(folder / "d.csv", index=False)
    return folder / "d.csv"


def as_jsonl(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_json(folder / "d.jsonl", orient="records", lines=True)
    return folder / "d.jsonl"


def as_parquet(columns: Columns, folder: Path) -> Path:
    pd.DataFrame(columns).to_parquet(folder / "d.parquet", row_group_size=9)
    return folder / "d.parquet"


FORMS: dict[str, Callable[[Columns, Path], Any]] = {
    "jsonl": as_jsonl,
    "parquet": as_parquet,
    "frame": lambda columns, _: pd.DataFrame(columns),
    "columns": lambda columns, _: columns,
    "pair": lambda columns, _: (pd.DataFrame(columns).drop(columns="label"), pd.Series(columns["label"], name="label")),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("order", [{"group": "house"}, {"split_time": "day"}], ids=["group", "time"])
def test_a_table_is_the_same_data_from_every_format(
    open_table: Open, columns: Columns, tmp_path: Path, form: Callable[[Columns, Path], Any], order: dict[str, str]
) -> None:
    columns["said"] = SAID
    roles = {"target": "label", "sample_weight": "w", **order}
    first = open_table(as_csv(columns, tmp_path), **roles).data.spec
    found = open_table(form(columns, tmp_path), **roles).data.spec
    assert replace(found, name="d") == first


@pytest.mark.parametrize("size", [1, 7, 39])
def test_a_table_in_parts_is_the_same_data(
    columns: Columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(SmallChunks, "size", size)
    columns["said"] = SAID
    whole, parts = (
        built(tmp_path / kind.__name__, columns, kind, group="house") for kind in (MemoryTable, SmallChunks)
    )
    assert (parts.spec, parts.findings) == (whole.spec, whole.findings)
    np.testing.assert_array_equal(parts.X.numbers, whole.X.numbers)


CHANGES: dict[str, Callable[[Columns], Columns]] = {
    "rows-turned": lambda columns: {name: cells[::-1] for name, cells in columns.items()},
    "columns-turned": lambda columns: dict(reversed(columns.items())),
    "name": lambda columns: {"z" if name == "x" else name: cells for name, cells in columns.items()},
    "label": lambda columns: {**columns, "label": ["no", *columns["label"][1:]]},
    "label-renamed": lambda columns: {**columns, "label": [label.upper() for label in columns["label"]]},
    "text": lambda columns: {**columns, "said": ["other words entirely", *columns["said"][1:]]},
    "missing": lambda columns: {**columns, "colour": [None, *columns["colour"][1:]]},
    "row-less": lambda columns: {name: cells[:-1] for name, cells in columns.items()},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_models_see_is_in_the_fingerprint(
    columns: Columns, tmp_path: Path, change: Callable[[Columns], Columns]
) -> None:
    columns["said"] = SAID
    first, other = built(tmp_path / "a", columns), built(tmp_path / "b", change(columns))
    assert first.spec.fingerprint != other.spec.fingerprint


def test_a_column_that_is_dropped_is_no_part_of_the_fingerprint(columns: Columns, tmp_path: Path) -> None:
    first = built(tmp_path / "a", columns, drop=("price",)).spec
    columns["price"] = ["gone"] * 40
    assert built(tmp_path / "b", columns, drop=("price",)).spec == first


def test_a_file_that_changes_while_it_is_read_is_refused(columns: Columns, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"d: it changed while it was read. Got 37 rows, then 40"):
        built(tmp_path / "t", columns, Shrinking)


def test_a_warm_cache_tells_all_that_was_told_at_first(open_table: Open, write: Write, columns: Columns) -> None:
    columns["label"][0] = " yes"
    columns["house"][0] = ""
    path = write(**columns)
    first, again = (open_table(path, target="label", group="house") for _ in range(2))
    assert again.findings == first.findings
    assert {"labels-trimmed", "groups-missing", "columns"} <= {finding.code for finding in again.findings}


def test_another_task_is_another_preparation(open_table: Open, write: Write, columns: Columns) -> None:
    columns["label"] = [n % 2 for n in range(40)]
    path = write(**columns)
    classes, numbers = (open_table(path, task, target="label").data for task in ("classes", "number"))
    assert classes.folder != numbers.folder
    assert (classes.spec.classes, numbers.spec.classes) == (("0", "1"), ())


def test_two_names_of_one_file_are_kept_apart_but_are_one_data_set(
    open_table: Open, write: Write, columns: Columns
) -> None:
    first, other = (open_table(write(name, **columns), target="label").data for name in ("may.csv", "june.csv"))
    assert first.folder != other.folder
    assert replace(first.spec, name="june") == other.spec


def test_a_refused_table_leaves_the_cache_as_it_was(
    open_table: Open, write: Write, columns: Columns, tmp_path: Path
) -> None:
    open_table(write(**columns), target="label")
    before = sorted((tmp_path / "cache").rglob("*"))
    with pytest.raises(DataError, match="--target 'none'"):
        open_table(write(**columns), target="none")
    assert sorted((tmp_path / "cache").rglob("*")) == before


def test_the_facts_of_a_table_are_plain_json(open_table: Open, write: Write, columns: Columns) -> None:
    folder = open_table(write(**columns), target="label", group="house").data.folder
    facts = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    assert (facts["target"], facts["split"], facts["classes"]) == ("label", "group", ["no", "yes"])
    assert {finding["level"] for finding in facts["findings"]} <= {"info", "warning"}


ROLES: dict[str, dict[str, Any]] = {
    "none": {},
    "weights": {"sample_weight": "w"},
    "group": {"group": "house"},
    "time": {"split_time": "day"},
    "dropped": {"drop": ("x", "price")},
    "all": {"sample_weight": "w", "group": "house", "drop": ("x",)},
}


@pytest.mark.parametrize("roles", ROLES.values(), ids=ROLES)
def test_models_read_all_columns_but_those_with_a_role(columns: Columns, tmp_path: Path, roles: dict[str, Any]) -> None:
    data = built(tmp_path / "t", columns, **roles)
    others = {"label", roles.get("sample_weight"), roles.get("group"), *roles.get("drop", ())}
    assert [column["name"] for column in data.spec.input["columns"]] == [name for name in columns if name not in others]
    assert (data.weights is not None, data.groups is not None) == (
        "sample_weight" in roles,
        bool({"group", "split_time"} & set(roles)),
    )


def beside(folder: Path, train: DataFolder, columns: Columns) -> DataFolder:
    """Return columns as test data beside training data."""
    return prepare_test(pd.DataFrame(columns), train, cache=folder).data


@pytest.mark.parametrize("roles", ROLES.values(), ids=ROLES)
def test_test_data_need_the_target_and_what_models_read(
    columns: Columns, tmp_path: Path, roles: dict[str, Any]
) -> None:
    train = built(tmp_path / "t", columns, **roles)
    read = {"label", *(column["name"] for column in train.spec.input["columns"])}
    test = beside(tmp_path, train, {name: cells[:5] for name, cells in columns.items() if name in read})
    np.testing.assert_array_equal(test.X.numbers, train.X.numbers[:5])
    assert (test.weights, test.groups, test.y.tolist()) == (None, None, train.y[:5].tolist())


def test_test_data_of_one_class_keep_the_codes_of_training(columns: Columns, tmp_path: Path) -> None:
    train = built(tmp_path / "t", columns, positive="no")
    test = beside(tmp_path, train, {name: cells[1:2] * 3 for name, cells in columns.items()})
    assert (test.spec.classes, test.spec.class_counts, test.y.tolist()) == (("yes", "no"), (0, 3), [1, 1, 1])


def test_test_data_are_prepared_once_for_each_training_set(columns: Columns, tmp_path: Path) -> None:
    first = built(tmp_path / "a", columns)
    other = built(tmp_path / "b", columns, drop=("x",))
    folders = [beside(tmp_path, train, columns).folder for train in (first, first, other)]
    assert folders[0] == folders[1] != folders[2]


def test_odd_values_of_test_data_are_told_and_missing(columns: Columns, tmp_path: Path) -> None:
    train = built(tmp_path / "t", columns)
    columns["x"][0] = "broken"
    test = beside(tmp_path, train, columns)
    assert np.isnan(test.X.numbers[0, 0])
    assert "'broken'" in {finding.code: finding.message for finding in test.findings}["odd-values"]


@pytest.mark.parametrize("task", TASKS)
def test_a_table_of_names_that_mean_something_elsewhere_is_read(tmp_path: Path, task: str) -> None:
    names = ("X.npy", "y", "../up", "text0_ends", "kind", "größe 'x'", 'a"b', "--drop")
    columns = {name: [n * (place + 3) % 11 / 7 for n in range(40)] for place, name in enumerate(names)}
    columns["target"] = [n % 3 for n in range(40)]
    spec = open_source(columns, TASKS[task], roles=Roles(target="target"), cache=tmp_path).data.spec
    assert list(spec.columns) == [*names, "target"]


def test_a_table_in_which_nothing_varies_is_refused(tmp_path: Path) -> None:
    columns = {"a": ["1"] * 40, "label": ["y", "n"] * 20}
    with pytest.raises(DataError, match=r"a column that differs from row to row .* Got 'a' \(constant\)"):
        built(tmp_path / "data", columns, target="label")


def test_halves_of_signs_become_question_marks(tmp_path: Path) -> None:
    columns = {"a\ud800": ["x", "y\udfff", "z", "x"] * 10, "label": ["y", "n"] * 20}
    assert list(built(tmp_path / "data", columns, target="label").spec.columns) == ["a?", "label"]
