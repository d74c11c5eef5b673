"""EXIF orientations, pixel modes and resize rules, each against what a person would see."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from automl.serving.errors import InputError
from automl.serving.image_arrays import as_pixels, fit_array, rows_from_array, white_value
from automl.serving.image_rule import ImageRule
from automl.serving.images import decode, fit, read_header

HIGH, WIDE = 6, 10
Turn = Callable[[np.ndarray], np.ndarray]
TURNS: dict[int, Turn] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}
"""Orientation of EXIF 2.3, section 4.6.4: what is to be done with the stored pixels to see the picture."""


def picture(mode: str, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    colour = Image.fromarray(rng.integers(0, 256, (HIGH, WIDE, 3), dtype=np.uint8))
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (HIGH, WIDE), dtype=np.uint16))
    if mode in ("LA", "RGBA"):
        clear = colour.convert(mode)
        clear.putalpha(Image.fromarray(rng.integers(0, 256, (HIGH, WIDE), dtype=np.uint8)))
        return clear
    return colour.convert(mode)


def stored(image: Image.Image, kind: str = "PNG", orientation: int | None = None, **options: object) -> bytes:
    stream = io.BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    image.save(stream, kind, **options)
    return stream.getvalue()


def rule_of(image: np.ndarray | Image.Image, channels: int = 3, **more: str) -> ImageRule:
    high, wide = image.shape[:2] if isinstance(image, np.ndarray) else image.size[::-1]
    return ImageRule(high, wide, channels, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_turned_png_is_the_turned_picture(mode: str, channels: int, orientation: int) -> None:
    plain = decode(stored(picture(mode)), "x", ImageRule(HIGH, WIDE, channels))
    expected = TURNS[orientation](plain)

    found = decode(stored(picture(mode), orientation=orientation), "x", rule_of(expected, channels))

    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("TIFF", {})], ids=["webp", "tiff"])
def test_other_files_are_turned_alike(kind: str, options: dict[str, object], orientation: int) -> None:
    expected = TURNS[orientation](np.asarray(picture("RGB")))

    found = decode(stored(picture("RGB"), kind, orientation, **options), "x", rule_of(expected))

    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_turned_jpeg_is_close_to_the_turned_picture(orientation: int) -> None:
    smooth = Image.linear_gradient("L").resize((40, 24)).convert("RGB")
    expected = TURNS[orientation](np.asarray(smooth)).astype(int)

    found = decode(stored(smooth, "JPEG", orientation, quality=95), "x", rule_of(expected))

    assert np.abs(found - expected).max() <= 12


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_the_header_tells_the_size_as_seen(kind: str, orientation: int) -> None:
    seen = TURNS[orientation](np.asarray(picture("RGB")))

    header = read_header(stored(picture("RGB"), kind, orientation), "x")

    assert (header.height, header.width, header.is_grey) == (*seen.shape[:2], False)


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    data = stored(picture("RGB"), orientation=orientation)

    np.testing.assert_array_equal(decode(data, "x", ImageRule(HIGH, WIDE, 3)), np.asarray(picture("RGB")))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"])
@pytest.mark.parametrize("resize", ["stretch", "crop"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 20), (20, 3), (6, 10), (64, 64)], ids=str)
def test_every_mode_and_rule_gives_bytes_of_the_shape(mode: str, resize: str, shape: tuple[int, int]) -> None:
    for channels in (1, 3):
        rule = ImageRule(*shape, channels, resize)  # type: ignore[arg-type]
        row = decode(stored(picture(mode)), "x", rule)
        assert (row.shape, row.dtype) == (rule.shape, np.uint8)


@pytest.mark.parametrize("resize", ["stretch", "crop"])
@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_flat_picture_stays_flat_at_any_size(resize: str, value: int) -> None:
    flat = Image.new("L", (37, 23), value)
    for shape in ((1, 1), (5, 90), (23, 37), (64, 64)):
        assert (fit(flat, ImageRule(*shape, 1, resize)) == value).all()  # type: ignore[arg-type]


def test_crop_keeps_the_middle_and_stretch_the_rims() -> None:
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, :10], pixels[:, 20:] = 255, 255
    image = Image.fromarray(pixels)

    assert fit(image, ImageRule(10, 10, 1, "crop")).mean() < 30
    assert fit(image, ImageRule(10, 10, 1, "stretch")).mean() > 140


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("resize", ["stretch", "crop"])
def test_files_and_arrays_of_a_picture_are_resized_alike(seed: int, resize: str) -> None:
    pixels = np.asarray(picture("RGB", seed))
    rule = ImageRule(7, 5, 3, resize)  # type: ignore[arg-type]

    row = decode(stored(picture("RGB", seed)), "x", rule)

    np.testing.assert_array_equal(row, fit_array(pixels[None], rule)[0])


@pytest.mark.parametrize("seed", range(6))
def test_mirroring_a_picture_mirrors_its_row(seed: int) -> None:
    rule, image = ImageRule(6, 6, 3), picture("RGB", seed)
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    np.testing.assert_allclose(fit(mirrored, rule).astype(int), fit(image, rule)[:, ::-1].astype(int), atol=1)


def test_floats_in_a_file_are_refused() -> None:
    image = Image.fromarray(np.full((4, 4), np.nan, np.float32))

    with pytest.raises(InputError, match=r"x.tif: pixels must be whole numbers. Got 32-bit floats"):
        decode(stored(image, "TIFF"), "x.tif", ImageRule(4, 4, 1))


@pytest.mark.parametrize("value", [-1, 65_536, 2**31 - 1])
def test_deep_pixels_beyond_16_bits_are_refused(value: int) -> None:
    image = Image.fromarray(np.full((4, 4), value, np.int32))

    with pytest.raises(InputError, match=rf"pixels must be 8 or 16 bits. Got values in \[{value}"):
        decode(stored(image, "TIFF"), "x", ImageRule(4, 4, 1))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int64, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 8, 8, 1), (3, 8, 8, 3), (3, 8, 8, 4)], ids=str)
def test_arrays_of_any_type_give_the_same_pixels(kind: type, shape: tuple[int, ...]) -> None:
    bytes_ = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    found = as_pixels(bytes_.astype(kind), 255.0, "X")

    np.testing.assert_array_equal(found, as_pixels(bytes_, 255.0, "X"))
    assert found.shape[3] in (1, 3)


@pytest.mark.parametrize("white", [1.0, 16.0, 255.0])
@pytest.mark.parametrize("seed", range(3))
def test_scaling_by_the_found_white_restores_the_bytes(white: float, seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 17, (4, 5, 5))
    levels.flat[0] = 16
    scaled = levels / 16.0 * white

    assert white_value(scaled, "X") == white
    np.testing.assert_array_equal(as_pixels(scaled, white, "X")[..., 0], np.rint(levels / 16.0 * 255.0))


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_layout_in_memory_does_not_matter(order: str) -> None:
    X = np.random.default_rng(1).integers(0, 256, (3, 9, 7, 3), dtype=np.uint8)
    rule = ImageRule(4, 4, 1)

    np.testing.assert_array_equal(rows_from_array(np.asarray(X, order=order), rule, "X"), rows_from_array(X, rule, "X"))  # type: ignore[call-overload]
