"""A network, the size at which it sees images, and where its features are taken."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from automl.candidates.pretrained.efficientnet import NEEDS, Backbone, choose, load
from automl.candidates.pretrained.image_levels import LEVELS, Level
from automl.candidates.pretrained.resizing import network_sides
from automl.candidates.pretrained.weights import lacks
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration
from automl.errors import UserError


@dataclass(frozen=True)
class Sight:
    """How a network sees images.

    Attributes:
        backbone: the network, or its first stages.
        shape: of an image as stored.
        sides: height and width at which the network sees it.
        levels: where features are taken; nowhere where maps come out.
    """

    backbone: Backbone
    shape: tuple[int, ...]
    sides: tuple[int, int]
    levels: tuple[Level, ...] = LEVELS

    @property
    def name(self) -> str:
        """Return what the numbers depend on beside the images."""
        parts = [self.backbone.name, list(self.shape), list(self.sides), [list(level) for level in self.levels]]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    @property
    def macs(self) -> int:
        """Return the multiply-adds for an image."""
        return self.backbone.macs(self.sides)

    def at(self, levels: tuple[Level, ...]) -> Sight:
        """Return the same with features of these levels alone, and of the network no more than they need."""
        last = max(level.stage for level in levels)
        return replace(self, backbone=self.backbone.part(0, last), levels=levels)

    def until(self, stage: int) -> Sight:
        """Return the same up to a stage, whose maps come out."""
        return replace(self, backbone=self.backbone.part(0, stage), levels=())


def look(configuration: Configuration, data: DataSource, ctx: Context) -> Sight:
    """Return the network and the size that a configuration asks for, at all levels; notes where the weights are from.

    Raises:
        UserError: there are no weights, or they cannot be read.
    """
    weights = choose(ctx.resources, str(configuration.values["network"]))
    if weights is None:
        raise UserError(f"candidate {configuration.candidate}: {lacks(NEEDS, ctx.resources)}.")
    ctx.note("weights", weights.note())
    shape = tuple(data.spec.shape)
    sides = network_sides(shape, float(configuration.values["scale"]))
    ctx.note("seen at", f"{sides[0]} x {sides[1]} pixels")
    return Sight(load(weights), shape, sides)
