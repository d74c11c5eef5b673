"""From a table to the float32 columns of a model: learned on the rows of a fold, kept in a cache for all its trials.

What is learned is a plan in JSON; `automl.serving.table_encoder` computes it, in training and in an artifact alike.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.tabular.encoder_options import EncoderOptions, FeatureOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock, plan_of
from automl.candidates.tabular.encoding_categories import encoded_categories
from automl.candidates.tabular.encoding_columns import constant_column, encoded_dates, encoded_numbers
from automl.candidates.tabular.encoding_features import engineered
from automl.candidates.tabular.encoding_rows import Learned
from automl.candidates.tabular.encoding_texts import encoded_texts
from automl.core.protocols import Context, DataSource
from automl.serving.table import Table
from automl.serving.table_encoder import TableEncoder

__all__ = ["CodeColumn", "Encoded", "EncoderOptions", "FeatureOptions", "encoded"]

FORMAT = 1
"""Raised when the same options give other columns, so that a cache is not mistaken for a new one."""
_BLOCK_BYTES = 16 << 20


class CodeColumn(NamedTuple):
    """A column that holds codes of categories, 0 … codes-1 (or NaN where gaps are kept).

    Attributes:
        column: its place in X.
        codes: how many there are.
    """

    column: int
    codes: int


class Encoded(NamedTuple):
    """A table encoded for a model.

    Attributes:
        plan: for `serving.table_encoder`.
        X: float32 (all rows of the data, width), memory-mapped, read-only. Rows that were not learned from hold what
            `compute(plan, table)` gives. So do rows learned from, but for columns of mean targets: those are from inner
            folds, without the row's own target.
        codes: columns of X that are categories.
    """

    plan: dict[str, Any]
    X: np.ndarray
    codes: tuple[CodeColumn, ...]


def encoded(data: DataSource, ctx: Context, options: EncoderOptions, rows: np.ndarray | None = None) -> Encoded:
    """Return the rows of a data source as columns for a model, from the cache or computed by whoever comes first.

    Targets and values of other rows than those learned from have no part in the plan. Files are put in place by an
    atomic rename: of two workers that come at once both compute the same, and the later rename changes nothing.

    Args:
        data: a table.
        ctx: gives the cache, the classes and the training rows.
        options: how to encode.
        rows: numbers of the rows to learn from; the training rows by default.

    Raises:
        ValueError: there are no rows to learn from.
    """
    rows = np.unique(ctx.train_rows if rows is None else rows)
    told = ctx.cache / f"encoded-{_key(data, ctx.classes, options, rows)}.json"
    stored = told.with_suffix(".npy")
    if not told.exists() or not stored.exists():
        learned = Learned.of(data, rows, ctx.classes)
        blocks = fitted_blocks(learned, options)
        _write_values(stored, blocks, learned)
        _write_plan(told, blocks)
    values = json.loads(told.read_text(encoding="utf-8"))
    X: np.ndarray = np.load(stored, mmap_mode="r", allow_pickle=False)
    return Encoded(values["plan"], X, tuple(CodeColumn(*pair) for pair in values["codes"]))


def fitted_blocks(learned: Learned, options: EncoderOptions) -> list[FittedBlock]:
    """Return the blocks that the options ask for, learned on these rows; at least one."""
    blocks = encoded_numbers(learned, options) + encoded_categories(learned, options)
    blocks += encoded_dates(learned, options) + encoded_texts(learned, options)
    blocks += engineered(learned, options)
    return blocks or [constant_column(learned)]


def _key(data: DataSource, classes: int, options: EncoderOptions, rows: np.ndarray) -> str:
    learned = hashlib.sha256(np.ascontiguousarray(rows, "<i8").data).hexdigest()
    parts = [FORMAT, data.spec.fingerprint, data.spec.rows, classes, options.to_json(), learned]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _write_plan(path: Path, blocks: list[FittedBlock]) -> None:
    codes, start = [], 0
    for block in blocks:
        codes += [[start + place, count] for place, count in enumerate(block.codes)]
        start += len(block.names)
    text = json.dumps({"plan": plan_of(blocks), "codes": codes}, allow_nan=False)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".encoded-", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)


def _write_values(path: Path, blocks: list[FittedBlock], learned: Learned) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder, inner, total = TableEncoder(plan_of(blocks)), _Inner(blocks, learned), len(learned.X)
    step = max(64, _BLOCK_BYTES // (4 * encoder.width))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".encoded-", suffix=".npy", delete=False) as file:
        try:
            header = {"descr": "<f4", "fortran_order": False, "shape": (total, encoder.width)}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, total, step):
                table = learned.X[start : start + step]
                values = encoder.compute(table)
                inner.put(values, table, start)
                file.write(np.ascontiguousarray(values, dtype="<f4").data)
            file.flush()
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)


class _Inner:
    """The columns that were learned with the target, for rows learned from: from folds that have not seen them."""

    def __init__(self, blocks: list[FittedBlock], learned: Learned) -> None:
        ends = np.cumsum([len(block.names) for block in blocks])
        used = [(block, int(end)) for block, end in zip(blocks, ends, strict=True) if block.inner]
        self._learned = learned
        self._columns = [column for block, end in used for column in range(end - len(block.names), end)]
        counts = [len(block.inner) for block, _ in used]
        self._encoders = [
            TableEncoder(plan_of([FittedBlock(block.inner[fold], block.names) for block, _ in used]))
            for fold in range(min(counts, default=0))
        ]

    def put(self, values: np.ndarray, table: Table, start: int) -> None:
        """Put the values of the inner folds into those of a part of the rows, which begins at row start."""
        if not self._encoders:
            return
        first, last = np.searchsorted(self._learned.rows, [start, start + len(table)])
        places, folds = self._learned.rows[first:last] - start, self._learned.folds[first:last]
        for number, encoder in zip(np.unique(self._learned.folds), self._encoders, strict=True):
            own = places[folds == number]
            values[np.ix_(own, self._columns)] = encoder.compute(table[own])
