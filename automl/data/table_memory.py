"""Tables in memory: data frames, and (X, y) with a 2-D array or a data frame X."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.errors import DataError
from automl.serving.table_cells import ROWS, Cells, Chunk, Note, cells_of, chunk_of

DEFAULT_TARGET = "target"


class MemoryTable:
    """Columns in memory, as `serving.table_cells.TableFile`."""

    separator = ","

    def __init__(self, columns: Chunk, name: str) -> None:
        self.path = Path(name)
        self.names = tuple(columns)
        self.notes: list[Note] = []
        self._columns = columns

    def chunks(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[Chunk]:
        """Yield the rows in order, so many at a time; see `TableFile.chunks`."""
        wanted = {name: cells for name, cells in self._columns.items() if columns is None or name in columns}
        count = max((len(cells) for cells in wanted.values()), default=0)
        for start in range(0, count, rows):
            yield {name: cells[start : start + rows] for name, cells in wanted.items()}

    def sha256(self) -> str:
        """Return a hash of names and cells."""
        digest = hashlib.sha256()
        for name, cells in self._columns.items():
            digest.update(f"{name!r} {type(cells).__name__} {len(cells)}\n".encode("utf-8", "surrogatepass"))
            if isinstance(cells, np.ndarray):
                digest.update(np.ascontiguousarray(cells).data)
            else:
                digest.update(repr(cells).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


class Targeted(NamedTuple):
    """A table in memory, and the name of its target where the form it was given in says which that is."""

    table: MemoryTable
    target: str


def table_in_memory(given: Any, name: str, target: str = "") -> Targeted:
    """Return a data frame, or (X, y), as a table.

    Args:
        given: a data frame (or a dict of columns) with the target in it, or a tuple (X, y).
        name: for messages.
        target: what the column of y is called; empty for the name that y has, or "target".

    Raises:
        DataError: another form, or X and y differ in length.
        InputError: a column cannot be used, or names repeat.
    """
    if not isinstance(given, tuple):
        return Targeted(MemoryTable(_checked(_columns_of(given), name), name), "")
    if len(given) != 2:
        raise DataError(f"{name}: arrays of a table are given as (X, y). Got a tuple of {len(given)}.")
    X, y = given
    target = target or str(getattr(y, "name", None) or DEFAULT_TARGET)
    columns = _checked(_columns_of(X), name)
    if target in columns:
        raise DataError(f"{name}: y is called {target!r}, and X has a column of that name. Leave one of them out.")
    values = _flat(y, name)
    rows = len(next(iter(columns.values())))
    if len(values) != rows:
        raise DataError(f"{name}: one target per row is needed. Got {len(values)} targets for {rows} rows.")
    return Targeted(MemoryTable({**columns, target: values}, name), target)


def _columns_of(X: Any) -> Chunk:
    if getattr(getattr(X, "columns", None), "nlevels", 1) > 1:
        raise DataError(
            f"X: columns need one level of names. Got {X.columns.nlevels} levels. Join them, such as 'price_mean'."
        )
    if hasattr(X, "columns") or isinstance(X, dict):
        return chunk_of(X)
    if isinstance(X, list | tuple) and X and all(isinstance(text, str) for text in X):
        return {"text": cells_of(list(X), "text")}
    array = _two_axes(X)
    return {f"x{place}": cells_of(array[:, place], f"x{place}") for place in range(array.shape[1])}


def _two_axes(X: Any) -> np.ndarray:
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise DataError(f"X: rows of one length are needed ({error}). Fill or cut them.") from error
    if array.dtype.names or array.ndim != 2:
        raise DataError(
            f"X: shape (rows, columns) is needed for a table. Got {array.shape}, {type(X).__name__}. "
            "Give a 2-D array or a data frame."
        )
    return array


def _flat(y: Any, name: str) -> Cells:
    if hasattr(y, "columns") and hasattr(y, "iloc"):
        y = y.to_numpy()
    if hasattr(y, "to_pylist"):  # Arrow
        return cells_of(y.to_pylist(), "y")
    values = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"{name}: y: shape (n,) is needed. Got {values.shape}. Give one target per row.")
    return cells_of(values, "y")


def _checked(columns: Chunk, name: str) -> Chunk:
    if not columns or not len(next(iter(columns.values()))):
        rows = len(next(iter(columns.values()))) if columns else 0
        raise DataError(f"{name}: rows and columns are needed. Got {rows} rows, {len(columns)} columns.")
    return columns
