"""Turn arrays of images into rows by the same rule that image files obey."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .errors import InputError
from .image_rule import ImageRule
from .images import fit

_RANGES = (1.0, 16.0, 255.0)


def white_value(X: np.ndarray, name: str) -> float:
    """Return the value of white that an array of images seems to use: 1, 16 or 255 (uint8 always 255).

    Raises:
        InputError: the values are in no known range.

    >>> white_value(np.array([[[0.0, 0.5]]]), "X")
    1.0
    """
    if X.dtype == np.uint8 or X.size == 0:
        return 255.0
    if X.dtype == np.bool_:
        return 1.0
    _check_numbers(X, name)
    low, high = float(X.min()), float(X.max())
    if np.isfinite(high) and low >= 0:
        for value_max in _RANGES:
            if high <= value_max:
                return value_max
    raise InputError(
        f"{name}: pixels must be bytes (0 to 255) or numbers in [0, 1], [0, 16] or [0, 255]. "
        f"Got values in [{low:g}, {high:g}]. Rescale them, for example to uint8."
    )


def as_pixels(X: np.ndarray, value_max: float, name: str) -> np.ndarray:
    """Return images of any accepted layout as uint8 (n, h, w, 1 or 3), unresized.

    Args:
        X: (n, h, w) or (n, h, w, 1, 3 or 4); uint8, or numbers in [0, value_max].
        value_max: the value of white in X if it is not uint8.
        name: for messages.

    Raises:
        InputError: another shape, type or range.
    """
    X = _check_shape(X, name)
    if X.dtype == np.uint8:
        return _opaque(_check_bytes(X, value_max, name))
    if X.dtype == np.bool_:
        X = X.astype(np.uint8)
    _check_numbers(X, name)
    low, high = (float(X.min()), float(X.max())) if X.size else (0.0, 0.0)
    if not (low >= 0 and high <= value_max):
        raise InputError(
            f"{name}: pixels must be numbers in [0, {value_max:g}], as in training, or bytes (uint8). "
            f"Got values in [{low:g}, {high:g}]. Rescale them."
        )
    scaled = X if value_max == 255.0 else X.astype(np.float32) * np.float32(255.0 / value_max)
    return _opaque(np.rint(scaled).astype(np.uint8))


def fit_array(X: np.ndarray, rule: ImageRule) -> np.ndarray:
    """Return uint8 images (n, h, w, 1 or 3) in the shape of the rule: (n, *rule.shape)."""
    if X.shape[3] != rule.channels:
        X = _to_grey(X) if rule.channels == 1 else np.repeat(X, 3, axis=3)
    if X.shape[1:] == rule.shape:
        return X
    out = np.empty((len(X), *rule.shape), np.uint8)
    for row, pixels in enumerate(X):
        out[row] = fit(Image.fromarray(pixels[:, :, 0] if rule.channels == 1 else pixels), rule)
    return out


def rows_from_array(X: np.ndarray, rule: ImageRule, name: str) -> np.ndarray:
    """Return images of any accepted layout as uint8 rows (n, *rule.shape).

    Raises:
        InputError: another shape, type or range than the rule allows.
    """
    return fit_array(as_pixels(X, rule.value_max, name), rule)


def _check_shape(X: np.ndarray, name: str) -> np.ndarray:
    if X.ndim == 3:
        X = X[:, :, :, None]
    if X.ndim != 4:
        raise InputError(f"{name}: images need shape (n, height, width[, channels]). Got {X.shape}. Reshape the array.")
    if X.shape[3] not in (1, 3, 4):
        hint = " They seem to come first: numpy.moveaxis(X, 1, -1)." if X.shape[1] in (1, 3, 4) else ""
        raise InputError(f"{name}: channels come last and are 1, 3 or 4. Got shape {X.shape}.{hint}")
    if 0 in X.shape[1:3]:
        raise InputError(f"{name}: images need at least one pixel. Got shape {X.shape}.")
    return X


def _check_numbers(X: np.ndarray, name: str) -> None:
    if X.dtype.kind not in "iuf":
        raise InputError(f"{name}: pixels must be numbers. Got dtype {X.dtype}. Save them as uint8.")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        bad = int((~np.isfinite(X)).sum())
        raise InputError(f"{name}: pixels must be finite. Got {bad} NaN or infinite values. Remove those images.")


def _check_bytes(X: np.ndarray, value_max: float, name: str) -> np.ndarray:
    if value_max < 255 and X.size and 0 < int(X.max()) <= value_max:
        raise InputError(
            f"{name}: bytes (uint8) must be in 0 to 255, white being 255. Got no value above {int(X.max())}, while "
            f"training had numbers in [0, {value_max:g}]. Hand over numbers (float32) or bytes scaled to 255."
        )
    return X


def _opaque(X: np.ndarray) -> np.ndarray:
    """Put transparent pixels on white."""
    if X.shape[3] != 4:
        return X
    alpha = X[..., 3:].astype(np.float32) / 255.0
    return np.asarray(np.rint(X[..., :3] * alpha + 255.0 * (1.0 - alpha)).astype(np.uint8))


def _to_grey(X: np.ndarray) -> np.ndarray:
    """Return the luminance (n, h, w, 1), by ITU-R 601-2 as Pillow rounds it."""
    wide = X.astype(np.uint32)
    luma = wide[..., 0] * 19595 + wide[..., 1] * 38470 + wide[..., 2] * 7471 + 0x8000
    return np.asarray((luma >> 16).astype(np.uint8)[..., None])
