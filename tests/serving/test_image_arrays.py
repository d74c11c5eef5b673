"""Arrays obey the same rule as files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from automl.serving.errors import InputError
from automl.serving.image_arrays import as_pixels, rows_from_array, white_value
from automl.serving.image_rule import ImageRule


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.array([[[0, 255]]], np.uint8), 255.0),
        (np.array([[[0, 1]]], np.uint8), 255.0),
        (np.array([[[True, False]]]), 1.0),
        (np.array([[[0.0, 0.7]]]), 1.0),
        (np.array([[[0.0, 16.0]]]), 16.0),
        (np.array([[[0, 12]]], np.int64), 16.0),
        (np.array([[[0.0, 254.5]]], np.float32), 255.0),
    ],
    ids=["bytes", "dark-bytes", "bool", "unit", "digits", "digits-int", "float-bytes"],
)
def test_white_is_found_from_type_and_range(X: np.ndarray, expected: float) -> None:
    assert white_value(X, "X") == expected


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[[-1.0, 1.0]]]), r"Got values in \[-1, 1\]"),
        (np.array([[[0.0, 4095.0]]]), r"Got values in \[0, 4095\]"),
        (np.array([[[np.nan, 1.0]]]), "must be finite. Got 1 NaN"),
        (np.array([[["a"]]]), "must be numbers. Got dtype <U1"),
    ],
    ids=["negative", "12-bit", "nan", "text"],
)
def test_values_in_no_known_range_are_refused(X: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=f"file.npz: X: .*{message}"):
        white_value(X, "file.npz: X")


def test_numbers_are_scaled_so_that_white_is_255() -> None:
    X = np.array([[[0.0, 8.0, 16.0]]])

    assert as_pixels(X, 16.0, "X")[0, 0, :, 0].tolist() == [0, 128, 255]


def test_bytes_are_taken_as_they_are_without_a_copy() -> None:
    X = np.zeros((2, 3, 4), np.uint8)

    assert np.shares_memory(as_pixels(X, 255.0, "X"), X)


def test_prediction_on_another_range_than_training_is_refused() -> None:
    with pytest.raises(InputError, match=r"numbers in \[0, 1\], as in training.* Got values in \[0, 255\]"):
        rows_from_array(np.array([[[0.0, 255.0]]]), ImageRule(1, 2, 1, value_max=1.0), "X")


def test_unscaled_bytes_for_a_model_of_small_numbers_are_refused() -> None:
    with pytest.raises(InputError, match=r"white being 255. Got no value above 16, while training had .*\[0, 16\]"):
        rows_from_array(np.full((1, 2, 2), 16, np.uint8), ImageRule(2, 2, 1, value_max=16.0), "X")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 64), r"need shape \(n, height, width\[, channels\]\). Got \(5, 64\)"),
        ((5, 3, 8, 8), r"channels come last .* Got shape \(5, 3, 8, 8\). They seem to come first"),
        ((5, 8, 8, 2), r"channels come last and are 1, 3 or 4. Got shape \(5, 8, 8, 2\)"),
        ((5, 0, 8), r"at least one pixel. Got shape \(5, 0, 8, 1\)"),
    ],
    ids=["flat", "channels-first", "two-channels", "no-pixels"],
)
def test_other_shapes_are_refused_with_what_was_found(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_pixels(np.zeros(shape, np.uint8), 255.0, "X")


def test_transparency_goes_on_white() -> None:
    X = np.array([[[[0, 0, 0, 0], [10, 20, 30, 255]]]], np.uint8)

    assert as_pixels(X, 255.0, "X")[0, 0].tolist() == [[255, 255, 255], [10, 20, 30]]


def test_colour_becomes_grey_exactly_as_pillow_does_it() -> None:
    X = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)

    rows = rows_from_array(X, ImageRule(16, 16, 1), "X")

    assert np.array_equal(rows[0, :, :, 0], np.asarray(Image.fromarray(X[0]).convert("L")))


def test_grey_becomes_three_equal_channels() -> None:
    rows = rows_from_array(np.full((2, 4, 4), 7, np.uint8), ImageRule(4, 4, 3), "X")

    assert rows.shape == (2, 4, 4, 3)
    assert (rows == 7).all()


def test_arrays_of_another_size_are_resized() -> None:
    rows = rows_from_array(np.full((3, 9, 5), 50, np.uint8), ImageRule(4, 4, 1), "X")

    assert rows.shape == (3, 4, 4, 1)
    assert (rows == 50).all()


def test_no_rows_stay_no_rows() -> None:
    assert rows_from_array(np.zeros((0, 4, 4), np.float32), ImageRule(4, 4, 1), "X").shape == (0, 4, 4, 1)
