"""Files in a cache that many workers share: named by what they were made of, put in place by an atomic rename.

Of two workers that come at once both compute the same, and the later rename changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from automl.core.protocols import DataSource


def cache_key(data: DataSource, rows: np.ndarray, *parts: Any) -> str:
    """Return a name for what is made of some rows of a data source in a certain way.

    Args:
        data: the source.
        rows: numbers of the rows learned from.
        parts: what else it depends on, JSON values: a version of the format, options.
    """
    learned = hashlib.sha256(np.ascontiguousarray(rows, "<i8").data).hexdigest()
    values = [data.spec.fingerprint, data.spec.rows, learned, *parts]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]


def write_json(path: Path, values: Any) -> None:
    """Write JSON values to a file, all or nothing."""
    text = json.dumps(values, allow_nan=False, ensure_ascii=False)
    _write(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> Any:
    """Return the JSON values of a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_array(path: Path, values: np.ndarray) -> None:
    """Write an array to a file named *.npy, all or nothing."""
    _write(path, lambda file: np.save(file, values, allow_pickle=False))


def read_array(path: Path) -> np.ndarray:
    """Return the array of a file named *.npy, memory-mapped and read-only; an empty one is read."""
    try:
        mapped: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # what has no bytes cannot be mapped
        return np.asarray(np.load(path, allow_pickle=False))
    return mapped


def _write(path: Path, write: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file: IO[bytes]
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as file:
        try:
            write(file)
            file.flush()
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)
