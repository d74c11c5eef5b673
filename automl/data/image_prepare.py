"""What all sources of images share: the rule they are brought to, and the facts written beside the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.data.checks import duplicate_findings
from automl.data.folder import write_spec
from automl.data.labels import Labels
from automl.serving.image_rule import ImageRule, Resize

SMALL_SIDE, LARGE_SIDE = 64, 224
"""What small networks learn from within minutes on a few cores, where more detail costs time by its square; and what
networks that were trained on large images need."""
_MOST_BYTES = 1_000_000_000
"""All images together take no more as they are prepared, unless that is less than `SMALL_SIDE` would take."""


@dataclass(frozen=True)
class Wanted:
    """How images are to be prepared.

    Attributes:
        max_side: larger images are reduced to this many pixels on the longer side, very many of them to fewer.
        resize: see `ImageRule`.
        rule: the rule of the training data, when test data is prepared; None chooses one.
        classes: the classes of the training data, likewise.
    """

    max_side: int = SMALL_SIDE
    resize: Resize = "stretch"
    rule: ImageRule | None = None
    classes: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, object]:
        """Return what the prepared arrays depend on, as JSON values."""
        rule = None if self.rule is None else self.rule.to_json()
        return {"max_side": self.max_side, "resize": self.resize, "rule": rule, "classes": self.classes}


class Sizes(NamedTuple):
    """Height and width of each image (n, 2), and whether all are grey."""

    sides: np.ndarray
    is_grey: bool


class Rowset(NamedTuple):
    """Prepared rows with their labels, before they are described."""

    X: np.ndarray
    labels: Labels
    fingerprint: str


def choose_rule(sizes: Sizes, wanted: Wanted, *, value_max: float = 255.0) -> ImageRule:
    """Return the rule of the training data if there is one, else that of the median size, reduced to max_side.

    A size that is reduced is rounded to multiples of 8 pixels, which networks can halve three times.

    >>> choose_rule(Sizes(np.array([[300, 225]]), False), Wanted()).shape
    (64, 48, 3)
    """
    if wanted.rule is not None:
        return wanted.rule
    height, width = (int(side) for side in np.median(sizes.sides, axis=0))
    longest, most = max(height, width), _most_side(len(sizes.sides), wanted)
    if longest > most:
        height, width = (_rounded(side * most / longest, most) for side in (height, width))
    return ImageRule(height, width, 1 if sizes.is_grey else 3, wanted.resize, value_max)


def size_findings(sizes: Sizes, rule: ImageRule) -> list[Finding]:
    """Return what the user should know about how the images are resized."""
    low, high = sizes.sides.min(axis=0), sizes.sides.max(axis=0)
    target = f"{rule.height} x {rule.width} pixels"
    if (low != high).any():
        message = f"images differ in size, {_span(low, high)}; all are brought to {target} ({rule.resize})"
        return [Finding("sizes-mixed", "info", message)]
    if tuple(low) != (rule.height, rule.width):
        return [Finding("images-resized", "info", f"images of {low[0]} x {low[1]} pixels are brought to {target}")]
    return []


def describe(folder: Path, name: str, rowset: Rowset, rule: ImageRule, *, wanted: Wanted,
             findings: Sequence[Finding]) -> None:  # fmt: skip
    """Write y.npy and spec.json beside an X.npy that is already there."""
    classes = rowset.labels.classes
    spec = DataSpec(
        name=name,
        kind="image",
        rows=len(rowset.X),
        shape=rule.shape,
        classes=classes,
        class_counts=tuple(int(n) for n in np.bincount(rowset.labels.codes, minlength=len(classes))),
        fingerprint=rowset.fingerprint,
        input={**rule.to_json(), "max_side": wanted.max_side},
    )
    np.save(folder / "y.npy", rowset.labels.codes, allow_pickle=False)
    found = [*findings, *rowset.labels.findings, *duplicate_findings(rowset.X, rowset.labels.codes)]
    write_spec(folder, spec, found)


def _most_side(count: int, wanted: Wanted) -> int:
    """Return the longer side of so many images at most."""
    affordable = 8 * int((_MOST_BYTES / (3 * max(1, count))) ** 0.5 / 8)
    return min(wanted.max_side, max(SMALL_SIDE, affordable))


def _rounded(side: float, most: int) -> int:
    return max(1, min(most, 8 * max(1, round(side / 8))))


def _span(low: np.ndarray, high: np.ndarray) -> str:
    return f"{low[0]} to {high[0]} high and {low[1]} to {high[1]} wide"
