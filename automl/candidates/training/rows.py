"""The rows a network learns from, resident on its device. Imports torch: load lazily."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from automl.candidates.training.losses import balanced_weights
from automl.candidates.training.memory import is_out_of_memory
from automl.core import seeds

STATISTICS_ROWS = 5_000
"""About so many rows give mean and deviation of the pixels."""
HELD_OUT = 0.1
"""Share of the training rows that early stopping judges by."""


class TrainingRows(NamedTuple):
    """What a trainer needs.

    Attributes:
        pixels: uint8 (rows, height, width, channels) on the device.
        targets: int64 (rows,) on the device.
        class_weights: float32 (classes,) or None.
        classes: number of classes.
    """

    pixels: torch.Tensor
    targets: torch.Tensor
    class_weights: torch.Tensor | None
    classes: int


class Split(NamedTuple):
    """Row numbers: those learned from, and those held out of them for early stopping."""

    learn: np.ndarray
    held_out: np.ndarray


def share_of(rows: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return a random share of rows in their order; a larger share contains a smaller one."""
    count = max(1, round(share * len(rows)))
    return np.sort(seeds.stream(seed, "rows").permutation(rows)[:count])


def split(rows: np.ndarray, y: np.ndarray, *, held_out: bool, seed: int) -> Split:
    """Hold out a tenth of each class, rounded down, if wanted; else nothing.

    Args:
        rows: row numbers.
        y: class codes of all rows.
        held_out: whether anything is held out.
        seed: of the member.
    """
    if not held_out:
        return Split(rows, rows[:0])
    shuffled = seeds.stream(seed, "held out").permutation(rows)
    rank = np.zeros(len(rows), dtype=np.int64)
    for code in np.unique(y[rows]):
        of_class = y[shuffled] == code
        rank[of_class] = np.arange(of_class.sum()) - int(HELD_OUT * of_class.sum())
    return Split(np.sort(shuffled[rank >= 0]), np.sort(shuffled[rank < 0]))


def load(X: np.ndarray, y: np.ndarray, rows: np.ndarray, *, classes: int, balanced: bool, device: str) -> TrainingRows:
    """Copy rows to the device, once.

    Args:
        X: uint8 (all rows, height, width, channels), perhaps memory-mapped.
        y: class codes.
        rows: row numbers to copy.
        classes: number of classes.
        balanced: whether rows are weighted against their class's count.
        device: as torch names it.

    Raises:
        MemoryError: the rows do not fit on the device.
    """
    try:
        return _copied(X, y, rows, classes=classes, balanced=balanced, device=device)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise MemoryError(
                f"{len(rows)} rows of shape {X.shape[1:]} do not fit on {device}. Use fewer rows"
            ) from error
        raise


def _copied(
    X: np.ndarray, y: np.ndarray, rows: np.ndarray, *, classes: int, balanced: bool, device: str
) -> TrainingRows:  # fmt: skip
    weights = torch.from_numpy(balanced_weights(y[rows], classes)).to(device) if balanced else None
    pixels, targets = torch.from_numpy(X[rows]), torch.from_numpy(y[rows].astype(np.int64))
    return TrainingRows(pixels.to(device), targets.to(device), weights, classes)


class Statistics(NamedTuple):
    """Mean and standard deviation of each channel in [0, 1]; the deviation is at least one grey level."""

    mean: np.ndarray
    deviation: np.ndarray


def statistics(X: np.ndarray, rows: np.ndarray) -> Statistics:
    """Return the statistics of the pixels of evenly spaced rows."""
    chosen = rows[:: max(1, len(rows) // STATISTICS_ROWS)]
    values = X[chosen].reshape(-1, X.shape[-1])
    return Statistics(values.mean(axis=0) / 255, np.maximum(values.std(axis=0), 1.0) / 255)
