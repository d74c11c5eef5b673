"""Arrays of series in any accepted layout become `Series`: NaN at the end of a series is padding, elsewhere missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import InputError
from .series import MAX_CHANNELS, Series

MAX_VALUES = 4 * 2**30
"""Steps times channels of all series together: 16 GiB in single precision."""
LARGEST = float(np.finfo(np.float32).max)
_BLOCK = 2**22  # values looked at together: some tens of MB
_LAYOUT = "shape (series, channels, steps), or (series, steps) for one channel, padded with NaN"


def series_of_array(X: np.ndarray, name: str, *, lengths: Any = None) -> Series:
    """Return an array of series.

    Args:
        X: (n, channels, steps) or (n, steps), numbers; NaN in all channels at the end of a series is padding.
        name: for messages.
        lengths: (n,) steps of each series; what lies beyond is left out, and NaN before it is a missing value. None
            finds them: a series ends with its last step that is known in any channel, and has one step at least.

    Raises:
        InputError: another shape or type, a length that does not fit, or a value that is infinite in single precision.
    """
    X = _checked(X, name)
    steps = _found_lengths(X) if lengths is None else _given_lengths(lengths, X, name)
    ends = np.cumsum(steps, dtype=np.int64)
    check_size(int(ends[-1]) if len(ends) else 0, X.shape[1], name)
    values = np.empty((int(ends[-1]) if len(ends) else 0, X.shape[1]), np.float32)
    place = np.arange(X.shape[2])
    for rows in _blocks(X):
        block, kept = X[rows].transpose(0, 2, 1), steps[rows]
        start = int(ends[rows.start] - steps[rows.start])
        is_there = place < kept[:, None]
        _check_finite(block, name, first=rows.start, is_there=is_there)
        values[start : start + int(kept.sum())] = block[is_there]
    return Series.of_packed(values, ends)


def series_of_list(items: Sequence[Any], name: str) -> Series:
    """Return a list of series of any lengths.

    Args:
        items: arrays (steps, channels), or (steps,) for one channel; one without steps becomes one missing step.
        name: for messages.

    Raises:
        InputError: no series, another shape or type, different channels, or a value that is infinite.
    """
    parts = [_item(item, name, number) for number, item in enumerate(items, 1)]
    channels = next((part.shape[1] for part in parts if part.size), 1)
    if not parts:
        raise InputError(f"{name}: at least one series is needed. Got an empty list. Add some.")
    for number, part in enumerate(parts, 1):
        if part.size and part.shape[1] != channels:
            raise InputError(
                f"{name}: all series need the same channels, in arrays of shape (steps, channels). Got {channels} and, "
                f"in series {number}, {part.shape[1]}. Mend it; channels come last."
            )
    _check_channels(channels, name)
    check_size(sum(map(len, parts)), channels, name)
    nothing = np.full((1, channels), np.nan, np.float32)
    return Series.of(part if part.size else nothing for part in parts)


def check_size(steps: int, channels: int, name: str) -> None:
    """Refuse series that are too large together.

    Raises:
        InputError: more than `MAX_VALUES` values.
    """
    if steps * channels > MAX_VALUES:
        raise InputError(
            f"{name}: at most {MAX_VALUES:,} values (steps times channels) are read at once. Got {steps:,} steps in "
            f"{channels} channels. Split the data, or take fewer steps a second."
        )


def _checked(X: np.ndarray, name: str) -> np.ndarray:
    """Return an array as (n, channels, steps)."""
    _check_numbers(X, name)
    if X.ndim == 2:
        X = X[:, None, :]
    if X.ndim != 3 or not X.shape[2]:
        raise InputError(f"{name}: series need {_LAYOUT}. Got {X.shape}. Reshape the array.")
    _check_channels(X.shape[1], name)
    return X


def _check_numbers(X: np.ndarray, name: str) -> None:
    if X.dtype.kind not in "fiub":
        raise InputError(f"{name}: numbers are needed, NaN where a value is missing. Got dtype {X.dtype}. Convert it.")


def _check_channels(channels: int, name: str) -> None:
    if not 0 < channels <= MAX_CHANNELS:
        raise InputError(f"{name}: 1 to {MAX_CHANNELS} channels are read. Got {channels}. Check the order of the axes.")


def _blocks(X: np.ndarray) -> list[slice]:
    rows = max(1, _BLOCK // (X.shape[1] * X.shape[2]))
    return [slice(start, start + rows) for start in range(0, len(X), rows)]


def _found_lengths(X: np.ndarray) -> np.ndarray:
    """Return where padding begins in each series, int64 (n,); 1 in a series of padding alone."""
    steps = X.shape[2]
    lengths = np.full(len(X), steps, np.int64)
    if X.dtype.kind != "f":
        return lengths
    for rows in _blocks(X):
        is_known = ~np.isnan(X[rows]).all(axis=1)
        last = steps - is_known[:, ::-1].argmax(axis=1)
        lengths[rows] = np.where(is_known.any(axis=1), last, 1)
    return lengths


def _given_lengths(lengths: Any, X: np.ndarray, name: str) -> np.ndarray:
    found = np.asarray(lengths)
    if found.shape != (len(X),) or found.dtype.kind not in "iuf":
        raise InputError(
            f"{name}: lengths must hold one whole number for each of the {len(X)} series. "
            f"Got {found.dtype} of shape {found.shape}. Mend or leave out lengths."
        )
    is_fit = (found >= 1) & (found <= X.shape[2]) & (found == np.floor(found))
    if not is_fit.all():
        row = int(np.argmin(is_fit))
        raise InputError(
            f"{name}: lengths must be whole numbers from 1 to {X.shape[2]}, the steps in X. "
            f"Got {found[row]:g} for series {row + 1}. Mend or leave out lengths."
        )
    return found.astype(np.int64)


def _check_finite(values: np.ndarray, name: str, *, first: int, is_there: np.ndarray) -> None:
    """Refuse infinite values in (rows, steps, channels), the first row of which is series number first, from 0."""
    if values.dtype.kind != "f":
        return
    is_odd = np.isinf(values) if values.dtype.itemsize <= 4 else np.abs(values) > LARGEST
    odd = is_odd & is_there[:, :, None]
    if odd.any():
        row, step, channel = (int(place) for place in np.argwhere(odd)[0])
        raise InputError(
            f"{name}: values must be finite, or NaN where they are missing. Got {values[row, step, channel]:g} in "
            f"series {first + row + 1}, channel '{channel}', step {step + 1}. Mend it or write NaN."
        )


def _item(item: Any, name: str, number: int) -> np.ndarray:
    """Return one series as (steps, channels) float32."""
    shown = f"{name}: series {number}"
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise InputError(f"{shown}: an array of shape (steps, channels) is needed. Got: {error}. Mend it.") from error
    if array.size:
        _check_numbers(array, shown)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise InputError(f"{shown}: an array of shape (steps, channels) is needed. Got {array.shape}. Reshape it.")
    _check_finite(array[None], name, first=number - 1, is_there=np.ones((1, len(array)), np.bool_))
    return np.asarray(array, np.float32)
