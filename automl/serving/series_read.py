"""Series from files and from memory, by the rule of training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import is_npz, read_npz
from .errors import InputError
from .rows import Rows
from .series import Series, SeriesRule
from .series_arrays import series_of_array, series_of_list
from .series_long import LongReader, check_columns, series_of_chunk, wanted_columns
from .table_cells import TableFile, chunk_of
from .table_read import SUFFIXES, open_table

KINDS = f"an .npz file with X, or a table with one step a row ({' '.join(SUFFIXES)})"


def read_series(path: Path, rule: SeriesRule) -> Rows:
    """Read a file as series: an .npz with X and perhaps lengths, or a table with one step a row.

    Raises:
        InputError: it is something else, malformed, or not like the training data.
    """
    if is_npz(path):
        series = fitting(read_arrays(path), rule, f"{path.name}: X")
        return Rows(list(map(str, range(len(series)))), series)
    if path.suffix.lower() not in SUFFIXES:
        what = "a folder" if path.is_dir() else f"the ending {path.suffix!r}"
        raise InputError(f"{path.name}: series are read from {KINDS}. Got {what}. Convert it.")
    check_long(rule, path.name)
    return series_from(open_table(path), rule)


def series_from(file: TableFile, rule: SeriesRule) -> Rows:
    """Read an open table with one step a row; its further columns are left alone.

    Returns:
        one row for each series, in the order in which their ids first appear; the names are the ids.

    Raises:
        InputError: a column is missing or holds something else than in training, or a row has no id or time.
    """
    name = file.path.name
    check_long(rule, name)
    check_columns(file.names, rule, name)
    reader = LongReader(rule, name)
    for chunk in file.chunks(wanted_columns(rule)):
        reader.add(chunk)
    found = reader.finish()
    told = (
        f"{name}: {len(found.series):,} series in {len(found.series.values):,} rows, in the order of first appearance"
    )
    return Rows(found.names, found.series, (*(note.message for note in (*file.notes, *found.notes)), told))


def read_arrays(path: Path) -> Series:
    """Return the series of an .npz file with X and perhaps lengths.

    Raises:
        InputError: it has no X, is malformed, or would have to be unpickled.
    """
    arrays = read_npz(path, ["X", "lengths"])
    if "X" not in arrays:
        raise InputError(f"{path.name}: an array X is needed. Got none. Write it with numpy.savez(file, X=X).")
    return series_of_array(arrays["X"], f"{path.name}: X", lengths=arrays.get("lengths"))


def series_of(X: Any, rule: SeriesRule, name: str) -> Series:
    """Return an object in memory as series.

    Args:
        X: an array (n, channels, steps), or (n, steps) for one channel; a list of arrays (steps, channels); or, where
            training had a table with one step a row, a data frame, a dict of columns or a list of dicts like it.
        rule: of the training data.
        name: for messages.

    Raises:
        InputError: it is something else, or not like the training data.
    """
    if isinstance(X, Series):
        return X
    if is_arrays(X):
        return fitting(from_memory(X, name), rule, name)
    check_long(rule, name)
    return series_of_chunk(chunk_of(X), rule, name).series


def is_arrays(X: Any) -> bool:
    """Return whether an object is series as arrays, rather than a table with one step a row."""
    if isinstance(X, np.ndarray):
        return not X.dtype.names
    return isinstance(X, list | tuple) and not (X and all(isinstance(item, Mapping) for item in X))


def from_memory(X: Any, name: str) -> Series:
    """Return an array, or a list of arrays (steps, channels), as series.

    Raises:
        InputError: it is something else.
    """
    if isinstance(X, np.ndarray) and not (X.dtype == object and X.ndim == 1):
        return series_of_array(X, name)
    return series_of_list(list(X), name)


def fitting(series: Series, rule: SeriesRule, name: str) -> Series:
    """Return series that have as many channels as the rule.

    Raises:
        InputError: they have not.
    """
    if series.channels != len(rule.channels):
        raise InputError(
            f"{name}: {len(rule.channels)} channels are needed, as in training: {str(list(rule.channels[:10]))[:200]}. "
            f"Got {series.channels}. Arrays are (series, channels, steps), lists hold (steps, channels)."
        )
    return series


def check_long(rule: SeriesRule, name: str) -> None:
    """Refuse a table where training had arrays.

    Raises:
        InputError: it had.
    """
    if not rule.id:
        raise InputError(
            f"{name}: the model learned from arrays without names, and a table cannot be matched to them. Got a table. "
            "Give an .npz file or arrays with X (series, channels, steps)."
        )
