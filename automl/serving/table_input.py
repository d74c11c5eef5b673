"""Tables as input: a file or an object by the rule of training, then each member's numbers by its encoder."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .batches import even, of_texts
from .encoders import encoder_of
from .errors import InputError, ModelError
from .inputs import Features
from .manifest import Manifest, MemberEntry
from .rows import Rows, RowSet
from .table import UNSEEN, Column, Table, TableRule
from .table_rows import read_table, table_of
from .texts import Texts

MAX_ENCODER_BYTES = 64 * 2**20
_KINDS = ("table", "text")
_ROWS = 4096
"""Encoding a batch costs a little for each column, however few the rows; more would leave a core's cache."""
_WORDS = ("one", "two", "three", "good", "bad", "now", "then", "Ünï", "42")
_SECONDS = 1.9e9
"""Made-up dates lie between 1970 and 2030."""


class TableInput:
    """Rows are a `Table`."""

    def __init__(self, rule: TableRule, manifest: Manifest) -> None:
        self.rule = rule
        self._manifest = manifest
        self._known: dict[str, Features] = {}

    def read(self, source: Path) -> Rows:
        """Read a CSV, TSV or JSONL file."""
        return read_table(source, self.rule)

    def rows(self, X: Any, name: str) -> Table:
        """Return a data frame, a dict of columns, a list of dicts, or a 2-D array as rows."""
        return X if isinstance(X, Table) else table_of(X, self.rule)

    def check(self, X: RowSet) -> None:
        """Refuse tables with another number of columns."""
        wanted = len(self.rule.numbers), len(self.rule.texts)
        if not isinstance(X, Table):
            raise InputError(f"X: a Table is needed. Got {type(X).__name__}. Use Model.rows(X).")
        found = X.numbers.shape[1] if X.numbers.ndim == 2 else X.numbers.shape, len(X.texts)
        if X.numbers.dtype != np.float64 or found != wanted or any(len(texts) != len(X) for texts in X.texts):
            raise InputError(
                f"X: float64 numbers in {wanted[0]} columns and {wanted[1]} columns of text are needed. "
                f"Got {X.numbers.dtype} {X.numbers.shape} and {[len(texts) for texts in X.texts]}. Use Model.rows(X)."
            )

    def batches(self, X: RowSet) -> Iterator[slice | np.ndarray]:
        """Yield which rows are computed together: where they are texts, those of like length."""
        if not isinstance(X, Table) or len(X.texts) < len(self.rule.columns) or not X.texts:
            yield from even(len(X), _ROWS)
            return
        yield from of_texts(np.sum([texts.sizes for texts in X.texts], axis=0))

    def features(self, entry: MemberEntry) -> Features:
        """Return the numbers that the member's encoder gives; members with the same file share them.

        Raises:
            ModelError: the encoder is missing, altered, malformed, or does not fit the columns.
        """
        kind, name = entry.features.get("kind"), entry.features.get("encoder")
        if kind not in _KINDS or not isinstance(name, str) or not name.endswith(".json"):
            raise ModelError(
                f"{entry.file}: features must be of kind 'table' or 'text' with an encoder, a .json file. "
                f"Got {str(dict(entry.features))[:200]!r}. Get the model again."
            )
        key = self._manifest.files[name].sha256 if name in self._manifest.files else ""
        if key not in self._known:
            self._known[key] = self._features(kind, name, key)
        return self._known[key]

    def made_up(self, count: int, rng: np.random.Generator) -> Table:
        """Return rows with values of every kind, some missing and some categories unseen."""
        columns = [_values(column, count, rng) for column in self.rule.numbers]
        numbers = np.stack(columns, axis=1) if columns else np.zeros((count, 0))
        numbers[rng.random(numbers.shape) < 0.1] = np.nan
        texts = [[" ".join(rng.choice(_WORDS, rng.integers(0, 5))) for _ in range(count)] for _ in self.rule.texts]
        return Table(numbers, tuple(map(Texts.of, texts)))

    def _features(self, kind: str, name: str, key: str) -> Features:
        plan = self._manifest.read_object(name, MAX_ENCODER_BYTES)
        try:
            import_module(f".{kind}_encoder", __package__).check(plan, self.rule)
            encoder = encoder_of(kind, plan)
        except ValueError as error:
            raise ModelError(f"{name}: {error}. Get the model again.") from error
        return Features(key, encoder.compute, encoder.width)


def make(manifest: Manifest) -> TableInput:
    """Return the tables that a manifest asks for."""
    return TableInput(TableRule.from_json(manifest.input), manifest)


def _values(column: Column, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return made-up values of a column, float64 (count,)."""
    if column.kind == "category":
        return rng.integers(int(UNSEEN), max(1, len(column.categories)), count).astype(np.float64)
    if column.kind == "boolean":
        return rng.integers(0, 2, count).astype(np.float64)
    if column.kind == "date":
        return np.floor(rng.uniform(0, _SECONDS, count))
    return rng.normal(0, 1, count) * 10.0 ** rng.integers(-2, 4, count)
