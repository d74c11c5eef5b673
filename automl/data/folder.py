"""Prepared data in a folder: X.npy, y.npy, spec.json. Written once, memory-mapped by the driver and every worker."""

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
        findings: list[dict[str, Any]] = facts.pop("findings", [])
        tuples = {key: tuple(facts[key]) for key in ("shape", "classes", "class_counts")}
        self.spec = DataSpec(**{**facts, **tuples})
        self.findings = tuple(Finding(**finding) for finding in findings)

    @cached_property
    def X(self) -> np.ndarray:  # noqa: N802 - the field's name for the rows
        """Return the rows, read-only, from the disk as they are used."""
        return self._load("X.npy", (self.spec.rows, *self.spec.shape))

    @cached_property
    def y(self) -> np.ndarray:
        """Return the class codes (int64), read-only."""
        return self._load("y.npy", (self.spec.rows,))

    def is_whole(self) -> bool:
        """Whether both arrays are there as the spec says."""
        try:
            return len(self.X) == len(self.y) == self.spec.rows
        except DataError:
            return False

    def _facts(self) -> dict[str, Any]:
        path = self.folder / "spec.json"
        try:
            facts = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path}: prepared data is needed there. Got: {error}. Name the data again to prepare it."
            ) from error
        assert isinstance(facts, dict)
        return facts

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
