"""Rows in memory, of any kind: images are one array, tables are numbers and texts, series have steps end to end.

All are indexed as an array is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from .series import Series
from .table import Table
from .texts import Texts


class RowSet(Protocol):
    """Rows that a model can predict: an array with the rows in front, a `Table`, or `Series`."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def __getitem__(self, index: np.ndarray | slice) -> RowSet:
        """Return these rows, in this order."""
        ...


class Rows(NamedTuple):
    """Rows to predict.

    Attributes:
        names: for people: file names, ids of series, or row numbers.
        X: the rows.
        notes: what people should know about how they were read, one line each.
    """

    names: list[str]
    X: RowSet
    notes: tuple[str, ...] = ()


def save_rows(path: Path, X: RowSet) -> None:
    """Write rows as one .npz; `load_rows` gives the same rows back."""
    np.savez(path, **arrays_of(X))  # type: ignore[arg-type]  # the stub reads any name as allow_pickle


def load_rows(path: Path) -> RowSet:
    """Read what `save_rows` wrote. Nothing is unpickled."""
    with np.load(path, allow_pickle=False) as archive:
        return rows_of({name: archive[name] for name in archive.files})


def arrays_of(X: RowSet) -> dict[str, np.ndarray]:
    """Return rows as plain arrays: `X`; `numbers` and two for each column of text; `series_values`, `series_ends`."""
    if isinstance(X, Series):
        packed = X.packed()
        return {"series_values": packed.values, "series_ends": packed.ends}
    if not isinstance(X, Table):
        return {"X": np.asarray(X)}
    arrays = {"numbers": np.asarray(X.numbers)}
    for number, column in enumerate(X.texts):
        said = column.packed()
        arrays |= {f"text{number}_bytes": said.data, f"text{number}_ends": said.ends}
    return arrays


def rows_of(arrays: Mapping[str, np.ndarray]) -> RowSet:
    """Return the rows that `arrays_of` took apart."""
    if "X" in arrays:
        return arrays["X"]
    if "series_values" in arrays:
        return Series.of_packed(arrays["series_values"], arrays["series_ends"])
    count = sum(name.endswith("_bytes") for name in arrays)
    texts = tuple(Texts.of_packed(arrays[f"text{n}_bytes"], arrays[f"text{n}_ends"]) for n in range(count))
    return Table(arrays["numbers"], texts)
