"""Class labels of a table: collected chunk by chunk, then put in order, or found among those of training."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import numpy as np

from automl.core.data import Finding
from automl.data.roles import nearest
from automl.errors import DataError
from automl.serving.table_cells import Cells, texts_of

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null"})
"""What is no label, in any case. Fewer than in features, where "-" is missing: here it may be the class beside "+"."""
_NONE = "none"
"""Reads like a missing value and is a fair name of a class; it is taken as one, and told."""
_SHOWN = 10


class Labels(NamedTuple):
    """Codes of rows (int64), the labels they stand for, and what was noticed."""

    codes: np.ndarray
    classes: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


class LabelColumn:
    """The labels of a column, added chunk by chunk.

    Labels are texts without the spaces around them. Labels that are equal as numbers (1 and 1.0) are one.
    """

    def __init__(self, shown: str, column: str) -> None:
        """Begin a column.

        Args:
            shown: what the table is called in messages.
            column: its name.
        """
        self._what = f"{shown}: column {column!r}"
        self._places: dict[str, int] = {}
        self._parts: list[np.ndarray] = []

    def add(self, cells: Cells) -> None:
        """Take in the next rows."""
        places = self._places
        found = [places.setdefault(text, len(places)) for text in texts_of(cells)]
        self._parts.append(np.array(found, np.int64))

    def finish(self, positive: str = "") -> Labels:
        """Return the labels in order: of numbers if all are, else of text; the positive one last.

        Raises:
            DataError: labels are missing, or positive is none of two labels.
        """
        keys = self._keys()
        spellings: dict[object, list[str]] = {}
        for text, key in keys.items():
            spellings.setdefault(key, []).append(text.strip())
        shortest = {key: min(texts, key=lambda text: (len(text), text)) for key, texts in spellings.items()}
        order = sorted(
            shortest, key=_rank if all(isinstance(key, Decimal) for key in shortest) else shortest.__getitem__
        )
        if positive:
            order = self._with_last(order, shortest, positive)
        codes = {key: code for code, key in enumerate(order)}
        table = np.array([codes[key] for key in keys.values()], np.int64)
        return Labels(self._rows(table), tuple(shortest[key] for key in order), self._findings(shortest))

    def among(self, classes: Sequence[str]) -> np.ndarray:
        """Return the codes of rows (int64) as places in the classes of training.

        Raises:
            DataError: labels are missing, or not among the classes.
        """
        known = {_key(label): code for code, label in enumerate(classes)}
        folded = {label.casefold(): code for code, label in enumerate(classes)}
        words = {"true": folded.get("true"), "false": folded.get("false")}  # False in files, false from data frames
        keys = self._keys()
        codes = [known.get(key, words.get(text.strip().casefold())) for text, key in keys.items()]
        strange = [text.strip() for text, code in zip(keys, codes, strict=True) if code is None]
        if strange:
            raise DataError(
                f"{self._what}: labels must be among the classes of training ({_some(classes)}). Got {_some(strange)}. "
                "Remove those rows or rename the labels."
            )
        return self._rows(np.array(codes, np.int64))

    def groups(self) -> Labels:
        """Return the codes of rows in the order in which values first occur; what is missing is one value.

        Values are compared as labels are: without the spaces around them, numbers as numbers.
        """
        codes: dict[object, int] = {}
        table = [codes.setdefault(None if _is_missing(t) else _key(t), len(codes)) for t in self._places]
        return Labels(self._rows(np.array(table, np.int64)), tuple("" if key is None else str(key) for key in codes))

    def _rows(self, codes: np.ndarray) -> np.ndarray:
        return np.asarray(codes[np.concatenate(self._parts)]) if self._parts else np.empty(0, np.int64)

    def _keys(self) -> dict[str, object]:
        """Return what makes each text the label it is, after checking that none is missing."""
        missing = [place for text, place in self._places.items() if _is_missing(text)]
        if missing:
            rows = np.flatnonzero(np.isin(np.concatenate(self._parts), missing))
            raise DataError(
                f"{self._what}: every row needs a label. Got {len(rows)} missing of {sum(map(len, self._parts))}, the "
                f"first in row {rows[0] + 1}. Remove those rows; to predict them, search without them first."
            )
        return {text: _key(text) for text in self._places}

    def _with_last(self, order: list[object], labels: dict[object, str], positive: str) -> list[object]:
        key = _key(positive)
        if key not in labels:
            known = [labels[other] for other in order]
            raise DataError(
                f"--positive {positive!r}: {self._what} has no such label.{nearest(positive, known)} "
                f"Labels: {_some(known)}."
            )
        if len(order) > 2:
            raise DataError(f"--positive {positive!r}: two classes are needed. Got {len(order)}. Leave it out.")
        return [*(other for other in order if other != key), key]

    def _findings(self, labels: dict[object, str]) -> tuple[Finding, ...]:
        findings = []
        padded = [text for text in self._places if text != text.strip()]
        if padded:
            message = f"{self._what}: spaces around labels are not looked at, such as in {_some(padded)}"
            findings.append(Finding("labels-trimmed", "info", message))
        if _NONE in {label.casefold() for label in labels.values()}:
            message = f"{self._what}: the label 'None' is taken as a class; if it means missing, remove those rows"
            findings.append(Finding("label-none", "warning", message))
        return tuple(findings)


def _is_missing(text: str) -> bool:
    return text.strip().casefold() in MISSING


def _key(text: str) -> object:
    """Return an exact number for a number as it is usually written (without leading zeros), else the text."""
    text = text.strip()
    digits = text.lstrip("+-")
    if not digits[:1].isdigit() or not digits.isascii() or (digits[0] == "0" and digits[1:2].isdigit()) or "_" in text:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() and abs(number.adjusted()) < 400 else text


def _rank(key: object) -> Decimal:
    assert isinstance(key, Decimal)
    return key


def _some(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:_SHOWN])
    return shown if len(labels) <= _SHOWN else f"{shown} and {len(labels) - _SHOWN} more"
