"""The size at which a pre-trained network sees images, and the two matrices that bring them there.

A matrix for each side gives the same numbers in numpy, torch and ONNX, where the resize operators of libraries differ.
"""

from __future__ import annotations

import math

import numpy as np

LEAST_SIDE, MOST_SIDE = 32, 288
"""Below, nothing is left of an image after five halvings; above, an image costs more than a core can pay."""
STEP = 32
_NATURAL = (96, 224)  # networks of this size were trained at 224; 96 leaves 3x3 places at the end


def network_sides(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Return height and width at which a network sees images of shape (height, width, channels).

    At scale 1 the longer side is enlarged to twice its size, or to 96 where that is more, and at most to 224; the
    shorter side keeps the proportion. Both are multiples of 32.

    >>> [network_sides(shape, 1.0) for shape in ((28, 28, 1), (64, 48, 3), (300, 224, 3))]
    [(96, 96), (128, 96), (224, 160)]
    >>> [network_sides((28, 28, 1), scale) for scale in (0.7, 1.4)]
    [(64, 64), (128, 128)]
    """
    longest = max(shape[:2])
    wanted = min(max(2 * longest, _NATURAL[0]), _NATURAL[1]) * scale
    high, wide = (_rounded(side * wanted / longest) for side in shape[:2])
    return high, wide


def _rounded(side: float) -> int:
    return min(MOST_SIDE, max(LEAST_SIDE, STEP * round(side / STEP)))


def resizing(source: int, target: int) -> np.ndarray:
    """Return float32 (target, source) weights of linear interpolation between pixel centres; rows sum to one.

    Where a side shrinks, the triangle is widened by as much, so that each pixel counts.

    >>> resizing(2, 4).tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    ratio = source / target
    reach = max(1.0, ratio)
    centres = (np.arange(target) + 0.5) * ratio - 0.5
    places = np.arange(-math.ceil(reach), source + math.ceil(reach))
    votes = np.clip(1 - np.abs(places - centres[:, None]) / reach, 0, None)
    inside = np.clip(places, 0, source - 1)
    weights = np.zeros((target, source))
    np.add.at(weights, (np.arange(target)[:, None], np.broadcast_to(inside, votes.shape)), votes)
    scaled: np.ndarray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return scaled
