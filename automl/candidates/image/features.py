"""The features a configuration asks for, computed once for a data set and shared by its trials and workers."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from automl.core.data import DataSpec
from automl.core.protocols import DataSource
from automl.core.space import Value
from automl.serving.image_features import VERSION, columns, compute

_PIXELS_PER_CELL = 6  # sign_digits: 0.89 with 6 pixels to a cell side, 0.86 with 4; larger images are averaged down
_BLOCK_BYTES = 64 << 20

# CPU-seconds on one common core, measured on fashion_mnist (20,000 x 28 x 28) and sign_digits (1,562 x 48 x 48 x 3).
_SECONDS_PER_VALUE = 8e-9
_SECONDS_PER_VOTE = 3e-9  # pixel x orientation
_SECONDS_PER_NUMBER = 4e-8  # cell x orientation


def chosen(shape: tuple[int, ...], values: Mapping[str, Value]) -> dict[str, object]:
    """Return the description of the features that a configuration asks for, for images of this shape.

    `features = "pooled"` with `size` area averages along the longer side; `features = "hog"` with `cells` along the
    longer side and `bins` orientations. Small images get as many as they have pixels for.

    >>> chosen((8, 8, 1), {"features": "pooled", "size": 14})
    {'kind': 'pooled', 'height': 8, 'width': 8}
    """
    high, wide = shape[:2]
    if values["features"] == "pooled":
        return {
            "kind": "pooled",
            "height": _along(high, shape, values["size"]),
            "width": _along(wide, shape, values["size"]),
        }
    cells = min(int(values["cells"]), max(1, max(high, wide) // 2))  # a cell of one pixel is no histogram
    cells_high, cells_wide = _along(high, shape, cells), _along(wide, shape, cells)
    return {
        "kind": "hog",
        "height": min(high, cells_high * _PIXELS_PER_CELL),
        "width": min(wide, cells_wide * _PIXELS_PER_CELL),
        "cells_high": cells_high,
        "cells_wide": cells_wide,
        "bins": int(values["bins"]),
        "signed": True,
        "intensity": True,
    }


def _along(side: int, shape: tuple[int, ...], wanted: Value) -> int:
    """Return wanted parts of the longer side, and as many of the shorter one as give parts of the same size."""
    return max(1, min(side, round(int(wanted) * side / max(shape[:2]))))


def seconds(spec: DataSpec, features: Mapping[str, object]) -> float:
    """Return the CPU-seconds that these features of the whole data set take on one common core."""
    a_row = float(np.prod(spec.shape)) * _SECONDS_PER_VALUE
    if features["kind"] == "hog":
        pixels = int(str(features["height"])) * int(str(features["width"]))
        a_row += pixels * int(str(features["bins"])) * _SECONDS_PER_VOTE
        a_row += columns(features, spec.shape) * _SECONDS_PER_NUMBER
    return spec.rows * a_row


def cached(features: Mapping[str, object], data: DataSource, cache: Path) -> np.ndarray:
    """Return the features of all rows, float32 (rows, columns), memory-mapped and read-only.

    They are computed by whoever comes first and put in place by an atomic rename: of two workers that come at once
    both compute the same, and the later rename changes nothing.
    """
    key = json.dumps([VERSION, data.spec.fingerprint, data.spec.rows, dict(features)], sort_keys=True)
    path = cache / f"features-{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
    if not path.exists():
        _write(features, data, path)
    stored: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return stored


def _write(features: Mapping[str, object], data: DataSource, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    width = columns(features, data.spec.shape)
    step = max(1, _BLOCK_BYTES // (4 * width))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".features-", suffix=".npy", delete=False) as file:
        try:
            header = {"descr": "<f4", "fortran_order": False, "shape": (data.spec.rows, width)}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, data.spec.rows, step):
                file.write(np.ascontiguousarray(compute(features, data.X[start : start + step]), dtype="<f4").data)
            file.flush()
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)
