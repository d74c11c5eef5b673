"""Images as input. Needs Pillow, so it is imported where a model reads images."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import image_features
from .batches import even
from .errors import InputError, ModelError
from .image_arrays import rows_from_array
from .image_files import read_rows
from .image_rule import ImageRule
from .inputs import Features
from .manifest import Manifest, MemberEntry
from .rows import Rows, RowSet

_MOST_ROWS, _MOST_NUMBERS = 256, 2**19
"""Enough to keep one core busy, little enough to stay in its cache: 64 photographs of 168 x 224 pixels at once take a
convolutional network twice as long for each as four do."""


class ImageInput:
    """Rows are uint8 (n, height, width, channels)."""

    def __init__(self, rule: ImageRule) -> None:
        self.rule = rule
        self._batch = max(1, min(_MOST_ROWS, _MOST_NUMBERS // math.prod(rule.shape)))

    def read(self, source: Path) -> Rows:
        """Read an image file, a folder of them, or an .npz with X."""
        return read_rows(source, self.rule)

    def rows(self, X: Any, name: str) -> np.ndarray:
        """Return an array of images in any accepted layout as rows."""
        return rows_from_array(np.asarray(X), self.rule, name)

    def check(self, X: RowSet) -> None:
        """Refuse arrays of another shape or type."""
        if not isinstance(X, np.ndarray) or X.dtype != np.uint8 or X.ndim != 4 or X.shape[1:] != self.rule.shape:
            found = f"{X.dtype} {X.shape}" if isinstance(X, np.ndarray) else type(X).__name__
            raise InputError(f"X: uint8 (n, {self.rule.shape}) is needed. Got {found}. Use Model.rows(X).")

    def batches(self, X: RowSet) -> Iterator[slice]:
        """Yield which images are computed together."""
        return even(len(X), self._batch)

    def features(self, entry: MemberEntry) -> Features:
        """Return pixels or what is computed from them; see `image_features`."""
        description = dict(entry.features)
        try:
            image_features.columns(description, self.rule.shape)
        except ValueError as error:
            raise ModelError(f"{entry.file}: {error}. Get the model again. (features {description!r})") from error
        key = json.dumps(description, sort_keys=True)
        return Features(key, lambda X: image_features.compute(description, X), None)

    def made_up(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return images of noise."""
        return rng.integers(0, 256, (count, *self.rule.shape), dtype=np.uint8)


def make(manifest: Manifest) -> ImageInput:
    """Return the images that a manifest asks for."""
    return ImageInput(ImageRule.from_json(manifest.input))
