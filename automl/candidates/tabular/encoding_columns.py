"""Numbers, booleans, dates and texts as blocks, learned on the rows learned from."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock, finished, is_varying, raw_values
from automl.candidates.tabular.encoding_rows import Learned
from automl.serving.table import Column

_PARTS = ["year", "month", "day", "weekday", "hour", "day_of_year", "elapsed_days"]
_WAVES = ["year_sine", "year_cosine", "week_sine", "week_cosine", "day_sine", "day_cosine"]


def encoded_numbers(learned: Learned, options: EncoderOptions) -> list[FittedBlock]:
    """Return a block of the numbers and one of the booleans, without those that do not vary."""
    blocks = []
    for kind in ("number", "boolean"):
        found = [(place, column.name) for place, column in enumerate(learned.rule.numbers) if column.kind == kind]
        block = _varying(FittedBlock(*_columns(found)), learned) if found else None
        if block is not None:
            blocks.append(finished(block, learned, options, bends=kind == "number"))
    return blocks


def encoded_dates(learned: Learned, options: EncoderOptions) -> list[FittedBlock]:
    """Return a block for each column of dates: its parts that vary.

    Models that see distances get the parts of the year, the week and the day as points on a circle as well.
    """
    blocks = []
    for place, column in enumerate(learned.rule.numbers):
        if column.kind == "date" and (block := _parts(place, column, learned, options)) is not None:
            blocks.append(finished(block, learned, options, bends=False, gap=column.name))
    return blocks


def constant_column(learned: Learned) -> FittedBlock:
    """Return a column of zeros: what is left of a table whose columns do not vary on the rows learned from."""
    names, zero = tuple(column.name for column in learned.rule.columns[:1]), {"scale": [0.0], "fill": [0.0]}
    if learned.rule.numbers:
        return FittedBlock({"kind": "numbers", "columns": [0], "finish": zero | {"clip": 0.0}}, names)
    finish = {"scale": [0.0, 0.0], "clip": 0.0}
    return FittedBlock({"kind": "text_size", "column": 0, "finish": finish}, names * 2)


def _columns(found: list[tuple[int, str]]) -> tuple[dict[str, Any], tuple[str, ...]]:
    return {"kind": "numbers", "columns": [place for place, _ in found]}, tuple(name for _, name in found)


def _varying(block: FittedBlock, learned: Learned) -> FittedBlock | None:
    """Return a block of numbers without those that do not vary; None if none is left."""
    kept = np.flatnonzero(is_varying(raw_values(block, learned.sample))).tolist()
    found = [(block.block["columns"][place], block.names[place]) for place in kept]
    return FittedBlock(*_columns(found)) if found else None


def _parts(place: int, column: Column, learned: Learned, options: EncoderOptions) -> FittedBlock | None:
    seconds = learned.sample.numbers[:, place]
    known = seconds[np.isfinite(seconds)]
    if not len(known):
        return None
    parts = _PARTS if options.numbers == "raw" else _PARTS + _WAVES
    block = {"kind": "dates", "column": place, "start": float(np.clip(known.min(), -1e14, 1e14))}
    values = raw_values(FittedBlock({**block, "parts": parts}, tuple(parts)), learned.sample)
    varying = is_varying(np.round(values[np.isfinite(seconds)], 6))
    kept = [part for part, varies in zip(parts, varying, strict=True) if varies]
    if not kept and len(known) < len(seconds):
        kept = parts[:1]
    names = tuple(f"{column.name}: {part.replace('_', ' ')}" for part in kept)
    return FittedBlock({**block, "parts": kept}, names) if kept else None
