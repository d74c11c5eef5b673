"""Open what a user calls series: an .npz file, arrays, or a table with one step a row."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from automl.core.data import DataSpec, Finding
from automl.core.protocols import Task
from automl.data import series_arrays, series_long
from automl.data.cache import cache_key, prepared
from automl.data.folder import DataFolder
from automl.data.refusals import data_errors
from automl.data.roles import Roles
from automl.data.series_findings import test_findings
from automl.data.table_memory import table_in_memory
from automl.data.table_parquet import SUFFIXES as PARQUET
from automl.data.table_parquet import open_parquet
from automl.data.table_prepare import TableGiven
from automl.errors import DataError
from automl.serving.arrays import is_npz
from automl.serving.table_cells import TableFile
from automl.serving.table_read import SUFFIXES as TEXT
from automl.serving.table_read import open_table

SUFFIXES = (".npz", *TEXT, *PARQUET)
"""Endings of the files that are series."""
KINDS = f"an .npz with X (series, channels, steps) and y, or a table with one step a row ({' '.join(SUFFIXES[1:])})"


def open_file(path: Path, name: str, roles: Roles, task: Task, *, cache: Path) -> DataFolder:
    """Return the prepared training data of a file; the same bytes with the same roles are prepared once.

    Raises:
        DataError: it cannot be read, or nothing can be learned from it.
    """
    if is_npz(path):
        _refuse_roles(roles, f"{path.name} holds arrays")
    key = cache_key({"source": "series", "name": name, "shown": path.name, "sha256": _sha256(path),
                     "task": task.info.name, **roles.to_json()})  # fmt: skip

    def _build(folder: Path) -> None:
        if is_npz(path):
            series_arrays.build_train(folder, name, series_arrays.labelled_file(path), task)
        else:
            series_long.build_train(folder, _given(path, name), roles, task)

    return prepared(cache, key, _build)


def open_memory(source: Any, roles: Roles, task: Task, *, cache: Path) -> DataFolder:
    """Return the prepared training data of (X, y), (X, y, classes), or a data frame with one step a row.

    Raises:
        DataError: nothing can be learned from it.
    """
    if isinstance(source, tuple):
        _refuse_roles(roles, "the data is given as arrays")
        data = series_arrays.labelled_arrays(source, "data")
        key = cache_key({"source": "series arrays", "sha256": data.sha256(), "task": task.info.name})
        return prepared(cache, key, lambda folder: series_arrays.build_train(folder, "arrays", data, task))
    with data_errors():
        table = table_in_memory(source, "data").table
    key = cache_key({"source": "series memory", "sha256": table.sha256(), "task": task.info.name, **roles.to_json()})
    given = TableGiven(table, "data", "frame")
    return prepared(cache, key, lambda folder: series_long.build_train(folder, given, roles, task))


def test_file(path: Path, name: str, train: DataSpec, *, cache: Path) -> DataFolder:
    """Return the prepared test data of a file.

    Raises:
        DataError: it cannot be read, or is not like the training data.
    """

    def _build(folder: Path) -> None:
        if is_npz(path):
            series_arrays.build_test(folder, name, series_arrays.labelled_file(path), train)
        else:
            series_long.build_test(folder, _given(path, name), train)

    return prepared(cache, _test_key(train, f"{name} {path.name}", _sha256(path)), _build)


def test_memory(source: Any, train: DataSpec, *, cache: Path) -> DataFolder:
    """Return the prepared test data of (X, y), (X, y, classes), or a data frame with one step a row.

    Raises:
        DataError: it is not like the training data.
    """
    if isinstance(source, tuple):
        data = series_arrays.labelled_arrays(source, "test data")
        key = _test_key(train, "arrays", data.sha256())
        return prepared(cache, key, lambda folder: series_arrays.build_test(folder, "test", data, train))
    with data_errors():
        table = table_in_memory(source, "test").table
    given = TableGiven(table, "test data", "test")
    key = _test_key(train, "frame", table.sha256())
    return prepared(cache, key, lambda folder: series_long.build_test(folder, given, train))


def compared(train: DataFolder, test: DataFolder) -> list[Finding]:
    """Return what is worth knowing about test series beside those of training."""
    return test_findings(train.X, test.X)


def _refuse_roles(roles: Roles, why: str) -> None:
    given = {**roles.flags(), "--drop": ",".join(roles.drop), "--positive": roles.positive}
    for flag, value in given.items():
        if value:
            raise DataError(f"{flag} {value!r}: it is for tables, and {why}. Leave it out.")


def _given(path: Path, name: str) -> TableGiven:
    with data_errors():
        table: TableFile = open_parquet(path) if path.suffix.lower() in PARQUET else open_table(path)
    return TableGiven(table, path.name, name)


def _test_key(train: DataSpec, what: str, sha256: str) -> str:
    return cache_key({"source": "test series", "input": train.input, "target": train.target, "classes": train.classes,
                      "what": what, "sha256": sha256})  # fmt: skip


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Mend the path or its permissions.") from error
