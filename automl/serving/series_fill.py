"""Missing values inside series, put in by their neighbours; all series of a batch at once."""

from __future__ import annotations

import numpy as np


def filled(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return series without gaps: each missing value lies on the line between the known ones before and after it.

    Before the first known value and after the last the nearest one stands. A channel of which a series has no value at
    all stays NaN there, as only whoever scales it can say what is neutral.

    Args:
        values: float (steps of all, channels), the series end to end as in `series.PackedSeries`.
        ends: int64 (n,), where each series ends in values.

    Returns:
        Values of the same shape and type; the given array itself where nothing is missing.

    >>> filled(np.array([[np.nan], [1.0], [np.nan], [3.0], [np.nan]]), np.array([3, 5])).ravel().tolist()
    [1.0, 1.0, 1.0, 3.0, 3.0]
    """
    is_missing = np.isnan(values)
    gappy = np.flatnonzero(is_missing.any(axis=0))
    if not len(gappy):
        return values
    out = np.array(values)
    starts = np.concatenate([[0], ends[:-1]])
    lengths = ends - starts
    first, last = np.repeat(starts, lengths), np.repeat(ends - 1, lengths)
    for channel in gappy.tolist():
        places = np.flatnonzero(is_missing[:, channel])
        out[places, channel] = _between(values[:, channel], places, first[places], last[places])
    return out


def _between(values: np.ndarray, places: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return what stands at missing places of one channel, of series that begin at first and end with last."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.full(len(places), np.nan, values.dtype)
    after = np.searchsorted(known, places)
    left = known[np.maximum(after - 1, 0)]
    right = known[np.minimum(after, len(known) - 1)]
    has_left = (left >= first) & (left < places)
    has_right = (right <= last) & (right > places)
    left, right = np.where(has_left, left, right), np.where(has_right, right, left)
    share = (places - left) / np.maximum(right - left, 1)
    low, high = values[left].astype(np.float64), values[right].astype(np.float64)
    inside = low * (1 - share) + high * share
    found = np.where(left == right, low, inside)
    return np.where(has_left | has_right, found, np.nan).astype(values.dtype)
