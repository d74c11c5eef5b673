"""Images from arrays: an .npz file with X and y, or arrays in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from automl.data.cache import cache_key, prepared
from automl.data.folder import DataFolder
from automl.data.image_prepare import Rowset, Sizes, Wanted, choose_rule, describe, size_findings
from automl.data.labels import Labels, encode, encode_with
from automl.data.refusals import data_errors
from automl.errors import DataError
from automl.serving.arrays import read_npz
from automl.serving.image_arrays import as_pixels, fit_array, white_value


class LabelledArrays(NamedTuple):
    """Images with labels, as handed over.

    Attributes:
        X: (n, h, w[, c]) uint8, or numbers in [0, 1], [0, 16] or [0, 255].
        y: (n,) texts or whole numbers.
        classes: labels in the order of the codes in y, if y holds codes.
    """

    X: object
    y: object
    classes: Sequence[object] | np.ndarray | None = None


def open_npz(path: Path, name: str, wanted: Wanted, *, cache: Path) -> DataFolder:
    """Return the prepared data of an .npz file with X, y and perhaps classes.

    Raises:
        DataError: arrays are missing, malformed, or would have to be unpickled.
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Mend the path or its permissions.") from error
    key = cache_key({"source": "npz", "name": name, "sha256": digest, **wanted.to_json()})
    return prepared(cache, key, lambda folder: _build(folder, name, _read(path), wanted, label=path.name))


def open_arrays(arrays: LabelledArrays, name: str, wanted: Wanted, *, cache: Path) -> DataFolder:
    """Return the prepared data of arrays in memory.

    Raises:
        DataError: the arrays are malformed.
    """
    arrays = arrays._replace(X=_as_array(arrays.X))
    digest = hashlib.sha256(np.ascontiguousarray(arrays.X).data)
    for part in (arrays.X, arrays.y, arrays.classes):
        digest.update(_signature(part))
    key = cache_key({"source": "arrays", "name": name, "sha256": digest.hexdigest(), **wanted.to_json()})
    return prepared(cache, key, lambda folder: _build(folder, name, arrays, wanted, label="data"))


def open_made(make: Callable[[], LabelledArrays], name: str, origin: str, *, wanted: Wanted, cache: Path) -> DataFolder:
    """Return the prepared data that make() gives; origin names its version, so that make is called once only."""
    key = cache_key({"source": "made", "name": name, "origin": origin, **wanted.to_json()})
    return prepared(cache, key, lambda folder: _build(folder, name, make(), wanted, label=name))


def _build(folder: Path, name: str, arrays: LabelledArrays, wanted: Wanted, *, label: str) -> None:
    X = _as_array(arrays.X)
    with data_errors():
        value_max = wanted.rule.value_max if wanted.rule is not None else white_value(X, f"{label}: X")
        pixels = as_pixels(X, value_max, f"{label}: X")
    if not len(pixels):
        raise DataError(f"{label}: X: at least one image is needed. Got shape {X.shape}.")
    sizes = Sizes(np.array([pixels.shape[1:3]]), pixels.shape[3] == 1)
    rule = choose_rule(sizes, wanted, value_max=value_max)
    labels = _labels(arrays, wanted, rows=len(pixels), name=f"{label}: y")
    rows = np.ascontiguousarray(fit_array(pixels, rule))
    np.save(folder / "X.npy", rows, allow_pickle=False)
    rowset = Rowset(rows, labels, _fingerprint(pixels, labels))
    describe(folder, name, rowset, rule, wanted=wanted, findings=size_findings(sizes, rule))


def _labels(arrays: LabelledArrays, wanted: Wanted, *, rows: int, name: str) -> Labels:
    if wanted.classes is None:
        return encode(arrays.y, arrays.classes, rows=rows, name=name)
    codes = encode_with(arrays.y, arrays.classes, known=wanted.classes, rows=rows, name=name)
    return Labels(codes, wanted.classes)


def _fingerprint(pixels: np.ndarray, labels: Labels) -> str:
    """Return the SHA-256 of the images before resizing, in their order, with their labels."""
    digest = hashlib.sha256(f"images {pixels.shape} {list(labels.classes)}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    digest.update(labels.codes.astype("<i8").data)
    return digest.hexdigest()


def _read(path: Path) -> LabelledArrays:
    with data_errors():
        found = read_npz(path, ["X", "y", "classes"])
    missing = [key for key in ("X", "y") if key not in found]
    if missing:
        raise DataError(
            f"{path.name}: arrays X and y are needed. Got no {' and no '.join(missing)}. "
            "Write it with numpy.savez(file, X=X, y=y)."
        )
    return LabelledArrays(found["X"], found["y"], found.get("classes"))


def _as_array(X: object) -> np.ndarray:
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise DataError(
            f"data: X: images of one shape are needed ({error}). Put them into a folder instead."
        ) from error
    if array.dtype == object:
        raise DataError(f"data: X: an array of numbers is needed. Got dtype object, shape {array.shape}. Stack it.")
    return array


def _signature(part: object) -> bytes:
    """Return bytes that change with the type, shape and (for labels) values of an array."""
    if isinstance(part, np.ndarray) and part.dtype.kind in "biuf" and part.ndim > 1:
        return f"|{part.dtype.str}{part.shape}".encode()
    values = np.asarray(part)
    return f"|{values.dtype.str}{values.shape}{values.tolist()!r}".encode("utf-8", "surrogatepass")
