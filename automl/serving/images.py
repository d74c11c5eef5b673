"""Turn the bytes of one image file into a row: bounded, safe, the same in training and in use."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import InputError
from .image_rule import ImageRule

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""Only these decoders are tried; some of Pillow's others start programs (EPS) or are rarely tested."""
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pnm"}
)
MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 256 * 2**20

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I"})
_DEEP_MODES = frozenset({"I;16", "I;16B", "I;16L", "I"})
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
_EXIF_KEYS = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})
# What Pillow's decoders were seen to raise on damaged files.
_DAMAGE = (
    OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError, EOFError, OverflowError, AttributeError,
    RuntimeError, struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


class Header(NamedTuple):
    """What a file says about its image; height and width as it is to be seen, after its EXIF rotation."""

    height: int
    width: int
    is_grey: bool


def read_header(data: bytes, name: str) -> Header:
    """Return size and colour without decoding the pixels.

    Raises:
        InputError: it is no image, or too large.
    """
    with _opened(data, name) as image:
        width, height = image.size
        if image.format != "TIFF" and _orientation(image) in _TURNED:  # of a TIFF Pillow gives the size as seen
            width, height = height, width
        return Header(height, width, image.mode in _GREY_MODES)


def decode(data: bytes, name: str, rule: ImageRule) -> np.ndarray:
    """Return the image as uint8 (height, width, channels) by the rule.

    EXIF rotation is applied, transparency is put on white, 16-bit grey is reduced to 8 bits, of several frames the
    first is taken.

    Raises:
        InputError: it is no image, damaged, cut off, too large, or of an unknown pixel format.
    """
    with _opened(data, name) as image:
        # JPEG can be decoded at 1/2, 1/4, 1/8 of its size: twice the target keeps the resize smooth.
        # Only for "stretch", for which the longer target side bounds what is needed of either side.
        side = 2 * max(rule.height, rule.width)
        if rule.resize == "stretch":
            image.draft(None, (side, side))
        image.load()
        turned = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
        return fit(_plain(turned, name), rule)


def fit(image: Image.Image, rule: ImageRule) -> np.ndarray:
    """Return an image of mode L or RGB as uint8 (height, width, channels), resized by the rule."""
    image = image.convert("L" if rule.channels == 1 else "RGB")
    size = (rule.width, rule.height)
    if image.size != size and rule.resize == "crop":
        image = ImageOps.fit(image, size, method=Image.Resampling.BILINEAR)
    elif image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image, dtype=np.uint8).reshape(rule.shape)


@contextmanager
def bombs_refused() -> Iterator[None]:
    """Make Pillow's warning about huge images an error while many are read; enter it in one thread only."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    if not data:
        raise InputError(f"{name}: an image is needed. Got an empty file (0 bytes). Remove or replace it.")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{name}: at most {MAX_FILE_BYTES} bytes are read. Got {len(data)}. Store a smaller image.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(_too_large(name, f"{image.width} x {image.height}"))
            yield image
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(_too_large(name, str(error).split(",", 1)[0])) from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name}: an image ({', '.join(FORMATS)}) is needed. Got {len(data)} bytes that begin with "
            f"{data[:8]!r}. Remove or replace it."
        ) from error
    except _DAMAGE as error:
        raise InputError(f"{name}: the image is damaged or cut off ({_one_line(error)}). Replace it.") from error


def _too_large(name: str, found: str) -> str:
    return f"{name}: an image has at most {MAX_PIXELS} pixels. Got {found}. Store it smaller."


def _orientation(image: Image.Image) -> int:
    # Pillow's getexif decodes a whole PNG to look for EXIF behind the pixels: 4 of 5 parts of the time of a header.
    if image.format != "TIFF" and not _EXIF_KEYS & image.info.keys():
        return 1
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _plain(image: Image.Image, name: str) -> Image.Image:
    """Return the image in mode L or RGB."""
    if image.mode in _DEEP_MODES:
        return _reduced(image, name)
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        flat = Image.alpha_composite(white, clear)
        return flat.convert("L" if image.mode in _GREY_MODES else "RGB")
    if image.mode == "F":
        raise InputError(f"{name}: pixels must be whole numbers. Got 32-bit floats. Store it with 8 or 16 bits.")
    return image.convert("L" if image.mode in _GREY_MODES else "RGB")


def _reduced(image: Image.Image, name: str) -> Image.Image:
    """Return 16-bit grey as 8-bit grey."""
    deep = np.asarray(image)
    low, high = int(deep.min()), int(deep.max())
    if low < 0 or high > 65535:
        raise InputError(f"{name}: pixels must be 8 or 16 bits. Got values in [{low}, {high}]. Store it so.")
    return Image.fromarray((deep >> 8).astype(np.uint8))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
