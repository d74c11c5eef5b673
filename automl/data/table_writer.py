"""Write a table into a folder chunk by chunk, as `data.folder.DataFolder` reads it."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np

from automl.data.array_file import ArrayFile
from automl.serving.table import Table, TableRule


class _TextFiles(NamedTuple):
    data: ArrayFile
    ends: ArrayFile


class TableWriter:
    """Rows that are appended to X.npy and a pair of files for each column of text; a context manager."""

    def __init__(self, folder: Path, rule: TableRule) -> None:
        self._stack = ExitStack()
        self._numbers = self._open(folder / "X.npy", np.float64, (len(rule.numbers),))
        self._texts = [self._text_files(folder, number) for number in range(len(rule.texts))]
        self._sizes = [0] * len(rule.texts)
        self._digests = [hashlib.sha256() for _ in range(1 + 2 * len(rule.texts))]
        self.rows = 0

    def append(self, table: Table) -> None:
        """Add rows."""
        numbers = np.ascontiguousarray(table.numbers, np.float64)
        self._numbers.append(numbers)
        self._digests[0].update(numbers.data)
        for place, (files, texts) in enumerate(zip(self._texts, table.texts, strict=True)):
            packed = texts.packed()
            ends = np.asarray(packed.ends + self._sizes[place], np.int64)
            files.data.append(packed.data)
            files.ends.append(ends)
            self._sizes[place] += len(packed.data)
            self._digests[1 + 2 * place].update(np.ascontiguousarray(packed.data).data)
            self._digests[2 + 2 * place].update(np.ascontiguousarray(ends).data)
        self.rows += len(table)

    def sha256(self) -> str:
        """Return a hash of all rows so far, the same for any sizes of chunks."""
        return hashlib.sha256(" ".join(digest.hexdigest() for digest in self._digests).encode()).hexdigest()

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _text_files(self, folder: Path, number: int) -> _TextFiles:
        data = self._open(folder / f"text{number}_bytes.npy", np.uint8)
        return _TextFiles(data, self._open(folder / f"text{number}_ends.npy", np.int64))

    def _open(self, path: Path, kind: type[np.generic], width: tuple[int, ...] = ()) -> ArrayFile:
        return self._stack.enter_context(ArrayFile(path, np.dtype(kind), width))
