"""Where in a network its features are taken: the last convolution, and earlier ones that still know places.

Early stages tell textures and parts apart where the last one knows only the objects of ImageNet: on sign_digits 0.88
from the last alone, 0.96 with the earlier ones, at the cost of the same pass.

Source of the idea: Hariharan et al. 2014, https://arxiv.org/abs/1411.5752 (hypercolumns).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from automl.candidates.pretrained.efficientnet import STAGES, Backbone, StageCost


class Level(NamedTuple):
    """Features of a stage: means over grid x grid parts of its maps."""

    stage: int
    grid: int


LEVELS = (Level(4, 2), Level(5, 2), Level(6, 2), Level(STAGES + 1, 1))
"""All that are computed, in the order of their columns."""
LAST = LEVELS[-1:]
CHOICES = {"last": LAST, "middle": LEVELS[:-1], "both": LEVELS}


def columns(backbone: Backbone, levels: tuple[Level, ...]) -> np.ndarray:
    """Return the columns of these levels among those of LEVELS."""
    widths = [backbone.channels(level.stage) * level.grid**2 for level in LEVELS]
    starts = np.concatenate([[0], np.cumsum(widths)])
    return np.concatenate([np.arange(starts[i], starts[i + 1]) for i, level in enumerate(LEVELS) if level in levels])


def width(stages: list[StageCost], levels: tuple[Level, ...]) -> int:
    """Return how many columns these levels have in a network that costs this."""
    return sum(stages[level.stage].channels * level.grid**2 for level in levels)


def areas(source: int, parts: int) -> np.ndarray:
    """Return float32 (parts, source) weights of the mean over each of so many equal stretches.

    >>> areas(3, 2).round(2).tolist()
    [[0.67, 0.33, 0.0], [0.0, 0.33, 0.67]]
    """
    edges, pixel = np.arange(parts + 1) * (source / parts), np.arange(source)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights: np.ndarray = np.clip(overlap, 0, None) * (parts / source)
    return weights.astype(np.float32)
