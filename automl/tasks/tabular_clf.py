"""Tell which of several classes a row of a table belongs to."""

from __future__ import annotations

from shlex import quote

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import DataError
from automl.tasks.classes import FAVOURS, check_class_metric, class_findings

MOST_CLASSES = 2_000
"""Predictions of all rows for all classes are held in memory many times over."""
MOST_NUMBER_CLASSES = 50
"""More labels than this that are all numbers and vary with the rows are an amount, not a class."""
_FEW_CLASSES = 10
RARE_SHARE = 0.05
"""Where the rarer of two classes is below this share, ROC AUC is ruled by easy negatives.

Source: Saito & Rehmsmeier 2015, https://doi.org/10.1371/journal.pone.0118432.
"""
BINARY = ("f1", "average_precision")
"""Metrics that look for one of two classes."""


class TabularClassification:
    """Classification of tables: one row in, one class out."""

    info = TaskInfo(
        name="tabular-clf",
        target="classes",
        metrics=("roc_auc", "accuracy", "balanced_accuracy", "macro_f1", "f1", "average_precision", "log_loss"),
        candidates=("baseline", "linear", "knn", "forest", "gbdt", "xgboost", "mlp", "tabm"),
        summary="which of several classes a row of a table belongs to",
        default_data="breast-cancer",
        kind="table",
    )

    def validate(self, spec: DataSpec, y: np.ndarray) -> list[Finding]:
        """Return what the user should know about the classes.

        Raises:
            DataError: one class only, or labels that are no classes: identifiers, amounts.
        """
        if len(spec.classes) < 2:
            raise DataError(
                f"{spec.name}: column {spec.target!r}: at least two classes are needed. Got one class only: "
                f"{', '.join(spec.classes)!r}. Add rows of another class, or name another --target."
            )
        self._check_count(spec)
        counts = dict(zip(spec.classes, spec.class_counts, strict=True))
        advice = FAVOURS if len(counts) > 2 else "Accuracy favours the large one; roc_auc and average_precision do not"
        return [*class_findings(counts, rows="rows", advice=advice), *_positive(spec)]

    def default_metric(self, spec: DataSpec, y: np.ndarray) -> str:
        """Return roc_auc for two classes, average_precision if the positive one is rare, accuracy for several."""
        if len(spec.classes) != 2:
            return "accuracy"
        return "average_precision" if spec.class_counts[1] < RARE_SHARE * spec.rows else "roc_auc"

    def check_metric(self, name: str, spec: DataSpec, y: np.ndarray) -> None:
        """Check that the metric is one of the task's, and defined for so many classes.

        Raises:
            UserError: it is not.
        """
        check_class_metric(name, self.info, spec, binary=BINARY)

    def _check_count(self, spec: DataSpec) -> None:
        """Refuse labels that are too many to be classes."""
        found, what = len(spec.classes), f"{spec.name}: column {spec.target!r}"
        if found > 2 and (found == spec.rows or (found > _FEW_CLASSES and 2 * found > spec.rows)):
            raise DataError(
                f"{what}: classes must recur. Got {found} different labels in {spec.rows} rows, so it looks like an "
                "identifier or an amount. Name another --target, or use --task tabular-reg for numbers."
            )
        numbers = [float(label) for label in spec.classes if _is_number(label)]
        is_amount = found > MOST_NUMBER_CLASSES and len(numbers) == found
        if is_amount and (any(n != int(n) for n in numbers) or found > RARE_SHARE * spec.rows):
            raise DataError(
                f"{what}: classes are needed. Got {found} different numbers in {spec.rows} rows, which looks like an "
                "amount. Use --task tabular-reg, or name another --target."
            )
        if found > MOST_CLASSES:
            raise DataError(f"{what}: at most {MOST_CLASSES} classes are learned. Got {found}. Merge rare ones.")


def _positive(spec: DataSpec) -> list[Finding]:
    """Say which of two classes is looked for, where it is the frequent one and the other is rare."""
    if len(spec.classes) != 2 or spec.class_counts[0] >= RARE_SHARE * spec.rows:
        return []
    rare, positive = spec.classes
    message = (
        f"{positive!r} is the positive class, as the last in order, and {rare!r} is rare; if {rare!r} is what is "
        f"looked for, use --positive {quote(rare)}"
    )
    return [Finding("positive-frequent", "warning", message)]


def _is_number(label: str) -> bool:
    try:
        return abs(float(label)) < float("inf")
    except ValueError:
        return False


TASK = TabularClassification()
