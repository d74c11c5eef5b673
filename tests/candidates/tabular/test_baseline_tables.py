from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.tabular.baseline import CANDIDATE
from automl.candidates.tabular.table_model import TableModel
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.serving.table import Column, Table, TableRule
from automl.serving.texts import Texts
from automl.testing.context import ArrayData, LocalContext, mixed_table, one_member

CONFIGURATION = Configuration("baseline", {})


def fit(data: ArrayData, folder: Path, name: str) -> TableModel:
    rows = np.arange(data.spec.rows)
    ctx = LocalContext(rows[:8], rows[8:], len(data.spec.classes), folder, metric=metric(name))
    return CANDIDATE.fit(one_member(CONFIGURATION), CONFIGURATION, data, ctx)


def test_it_predicts_the_shares_of_the_training_rows(tmp_path: Path) -> None:
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
    data = dataclasses.replace(mixed_table(10), y=y)
    np.testing.assert_allclose(fit(data, tmp_path, "accuracy").predict(data.X), [[0.5, 0.5, 0.0]] * 10)


@pytest.mark.parametrize(("name", "expected"), [("rmse", 3.0), ("mae", 1.0)])
def test_it_predicts_the_mean_or_the_median(name: str, expected: float, tmp_path: Path) -> None:
    data = dataclasses.replace(mixed_table(10, classes=0), y=np.array([1.0] * 6 + [9.0, 9.0, 100.0, 100.0]))
    np.testing.assert_allclose(fit(data, tmp_path, name).predict(data.X), np.full(10, expected))


def test_it_reads_one_column_alone(tmp_path: Path) -> None:
    plan = fit(mixed_table(10), tmp_path, "accuracy").plan
    assert (plan["width"], plan["blocks"]) == (1, [{"kind": "numbers", "columns": [0]}])


def test_a_table_of_texts_alone_is_read_too(tmp_path: Path) -> None:
    data = mixed_table(10)
    rule = TableRule((Column("said", "text"),))
    spec = dataclasses.replace(data.spec, input=rule.to_json(), shape=(1,))
    X = Table(np.zeros((10, 0)), (Texts.of("word " * n for n in range(10)),))
    found = fit(ArrayData(X, data.y, spec), tmp_path, "accuracy").predict(X)
    assert found.shape == (10, 3)
