"""Tell which of several classes an image shows."""

from __future__ import annotations

import unicodedata

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import DataError

MIN_CLASS_ROWS = 2
"""A class needs one image to learn from and one to be judged by."""
_FEW_ROWS = 5
_IMBALANCE = 20


class ImageClassification:
    """Image classification: one image in, one class out."""

    info = TaskInfo(
        name="image-clf",
        target="classes",
        metrics=("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "log_loss"),
        candidates=("baseline", "linear", "forest", "gbdt", "cnn", "resnet"),
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
        return [*_rarity(counts), *_imbalance(counts), *_alike(spec.classes)]


def _rarity(counts: dict[str, int]) -> list[Finding]:
    rare = {label: rows for label, rows in counts.items() if rows < _FEW_ROWS}
    if not rare:
        return []
    listed = ", ".join(f"{label!r} ({rows})" for label, rows in list(rare.items())[:10])
    message = f"{len(rare)} classes have fewer than {_FEW_ROWS} images, so there are fewer folds: {listed}"
    return [Finding("classes-rare", "warning", message)]


def _imbalance(counts: dict[str, int]) -> list[Finding]:
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[most] < _IMBALANCE * counts[least]:
        return []
    message = (
        f"classes are imbalanced: {counts[most]} images of {most!r}, {counts[least]} of {least!r}. "
        "Accuracy favours the large ones; consider --metric balanced_accuracy"
    )
    return [Finding("classes-imbalanced", "warning", message)]


def _alike(classes: tuple[str, ...]) -> list[Finding]:
    """Tell labels that differ only by letter case, spaces or how accents are encoded."""
    forms: dict[str, list[str]] = {}
    for label in classes:
        plain = unicodedata.normalize("NFKC", label).casefold()
        forms.setdefault(" ".join(plain.split()), []).append(label)
    alike = [group for group in forms.values() if len(group) > 1]
    if not alike:
        return []
    listed = "; ".join(", ".join(map(repr, group)) for group in alike[:10])
    return [Finding("labels-alike", "warning", f"classes that differ only by letter case or spaces: {listed}")]


TASK = ImageClassification()
