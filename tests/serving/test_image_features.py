from __future__ import annotations

import numpy as np
import pytest

from automl.serving.image_features import KINDS, columns, compute

HOG = {"kind": "hog", "height": 8, "width": 8, "cells_high": 2, "cells_wide": 2, "bins": 8, "signed": True}
POOLED = {"kind": "pooled", "height": 4, "width": 2}


def images(rows: int, height: int = 8, width: int = 8, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (rows, height, width, channels), dtype=np.uint8)


def ramp(*, down: int = 0, across: int = 0) -> np.ndarray:
    """Return one image that grows evenly in one direction."""
    rows, cols = np.mgrid[:8, :8]
    return (100 + down * rows + across * cols).astype(np.uint8)[None, ..., None]


def test_pixels_are_the_images_themselves() -> None:
    X = images(3)
    assert compute({"kind": "pixels"}, X) is X


def test_pooled_pixels_are_block_means_in_the_order_of_rows_columns_channels() -> None:
    X = images(5, 8, 6, 3)
    means = X.reshape(5, 4, 2, 2, 3, 3).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(compute(POOLED, X), means.reshape(5, -1), atol=1e-6)


def test_pooling_to_sides_that_do_not_divide_keeps_the_mean() -> None:
    X = images(4, 7, 11)
    pooled = compute({"kind": "pooled", "height": 3, "width": 4}, X)
    np.testing.assert_allclose(pooled.mean(axis=1), X.mean(axis=(1, 2, 3)) / 255, atol=1e-6)


def test_pooled_pixels_lie_between_zero_and_one() -> None:
    X = np.stack([np.zeros((8, 8, 1), np.uint8), np.full((8, 8, 1), 255, np.uint8)])
    np.testing.assert_allclose(compute(POOLED, X), [[0.0] * 8, [1.0] * 8], atol=1e-6)


@pytest.mark.parametrize(
    ("image", "orientation"),
    [(ramp(across=9), 0), (ramp(down=9), 2), (ramp(across=-9), 4), (ramp(down=-9), 6)],
    ids=["right", "down", "left", "up"],
)
def test_signed_gradient_votes_for_its_orientation(image: np.ndarray, orientation: int) -> None:
    votes = compute(HOG, image).reshape(4, 8)
    assert (votes.argmax(axis=1) == orientation).all()


def test_unsigned_gradients_do_not_tell_a_negative_from_its_image() -> None:
    X = images(3)
    unsigned = {**HOG, "signed": False}
    np.testing.assert_allclose(compute(unsigned, X), compute(unsigned, 255 - X), atol=1e-4)


def test_signed_gradients_tell_a_negative_from_its_image() -> None:
    X = ramp(across=9)
    assert not np.allclose(compute(HOG, X), compute(HOG, 255 - X), atol=0.05)


def test_histograms_ignore_contrast() -> None:
    np.testing.assert_allclose(compute(HOG, ramp(across=4)), compute(HOG, ramp(across=16)), atol=0.01)


def test_flat_images_have_empty_histograms() -> None:
    assert not compute(HOG, np.full((2, 8, 8, 1), 77, np.uint8)).any()


def test_the_steepest_channel_counts() -> None:
    colour = np.concatenate([ramp(across=2), ramp(down=9), ramp()], axis=3)
    assert (compute(HOG, colour).reshape(4, 8).argmax(axis=1) == 2).all()


def test_intensity_adds_the_mean_of_each_cell_and_channel() -> None:
    X = np.full((1, 8, 8, 3), (0, 51, 255), np.uint8)
    numbers = compute({**HOG, "intensity": True}, X).reshape(4, 8 + 3)
    np.testing.assert_allclose(numbers[:, 8:], [[0.0, 0.2, 1.0]] * 4, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "cells"),
    [((8, 8, 1), (4, 4)), ((300, 200, 3), (10, 7)), ((5, 40, 4), (1, 6)), ((1, 1, 1), (1, 1)), ((48, 48, 2), (7, 7))],
    ids=["tiny", "large", "flat", "one pixel", "two channels"],
)
def test_histograms_of_images_of_any_shape(shape: tuple[int, int, int], cells: tuple[int, int]) -> None:
    features = {
        **HOG, "height": min(60, shape[0]), "width": min(60, shape[1]), "cells_high": cells[0], "cells_wide": cells[1],
        "intensity": True,
    }  # fmt: skip
    numbers = compute(features, images(2, *shape))
    assert numbers.shape == (2, columns(features, shape)) == (2, cells[0] * cells[1] * (8 + shape[2]))
    assert numbers.dtype == np.float32
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("features", [POOLED, {**HOG, "height": 7, "intensity": True}], ids=["pooled", "hog"])
def test_an_image_gives_the_same_bits_in_every_batch(features: dict[str, object]) -> None:
    X = images(40, 9, 8, 3)
    at_once = compute(features, X)
    for size in (1, 3, 7, 33):
        parts = [compute(features, X[i : i + size]) for i in range(0, 40, size)]
        np.testing.assert_array_equal(np.concatenate(parts), at_once)


def test_many_rows_are_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    X = images(23)
    at_once = compute(HOG, X)
    monkeypatch.setattr("automl.serving.image_features._BATCH_FLOATS", 8 * 8 * 8 * 5)
    np.testing.assert_array_equal(compute(HOG, X), at_once)


@pytest.mark.parametrize("features", [{"kind": "pixels"}, POOLED, HOG], ids=KINDS)
def test_no_image_gives_no_row(features: dict[str, object]) -> None:
    assert len(compute(features, images(0))) == 0


@pytest.mark.parametrize(
    ("features", "text"),
    [
        ({"kind": "sift"}, "features.kind must be one of pixels, pooled, hog. Got 'sift'"),
        ({}, "Got None"),
        ({**POOLED, "height": 9}, r"features.height must be a whole number in \[1, 8\] for these images. Got 9"),
        ({**POOLED, "width": 0}, "features.width .* Got 0"),
        ({**POOLED, "width": True}, "features.width .* Got True"),
        ({**HOG, "cells_wide": 9}, "features.cells_wide .* Got 9"),
        ({**HOG, "bins": "8"}, "features.bins .* Got '8'"),
        ({**HOG, "bins": 2}, "features.bins .* Got 2"),
        ({**HOG, "signed": 1}, "features.signed must be true or false. Got 1"),
        ({**HOG, "intensity": "yes"}, "features.intensity must be true or false. Got 'yes'"),
    ],
    ids=["kind", "no kind", "high", "zero", "bool", "cells", "text", "few bins", "signed", "intensity"],
)  # fmt: skip
def test_bad_descriptions_are_refused_with_their_value(features: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        compute(features, images(1))


@pytest.mark.parametrize(
    "X", [np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 8, 1), np.float32)], ids=["no channels", "floats"]
)
def test_what_is_no_batch_of_images_is_refused(X: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"images must be uint8 \(n, height, width, channels\). Got"):
        compute(POOLED, X)
