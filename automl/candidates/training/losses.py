"""Cross-entropy against soft labels: smoothing, mixed pairs and class weights in one. Imports torch: load lazily."""

from __future__ import annotations

import numpy as np
import torch


def soft_labels(targets: torch.Tensor, classes: int, smoothing: float) -> torch.Tensor:
    """Return (rows, classes) label distributions from (rows,) class codes.

    Source: Szegedy et al. 2015, https://arxiv.org/abs/1512.00567, section 7.
    """
    labels = torch.full((len(targets), classes), smoothing / classes, device=targets.device)
    return labels.scatter_(1, targets[:, None], 1.0 - smoothing + smoothing / classes)


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
    """Return the mean cross-entropy of (rows, classes) logits in float32; rows of a class count by its weight."""
    if class_weights is not None:
        labels = labels * class_weights
    return -(labels * torch.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()


def balanced_weights(y: np.ndarray, classes: int) -> np.ndarray:
    """Return a weight per class, inverse to its count, 1 in the mean over rows; a class without rows gets 1.

    >>> balanced_weights(np.array([0, 0, 0, 1]), 2).round(3).tolist()
    [0.667, 2.0]
    """
    counts = np.bincount(y, minlength=classes)
    present = int((counts > 0).sum())
    return np.where(counts > 0, len(y) / (present * np.maximum(counts, 1)), 1.0).astype(np.float32)
