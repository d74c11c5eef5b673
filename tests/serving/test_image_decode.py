"""One image file becomes one row, whatever its mode, rotation or state."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from automl.serving.errors import InputError
from automl.serving.image_rule import ImageRule
from automl.serving.images import MAX_PIXELS, bombs_refused, decode, read_header

GREY = ImageRule(4, 4, 1)
COLOUR = ImageRule(4, 4, 3)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def flat(mode: str, colour: object, side: int = 4) -> Image.Image:
    return Image.new(mode, (side, side), colour)  # type: ignore[arg-type]


def bomb(width: int, height: int) -> bytes:
    """A PNG of 90 bytes that announces any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


MODES = [
    pytest.param(flat("1", 1), (255, 255, 255), id="bilevel"),
    pytest.param(flat("L", 100), (100, 100, 100), id="grey"),
    pytest.param(flat("LA", (100, 255)), (100, 100, 100), id="grey-opaque"),
    pytest.param(flat("LA", (0, 0)), (255, 255, 255), id="grey-clear-is-white"),
    pytest.param(flat("RGB", (10, 20, 30)), (10, 20, 30), id="colour"),
    pytest.param(flat("RGBA", (10, 20, 30, 255)), (10, 20, 30), id="colour-opaque"),
    pytest.param(flat("RGBA", (0, 0, 0, 0)), (255, 255, 255), id="colour-clear-is-white"),
    pytest.param(flat("RGB", (255, 0, 0)).convert("P"), (255, 0, 0), id="palette"),
    pytest.param(Image.fromarray(np.full((4, 4), 40_000, np.uint16)), (156, 156, 156), id="16-bit-grey"),
]


@pytest.mark.parametrize(("image", "expected"), MODES)
def test_every_mode_becomes_colour_bytes(image: Image.Image, expected: tuple[int, int, int]) -> None:
    pixels = decode(encoded(image), "x.png", COLOUR)

    assert pixels.shape == (4, 4, 3)
    assert pixels.dtype == np.uint8
    assert tuple(pixels[0, 0]) == expected


@pytest.mark.parametrize(("image", "expected"), MODES)
def test_every_mode_becomes_grey_bytes(image: Image.Image, expected: tuple[int, int, int]) -> None:
    luma = round(0.299 * expected[0] + 0.587 * expected[1] + 0.114 * expected[2])

    pixels = decode(encoded(image), "x.png", GREY)

    assert pixels.shape == (4, 4, 1)
    assert abs(int(pixels[0, 0, 0]) - luma) <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"])
def test_known_formats_are_told_by_their_bytes_not_by_their_name(kind: str) -> None:
    pixels = decode(encoded(flat("RGB", (200, 0, 0), 16), kind), "wrong.txt", COLOUR)

    assert abs(int(pixels[1, 1, 0]) - 200) <= 3


def test_cmyk_jpeg_becomes_colour() -> None:
    pixels = decode(encoded(flat("CMYK", (0, 255, 255, 0), 16), "JPEG"), "print.jpg", COLOUR)

    assert pixels[0, 0, 0] > 200
    assert pixels[0, 0, 1] < 60


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (3, 3)), (6, (0, 3)), (8, (3, 0))])
def test_exif_rotation_is_applied(orientation: int, corner: tuple[int, int]) -> None:
    image = flat("L", 0)
    image.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = orientation

    pixels = decode(encoded(image, exif=exif), "photo.png", GREY)

    assert np.argwhere(pixels[:, :, 0] == 255).tolist() == [list(corner)]


def test_header_gives_size_as_seen_after_rotation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    header = read_header(encoded(Image.new("RGB", (20, 10)), "JPEG", exif=exif), "photo.jpg")

    assert (header.height, header.width, header.is_grey) == (20, 10, False)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_header_knows_grey(mode: str) -> None:
    image = Image.fromarray(np.zeros((4, 4), np.uint16)) if mode == "I;16" else flat(mode, 0)

    assert read_header(encoded(image), "x.png").is_grey


def test_stretch_keeps_all_and_crop_keeps_the_centre() -> None:
    image = Image.new("L", (12, 4), 0)
    image.paste(255, (4, 0, 8, 4))

    stretched = decode(encoded(image), "wide.png", GREY)
    cropped = decode(encoded(image), "wide.png", ImageRule(4, 4, 1, "crop"))

    assert stretched.min() < 30
    assert cropped.min() == 255


def test_large_jpeg_is_reduced_close_to_a_full_decode() -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((512, 512))
    data = encoded(image, "JPEG", quality=95)

    quick = decode(data, "photo.jpg", ImageRule(32, 32, 3)).astype(int)

    assert np.abs(quick - np.asarray(image.resize((32, 32)), int)).mean() < 5


def test_first_frame_of_an_animation_is_taken() -> None:
    frames = [flat("L", 10), flat("L", 250)]

    pixels = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "moving.gif", GREY)

    assert int(pixels[0, 0, 0]) == 10


BROKEN = [
    pytest.param(b"", "empty file", id="empty"),
    pytest.param(b"hello, this is text", "an image .* is needed", id="text"),
    pytest.param(encoded(Image.effect_noise((64, 64), 50))[:900], "damaged or cut off", id="cut"),
    pytest.param(bomb(30_000, 30_000), f"at most {MAX_PIXELS} pixels", id="bomb"),
    pytest.param(bomb(10_000, 10_000), f"at most {MAX_PIXELS} pixels", id="small-bomb"),
    pytest.param(bomb(8_000, 8_001), f"at most {MAX_PIXELS} pixels", id="own-bound"),
    pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "an image .* is needed", id="postscript"),
    pytest.param(encoded(Image.new("F", (4, 4), 0.5), "TIFF"), "whole numbers. Got 32-bit floats", id="floats"),
]


@pytest.mark.parametrize(("data", "message"), BROKEN)
def test_what_cannot_be_read_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=f"(?s)cat/7.png: .*{message}"), bombs_refused():
        decode(data, "cat/7.png", GREY)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of damaged EXIF data
def test_every_cut_of_a_file_is_refused_or_decoded_but_never_crashes() -> None:
    data = encoded(Image.effect_noise((16, 16), 50), "JPEG")

    outcomes = set()
    for end in range(0, len(data), 7):
        try:
            outcomes.add(decode(data[:end], "x.jpg", GREY).shape)
        except InputError as error:
            outcomes.add(type(error).__name__)

    assert outcomes <= {"InputError", (4, 4, 1)}


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of damaged EXIF data
def test_flipped_bytes_are_refused_or_decoded_but_never_crash() -> None:
    good = {kind: encoded(Image.effect_noise((16, 16), 50), kind) for kind in ("PNG", "GIF", "BMP", "TIFF")}
    rng = np.random.default_rng(0)

    for data in good.values():
        for _ in range(60):
            hurt = bytearray(data)
            hurt[rng.integers(len(hurt))] ^= 255
            assert _shape_or_error(bytes(hurt)) in {(4, 4, 1), "InputError"}


def _shape_or_error(data: bytes) -> object:
    try:
        return decode(data, "x", GREY).shape
    except InputError as error:
        return type(error).__name__
