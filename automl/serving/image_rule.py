"""How an image becomes a row: one size, one number of channels, one range of values. Stored in every artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from .errors import ModelError

Resize = Literal["stretch", "crop"]
RESIZES: tuple[Resize, ...] = ("stretch", "crop")
MAX_SIDE = 4096
"""No row is larger than this on a side, whatever a manifest says."""


@dataclass(frozen=True)
class ImageRule:
    """The shape that all images are brought to.

    Attributes:
        height, width: of a row, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        resize: "stretch" changes the aspect ratio; "crop" keeps it and cuts the centre out.
        value_max: the value of white in arrays that are not uint8; they are scaled by 255 / value_max.
    """

    height: int
    width: int
    channels: int
    resize: Resize = "stretch"
    value_max: float = 255.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return (height, width, channels)."""
        return self.height, self.width, self.channels

    def to_json(self) -> dict[str, int | float | str]:
        """Return the rule as JSON values, with what kind of input it is.

        >>> ImageRule(8, 8, 1).to_json()["kind"]
        'image'
        """
        return {"kind": "image", **asdict(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> ImageRule:
        """Read a rule; keys this version does not know are left alone.

        Raises:
            ModelError: it is no image rule, or a number is out of bounds.
        """
        if values.get("kind") != "image":
            raise ModelError(f"input: kind must be 'image' here. Got {values.get('kind')!r}.")
        sides = [_whole(values, side, 1, MAX_SIDE) for side in ("height", "width")]
        channels = _whole(values, "channels", 1, 3)
        if channels == 2:
            raise ModelError(f"input: channels must be 1 or 3. Got {channels}.")
        resize, value_max = values.get("resize", "stretch"), values.get("value_max", 255.0)
        if resize not in RESIZES:
            raise ModelError(f"input: resize must be one of {', '.join(RESIZES)}. Got {resize!r}.")
        if isinstance(value_max, bool) or not isinstance(value_max, int | float) or not 0 < value_max <= 65535:
            raise ModelError(f"input: value_max must be a number in (0, 65535]. Got {value_max!r}.")
        return cls(sides[0], sides[1], channels, "crop" if resize == "crop" else "stretch", float(value_max))


def _whole(values: Mapping[str, object], key: str, low: int, high: int) -> int:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ModelError(f"input: {key} must be a whole number in [{low}, {high}]. Got {value!r}.")
    return value
