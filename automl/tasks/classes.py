"""What tasks that predict classes share: what is worth knowing about the classes of a data set, and their metrics."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from shlex import quote

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import DataError, UserError

MOST_CLASSES = 2_000
"""Predictions of all rows for all classes are held in memory many times over."""
MOST_NUMBER_CLASSES = 50
"""More labels than this that are all numbers and vary with the rows are an amount, not a class."""
_FEW_CLASSES = 10
RARE_SHARE = 0.05
"""Where the rarer of two classes is below this share, ROC AUC is ruled by easy negatives.

Source: Saito & Rehmsmeier 2015, https://doi.org/10.1371/journal.pone.0118432.
"""
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


def check_labels(spec: DataSpec) -> None:
    """Check that the labels of a column are classes.

    Raises:
        DataError: one class only, or labels that are identifiers or amounts.
    """
    if len(spec.classes) < 2:
        raise DataError(
            f"{spec.name}: column {spec.target!r}: at least two classes are needed. Got one class only: "
            f"{', '.join(spec.classes)!r}. Add rows of another class, or name another --target."
        )
    _check_count(spec)


def _check_count(spec: DataSpec) -> None:
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


def positive_findings(spec: DataSpec) -> list[Finding]:
    """Say which of two classes is looked for, where it is the frequent one and the other is rare."""
    if len(spec.classes) != 2 or spec.class_counts[0] >= RARE_SHARE * spec.rows:
        return []
    rare, positive = spec.classes
    message = (
        f"{positive!r} is the positive class, as the last in order, and {rare!r} is rare; if {rare!r} is what is "
        f"looked for, use --positive {quote(rare)}"
    )
    return [Finding("positive-frequent", "warning", message)]


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


def _is_number(label: str) -> bool:
    try:
        return abs(float(label)) < float("inf")
    except ValueError:
        return False
