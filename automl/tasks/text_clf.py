"""Tell the class of a text."""

from __future__ import annotations

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.tasks.classes import FAVOURS, check_class_metric, check_labels, class_findings, positive_findings

BINARY = ("f1", "average_precision")


class TextClassification:
    """Text classification: one text in, one class out."""

    info = TaskInfo(
        name="text-clf",
        target="classes",
        metrics=("accuracy", "balanced_accuracy", "macro_f1", "f1", "roc_auc", "average_precision", "log_loss"),
        candidates=(
            "baseline", "naive-bayes", "tfidf-linear", "bag", "cnn", "rnn", "transformer", "static-embeddings",
            "minilm",
        ),
        summary="which of several classes a text is of",
        kind="text",
    )  # fmt: skip

    def validate(self, spec: DataSpec, y: np.ndarray) -> list[Finding]:
        """Return what the user should know about the classes.

        Raises:
            DataError: one class only, or labels that are no classes: identifiers, amounts.
        """
        check_labels(spec)
        counts = dict(zip(spec.classes, spec.class_counts, strict=True))
        return [*class_findings(counts, rows="texts", advice=FAVOURS), *positive_findings(spec)]

    def default_metric(self, spec: DataSpec, y: np.ndarray) -> str:
        """Return accuracy, or macro_f1 where a class is so rare that accuracy hardly sees it."""
        return "macro_f1" if min(spec.class_counts) < RARE_SHARE * spec.rows / len(spec.classes) else "accuracy"

    def check_metric(self, name: str, spec: DataSpec, y: np.ndarray) -> None:
        """Check that the metric is one of the task's, and defined for so many classes.

        Raises:
            UserError: it is not.
        """
        check_class_metric(name, self.info, spec, binary=BINARY)


RARE_SHARE = 0.2
"""Of the rows a class would have if all had as many."""
TASK = TextClassification()
