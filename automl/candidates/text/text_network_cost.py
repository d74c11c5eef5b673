"""What the bodies of small networks for texts cost, from a configuration alone; no torch."""

from __future__ import annotations

from collections.abc import Mapping

from automl.candidates.training.ragged_cost import Work
from automl.core.space import Value


def bag_work(values: Mapping[str, Value], width: int, steps: float) -> Work:
    """Return what a bag costs for a text of so many steps."""
    hidden = int(values["hidden"])
    macs = width * hidden + (2 * steps * width if values["pooling"] == "attention" else 0)
    return Work(macs, 2 * steps * width + hidden)


def cnn_work(values: Mapping[str, Value], width: int, steps: float) -> Work:
    """Return what convolutions cost for a text of so many steps."""
    sizes = kernels(values)
    filters, blocks = int(values["filters"]) * len(sizes), int(values["blocks"])
    macs = steps * (int(values["filters"]) * width * sum(sizes) + (blocks - 1) * 3 * filters**2)
    return Work(macs, steps * (width + 3 * filters * blocks))


def kernels(values: Mapping[str, Value]) -> tuple[int, ...]:
    """Return the steps that each kind of filter reads.

    >>> kernels({"kernels": "2,3,4"})
    (2, 3, 4)
    """
    return tuple(int(part) for part in str(values["kernels"]).split(","))
