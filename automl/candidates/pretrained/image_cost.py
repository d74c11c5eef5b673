"""What pre-trained networks for images cost, from a configuration alone."""

from __future__ import annotations

from automl.candidates.pretrained.efficientnet import NEEDS, SCALES, StageCost, stage_costs
from automl.candidates.pretrained.resizing import network_sides
from automl.core.data import DataSpec
from automl.core.space import Configuration

SECONDS_PER_MAC = 4.0e-11
"""In onnxruntime, one AVX2 core: 13.6 ms for an image of 224 x 224 in the smallest network, 3.2 for one of 96 x 96."""
IMAGE_SECONDS = 3e-4
FIXED_SECONDS = 1.0
"""Reading the weights, writing the model and timing it."""
PROCESS_BYTES = 450_000_000
"""A process that has imported torch, with two networks."""
MODEL_BYTES = 40_000_000


def costs(spec: DataSpec, configuration: Configuration) -> list[StageCost]:
    """Return what an image costs in each stage of the network that a configuration asks for."""
    need = NEEDS[0] if configuration.values["network"] == "small" else NEEDS[-1]
    sides = network_sides(spec.shape, float(configuration.values["scale"]))
    return stage_costs(*SCALES[need.package], sides)


def seen_seconds(spec: DataSpec, stages: list[StageCost], views: int) -> float:
    """Return the CPU-seconds in which the network sees all images of a data set, in so many views."""
    return spec.rows * views * image_seconds(sum(stage.macs for stage in stages))


def image_seconds(macs: int) -> float:
    """Return the CPU-seconds in which a network of so many multiply-adds sees an image."""
    return IMAGE_SECONDS + macs * SECONDS_PER_MAC
