"""Series from arrays: an .npz file with X and y, or arrays in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.core.data import DataSpec
from automl.core.protocols import Task
from automl.data.labels import encode, encode_with
from automl.data.refusals import data_errors
from automl.data.series_writer import SeriesGiven, write_test, write_train
from automl.data.table_sides import SideArrays
from automl.errors import DataError
from automl.serving.arrays import read_npz
from automl.serving.series import Series, SeriesRule
from automl.serving.series_arrays import series_of_array
from automl.serving.series_read import fitting, from_memory, is_arrays


class LabelledSeries(NamedTuple):
    """Series with labels.

    Attributes:
        series: the rows.
        y: (n,) texts or whole numbers.
        classes: labels in the order of the codes in y, if y holds codes.
        shown: what they are called in messages.
    """

    series: Series
    y: object
    classes: Sequence[object] | np.ndarray | None
    shown: str

    def sha256(self) -> str:
        """Return a hash of series and labels."""
        digest = hashlib.sha256(f"{self.series.values.shape}".encode())
        for part in (self.series.values, self.series.ends):
            digest.update(np.ascontiguousarray(part).data)
        for labels in (self.y, self.classes):
            values = np.asarray(labels)
            digest.update(f"|{values.dtype.str}{values.tolist()!r}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def labelled_file(path: Path) -> LabelledSeries:
    """Return what an .npz file with X and y, and perhaps lengths and classes, holds.

    Raises:
        DataError: an array is missing, malformed, or would have to be unpickled.
    """
    with data_errors():
        found = read_npz(path, ["X", "y", "lengths", "classes"])
        missing = [key for key in ("X", "y") if key not in found]
        if missing:
            raise DataError(
                f"{path.name}: arrays X and y are needed. Got no {' and no '.join(missing)}. "
                "Write it with numpy.savez(file, X=X, y=y), X of shape (series, channels, steps)."
            )
        X = found["X"]
        if X.ndim != 3:
            hint = " Got one channel? Use X[:, None, :]." if X.ndim == 2 else ""
            raise DataError(
                f"{path.name}: X: shape (series, channels, steps) is needed. Got {X.shape}.{hint} Reshape it."
            )
        series = series_of_array(X, f"{path.name}: X", lengths=found.get("lengths"))
    return LabelledSeries(series, found["y"], found.get("classes"), path.name)


def labelled_arrays(source: tuple[Any, ...], shown: str) -> LabelledSeries:
    """Return (X, y) or (X, y, classes) in memory, X an array or a list of arrays (steps, channels).

    Raises:
        DataError: another form, shape or type.
    """
    if len(source) not in (2, 3):
        raise DataError(f"{shown}: arrays are given as (X, y) or (X, y, classes). Got a tuple of {len(source)}.")
    X = source[0]
    if hasattr(X, "columns") or not (isinstance(X, Series) or is_arrays(X)):
        raise DataError(
            f"{shown}: X: an array (series, channels, steps) or a list of arrays (steps, channels) is needed. Got a "
            f"{type(X).__name__}. Give a table with one step a row alone, with the labels in it, and name target and "
            "series_id."
        )
    with data_errors():
        series = Series.of_packed(*X.packed()) if isinstance(X, Series) else from_memory(X, f"{shown}: X")
    classes = np.asarray(source[2]) if len(source) == 3 and source[2] is not None else None
    return LabelledSeries(series, source[1], classes, shown)


def build_train(folder: Path, name: str, data: LabelledSeries, task: Task) -> None:
    """Write the prepared training data of arrays into a folder.

    Raises:
        DataError: nothing can be learned from it.
    """
    labels = encode(data.y, data.classes, rows=len(data.series), name=f"{data.shown}: y", row="series")
    rule = SeriesRule(tuple(map(str, range(data.series.channels))))
    sides = SideArrays(labels.codes, labels.classes, findings=labels.findings)
    write_train(folder, SeriesGiven(name, data.shown, data.series, rule, sides), task)


def build_test(folder: Path, name: str, data: LabelledSeries, train: DataSpec) -> None:
    """Write prepared test data into a folder, by the rule and with the classes of training.

    Raises:
        DataError: other channels, or a label that is not among the classes.
    """
    rule = SeriesRule.from_json(train.input)
    with data_errors():
        series = fitting(data.series, rule, f"{data.shown}: X")
    y = encode_with(data.y, data.classes, known=train.classes, rows=len(series), name=f"{data.shown}: y", row="series")
    given = SeriesGiven(name, data.shown, series, rule, SideArrays(y, train.classes), target=train.target)
    write_test(folder, given)
