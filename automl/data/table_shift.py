"""Whether the features of a test table look like those of training; its targets are not looked at."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from automl.core.data import Finding
from automl.serving.table import UNSEEN, Column, Table, TableRule

_FEWEST_ROWS = 50
_FAR = 0.15
"""Kolmogorov-Smirnov distance, or difference of shares, that is worth a word."""
_RISK = 1e-4
"""Chance of a word about columns that do not differ, over all columns together."""
_UNSEEN_SHARE = 0.05
_SHOWN = 8


def shift_findings(rule: TableRule, train: Table, test: Table) -> list[Finding]:
    """Tell the columns whose values differ between the rows of two tables, which may be samples."""
    if min(len(train), len(test)) < _FEWEST_ROWS:
        return []
    risk = _RISK / max(1, len(rule.numbers))
    words = {column.name: _shift(column, train.numbers[:, place], test.numbers[:, place], risk)
             for place, column in enumerate(rule.numbers)}  # fmt: skip
    shifted = [f"{name!r} ({word})" for name, word in words.items() if word]
    if not shifted:
        return []
    more = f" and {len(shifted) - _SHOWN} more" if len(shifted) > _SHOWN else ""
    message = (
        "test and training data differ, so the test score may differ from the validation score. Columns: "
        f"{', '.join(shifted[:_SHOWN])}{more}"
    )
    return [Finding("test-shifted", "warning", message)]


def _shift(column: Column, train: np.ndarray, test: np.ndarray, risk: float) -> str:
    """Return in a few words how a column differs, or nothing."""
    missing = np.isnan(train).mean(), np.isnan(test).mean()
    if abs(missing[0] - missing[1]) > _threshold(len(train), len(test), risk):
        return f"missing in {missing[0]:.0%}, in test {missing[1]:.0%}"
    known = train[~np.isnan(train)], test[~np.isnan(test)]
    if min(map(len, known)) < _FEWEST_ROWS:
        return ""
    return _DIFFERENCES[column.kind](*known, risk)


def _category_shift(train: np.ndarray, test: np.ndarray, risk: float) -> str:
    unseen = float((test == UNSEEN).mean())
    if unseen > _UNSEEN_SHARE + _unseen_in_halves(train):
        return f"{unseen:.0%} of the test rows have values that training has not"
    count = int(max(train.max(), test.max())) + 2
    shares = [np.bincount(part.astype(np.int64) + 1, minlength=count)[1:] / len(part) for part in (train, test)]
    distance = float(np.abs(shares[0] - shares[1]).max(initial=0.0))
    return f"shares differ by {distance:.0%}" if distance > _threshold(len(train), len(test), risk) else ""


def _unseen_in_halves(train: np.ndarray) -> float:
    """Return the share of the second half of the rows, which lie in random order, whose value the first half has not.

    Of a column of rare values, such as tickets, most are new in any further rows.
    """
    half = len(train) // 2
    return float((~np.isin(train[half:], train[:half])).mean())


def _number_shift(train: np.ndarray, test: np.ndarray, risk: float) -> str:
    distance = ks_distance(train, test)
    return f"KS distance {distance:.2f}" if distance > _threshold(len(train), len(test), risk) else ""


def _date_shift(train: np.ndarray, test: np.ndarray, risk: float) -> str:
    if test.min() > train.max():
        return "all test dates are later"
    if test.max() < train.min():
        return "all test dates are earlier"
    return _number_shift(train, test, risk)


_DIFFERENCES: dict[str, Callable[[np.ndarray, np.ndarray, float], str]] = {
    "number": _number_shift, "boolean": _number_shift, "category": _category_shift, "date": _date_shift,
}  # fmt: skip


def ks_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the two-sample Kolmogorov-Smirnov statistic: the largest distance of the two distributions in [0, 1].

    >>> ks_distance(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    values = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(part), values, side="right") / len(part) for part in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def _threshold(train: int, test: int, risk: float) -> float:
    """Return the distance that is both worth a word and not by chance.

    Source of the second: the asymptotic critical value of the two-sample statistic, Knuth, TAOCP vol. 2, 3.3.1.
    """
    return max(_FAR, math.sqrt(-math.log(risk / 2) / 2 * (train + test) / (train * test)))
