"""A plain convolutional network: blocks of convolutions and pooling, then one fully connected layer.

Claim: 0.916 on the test part of fashion_mnist (13,333 training rows of 28x28, one fold, `flip` on, warm-up 0.2, 16
epochs, 249 CPU-s) and 0.993 on the left-out third of digits (20 epochs, 13 CPU-s), 1 seed each, one shared AVX2 core.
Source: LeCun et al. 1998, http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf (convolve, pool, classify); blocks of
3x3 convolutions that double their width, Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556. Own code,
Apache-2.0. Ranges: search_spaces/image-clf/cnn.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from automl.candidates.training.architecture import (
    Activation,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Shape,
)
from automl.candidates.training.network_candidate import NetworkCandidate
from automl.core.space import Value

STEM_SIDE = 40
"""Images above this side are halved by the first convolution, above twice this side quartered."""
LEAST_POOLED_SIDE = 6
"""Pooling stops below this side, so that at least 3x3 values are left."""


def architecture(values: Mapping[str, Value], shape: Shape, classes: int) -> list[Layer]:
    """Return the layers for a configuration, images of this shape and so many classes."""
    width, kernel, norm = int(values["width"]), int(values["kernel"]), bool(values["batch_norm"])
    activation = cast("Activation", values["activation"])
    layers: list[Layer] = []
    side = min(shape.height, shape.width)
    for block in range(int(values["blocks"])):
        stride = stem_stride(side) if block == 0 else 1
        side = -(-side // stride)
        pool = side >= LEAST_POOLED_SIDE
        convs = [
            Conv(width * 2**block, kernel, norm=norm, activation=activation) for _ in range(int(values["depth"]))
        ]  # fmt: skip
        convs[0] = replace(convs[0], stride=stride)
        convs[-1] = replace(convs[-1], pool=pool)
        layers.extend(convs)
        side = side // 2 if pool else side
    dense = Dense(int(values["dense_width"]), norm, activation)
    return [*layers, Flatten(), dense, Dropout(float(values["dropout"])), Dense(classes)]


def stem_stride(side: int) -> int:
    """Return the stride of the first convolution.

    >>> [stem_stride(side) for side in (8, 28, 48, 128)]
    [1, 1, 2, 4]
    """
    return 1 if side <= STEM_SIDE else 2 if side <= 2 * STEM_SIDE else 4


CANDIDATE = NetworkCandidate("cnn", architecture)
