"""A step that survives a full memory: the batch is halved and gradients are added up. Imports torch: load lazily."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import nn

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From images (rows, …) and labels (rows, classes) to the mean loss."""
Backward = Callable[[Loss, torch.Tensor, torch.Tensor, float], torch.Tensor]
"""Run a part of a batch forwards and backwards: (loss, images, labels, share of the batch) to loss times share."""

LEAST_ROWS = 2
"""Batch normalisation needs two rows."""

logger = logging.getLogger(__name__)


def backward(loss: Loss, images: torch.Tensor, labels: torch.Tensor, share: float) -> torch.Tensor:
    """Add the gradients of this part of a batch; return its loss times its share of the batch."""
    value = loss(images, labels) * share
    value.backward()  # type: ignore[no-untyped-call]
    return value.detach()


class FrugalStep:
    """Runs batches in as many parts as the memory needs; the effective batch stays."""

    def __init__(self, loss: Loss, backward: Backward = backward, parts: int = 1) -> None:
        self.loss, self.backward, self.parts = loss, backward, parts

    def __call__(self, network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Leave the gradients of the mean loss of a batch on the network; return that loss.

        Raises:
            MemoryError: not even LEAST_ROWS rows at a time fit.
        """
        while True:
            network.zero_grad(set_to_none=True)
            try:
                return self._in_parts(images, labels)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(len(images))

    def _in_parts(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((), device=images.device)
        for x, y in zip(images.tensor_split(self.parts), labels.tensor_split(self.parts), strict=True):
            total += self.backward(self.loss, x, y, len(x) / len(images))
        return total

    def _halve(self, rows: int) -> None:
        self.parts *= 2
        if rows // self.parts < LEAST_ROWS:
            raise MemoryError(
                f"{2 * rows // self.parts} rows at a time do not fit in memory. Use smaller images or layers"
            )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        logger.info("memory is full: batches of %d rows now run in %d parts", rows, self.parts)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch or Python says that the device's or the host's memory is full."""
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in text or "not enough memory" in text)
    )
