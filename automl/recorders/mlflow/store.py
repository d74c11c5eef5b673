"""The prepared database: MLflow's empty SQLite store, migrated once per version and then only copied.

A fresh store costs MLflow seconds of migrations, and several processes that open one at once leave it broken. So one
process makes it in the user's cache, and a copy of it is linked into place whole.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from automl.errors import MachineError

_LONGEST_SECONDS = 300.0
_MAKE = """
import sys
import sqlalchemy
from sqlalchemy import event
@event.listens_for(sqlalchemy.engine.Engine, "connect")
def _hurry(connection, record):
    connection.execute("PRAGMA synchronous=OFF")
from mlflow import MlflowClient
MlflowClient(sys.argv[1]).search_experiments()
"""
"""Migrates in a process of its own; nothing has to survive a power cut before the file is whole."""


def ensure_store(path: Path, cache: Path) -> None:
    """Put an empty, migrated store at path unless a file is there already. Safe against others who do the same.

    Raises:
        MachineError: the store cannot be made or written.
    """
    if path.exists():
        _check(path)
        return
    empty = empty_store(cache)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            copy = Path(folder) / "store.db"
            shutil.copyfile(empty, copy)
            _set_default_location(copy, path.parent / "mlruns" / "0")
            _put(copy, path)
    except OSError as problem:
        raise MachineError(f"{path}: cannot be made: {problem.strerror}. Name another --tracking-uri.") from problem


def _check(path: Path) -> None:
    """Refuse at once what MLflow would try to open for over a minute."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            connection.execute("PRAGMA schema_version").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as problem:
        raise MachineError(
            f"{path}: is no SQLite database: {problem}. Move it away, or name another --tracking-uri."
        ) from None


def empty_store(cache: Path) -> Path:
    """Return the empty store of the installed MLflow, making it if it is not in the cache.

    Raises:
        MachineError: the cache cannot be written, or MLflow cannot make a store.
    """
    made = cache / "mlflow" / f"empty-{version('mlflow')}.db"
    if made.exists():
        return made
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        with _alone(made.with_suffix(".lock")), tempfile.TemporaryDirectory(dir=made.parent) as folder:
            if not made.exists():
                fresh = Path(folder) / "empty.db"
                _migrate(fresh)
                fresh.replace(made)
    except OSError as problem:
        raise MachineError(f"{made.parent}: cannot be written: {problem.strerror}. Set AUTOML_CACHE.") from problem
    return made


def _migrate(path: Path) -> None:
    command = [sys.executable, "-c", _MAKE, f"sqlite:///{path}"]
    try:
        done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False,
                              timeout=_LONGEST_SECONDS)  # fmt: skip
    except subprocess.TimeoutExpired:
        raise MachineError(f"{path}: MLflow made no store in {_LONGEST_SECONDS:g} s. Try again later.") from None
    if done.returncode != 0:
        last = done.stderr.strip().rsplit("\n", 1)[-1]
        raise MachineError(f"{path}: MLflow cannot make a store: {last}. Check its installation: automl doctor.")


def _set_default_location(store: Path, folder: Path) -> None:
    """Give the Default experiment, which has number 0, the artifact folder it would have had in place."""
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0", (str(folder),))
    connection.close()


def _put(copy: Path, path: Path) -> None:
    """Give the whole copy its final name; whoever comes second leaves the first one's file alone."""
    try:
        os.link(copy, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links: the last whole copy wins
        if not path.exists():
            copy.replace(path)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
