"""Intervals that need no resampling, and the quantiles behind them."""

from __future__ import annotations

import math
from typing import NamedTuple

_Z = 1.959963984540054


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


def wilson(share: float, rows: float) -> Interval:
    """Return Wilson's 95 % interval of a share.

    >>> [round(end, 3) for end in wilson(1.0, 10)]
    [0.722, 1.0]
    """
    squared = _Z**2
    middle = (share + squared / (2 * rows)) / (1 + squared / rows)
    reach = _Z * math.sqrt(max(0.0, share * (1 - share) / rows + squared / (4 * rows**2))) / (1 + squared / rows)
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))


def student(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, to 2 % from three degrees of freedom on.

    Source: Cornish-Fisher expansion, Abramowitz & Stegun 26.7.5.

    >>> [round(student(n), 1) for n in (4, 9, 1000)]
    [2.8, 2.3, 2.0]
    """
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
