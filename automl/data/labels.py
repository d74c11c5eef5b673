"""Turn the labels a user hands over into class codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from automl.core.data import Finding
from automl.errors import DataError


class Labels(NamedTuple):
    """Class codes (int64, one per row), the labels they stand for, and what was noticed."""

    codes: np.ndarray
    classes: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def encode(
    y: object, classes: Sequence[object] | np.ndarray | None, *, rows: int, name: str, row: str = "image"
) -> Labels:
    """Return codes for labels of any kind.

    Args:
        y: (rows,) whole numbers, texts or booleans; with classes, codes into them or texts among them.
        classes: labels in the order of their codes; None takes the sorted labels of y.
        rows: how many labels there must be.
        name: of y, for messages.
        row: what a row is called in messages.

    Raises:
        DataError: another shape or kind, missing labels, or a label that classes does not have.
    """
    values = _flat(y, rows, name, row)
    declared = None if classes is None else _declared(classes, name)
    if values.dtype.kind in "US":
        return _encode_texts(_texts(values, name, row), declared, name)
    numbers = _whole(values, name, row)
    if declared is None:
        found, codes = np.unique(numbers, return_inverse=True)
        return Labels(codes.reshape(-1).astype(np.int64), tuple(str(v) for v in found))
    return _encode_codes(numbers, declared, name)


def encode_with(
    y: object, declared: Sequence[object] | np.ndarray | None, *, known: Sequence[str], rows: int, name: str,
    row: str = "image",
) -> np.ndarray:  # fmt: skip
    """Return codes (int64) into the known classes, for data that is tested with a model of these classes.

    Raises:
        DataError: as `encode`, or a label is not among the known ones.
    """
    found = encode(y, declared, rows=rows, name=name, row=row)
    places = {label: code for code, label in enumerate(known)}
    strange = [label for label in found.classes if label not in places]
    if strange:
        raise DataError(
            f"{name}: labels must be among the classes of training ({_some(known)}). Got {_some(strange)}. "
            "Remove or rename them."
        )
    table = np.array([places[label] for label in found.classes], np.int64)
    return np.asarray(table[found.codes])


def _flat(y: object, rows: int, name: str, row: str) -> np.ndarray:
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"{name}: labels need shape (n,). Got {values.shape}. Give one label per {row}.")
    if len(values) != rows:
        raise DataError(f"{name}: one label per {row} is needed. Got {len(values)} labels for {rows} {_several(row)}.")
    return _unboxed(values, name, row) if values.dtype == object else values


def _unboxed(values: np.ndarray, name: str, row: str) -> np.ndarray:
    """Return Python objects held in memory as texts or numbers."""
    missing = [v is None or (isinstance(v, float) and v != v) for v in values]
    _no_missing(sum(missing), len(values), name, row)
    if all(isinstance(v, str) for v in values):
        return values.astype(str)
    kinds = sorted({type(v).__name__ for v in values})
    if all(isinstance(v, int | np.integer) for v in values):
        return _small(values, name).astype(np.int64)
    raise DataError(f"{name}: labels must all be texts or all whole numbers. Got {', '.join(kinds)}. Convert them.")


def _texts(values: np.ndarray, name: str, row: str) -> np.ndarray:
    texts = _decoded(values, name)
    for text in np.unique(texts).tolist():
        if not _is_utf8(text):
            raise DataError(f"{name}: labels must be texts that can be written. Got {text!r}. Rename that class.")
    _no_missing(int((np.char.str_len(np.char.strip(texts)) == 0).sum()), len(texts), name, row)
    return texts


def _decoded(values: np.ndarray, name: str) -> np.ndarray:
    """Return an array of bytes or texts as texts."""
    if values.dtype.kind != "S":
        return values
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: labels stored as bytes must be UTF-8. Got {error.object[:20]!r}. Save them as text (dtype 'U')."
        ) from error


def _declared(classes: Sequence[object] | np.ndarray, name: str) -> list[str]:
    """Return the labels that stand for the codes, as texts.

    Raises:
        DataError: no list of texts or numbers, an empty label, or one that stands twice.
    """
    values = np.asarray(classes)
    if values.ndim != 1:
        raise DataError(f"{name}: classes must be a list of labels. Got shape {values.shape}. List one per code.")
    found = [
        str(label) for label in (_texts(values, f"{name}: classes", "class") if values.dtype.kind in "US" else values)
    ]
    repeated = [label for label, count in Counter(found).items() if count > 1]
    if repeated:
        raise DataError(f"{name}: classes must differ. Got {_some(repeated)} more than once. Rename them.")
    return found


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _small(values: np.ndarray, name: str) -> np.ndarray:
    """Return whole numbers after checking that 64 bits hold them."""
    large = [value for value in (values.min(), values.max()) if abs(int(value)) >= 2**63]
    if large:
        raise DataError(f"{name}: labels must lie within 64 bits. Got {large[0]}. Rename that class.")
    return values


def _whole(values: np.ndarray, name: str, row: str) -> np.ndarray:
    """Return numbers as int64.

    Raises:
        DataError: NaN, fractions, or no numbers.
    """
    if values.dtype.kind == "f":
        _no_missing(int(np.isnan(values).sum()), len(values), name, row)
        if np.isinf(values).any():
            raise DataError(f"{name}: classes must be whole numbers or texts. Got infinite values. Rename them.")
        fractions = values[values != np.rint(values)]
        if len(fractions):
            raise DataError(
                f"{name}: classes must be whole numbers or texts. Got {len(fractions)} fractions such as "
                f"{fractions[0]:g}. Round or rename them."
            )
    elif values.dtype.kind not in "iub":
        raise DataError(f"{name}: labels must be whole numbers or texts. Got dtype {values.dtype}. Convert them.")
    return _small(values, name).astype(np.int64) if len(values) else values.astype(np.int64)


def _no_missing(missing: int, rows: int, name: str, row: str) -> None:
    if missing:
        raise DataError(
            f"{name}: every {row} needs a label. Got {missing} missing of {rows}. Remove those {_several(row)}."
        )


def _several(row: str) -> str:
    return row if row == "series" else f"{row}es" if row == "class" else f"{row}s"


def _encode_texts(texts: np.ndarray, classes: list[str] | None, name: str) -> Labels:
    found, codes = np.unique(texts, return_inverse=True)
    labels = tuple(str(label) for label in found)
    if classes is not None:
        strange = sorted(set(labels) - set(classes))
        if strange:
            raise DataError(f"{name}: labels must be in classes. Got {_some(strange)}. Add them to classes.")
        order = [label for label in classes if label in set(labels)]
        table = np.array([order.index(label) for label in labels], np.int64)
        return Labels(table[codes.reshape(-1)], tuple(order), _absent(classes, set(order)))
    return Labels(codes.reshape(-1).astype(np.int64), labels)


def _encode_codes(numbers: np.ndarray, classes: list[str], name: str) -> Labels:
    outside = numbers[(numbers < 0) | (numbers >= len(classes))]
    if len(outside):
        raise DataError(
            f"{name}: codes must be in 0 to {len(classes) - 1}, as there are {len(classes)} classes. "
            f"Got {len(outside)} others such as {outside[0]}. Mend y or classes."
        )
    present = np.unique(numbers)
    labels = tuple(classes[code] for code in present)
    codes = np.searchsorted(present, numbers).astype(np.int64)
    return Labels(codes, labels, _absent(classes, set(labels)))


def _absent(classes: Sequence[str], present: set[str]) -> tuple[Finding, ...]:
    absent = [label for label in classes if label not in present]
    if not absent:
        return ()
    message = f"{len(absent)} classes have no row and cannot be learned: {_some(absent)}. They are left out."
    return (Finding("classes-absent", "warning", message),)


def _some(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:10])
    return shown if len(labels) <= 10 else f"{shown} and {len(labels) - 10} more"
