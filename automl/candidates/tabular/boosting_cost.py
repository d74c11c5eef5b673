"""What boosting trees on a table costs, from the facts of the data and the configuration alone."""

from __future__ import annotations

from typing import NamedTuple

from automl.candidates.tabular.boosting_problem import ENGINEERED, HELD_SHARE
from automl.candidates.tabular.boosting_rounds import MOST_ROUNDS, REFIT_ROWS, patience_of, rate_of
from automl.core.data import DataSpec
from automl.core.job import Cost
from automl.core.space import Configuration

_COLUMNS = {"number": 1, "boolean": 1, "category": 1, "date": 6, "text": 2}  # what a column encodes to, about
_CELL_SECONDS, _ENGINEERED_SECONDS, _BIN_SECONDS = 1.5e-7, 2e-6, 1e-7  # to encode a cell, and to sort it into a bin
_START_SECONDS = 0.08
_MEMORY = 64 << 20
_ROUNDS, _ROWS, _GROWTH = 15.0, 10_000, 0.4
"""The usual number of rounds times the learning rate, from so many rows on, and by what power it grows until then; on
ten tables it was from a third to two and a half times of that."""


class TreeSeconds(NamedTuple):
    """CPU-seconds of one tree on one common core.

    Attributes:
        fixed: whatever the data.
        row: for each row.
        value: for each row and column looked at.
        bin: for each leaf, column and bin.
    """

    fixed: float
    row: float
    value: float
    bin: float


class Shape(NamedTuple):
    """The size of a booster's trees.

    Attributes:
        learning_rate: as configured.
        leaves: of a tree.
        bins: of a column.
        columns: share of the columns that a tree looks at.
    """

    learning_rate: float
    leaves: int
    bins: int
    columns: float


def boosting_cost(
    spec: DataSpec, configuration: Configuration, rows: int, *, shape: Shape, seconds: TreeSeconds
) -> Cost:
    """Return the cost of one fold: the table encoded, all rounds, and a second training where rows are few.

    Args:
        spec: the data.
        configuration: with the parameters `features` and `texts`.
        rows: to learn from.
        shape: of the trees.
        seconds: of one tree.
    """
    engineered = ENGINEERED if configuration.values["features"] == "engineered" else 0
    wide = columns_of(spec, words=int(configuration.values["texts"])) + engineered
    trees = len(spec.classes) if len(spec.classes) > 2 else 1
    shape = shape._replace(learning_rate=rate_of(shape.learning_rate, trees))
    boost = training_seconds(rows, wide=wide, shape=shape, seconds=seconds, is_repeated=rows < REFIT_ROWS)
    if rows >= REFIT_ROWS:  # a little fewer rows cost more, because they are trained on twice; a cost never falls
        fewer = training_seconds(REFIT_ROWS - 1, wide=wide, shape=shape, seconds=seconds, is_repeated=True)
        boost = max(boost, fewer)
    encode = spec.rows * (wide * _CELL_SECONDS + engineered * _ENGINEERED_SECONDS)
    return Cost(
        fixed_seconds=_START_SECONDS + encode + rows * wide * _BIN_SECONDS,
        step_seconds=trees * boost,
        peak_bytes=8 * rows * wide + 24 * rows * trees + _MEMORY,
    )


def training_seconds(rows: int, *, wide: int, shape: Shape, seconds: TreeSeconds, is_repeated: bool) -> float:
    """Return the seconds of one tree a round, over the rounds that are usual for so many rows."""
    used = max(1.0, wide * shape.columns)
    tree = seconds.fixed + rows * (seconds.row + used * seconds.value) + shape.leaves * used * shape.bins * seconds.bin
    best = min(MOST_ROUNDS, _ROUNDS / shape.learning_rate * min(1.0, rows / _ROWS) ** _GROWTH)
    return float(tree * (best + patience_of(shape.learning_rate) + is_repeated * best / (1 - HELD_SHARE)))


def columns_of(spec: DataSpec, *, words: int) -> int:
    """Return about how many columns a table has when it is encoded, with so many words of each column of text."""
    kinds = [column["kind"] for column in spec.input["columns"]]
    return max(1, sum(_COLUMNS[kind] for kind in kinds) + words * kinds.count("text"))
