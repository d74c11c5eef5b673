"""Prepared data in a folder: arrays and spec.json. Written once, memory-mapped by the driver and every worker.

X.npy holds the pixels, or all that is no text of a table; textN_bytes.npy and textN_ends.npy hold a column of text (see
`serving.texts`); values.npy and ends.npy hold series (see `serving.series`). y.npy is always there, weights.npy and
groups.npy where rows have weights and folds go by groups or time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.errors import DataError
from automl.serving.rows import RowSet
from automl.serving.series import Series
from automl.serving.table import Table, TableRule
from automl.serving.texts import Texts

_TUPLES = ("shape", "classes", "class_counts")


_AGAIN = "Name the data again to prepare it."


class DataFolder:
    """Data in a folder, as `core.protocols.DataSource`.

    Attributes:
        folder: where it lies.
        spec: its facts.
        findings: what was found when it was prepared.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        facts = self._facts()
        try:
            findings: list[dict[str, Any]] = facts.pop("findings", [])
            self.spec = DataSpec(**{**facts, **{key: tuple(facts[key]) for key in _TUPLES}})
            self.findings = tuple(Finding(**finding) for finding in findings)
        except (AttributeError, KeyError, TypeError) as error:
            raise DataError(
                f"{self.folder / 'spec.json'}: facts of data are needed. Got: {error!r}. {_AGAIN}"
            ) from error

    @cached_property
    def X(self) -> Any:  # noqa: N802 - the field's name for the rows
        """Return the rows, read-only, from the disk as they are used: an array, a `Table` or `Series`."""
        if self.spec.kind == "series":
            return self._series()
        if self.spec.kind == "image":
            return self._load("X.npy", (self.spec.rows, *self.spec.shape))
        rule = TableRule.from_json(self.spec.input)
        numbers = self._load("X.npy", (self.spec.rows, len(rule.numbers)))
        return Table(numbers, tuple(self._texts(number) for number in range(len(rule.texts))))

    @cached_property
    def y(self) -> np.ndarray:
        """Return the targets, read-only: class codes (int64) or values (float64)."""
        return self._load("y.npy", (self.spec.rows,))

    @cached_property
    def weights(self) -> np.ndarray | None:
        """Return the weight of each row, read-only, mean 1; None where all rows count alike."""
        return self._load("weights.npy", (self.spec.rows,)) if self.spec.is_weighted else None

    @cached_property
    def groups(self) -> np.ndarray | None:
        """Return the group of each row, or its rank in time, as `spec.split` says; else None."""
        return None if self.spec.split == "stratified" else self._load("groups.npy", (self.spec.rows,))

    def is_whole(self) -> bool:
        """Whether all arrays are there as the spec says."""
        try:
            X: RowSet = self.X
            sides = [side for side in (self.y, self.weights, self.groups) if side is not None]
            return all(len(part) == self.spec.rows for part in (X, *sides))
        except (DataError, ValueError):
            return False

    def _facts(self) -> dict[str, Any]:
        path = self.folder / "spec.json"
        try:
            facts = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: prepared data is needed there. Got: {error}. {_AGAIN}") from error
        if not isinstance(facts, dict):
            raise DataError(f"{path}: facts of data are needed there. Got {type(facts).__name__}. {_AGAIN}")
        return facts

    def _series(self) -> Series:
        ends = self._load("ends.npy", (self.spec.rows,))
        size = int(ends[-1]) if len(ends) else 0
        return Series.of_packed(self._load("values.npy", (size, self.spec.shape[0])), ends)

    def _texts(self, number: int) -> Texts:
        ends = self._load(f"text{number}_ends.npy", (self.spec.rows,))
        size = int(ends[-1]) if len(ends) else 0
        return Texts.of_packed(self._load(f"text{number}_bytes.npy", (size,)), ends)

    def _load(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        path = self.folder / name
        try:
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: the prepared array cannot be read ({error}). Delete {self.folder}.") from error
        if array.shape != shape:
            raise DataError(f"{path}: shape {shape} is expected. Got {array.shape}. Delete {self.folder}.")
        return array


def write_spec(folder: Path, spec: DataSpec, findings: Sequence[Finding]) -> None:
    """Write spec.json, the last file of a prepared folder: without it the folder does not count."""
    facts = {**asdict(spec), "findings": [asdict(finding) for finding in findings]}
    (folder / "spec.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
