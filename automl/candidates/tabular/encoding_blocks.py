"""Blocks of a plan on their way: their JSON, what their columns are called, and the blocks of the inner folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_rows import Learned
from automl.serving.table import Table
from automl.serving.table_encoder import VERSION, block_of

QUANTILES = 256
_NORMAL = NormalDist()
_LARGEST = 1e38  # about the largest float32


@dataclass(frozen=True)
class FittedBlock:
    """A block and what is known of it.

    Attributes:
        block: as in the plan.
        names: of its output columns.
        codes: numbers of codes if each column is a category as a code.
        inner: where the target was used, the same block learned without each inner fold: rows learned from get their
            values from the one that has not seen them.
    """

    block: dict[str, Any]
    names: tuple[str, ...]
    codes: tuple[int, ...] = ()
    inner: tuple[dict[str, Any], ...] = ()

    def with_finish(self, finish: dict[str, Any], names: tuple[str, ...]) -> FittedBlock:
        """Return the block with its last steps, and the names of the columns these append."""
        if not finish:
            return self
        inner = tuple({**block, "finish": finish} for block in self.inner)
        return replace(self, block={**self.block, "finish": finish}, names=self.names + names, inner=inner)


def plan_of(blocks: list[FittedBlock]) -> dict[str, Any]:
    """Return the plan of these blocks side by side."""
    names = [name for block in blocks for name in block.names]
    return {"version": VERSION, "width": len(names), "names": names, "blocks": [block.block for block in blocks]}


def finished(
    block: FittedBlock, learned: Learned, options: EncoderOptions, *, bends: bool = True, gap: str = ""
) -> FittedBlock:
    """Return a block of quantities with the last steps that the options ask for, learned on the sample.

    Args:
        block: without a finish.
        learned: the rows learned from.
        options: what is asked for.
        bends: whether "quantile" bends its numbers; else it standardises them.
        gap: what is missing where a value is; the column itself by default.
    """
    values = raw_values(block, learned.sample)
    finish: dict[str, Any] = {}
    if options.numbers == "quantile" and bends:
        finish["curves"] = [_curve(column) for column in values.T]
    elif options.numbers != "raw":
        finish |= _scaling(values) | {"clip": options.clip}
    elif (shift := _precise_shift(values)) is not None:
        finish["shift"] = shift
    names: tuple[str, ...] = ()
    if options.missing == "impute":
        finish["fill"] = _fill(values, finish)
        if gaps := _gaps(np.isnan(values)):
            finish["flags"] = gaps
            names = tuple(f"{gap or block.names[place]} is missing" for place in gaps)
    return block.with_finish(finish, names)


def raw_values(block: FittedBlock, table: Table) -> np.ndarray:
    """Return what a block gives before its finish, float64 (n, width), cut to what can be squared and added up."""
    with np.errstate(all="ignore"):
        values = np.asarray(block_of(block.block).values(table), np.float64)
    return np.clip(values, -_LARGEST, _LARGEST)


def is_varying(values: np.ndarray) -> np.ndarray:
    """Return which columns tell anything: two values, or one and gaps; bool (w,)."""
    is_missing = np.isnan(values)
    low = np.where(is_missing, np.inf, values).min(axis=0, initial=np.inf)
    high = np.where(is_missing, -np.inf, values).max(axis=0, initial=-np.inf)
    varying: np.ndarray = (high > low) | (is_missing.any(axis=0) & ~is_missing.all(axis=0))
    return varying


def _gaps(is_missing: np.ndarray) -> list[int]:
    """Return the columns that have gaps, one for all that have them in the same rows."""
    patterns: dict[bytes, int] = {}
    for column in np.flatnonzero(is_missing.any(axis=0)).tolist():
        patterns.setdefault(np.packbits(is_missing[:, column]).tobytes(), column)
    return list(patterns.values())


def _medians(values: np.ndarray) -> np.ndarray:
    """Return the median of each column, 0 where all is missing."""
    known = [column[~np.isnan(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else 0.0 for column in known])


def _scaling(values: np.ndarray) -> dict[str, Any]:
    is_known = ~np.isnan(values)
    count = np.maximum(1, is_known.sum(axis=0))
    filled = np.where(is_known, values, 0.0)
    means = filled.sum(axis=0) / count
    spread = np.sqrt((np.where(is_known, values - means, 0.0) ** 2).sum(axis=0) / count)
    spread[~(spread > 1e-12 * np.abs(means))] = 1.0
    return {"shift": means.tolist(), "scale": (1 / spread).tolist()}


def _precise_shift(values: np.ndarray) -> list[float] | None:
    """Return what to take off numbers that vary little around a large one and would be alike as float32, else None."""
    medians = _medians(values)
    with np.errstate(invalid="ignore"):
        spread = np.where(np.isnan(values), 0.0, np.abs(values - medians)).mean(axis=0)
    is_narrow = np.abs(medians) > 1e4 * spread
    return np.where(is_narrow, medians, 0.0).tolist() if is_narrow.any() else None


def _fill(values: np.ndarray, finish: dict[str, Any]) -> list[float]:
    """Return the medians as the finish leaves them."""
    medians = _medians(values)
    if "curves" in finish:
        pairs = zip(medians, finish["curves"], strict=True)
        return [float(np.interp(median, *curve)) for median, curve in pairs]
    medians -= np.array(finish.get("shift", 0.0))
    medians *= np.array(finish.get("scale", 1.0))
    clip = float(finish.get("clip", np.inf))
    return [float(median) for median in np.clip(medians, -clip, clip)]


def _curve(column: np.ndarray) -> list[list[float]]:
    """Return points and normal scores of a column: equal points share the mean of their scores."""
    known = column[~np.isnan(column)]
    if not len(known):
        return [[0.0], [0.0]]
    count = min(QUANTILES, len(known))
    shares = (np.arange(count) + 0.5) / count
    points, member = np.unique(np.quantile(known, shares), return_inverse=True)
    scores = np.array([_NORMAL.inv_cdf(share) for share in shares])
    heights = np.bincount(member, weights=scores) / np.bincount(member)
    return [points.tolist(), heights.tolist()]
