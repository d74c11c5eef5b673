"""Augmentation of whole batches on the device that holds the images. Imports torch: load lazily.

Shifts and mirroring are one gather on uint8, so they cost nothing next to a step; turning and zooming are one
resampling. Everything draws from the generator that is passed. Measured in tests/bench/bench_image_throughput.py.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from automl.candidates.training.settings import Augmentation


def plain(pixels: torch.Tensor) -> torch.Tensor:
    """Return uint8 (rows, height, width, channels) as float32 (rows, channels, height, width) in [0, 1].

    The result is channels-last in memory: nothing is moved.
    """
    return pixels.permute(0, 3, 1, 2).float().div_(255.0)


def augmented(
    pixels: torch.Tensor, rows: torch.Tensor, augmentation: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Return the images of these rows, changed at random, as float32 (rows, channels, height, width) near [0, 1].

    Args:
        pixels: uint8 (all rows, height, width, channels).
        rows: int64 row numbers of the batch.
        augmentation: what to do.
        generator: on the device of pixels.
    """
    x = plain(_moved(pixels, rows, augmentation, generator))
    if augmentation.rotate or augmentation.zoom:
        x = _warped(x, augmentation, generator)
    if augmentation.colour:
        x = _coloured(x, augmentation.colour, generator)
    if augmentation.cutout:
        x = _blanked(x, augmentation.cutout, generator)
    return x


def _moved(
    pixels: torch.Tensor, rows: torch.Tensor, augmentation: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    height, width = pixels.shape[1:3]
    if not augmentation.flip and not augmentation.translate:
        return pixels[rows]
    down = _positions(len(rows), height, augmentation.translate, generator)
    across = _positions(len(rows), width, augmentation.translate, generator)
    if augmentation.flip:
        mirrored = torch.rand(len(rows), 1, generator=generator, device=pixels.device) < 0.5
        across = torch.where(mirrored, width - 1 - across, across)
    return pixels[rows[:, None, None], down[:, :, None], across[:, None, :]]


def _positions(count: int, side: int, share: float, generator: torch.Generator) -> torch.Tensor:
    """Return (count, side) source positions of a shifted side, mirrored where they would leave it."""
    reach = min(round(share * side), side - 1)
    shift = torch.randint(-reach, reach + 1, (count, 1), generator=generator, device=generator.device)
    positions = (torch.arange(side, device=generator.device) + shift).abs()
    return (side - 1) - ((side - 1) - positions).abs()


def _warped(x: torch.Tensor, augmentation: Augmentation, generator: torch.Generator) -> torch.Tensor:
    angle = _uniform(len(x), generator) * math.radians(augmentation.rotate)
    scale = 1 + _uniform(len(x), generator) * augmentation.zoom
    ratio = x.shape[2] / x.shape[3]
    cos, sin, zero = scale * angle.cos(), scale * angle.sin(), torch.zeros_like(angle)
    theta = torch.stack([cos, -sin * ratio, zero, sin / ratio, cos, zero], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _coloured(x: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    brightness = (_uniform(len(x), generator) * share).view(-1, 1, 1, 1)
    contrast = (1 + _uniform(len(x), generator) * share).view(-1, 1, 1, 1)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return (x - mean) * contrast + mean + brightness


def _blanked(x: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Blank a square with the batch's mean colour. Source: https://arxiv.org/abs/1708.04552 (its mask may overhang)."""
    half = share * min(x.shape[2:]) / 2

    def _inside(side: int) -> torch.Tensor:
        centre = torch.rand(len(x), 1, generator=generator, device=x.device) * side
        return (torch.arange(side, device=x.device) + 0.5 - centre).abs() < half

    mask = _inside(x.shape[2])[:, None, :, None] & _inside(x.shape[3])[:, None, None, :]
    return torch.where(mask, x.mean(dim=(0, 2, 3), keepdim=True), x)


def _uniform(count: int, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=generator, device=generator.device) * 2 - 1


def mixed(
    x: torch.Tensor, labels: torch.Tensor, share: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images and labels mixed with those of another row: share of the first, the rest of the second.

    Source: Zhang et al. 2017, mixup, https://arxiv.org/abs/1710.09412.
    """
    other = torch.randperm(len(x), generator=generator, device=x.device)
    return x.lerp(x[other], 1 - share), labels.lerp(labels[other], 1 - share)
