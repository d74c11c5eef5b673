"""What is done to a block's numbers at the end: bent, shifted, scaled, clipped, gaps filled and marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import table_fields as fields

_LARGEST = 1e300


@dataclass(frozen=True)
class Finish:
    """The last steps of a block of w columns, in this order; each may be left out of the JSON.

    Attributes:
        curves: for each column a line, flat beyond its ends: `[[points, values], ...]`.
        shift: w numbers that are taken off.
        scale: w numbers that are multiplied with.
        clip: the largest absolute value that remains.
        fill: w numbers in place of missing ones.
        flags: columns after which, at the end of the block, a column of ones where it was missing is appended.
    """

    curves: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    shift: np.ndarray | None = None
    scale: np.ndarray | None = None
    clip: float | None = None
    fill: np.ndarray | None = None
    flags: np.ndarray | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any], width: int) -> Finish:
        """Read the finish of a block of this width.

        Raises:
            ValueError: a field is malformed or does not fit the width.
        """
        curves = tuple(_curve(curve) for curve in fields.items(values, "curves", width)) if "curves" in values else ()
        flags = fields.wholes(values["flags"], "flags", 0, width - 1) if "flags" in values else None
        shift, scale, fill = (
            fields.numbers(values[name], name, width) if name in values else None for name in ("shift", "scale", "fill")
        )
        clip = fields.number(values, "clip", 0, _LARGEST) if "clip" in values else None
        return cls(curves, shift, scale, clip, fill, flags)

    @property
    def more(self) -> int:
        """Return the number of columns that are appended."""
        return 0 if self.flags is None else len(self.flags)

    def apply(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write finished values.

        Args:
            values: float64 (n, w), changed on the way.
            out: float32 (n, w + more), written to.
        """
        width = values.shape[1]
        is_missing = np.isnan(values) if self.fill is not None or self.flags is not None else None
        for column, (points, heights) in enumerate(self.curves):
            values[:, column] = np.interp(values[:, column], points, heights)
        if self.shift is not None:
            values -= self.shift
        if self.scale is not None:
            values *= self.scale
        if self.clip is not None:
            np.clip(values, -self.clip, self.clip, out=values)
        if self.fill is not None and is_missing is not None:
            np.copyto(values, self.fill, where=is_missing)
        out[:, :width] = values
        if self.flags is not None and is_missing is not None:
            out[:, width:] = is_missing[:, self.flags]


def _curve(curve: object) -> tuple[np.ndarray, np.ndarray]:
    points, heights = fields.items({"curves": curve}, "curves", 2)
    ends = fields.numbers(points, "curves")
    if not (np.diff(ends) > 0).all():
        raise ValueError(f"plan: points of curves must rise. Got {str(points)[:80]!r}")
    return ends, fields.numbers(heights, "curves", len(ends))
