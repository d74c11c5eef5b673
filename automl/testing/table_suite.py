"""What every candidate for tables must hold to; built-in ones are run through it, and authors of plugins inherit it.

class TestMine(TableCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("mine", {"depth": 3})

class TestMineOnValues(TestMine):
    data = TABLE_OF_VALUES
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from automl.serving.table import UNSEEN, Table, TableRule
from automl.serving.texts import Texts
from automl.testing.context import ArrayData, mixed_table
from automl.testing.encoded_suite import EncodedCandidateContract, assert_scores
from automl.testing.member_suite import with_one_class

TABLE_OF_CLASSES = mixed_table(180, classes=3)
TABLE_OF_VALUES = mixed_table(180, classes=0)


class TableCandidateContract(EncodedCandidateContract):
    """Inherit, name your class Test…, and set what is your own; once for classes and once for values, if it does both.

    Attributes:
        candidate: the candidate.
        configuration: a cheap configuration of it.
        module: where it is found; by default where its class is.
        space: its search space for the task; None skips what needs it.
        data: a table of at least 100 rows with a column of every kind, learnable; its target decides the task.
        tolerance: how far scores of the exported file may lie from those in the run, relative to 1 + |score|.
        learns: whether it must beat a constant on `data`.
    """

    data: ClassVar[ArrayData] = TABLE_OF_CLASSES

    def strange(self) -> Table:
        """Return `strange` rows."""
        return strange(self.data.X)

    def poisoned(self, rows: np.ndarray) -> ArrayData:
        """Return `poisoned` data."""
        return poisoned(self.data, rows)

    def rule(self) -> TableRule:
        """Return the rule of the table."""
        return TableRule.from_json(self.data.spec.input)

    def test_it_serves_the_task_of_its_data(self) -> None:
        """Classes are `tabular-clf`, numbers `tabular-reg`."""
        assert ("tabular-clf" if self.data.spec.classes else "tabular-reg") in self.candidate.tasks

    def test_a_constant_target_is_predicted(self, tmp_path: Path) -> None:
        """A fold of a column that hardly varies can be constant."""
        if self.data.spec.classes:
            pytest.skip("for values")
        data = dataclasses.replace(self.data, y=np.full(self.data.spec.rows, -12.5))
        np.testing.assert_allclose(self.fit(tmp_path, data=data).predict(data.X), -12.5, rtol=1e-6)

    def test_a_column_that_is_missing_in_all_training_rows_is_survived(self, tmp_path: Path) -> None:
        """Though other rows have it."""
        numbers = np.array(self.data.X.numbers)
        numbers[self.context(tmp_path).train_rows, 0] = np.nan
        data = dataclasses.replace(self.data, X=Table(numbers, self.data.X.texts))
        assert_scores(self.fit(tmp_path, data=data).predict(data.X), data)


STRANGE = (np.nan, UNSEEN, 0.0, 1e9, 1e300, -1e300)
"""What stands in every column of the rows of `strange`."""


def strange(X: Table) -> Table:
    """Return rows unlike any in training, with the columns of X."""
    numbers = np.repeat(np.array(STRANGE)[:, None], X.numbers.shape[1], axis=1)
    words = ["", "zebra", "great great great", "  ", "\u4f60\u597d \U0001f600", "a" * 5000]
    return Table(numbers, tuple(Texts.of(words) for _ in X.texts))


def poisoned(data: ArrayData, rows: np.ndarray) -> ArrayData:
    """Return the data with garbage in the numbers, texts and targets of these rows."""
    rng = np.random.default_rng(99)
    numbers = np.array(data.X.numbers)
    numbers[rows] = rng.permuted(numbers[rows], axis=0) * rng.choice([1.0, -1.0, 1e6, np.nan], numbers[rows].shape)
    if data.spec.classes:
        data = with_one_class(data, rows)
    else:
        y = data.y.copy()
        y[rows] = 1e6 * rng.normal(size=len(rows))
        data = dataclasses.replace(data, y=y)
    texts = []
    for column in data.X.texts:
        words = list(column)
        for row in rows.tolist():
            words[row] = f"poison {row} poison"
        texts.append(Texts.of(words))
    return dataclasses.replace(data, X=Table(numbers, tuple(texts)))
