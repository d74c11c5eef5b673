"""From a table to the float32 columns of a model, by a plan in JSON; the same in training and in serving.

A plan is `{"version": 1, "width": d, "names": [d texts], "blocks": [...]}`. Each block has a kind and reads some
columns of the table, by their place among the columns that are no text or among those that are; it gives some output
columns, which stand side by side in the order of the blocks. `"finish"` of a block says what is done to its numbers at
the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from . import table_fields as fields
from .table import Column, Table, TableRule
from .table_blocks import MAX_WIDTH, Block, Lookup, Need, Numbers, OneHot
from .table_dates import Dates
from .table_finish import Finish
from .table_terms import Groups, Pairs, Relative
from .table_words import TextSize, Words

VERSION = 1
MAX_BLOCKS = 100_000
_KINDS: dict[str, Any] = {
    "numbers": Numbers, "lookup": Lookup, "onehot": OneHot, "dates": Dates, "text_size": TextSize, "words": Words,
    "pairs": Pairs, "relative": Relative, "groups": Groups,
}  # fmt: skip
_BATCH_NUMBERS = 1_000_000  # of the output of a batch: 8 MB as float64, near the size of a last-level cache
_LARGEST = float(np.finfo(np.float32).max)


class _Step(NamedTuple):
    """A block and its place in the output."""

    block: Block
    finish: Finish
    place: slice


class TableEncoder:
    """A plan made ready: its lists are arrays. Prepare it once where rows come one by one.

    Attributes:
        width: number of output columns.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        fields.version(fields.mapping(plan, "it"), VERSION)
        self.width = fields.whole(plan, "width", 1, MAX_WIDTH)
        self.names = fields.strings(plan, "names", self.width)
        self._steps: list[_Step] = []
        blocks, start = fields.items(plan, "blocks"), 0
        for values in blocks[:MAX_BLOCKS]:
            self._steps.append(_step(fields.mapping(values, "blocks"), start))
            start = self._steps[-1].place.stop
        if start != self.width or len(blocks) > MAX_BLOCKS:
            raise ValueError(f"plan: width must be the sum over its blocks, {start}. Got {self.width}")

    @property
    def needs(self) -> list[Need]:
        """Return what the blocks read."""
        return [need for step in self._steps for need in step.block.needs]

    def compute(self, table: Table) -> np.ndarray:
        """Return the output columns of these rows, float32 (n, width); NaN is missing, infinities are cut to finite."""
        out = np.empty((len(table), self.width), dtype=np.float32)
        rows = max(64, _BATCH_NUMBERS // self.width)
        with np.errstate(all="ignore"):  # numbers of any size are allowed, and what overflows is cut below
            for start in range(0, len(table), rows):
                part = slice(start, start + rows)
                self._write(table[part], out[part])
            np.clip(out, -_LARGEST, _LARGEST, out=out)
        return out

    def _write(self, table: Table, out: np.ndarray) -> None:
        for step in self._steps:
            step.finish.apply(step.block.values(table), out[:, step.place])


def compute(plan: Mapping[str, Any], table: Table) -> np.ndarray:
    """Return the columns that a plan makes of a table, float32 (n, plan["width"]).

    Whoever has rows one by one prepares a `TableEncoder` once instead.

    Raises:
        ValueError: the plan is malformed.
    """
    return TableEncoder(plan).compute(table)


def check(plan: Mapping[str, Any], rule: TableRule) -> None:
    """Make sure that a plan can be computed on every table of this rule.

    Raises:
        ValueError: the plan is malformed, or reads a column that the rule does not have or that is of another kind.
    """
    for need in TableEncoder(plan).needs:
        columns = rule.texts if "text" in need.kinds else rule.numbers
        if need.column >= len(columns):
            raise ValueError(f"plan: columns must be less than the {len(columns)} of the input. Got {need.column}")
        _check_column(columns[need.column], need)


def _check_column(column: Column, need: Need) -> None:
    if column.kind not in need.kinds:
        wanted = " or ".join(need.kinds)
        raise ValueError(f"plan: column {column.name!r} must be {wanted} for its block. Got {column.kind!r}")
    size = 2 if column.kind == "boolean" else len(column.categories)
    if need.categories not in (-1, size):
        raise ValueError(f"plan: column {column.name!r} has {size} categories. Got a block for {need.categories}")


def block_of(values: Mapping[str, Any]) -> Block:
    """Return a block of a plan, made ready; what it gives is not finished yet.

    Raises:
        ValueError: it is malformed.
    """
    kind = fields.word(values, "kind", tuple(_KINDS))
    block: Block = _KINDS[kind].from_json(values)
    return block


def _step(values: Mapping[str, Any], start: int) -> _Step:
    block = block_of(values)
    finish = Finish.from_json(fields.mapping(values.get("finish", {}), "finish"), block.width)
    return _Step(block, finish, slice(start, start + block.width + finish.more))
