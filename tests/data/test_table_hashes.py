"""Rows that occur twice are found, whatever they hold."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data import table_hashes
from automl.data.table_hashes import repeated_findings, shared_findings
from automl.serving.table import Table
from automl.serving.texts import Texts


def hashes(numbers: object, texts: list[str] | None = None) -> np.ndarray:
    columns = () if texts is None else (Texts.of(texts),)
    return table_hashes.table_hashes(Table(np.array(numbers, np.float64), columns))


def told(rows: np.ndarray, y: object) -> dict[str, str]:
    return {finding.code: finding.message for finding in repeated_findings(rows, np.asarray(y))}


def test_equal_rows_have_equal_hashes_and_others_not() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (500, 4))
    assert len(np.unique(hashes(rows))) == len(np.unique(rows, axis=0))


SAME = {
    "missing": ([[np.nan]], [[float("-nan")]]),
    "zero": ([[0.0]], [[-0.0]]),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_what_means_the_same_hashes_the_same(first: object, second: object) -> None:
    assert hashes(first).tolist() == hashes(second).tolist()


OTHER = {
    "swapped": ([[1, 2]], [[2, 1]]),
    "missing-is-not-zero": ([[np.nan]], [[0]]),
    "missing-elsewhere": ([[np.nan, 1]], [[1, np.nan]]),
    "last-digit": ([[0.1]], [[0.1 + 1e-16]]),
}


@pytest.mark.parametrize(("first", "second"), OTHER.values(), ids=OTHER)
def test_what_differs_hashes_differently(first: object, second: object) -> None:
    assert hashes(first).tolist() != hashes(second).tolist()


def test_texts_count_too() -> None:
    rows = hashes(np.zeros((4, 0)), ["a", "b", "a", ""])
    assert (rows[0] == rows[2], len(set(rows.tolist()))) == (True, 3)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 2))
    whole = hashes(rows)
    monkeypatch.setattr(table_hashes, "_BLOCK", 7)
    assert np.array_equal(hashes(rows), whole)


def test_repeated_rows_are_counted() -> None:
    message = told(hashes([[1], [1], [1], [2]]), [0, 0, 0, 1])["duplicates"]
    assert message == "2 of 4 rows are exact duplicates; folds may share them, which flatters the score"


def test_contradicting_labels_are_told() -> None:
    found = told(hashes([[1], [1], [2], [2]]), [0, 1, 1, 1])
    assert found["labels-conflict"].startswith("equal rows with different labels: 1 kinds of row")


def test_values_of_regression_may_differ_between_equal_rows() -> None:
    assert list(told(hashes([[1], [1]]), [0.5, 0.7])) == ["duplicates"]


def test_rows_that_differ_need_no_word() -> None:
    assert told(hashes([[1], [2]]), [0, 1]) == {}


@pytest.mark.parametrize(("repeats", "level"), [(1, "info"), (9, "info"), (10, "warning")])
def test_few_repeated_rows_are_no_warning(repeats: int, level: str) -> None:
    rows = np.arange(1000.0)
    rows[-repeats:] = rows[:repeats]
    (finding,) = repeated_findings(hashes(rows[:, None]), np.zeros(1000))
    assert finding.level == level


def test_test_rows_that_training_has_are_counted() -> None:
    (finding,) = shared_findings(hashes([[1], [2], [3]]), hashes([[3], [4], [1], [1]]))
    assert finding.message.startswith("3 of 4 test rows are in the training data too")


def test_test_rows_of_their_own_need_no_word() -> None:
    assert shared_findings(hashes([[1]]), hashes([[2]])) == []
