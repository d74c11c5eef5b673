"""Tell which of several classes a series of measurements belongs to."""

from __future__ import annotations

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import DataError
from automl.tasks.classes import FAVOURS, check_class_metric, class_findings

MOST_CLASSES = 2_000
"""Predictions of all series for all classes are held in memory many times over."""


class SequenceClassification:
    """Classification of series: one series of one or several channels in, one class out."""

    info = TaskInfo(
        name="sequence-clf",
        target="classes",
        metrics=("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "log_loss"),
        candidates=("baseline", "summary-gbdt", "rocket", "hydra", "inception", "rnn", "transformer"),
        summary="which of several classes a series of measurements belongs to",
        kind="series",
    )

    def validate(self, spec: DataSpec, y: np.ndarray) -> list[Finding]:
        """Return what the user should know about the classes.

        Raises:
            DataError: one class only, or labels that are no classes.
        """
        found, where = len(spec.classes), f"{spec.name}: column {spec.target!r}" if spec.target else spec.name
        if found < 2:
            raise DataError(
                f"{where}: at least two classes are needed. Got one class only: {', '.join(spec.classes)!r}. "
                "Add series of another class."
            )
        if found > 2 and found == spec.rows:
            raise DataError(
                f"{where}: classes must recur. Got {found} different labels for {spec.rows} series, so they name the "
                "series. Give what the series have in common."
            )
        if found > MOST_CLASSES:
            raise DataError(f"{where}: at most {MOST_CLASSES} classes are learned. Got {found}. Merge rare ones.")
        counts = dict(zip(spec.classes, spec.class_counts, strict=True))
        return class_findings(counts, rows="series", advice=FAVOURS)

    def default_metric(self, spec: DataSpec, y: np.ndarray) -> str:
        """Return accuracy."""
        return self.info.metrics[0]

    def check_metric(self, name: str, spec: DataSpec, y: np.ndarray) -> None:
        """Check that the metric is one of the task's.

        Raises:
            UserError: it is not.
        """
        check_class_metric(name, self.info, spec)


TASK = SequenceClassification()
