"""Laws that pooled pixels and gradient histograms obey, over seeds and shapes."""

from __future__ import annotations

import numpy as np
import pytest

from automl.serving.image_features import columns, compute

SHAPES = [(8, 8, 1), (12, 9, 3), (5, 16, 1), (28, 28, 1), (16, 16, 3)]


def images(shape: tuple[int, ...], rows: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, *shape), dtype=np.uint8)


def hog(shape: tuple[int, ...], *, cells: int = 3, bins: int = 8, signed: bool = True, intensity: bool = False
        ) -> dict[str, object]:  # fmt: skip
    return {"kind": "hog", "height": shape[0], "width": shape[1], "cells_high": cells, "cells_wide": cells,
            "bins": bins, "signed": signed, "intensity": intensity}  # fmt: skip


def pooled(high: int, wide: int) -> dict[str, object]:
    return {"kind": "pooled", "height": high, "width": wide}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("bins", [3, 8, 12])
@pytest.mark.parametrize("intensity", [False, True])
def test_columns_are_as_announced_and_finite(shape: tuple[int, int, int], bins: int, intensity: bool) -> None:
    features = hog(shape, bins=bins, intensity=intensity)

    found = compute(features, images(shape))

    assert found.shape == (5, columns(features, shape))
    assert np.isfinite(found).all()
    assert found.dtype == np.float32


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_histograms_lie_between_zero_and_the_clip(shape: tuple[int, int, int], seed: int) -> None:
    found = compute(hog(shape), images(shape, seed=seed))

    assert found.min() >= 0
    assert found.max() <= 0.2 + 1e-6


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("signed", [False, True])
def test_a_mirrored_image_has_mirrored_cells_and_orientations(seed: int, signed: bool) -> None:
    X = images((12, 12, 1), seed=seed)
    features = hog((12, 12, 1), bins=8, signed=signed)

    found = compute(features, X[:, :, ::-1]).reshape(5, 3, 3, 8)
    plain = compute(features, X).reshape(5, 3, 3, 8)[:, :, ::-1]

    mirror = [(4 - b) % 8 for b in range(8)] if signed else [-b % 8 for b in range(8)]
    np.testing.assert_allclose(found, plain[..., mirror], atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_an_image_upside_down_has_its_cells_upside_down(seed: int) -> None:
    X = images((12, 12, 1), seed=seed)
    features = hog((12, 12, 1), bins=8)

    found = compute(features, X[:, ::-1]).reshape(5, 3, 3, 8)
    plain = compute(features, X).reshape(5, 3, 3, 8)[:, ::-1]

    np.testing.assert_allclose(found, plain[..., [-b % 8 for b in range(8)]], atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_a_quarter_turn_turns_cells_and_orientations(seed: int) -> None:
    X = images((12, 12, 1), seed=seed)
    features = hog((12, 12, 1), bins=8)

    found = compute(features, np.rot90(X, axes=(1, 2))).reshape(5, 3, 3, 8)
    plain = np.rot90(compute(features, X).reshape(5, 3, 3, 8), axes=(1, 2))

    np.testing.assert_allclose(found, plain[..., [(b + 2) % 8 for b in range(8)]], atol=1e-5)


@pytest.mark.parametrize("offset", [1, 50, 100])
def test_brightness_alone_changes_no_histogram(offset: int) -> None:
    X = images((12, 12, 1)) // 2
    features = hog((12, 12, 1))

    np.testing.assert_allclose(compute(features, X + np.uint8(offset)), compute(features, X), atol=1e-5)


def test_a_negative_has_the_same_unsigned_histograms() -> None:
    X = images((12, 12, 1))
    features = hog((12, 12, 1), signed=False)

    np.testing.assert_allclose(compute(features, 255 - X), compute(features, X), atol=1e-5)


def test_a_negative_has_opposite_signed_histograms() -> None:
    X = images((12, 12, 1))
    features = hog((12, 12, 1), bins=8)

    found, plain = (compute(features, x).reshape(5, 9, 8) for x in (255 - X, X))

    np.testing.assert_allclose(found, plain[..., [(b + 4) % 8 for b in range(8)]], atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 9, 1)], ids=str)
def test_three_equal_channels_are_one(shape: tuple[int, int, int]) -> None:
    X = images(shape)
    for features in (hog(shape), hog(shape, signed=False)):
        grey, colour = compute(features, X), compute(features, np.repeat(X, 3, axis=3))
        np.testing.assert_allclose(colour, grey, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_images_is_kept(shape: tuple[int, int, int], seed: int) -> None:
    X = images(shape, rows=9, seed=seed)
    order = np.random.default_rng(seed).permutation(9)
    for features in (hog(shape), pooled(3, 4), {"kind": "pixels"}):
        np.testing.assert_array_equal(compute(features, X[order]), compute(features, X)[order])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 5)], ids=str)
def test_pooling_keeps_the_mean_of_each_channel(shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    X = images(shape)

    found = compute(pooled(*size), X).reshape(5, *size, shape[2])

    np.testing.assert_allclose(found.mean(axis=(1, 2)), X.mean(axis=(1, 2)) / 255, atol=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_pooling_by_a_whole_factor_is_the_mean_of_blocks(factor: int) -> None:
    X = images((8, 8, 3))
    side = 8 // factor
    blocks = X.reshape(5, side, factor, side, factor, 3).mean(axis=(2, 4)) / 255

    np.testing.assert_allclose(compute(pooled(side, side), X), blocks.reshape(5, -1), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_pooling_in_two_steps_is_pooling_in_one(seed: int) -> None:
    X = images((16, 16, 1), seed=seed)
    half = compute(pooled(8, 8), X).reshape(5, 8, 8, 1)

    again = half.reshape(5, 4, 2, 4, 2, 1).mean(axis=(2, 4)).reshape(5, -1)

    np.testing.assert_allclose(compute(pooled(4, 4), X), again, atol=1e-6)


def test_pooling_is_linear() -> None:
    X = images((9, 7, 1)) // 2
    whole, half = compute(pooled(4, 3), X * 2), compute(pooled(4, 3), X)

    np.testing.assert_allclose(whole, 2 * half, atol=1e-6)


@pytest.mark.parametrize("kind", ["pixels", "pooled", "hog"])
def test_what_was_handed_over_is_not_changed(kind: str) -> None:
    X = images((8, 8, 1))
    X.setflags(write=False)
    before = X.copy()

    compute({**hog((8, 8, 1)), "kind": kind}, X)

    np.testing.assert_array_equal(X, before)
