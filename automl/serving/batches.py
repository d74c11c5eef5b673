"""Which rows are computed together: few enough to stay in a core's cache, and of like length where lengths differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_TEXTS, _BYTES, _LONGEST = 256, 2**12, 2**11
"""Most texts at once, their number times the bytes of the longest, and what counts of one: networks read no more."""
_SERIES, _VALUES = 256, 2**17
"""Most series at once, and their number times the values of the longest."""


def even(rows: int, most: int) -> Iterator[slice]:
    """Yield rows in their order, so many at a time."""
    for start in range(0, rows, most):
        yield slice(start, start + most)


def by_length(lengths: np.ndarray, *, most_rows: int, most_values: int) -> Iterator[np.ndarray]:
    """Yield the numbers of rows from the shortest to the longest, each batch as long as its longest row.

    Args:
        lengths: (n,) of the rows.
        most_rows: in a batch.
        most_values: rows times the longest of them, in a batch of more than one row.
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        sizes = lengths[order[start : start + most_rows]] * np.arange(1, len(order[start : start + most_rows]) + 1)
        count = max(1, int(np.searchsorted(sizes, most_values, side="right")))
        yield order[start : start + count]
        start += count


def of_texts(sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Yield texts of like length; takes the bytes of each, (n,)."""
    return by_length(np.minimum(sizes, _LONGEST), most_rows=_TEXTS, most_values=_BYTES)


def of_series(sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Yield series of like length; takes the values of each, (n,)."""
    return by_length(sizes, most_rows=_SERIES, most_values=_VALUES)
