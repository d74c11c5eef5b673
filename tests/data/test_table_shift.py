"""Test rows that are not like training rows are told, column by column."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.table_shift import ks_distance, shift_findings
from automl.serving.table import UNSEEN, Column, Table, TableRule

RNG = np.random.default_rng(0)
DAY = 86400.0


def normal(mean: float = 0.0, rows: int = 1000) -> np.ndarray:
    return RNG.normal(mean, 1, rows)


def told(kind: str, train: np.ndarray, test: np.ndarray) -> str:
    rule = TableRule((Column("a", kind),))  # type: ignore[arg-type]
    found = shift_findings(rule, Table(train[:, None]), Table(test[:, None]))
    return found[0].message.partition("Columns: ")[2] if found else ""


SHIFTED = {
    "number": ("number", normal(), normal(1), "'a' (KS distance 0."),
    "missing": ("number", normal(), np.where(normal() > 0, np.nan, 1.0), "'a' (missing in 0%, in test 5"),
    "boolean": ("boolean", (normal() > 0) + 0.0, (normal() > 1) + 0.0, "'a' (KS distance 0.3"),
    "category": ("category", RNG.integers(0, 4, 1000) + 0.0, RNG.integers(0, 2, 1000) + 0.0, "'a' (shares differ by 2"),
    "unseen": (
        "category",
        RNG.integers(0, 4, 1000) + 0.0,
        np.where(normal() > 1, UNSEEN, 1.0),
        "values that training has not",
    ),
    "later": ("date", DAY * RNG.integers(0, 9, 100), DAY * RNG.integers(9, 20, 100), "'a' (all test dates are later)"),
    "earlier": (
        "date",
        DAY * RNG.integers(9, 20, 100),
        DAY * RNG.integers(0, 9, 100),
        "'a' (all test dates are earlier)",
    ),
    "drifted": ("date", DAY * RNG.integers(0, 90, 500), DAY * RNG.integers(60, 120, 500), "'a' (KS distance"),
}


@pytest.mark.parametrize(("kind", "train", "test", "word"), SHIFTED.values(), ids=SHIFTED)
def test_a_column_that_differs_is_told(kind: str, train: np.ndarray, test: np.ndarray, word: str) -> None:
    assert word in told(kind, train, test)


ALIKE = {
    "number": ("number", normal(), normal()),
    "slightly": ("number", normal(), normal(0.2)),
    "few-rows": ("number", normal(rows=60), normal(0.5, rows=60)),
    "very-few-rows": ("number", normal(rows=20), normal(5, rows=20)),
    "category": ("category", RNG.integers(0, 4, 1000) + 0.0, RNG.integers(0, 4, 1000) + 0.0),
    "tickets": ("category", np.arange(1000.0), np.full(1000, UNSEEN)),
    "date": ("date", DAY * RNG.integers(0, 90, 500), DAY * RNG.integers(0, 90, 500)),
    "all-missing": ("number", np.full(100, np.nan), np.full(100, np.nan)),
}


@pytest.mark.parametrize(("kind", "train", "test"), ALIKE.values(), ids=ALIKE)
def test_a_column_that_does_not_differ_needs_no_word(kind: str, train: np.ndarray, test: np.ndarray) -> None:
    assert told(kind, train, test) == ""


def test_many_columns_are_listed_in_part() -> None:
    rule = TableRule(tuple(Column(f"c{n}", "number") for n in range(20)))
    (finding,) = shift_findings(rule, Table(np.zeros((200, 20))), Table(np.ones((200, 20))))
    assert finding.message.endswith("'c7' (KS distance 1.00) and 12 more")


def test_columns_without_numbers_are_no_matter() -> None:
    assert shift_findings(TableRule((Column("t", "text"),)), Table(np.zeros((99, 0))), Table(np.zeros((99, 0)))) == []


def test_false_words_are_rare() -> None:
    rule = TableRule(tuple(Column(f"c{n}", "number") for n in range(200)))
    rng = np.random.default_rng(5)
    tables = [Table(rng.normal(size=(100, 200))) for _ in range(2)]
    assert shift_findings(rule, *tables) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_distance_is_that_of_scipy(seed: int) -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 20, 50) + 0.0, rng.integers(5, 25, 80) + 0.0
    assert ks_distance(first, second) == pytest.approx(ks_2samp(first, second).statistic)
