"""Tell which of several classes a row of a table belongs to."""

from __future__ import annotations

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.tasks.classes import (
    FAVOURS,
    RARE_SHARE,
    check_class_metric,
    check_labels,
    class_findings,
    positive_findings,
)

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
        check_labels(spec)
        counts = dict(zip(spec.classes, spec.class_counts, strict=True))
        advice = FAVOURS if len(counts) > 2 else "Accuracy favours the large one; roc_auc and average_precision do not"
        return [*class_findings(counts, rows="rows", advice=advice), *positive_findings(spec)]

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


TASK = TabularClassification()
