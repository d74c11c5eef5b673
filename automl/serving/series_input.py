"""Series as input: a file or an object by the rule of training, then each member's numbers by its encoder."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .batches import of_series
from .encoders import encoder_of
from .errors import InputError, ModelError
from .inputs import Features
from .manifest import Manifest, MemberEntry
from .rows import Rows, RowSet
from .series import Series, SeriesRule
from .series_read import read_series, series_of

MAX_ENCODER_BYTES = 64 * 2**20
_LONGEST = 60


class SeriesInput:
    """Rows are `Series`."""

    def __init__(self, rule: SeriesRule, manifest: Manifest) -> None:
        self.rule = rule
        self._manifest = manifest
        self._known: dict[str, Features] = {}

    def read(self, source: Path) -> Rows:
        """Read an .npz file, or a CSV, TSV or JSONL file with one step a row."""
        return read_series(source, self.rule)

    def rows(self, X: Any, name: str) -> Series:
        """Return arrays, a list of arrays, or a table with one step a row, as series."""
        return series_of(X, self.rule, name)

    def check(self, X: RowSet) -> None:
        """Refuse what is no series, or has other channels."""
        if not isinstance(X, Series):
            raise InputError(f"X: Series are needed. Got {type(X).__name__}. Use Model.rows(X).")
        channels = len(self.rule.channels)
        if X.values.ndim != 2 or X.channels != channels or X.values.dtype != np.float32:
            raise InputError(
                f"X: float32 values in {channels} channels are needed. Got {X.values.dtype} {X.values.shape}. "
                "Use Model.rows(X)."
            )

    def batches(self, X: RowSet) -> Iterator[np.ndarray]:
        """Yield which series are computed together: those of like length."""
        assert isinstance(X, Series)
        yield from of_series(X.lengths * X.channels)

    def features(self, entry: MemberEntry) -> Features:
        """Return the numbers that the member's encoder gives; members with the same file share them.

        Raises:
            ModelError: the encoder is missing, altered, malformed, or does not fit the channels.
        """
        kind, name = entry.features.get("kind"), entry.features.get("encoder")
        if kind != "series" or not isinstance(name, str) or not name.endswith(".json"):
            raise ModelError(
                f"{entry.file}: features must be of kind 'series' with an encoder, a .json file. "
                f"Got {str(dict(entry.features))[:200]!r}. Get the model again."
            )
        key = self._manifest.files[name].sha256 if name in self._manifest.files else ""
        if key not in self._known:
            self._known[key] = self._features(name, key)
        return self._known[key]

    def made_up(self, count: int, rng: np.random.Generator) -> Series:
        """Return random walks of different lengths and sizes, some values missing and one series wholly so."""
        lengths = rng.integers(1, _LONGEST + 1, count)
        size = 10.0 ** rng.integers(-2, 4, len(self.rule.channels))
        walks = [size * rng.normal(0, 1, (length, len(size))).cumsum(axis=0) for length in lengths.tolist()]
        series = Series.of(walks) if walks else Series.of_packed(np.empty((0, len(size)), np.float32), lengths)
        series.values[rng.random(series.values.shape) < 0.1] = np.nan
        if count > 1:
            series.values[series.starts[1] : series.ends[1]] = np.nan
        return series

    def _features(self, name: str, key: str) -> Features:
        plan = self._manifest.read_object(name, MAX_ENCODER_BYTES)
        try:
            import_module(".series_encoder", __package__).check(plan, self.rule)
            encoder = encoder_of("series", plan)
        except ValueError as error:
            raise ModelError(f"{name}: {error}. Get the model again.") from error
        return Features(key, encoder.compute, encoder.width)


def make(manifest: Manifest) -> SeriesInput:
    """Return the series that a manifest asks for."""
    return SeriesInput(SeriesRule.from_json(manifest.input), manifest)
