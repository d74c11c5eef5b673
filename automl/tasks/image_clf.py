"""Tell which of several classes an image shows."""

from __future__ import annotations

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import DataError
from automl.tasks.classes import FAVOURS, check_class_metric, class_findings

MIN_CLASS_ROWS = 2
"""A class needs one image to learn from and one to be judged by."""


class ImageClassification:
    """Image classification: one image in, one class out."""

    info = TaskInfo(
        name="image-clf",
        target="classes",
        metrics=("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "log_loss"),
        candidates=("baseline", "linear", "forest", "gbdt", "cnn", "resnet", "efficientnet", "efficientnet-tuned"),
        summary="which of several classes an image shows",
        default_data="digits",
    )

    def validate(self, spec: DataSpec, y: np.ndarray) -> list[Finding]:
        """Return what the user should know about the classes.

        Raises:
            DataError: one class only, or a class with a single image.
        """
        if len(spec.classes) < 2:
            raise DataError(
                f"{spec.name}: at least two classes are needed. Got one class only: {', '.join(spec.classes)!r}. "
                "Give one folder (or label) per class; if the class folders lie one level deeper, name that folder."
            )
        counts = dict(zip(spec.classes, spec.class_counts, strict=True))
        for label, rows in counts.items():
            if rows < MIN_CLASS_ROWS:
                raise DataError(
                    f"{spec.name}: every class needs at least {MIN_CLASS_ROWS} images. Got {rows} in {label!r}. "
                    "Add images or remove the class."
                )
        return class_findings(counts, rows="images", advice=FAVOURS)

    def default_metric(self, spec: DataSpec, y: np.ndarray) -> str:
        """Return accuracy."""
        return self.info.metrics[0]

    def check_metric(self, name: str, spec: DataSpec, y: np.ndarray) -> None:
        """Check that the metric is one of the task's.

        Raises:
            UserError: it is not.
        """
        check_class_metric(name, self.info, spec)


TASK = ImageClassification()
