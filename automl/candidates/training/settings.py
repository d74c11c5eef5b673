"""How a network is trained, read from a configuration; every number stands in the search space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, cast

from automl.core.space import Value

OptimiserName = Literal["sgd", "adam", "adamw", "rmsprop"]
ScheduleName = Literal["cosine", "one-cycle", "warm-up-stable-decay"]


@dataclass(frozen=True)
class Augmentation:
    """What is done to training images; a zero switches its part off.

    Attributes:
        flip: mirror left and right with probability one half.
        translate: greatest shift as a share of the side; what comes in is mirrored at the border.
        rotate: greatest turn in degrees.
        zoom: greatest change of size as a share.
        cutout: side of a square that is blanked, as a share of the image's side.
        mixup: alpha of the Beta distribution that mixes pairs of images and their labels.
        colour: greatest change of brightness and contrast as a share.
    """

    flip: bool = False
    translate: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    cutout: float = 0.0
    mixup: float = 0.0
    colour: float = 0.0


@dataclass(frozen=True)
class Settings:
    """How a network is trained.

    Attributes:
        batch_size: rows of a step at most; small data take fewer, see `step_rows`.
        warmup: share of training in which the learning rate rises.
        ema: horizon in epochs of the averaged weights; it shrinks to nothing at the end. 0 is off.
        clip: greatest norm of a gradient; 0 is off.
        patience: epochs without a better loss on rows held out of the training rows; 0 is off.
    """

    batch_size: int
    optimizer: OptimiserName
    lr: float
    momentum: float
    weight_decay: float
    schedule: ScheduleName
    warmup: float
    label_smoothing: float
    ema: float
    clip: float
    class_weights: Literal["none", "balanced"]
    init: Literal["he", "xavier"]
    patience: int
    augmentation: Augmentation = Augmentation()

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> Settings:
        """Read the training parameters of a configuration; the network's own are left alone."""
        own = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        shown = {f.name: values[f.name] for f in fields(Augmentation) if f.name in values}
        if values["optimizer"] != "sgd":
            own = {**own, "lr": values["adaptive_lr"], "momentum": 0.0}
        if values["optimizer"] == "adamw":
            own = {**own, "weight_decay": values["decoupled_decay"]}
        return cls(**cast("dict[str, object]", own), augmentation=Augmentation(**shown))  # type: ignore[arg-type]

    def step_rows(self, rows: int) -> int:
        """Return the rows of one step: fewer than `batch_size` where an epoch would have fewer than 32 steps.

        >>> [min(128, max(16, rows // 32)) for rows in (100, 1000, 10_000)]
        [16, 31, 128]
        """
        return min(self.batch_size, max(16, rows // 32))
