"""What tuning a pre-trained network for images costs, from a configuration alone."""

from __future__ import annotations

from collections.abc import Mapping

from automl.candidates.pretrained.efficientnet import FEATURES, STAGES, StageCost
from automl.candidates.pretrained.head import head_seconds
from automl.candidates.pretrained.image_cost import FIXED_SECONDS, PROCESS_BYTES, costs, seen_seconds
from automl.core.data import DataSpec
from automl.core.job import Cost
from automl.core.space import Configuration, Value

_FIRST = {"tail": STAGES, "half": STAGES - 1, "all": 0}
TRAINING_SECONDS_PER_MAC = 2.2e-10
"""In torch, forwards and backwards, one AVX2 core."""
HELD_SHARE = 0.1
"""What looking at the held-out rows adds to an epoch."""


def first_trained(values: Mapping[str, Value]) -> int:
    """Return the first stage that is trained.

    >>> [first_trained({"trained": part}) for part in ("tail", "half", "all")]
    [7, 6, 0]
    """
    return _FIRST[str(values["trained"])]


def cost(spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
    """Return the cost of one fold, in which the network sees the whole data set for the first time."""
    stages, first = costs(spec, configuration), first_trained(configuration.values)
    views = (2 if configuration.values["mirror"] else 1) if first else 0
    macs = sum(stage.macs for stage in stages[first:])
    seeing = seen_seconds(spec, stages, 1) + seen_seconds(spec, stages[:first], views)
    epoch = rows * macs * TRAINING_SECONDS_PER_MAC * (1 + HELD_SHARE)
    return Cost(
        fixed_seconds=FIXED_SECONDS + seeing + head_seconds(rows, FEATURES, len(spec.classes)),
        step_seconds=int(configuration.values["epochs"]) * epoch,
        peak_bytes=PROCESS_BYTES + _bytes(stages, first, views, rows, int(configuration.values["batch_size"])),
    )


def _bytes(stages: list[StageCost], first: int, views: int, rows: int, batch: int) -> int:
    """Return the bytes of maps in half precision, read twice over, and of what a batch keeps for the way back."""
    maps = rows * views * 2 * 2 * stages[first - 1].outputs if first else 0
    return maps + batch * 4 * 3 * sum(stage.values for stage in stages[first:])
