"""A monotone line from a model's probability to the share that is found, for two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST_RARER = 1_000
"""Rows of the rarer class below which a line of its own follows noise. Source: Niculescu-Mizil & Caruana 2005,
Predicting good probabilities with supervised learning, https://doi.org/10.1145/1102351.1102430, section 5: isotonic
regression is behind a sigmoid below about a thousand rows."""
MOST_POINTS = 50
_END = 1e-6
_OWN = 1.0
"""Rows that the model's own probability counts as: no share is 0 or 1 because a stretch is short."""


@dataclass(frozen=True)
class Isotonic:
    """The second class's probability x becomes y, straight between the points, both rising."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as a manifest has it."""
        return {"kind": "isotonic", "x": list(self.x), "y": list(self.y)}


def fit_isotonic(scores: np.ndarray, y: np.ndarray) -> Isotonic:
    """Return the rising line nearest to what was found.

    Stretches of equal share are pooled, as long as the shares do not rise, into at most `MOST_POINTS` - 2 points at
    their middle. The line rises between and beyond them, so that no two rows change places: rankings stay as they
    are. Source: Zadrozny & Elkan 2002, https://doi.org/10.1145/775047.775151; pooling of adjacent violators, Ayer et
    al. 1955.

    Args:
        scores: (n, 2) probabilities of rows that the model did not learn from.
        y: (n,) codes, 0 or 1.
    """
    values, place = np.unique(scores[:, 1].astype(np.float64), return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    blocks = _coarser(_pooled(values, np.bincount(place, weights=y), rows))
    x = blocks[:, 0] / blocks[:, 2]
    shares = (blocks[:, 1] + _OWN * x) / (blocks[:, 2] + _OWN)
    shares = np.clip(np.maximum.accumulate(shares), _END, 1 - _END)
    inside = (x > 0) & (x < 1) & np.append(True, np.diff(shares) > 0)
    x, shares = np.append(0.0, np.append(x[inside], 1.0)), shares[inside]
    first, last = (shares[0], shares[-1]) if len(shares) else (_END, 1 - _END)
    line = np.append(first / 2, np.append(shares, 1 - (1 - last) / 2))
    return Isotonic(tuple(x.tolist()), tuple(line.tolist()))


def _pooled(values: np.ndarray, found: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return blocks of neighbours whose shares rise strictly: (blocks, 3), sums of probabilities, found, rows."""
    stack: list[tuple[float, float, float]] = []
    for total, positive, count in zip((values * rows).tolist(), found.tolist(), rows.tolist(), strict=True):
        block = (total, positive, count)
        while stack and stack[-1][1] * block[2] >= block[1] * stack[-1][2]:
            before = stack.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        stack.append(block)
    return np.array(stack)


def _coarser(blocks: np.ndarray) -> np.ndarray:
    """Return at most as many blocks as there may be points; neighbours are joined into stretches of like size."""
    most = MOST_POINTS - 2
    if len(blocks) <= most:
        return blocks
    middles = np.cumsum(blocks[:, 2]) - blocks[:, 2] / 2
    stretch = np.minimum((middles / blocks[:, 2].sum() * most).astype(np.int64), most - 1)
    return np.stack([np.bincount(stretch, weights=column, minlength=most) for column in blocks.T], axis=1)[
        np.bincount(stretch, minlength=most) > 0
    ]
