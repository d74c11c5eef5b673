"""How many folds a run has: what the data allow and the budget affords."""

from __future__ import annotations

from automl.core.budget import Budget
from automl.core.data import DataSpec, Finding
from automl.core.folds import fold_count, most_folds
from automl.core.protocols import DataSource
from automl.errors import DataError

HURRIED_SECONDS_PER_ROW = 0.005
QUICK_SECONDS_PER_ROW = 0.1
"""Below so many worker seconds per image two or three folds are enough: the time is better spent on longer training."""

HURRIED_SECONDS_PER_OUTPUT = 0.0005
AMPLE_SECONDS_PER_OUTPUT = 0.05
"""The same for tables, per row and output: boosted trees grow one tree per class."""
MANY_ROWS = 300_000
"""A hurried search on so many rows has two folds."""
FEW_ROWS = 5_000
AMPLE_FOLDS = 8
"""Folds of a small table where time allows: models of 7/8 of the rows, and more of them in the bag. Source: the
number of AutoGluon's bagging, https://arxiv.org/abs/2003.06505, section 2.3 and its presets."""
LEAST_TABLE_FOLDS = 3
"""A rare class lowers the folds of all but images to no less: each model would go without rows of other classes."""

TIME_REFIT = Finding(
    "time-refit",
    "info",
    "rows are ordered in time: models are judged on later rows than they learned from, and the model that is kept is "
    "trained on all rows (--deploy refit)",
)


def choose_folds(data: DataSource, wanted: int | None, *, budget: Budget, slots: int) -> int:
    """Return the number of folds.

    Args:
        data: what is searched on.
        wanted: as the user asked; None to decide by size and budget.
        budget: of the search.
        slots: workers.

    Raises:
        DataError: the groups or times are too few for two folds.
    """
    spec = data.spec
    allowed = most_folds(spec.split, data.groups if spec.split != "stratified" else None)
    if allowed < 2:
        need = "three different times" if spec.split == "time" else "two different groups"
        raise DataError(
            f"{spec.name}: folds by {spec.split} need at least {need}. Got {allowed + (spec.split == 'time')}. "
            "Name another column, or none."
        )
    if wanted is None and budget.is_timed:
        wanted = _affordable(spec, _worker_seconds(budget, slots))
    least = 2 if spec.kind == "image" else LEAST_TABLE_FOLDS
    return min(allowed, fold_count(spec.class_counts, spec.rows, wanted, least=least))


def _worker_seconds(budget: Budget, slots: int) -> float:
    limits = (budget.gpu, budget.cpu, slots * budget.wall if budget.wall else None)
    return min(s for s in limits if s)


def _affordable(spec: DataSpec, seconds: float) -> int | None:
    """Return how many folds so many worker seconds are well spent on; None for the usual number."""
    if spec.kind == "image":
        per_row = seconds / spec.rows
        return 2 if per_row < HURRIED_SECONDS_PER_ROW else 3 if per_row < QUICK_SECONDS_PER_ROW else None
    outputs = len(spec.classes) if len(spec.classes) > 2 else 1
    per_output = seconds / (spec.rows * outputs)
    if per_output < HURRIED_SECONDS_PER_OUTPUT:
        return 2 if spec.rows > MANY_ROWS else 3
    return AMPLE_FOLDS if per_output >= AMPLE_SECONDS_PER_OUTPUT and spec.rows < FEW_ROWS else None
