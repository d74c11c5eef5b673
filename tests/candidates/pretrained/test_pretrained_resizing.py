from __future__ import annotations

import numpy as np
import pytest
import torch

from automl.candidates.pretrained.resizing import LEAST_SIDE, MOST_SIDE, STEP, network_sides, resizing


@pytest.mark.parametrize(("source", "target"), [(7, 16), (16, 16), (28, 96)], ids=["odd", "same", "digits"])
def test_enlarging_equals_linear_interpolation_of_torch(source: int, target: int) -> None:
    row = np.random.default_rng(0).normal(size=source).astype(np.float32)
    expected = torch.nn.functional.interpolate(torch.from_numpy(row)[None, None], target, mode="linear")[0, 0]
    np.testing.assert_allclose(resizing(source, target) @ row, expected.numpy(), atol=1e-5)


def test_shrinking_looks_at_every_pixel() -> None:
    weights = resizing(10, 4)
    assert (weights.sum(axis=0) > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


def test_a_single_pixel_is_repeated() -> None:
    np.testing.assert_array_equal(resizing(1, 5), np.ones((5, 1)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (28, 28, 1), (64, 48, 3), (4000, 10, 3)], ids=str)
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4])
def test_sides_are_multiples_within_bounds(shape: tuple[int, int, int], scale: float) -> None:
    for side in network_sides(shape, scale):
        assert side % STEP == 0
        assert LEAST_SIDE <= side <= MOST_SIDE


def test_scales_give_different_sides() -> None:
    for side in (28, 48, 64, 224):
        assert len({network_sides((side, side, 3), scale) for scale in (0.7, 1.0, 1.4)}) == 3
