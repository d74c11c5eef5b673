"""Tell how likely each of two outcomes is: a table, two classes, judged by the probabilities alone."""

from __future__ import annotations

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import DataError
from automl.tasks.tabular_clf import TabularClassification


class Risk(TabularClassification):
    """A table in, the probability of two outcomes out."""

    info = TaskInfo(
        name="risk-clf",
        target="classes",
        metrics=("log_loss", "roc_auc", "average_precision"),
        candidates=("baseline", "linear", "gbdt"),
        summary="how likely each of two outcomes is, judged by probabilities",
        kind="table",
        spaces="tabular-clf",
    )

    def validate(self, spec: DataSpec, y: np.ndarray) -> list[Finding]:
        """Return what the user should know.

        Raises:
            DataError: there are not two classes, or nothing can be learned.
        """
        if len(spec.classes) != 2:
            raise DataError(f"{spec.target}: risk-clf needs two outcomes. Got {len(spec.classes)}. Use tabular-clf.")
        return super().validate(spec, y)

    def default_metric(self, spec: DataSpec, y: np.ndarray) -> str:
        """Return log_loss: what is wanted is the probability itself."""
        return "log_loss"


TASK = Risk()
