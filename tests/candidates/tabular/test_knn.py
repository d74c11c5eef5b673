from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular.knn import CANDIDATE, stretches
from automl.candidates.tabular.table_model import TableModel
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.testing.context import ArrayData, LocalContext, mixed_table, one_member

CLASSES = {"numbers": "quantile", "categories": "onehot", "texts": 0, "k": 9, "distance_power": 1.0, "relevance": 1.0}
VALUES = {**CLASSES, "target": "none"}
RNG = np.random.default_rng(0)


def context(data: ArrayData, folder: Path, **more: Any) -> LocalContext:
    rows, cut = np.arange(data.spec.rows), data.spec.rows * 3 // 4
    which = metric("accuracy" if data.spec.classes else "rmse")
    return LocalContext(rows[:cut], rows[cut:], len(data.spec.classes), folder, metric=which, **more)


def fit(data: ArrayData, values: dict[str, Any], ctx: LocalContext) -> TableModel:
    configuration = Configuration("knn", values)
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


def test_what_tells_classes_apart_is_stretched() -> None:
    y = np.repeat([0, 1, 2], 50)
    X = np.stack([y + RNG.normal(0, 0.1, 150), RNG.normal(size=150)], axis=1).astype(np.float32)
    found = stretches(X, y, power=1.0, classes=3)
    assert found[0] == 1
    assert found[1] < 0.3


def test_what_tells_values_apart_is_stretched_though_it_is_no_line() -> None:
    X = RNG.normal(size=(500, 2)).astype(np.float32)
    found = stretches(X, np.exp(3 * X[:, 1]), power=1.0, classes=0)
    assert found[0] < found[1] == 1


def test_power_zero_leaves_columns_alike() -> None:
    X = RNG.normal(size=(30, 3)).astype(np.float32)
    assert stretches(X, np.arange(30) % 2, power=0.0, classes=2).tolist() == [1, 1, 1]


def test_constant_columns_are_survived() -> None:
    found = stretches(np.ones((30, 2), np.float32), np.arange(30.0), power=1.0, classes=0)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("classes", [3, 0], ids=["classes", "values"])
def test_more_neighbours_than_rows_are_all_rows(classes: int, tmp_path: Path) -> None:
    data = mixed_table(40, classes=classes)
    found = fit(data, {**(CLASSES if classes else VALUES), "k": 100}, context(data, tmp_path)).predict(data.X)
    assert np.isfinite(found).all()


def test_of_many_rows_a_sample_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = mixed_table(400)
    monkeypatch.setattr("automl.candidates.tabular.knn._MOST_STORED", 120)
    ctx = context(data, tmp_path)
    small = len(fit(data, CLASSES, ctx).graph)
    monkeypatch.undo()
    assert ctx.notes["rows"] == "a sample of 120 of 300"
    assert small < len(fit(data, CLASSES, context(data, tmp_path)).graph) / 2


def test_sums_of_targets_are_brought_back(tmp_path: Path) -> None:
    data = mixed_table(300, classes=0)
    predicted = fit(data, {**VALUES, "target": "log"}, context(data, tmp_path)).predict(data.X)
    assert data.y.min() - 3 < predicted.min() < predicted.mean() < predicted.max() < data.y.max() + 3


def test_no_time_is_said(tmp_path: Path) -> None:
    data = mixed_table(60)
    with pytest.raises(TimeoutError, match=r"knn takes about .* Raise the budget"):
        fit(data, CLASSES, context(data, tmp_path, is_timed=True, seconds=0.0))


def test_the_estimate_counts_the_rows_that_are_predicted() -> None:
    few, many = mixed_table(2000).spec, mixed_table(4000).spec
    seconds = [CANDIDATE.estimate(spec, Configuration("knn", CLASSES), 1500).step_seconds for spec in (few, many)]
    assert seconds[1] > 3 * seconds[0]
