"""Open what a user calls a table: a file, a data frame, (X, y), or a small real table that ships with scikit-learn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from automl.core.data import DataSpec, Finding
from automl.core.protocols import Task
from automl.data.cache import cache_key, prepared
from automl.data.folder import DataFolder
from automl.data.refusals import data_errors
from automl.data.roles import Roles
from automl.data.table_findings import test_findings
from automl.data.table_memory import MemoryTable, table_in_memory
from automl.data.table_parquet import SUFFIXES as PARQUET
from automl.data.table_parquet import open_parquet
from automl.data.table_prepare import TableGiven, build_test, build_train
from automl.errors import DataError
from automl.serving.table_cells import TableFile, cells_of
from automl.serving.table_read import SUFFIXES as TEXT
from automl.serving.table_read import open_table

SUFFIXES = (*TEXT, *PARQUET)
"""Endings of the files that are tables."""
KINDS = f"a table with a line of names ({' '.join(SUFFIXES)})"


def open_file(path: Path, name: str, roles: Roles, task: Task, *, cache: Path) -> DataFolder:
    """Return the prepared training data of a file; the same bytes with the same roles are prepared once.

    Raises:
        DataError: it cannot be read, or nothing can be learned from it.
    """
    key = cache_key({"source": "table", "name": name, "shown": path.name, "sha256": _sha256(path),
                     "task": task.info.name, **roles.to_json()})  # fmt: skip
    return prepared(cache, key, lambda folder: build_train(folder, _given(path, name), roles, task))


def open_memory(source: Any, roles: Roles, task: Task, *, cache: Path) -> DataFolder:
    """Return the prepared training data of a data frame, or of (X, y).

    Raises:
        DataError: nothing can be learned from it.
    """
    with data_errors():
        table, target = table_in_memory(source, "data")
    if target and roles.target not in ("", target):
        raise DataError(f"target {roles.target!r}: data given as (X, y) has its target in y. Leave it out.")
    roles = replace(roles, target=target or roles.target)
    key = cache_key({"source": "memory", "sha256": table.sha256(), "task": task.info.name, **roles.to_json()})
    given = TableGiven(table, "data", "arrays")
    return prepared(cache, key, lambda folder: build_train(folder, given, roles, task))


def open_default(roles: Roles, task: Task, *, cache: Path) -> DataFolder:
    """Return the prepared data that a task has without any being named.

    Raises:
        DataError: the task has none.
    """
    name = task.info.default_data
    if name not in _MADE:
        raise DataError(f"DATA: task {task.info.name} needs data. Got {name!r}. DATA is {KINDS}.")
    make, target = _MADE[name]
    roles = replace(roles, target=roles.target or target)
    origin = f"scikit-learn {version('scikit-learn')}"
    key = cache_key({"source": "made", "name": name, "origin": origin, "task": task.info.name, **roles.to_json()})

    def _build(folder: Path) -> None:
        columns = {column: cells_of(values, column) for column, values in make().items()}
        build_train(folder, TableGiven(MemoryTable(columns, name), name, name), roles, task)

    return prepared(cache, key, _build)


def test_file(path: Path, name: str, train: DataSpec, *, cache: Path) -> DataFolder:
    """Return the prepared test data of a file.

    Raises:
        DataError: it cannot be read, or is not like the training data.
    """
    key = _test_key(train, {"name": name, "shown": path.name, "sha256": _sha256(path)})
    return prepared(cache, key, lambda folder: build_test(folder, _given(path, name), train))


def test_memory(source: Any, train: DataSpec, *, cache: Path) -> DataFolder:
    """Return the prepared test data of a data frame, or of (X, y).

    Raises:
        DataError: it is not like the training data.
    """
    with data_errors():
        table, _ = table_in_memory(source, "test", train.target)
    key = _test_key(train, {"sha256": table.sha256()})
    return prepared(cache, key, lambda folder: build_test(folder, TableGiven(table, "test data", "test"), train))


def compared(train: DataFolder, test: DataFolder) -> list[Finding]:
    """Return what is worth knowing about test rows beside training rows."""
    return test_findings(train.spec, train.X, test.X)


def _given(path: Path, name: str) -> TableGiven:
    with data_errors():
        table: TableFile = open_parquet(path) if path.suffix.lower() in PARQUET else open_table(path)
    return TableGiven(table, path.name, name)


def _test_key(train: DataSpec, facts: Mapping[str, object]) -> str:
    return cache_key({"source": "test table", "input": train.input, "target": train.target, "classes": train.classes,
                      "columns": train.columns, **facts})  # fmt: skip


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Mend the path or its permissions.") from error


def _breast_cancer() -> dict[str, Any]:
    """Return 569 tumours: 30 measures of cell nuclei, and whether they were benign or malignant."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    columns = dict(zip(map(str, bunch.feature_names), bunch.data.T, strict=True))
    return {**columns, "diagnosis": bunch.target_names[bunch.target]}


def _diabetes() -> dict[str, Any]:
    """Return 442 patients: age, sex and eight measures, and how far the disease had gone after a year."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    return {**dict(zip(bunch.feature_names, bunch.data.T, strict=True)), "progression": bunch.target}


_MADE: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "breast-cancer": (_breast_cancer, "diagnosis"),
    "diabetes": (_diabetes, "progression"),
}
"""Default data → how it is made, and its target."""
