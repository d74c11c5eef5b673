"""What tasks that predict classes share: what is worth knowing about the classes of a data set, and their metrics."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import UserError

FEW_ROWS = 5
"""Below so many rows of a class there are fewer folds."""
FAVOURS = "Accuracy favours the large ones; consider --metric balanced_accuracy"
"""What is said about metrics where classes are imbalanced."""
_IMBALANCE = 20
_SHOWN = 10


def class_findings(counts: Mapping[str, int], *, rows: str, advice: str) -> list[Finding]:
    """Return what the user should know about classes: rare ones, imbalance, labels that look alike.

    Args:
        counts: rows of each class.
        rows: what a row is called in messages, such as "images".
        advice: what is said about metrics where classes are imbalanced.
    """
    return [*_rarity(counts, rows), *_imbalance(counts, rows, advice), *_alike(tuple(counts))]


def check_class_metric(name: str, info: TaskInfo, spec: DataSpec, *, binary: Sequence[str] = ()) -> None:
    """Check that a metric is one of the task's, and defined for so many classes.

    Args:
        name: of the metric.
        info: the task.
        spec: the data.
        binary: metrics that are for two classes only.

    Raises:
        UserError: it is not.
    """
    if name not in info.metrics:
        raise UserError(f"--metric {name}: {info.name} is scored by one of: {', '.join(info.metrics)}.")
    if name in binary and len(spec.classes) != 2:
        fitting = [metric for metric in info.metrics if metric not in binary]
        raise UserError(
            f"--metric {name}: it is for two classes. Got {len(spec.classes)} in {spec.name}. "
            f"Use one of: {', '.join(fitting)}."
        )


def _rarity(counts: Mapping[str, int], rows: str) -> list[Finding]:
    rare = {label: count for label, count in counts.items() if count < FEW_ROWS}
    if not rare:
        return []
    listed = ", ".join(f"{label!r} ({count})" for label, count in list(rare.items())[:_SHOWN])
    message = f"{len(rare)} classes have fewer than {FEW_ROWS} {rows}, so there are fewer folds: {listed}"
    return [Finding("classes-rare", "warning", message)]


def _imbalance(counts: Mapping[str, int], rows: str, advice: str) -> list[Finding]:
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[most] < _IMBALANCE * counts[least]:
        return []
    message = f"classes are imbalanced: {counts[most]} {rows} of {most!r}, {counts[least]} of {least!r}. {advice}"
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
    listed = "; ".join(", ".join(map(repr, group)) for group in alike[:_SHOWN])
    return [Finding("labels-alike", "warning", f"classes that differ only by letter case or spaces: {listed}")]
