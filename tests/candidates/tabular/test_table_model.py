from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.graphs.onnx_graphs import linear_softmax
from automl.candidates.graphs.onnx_values import Inverse, linear_values
from automl.candidates.tabular.table_model import TableModel, constant_model, report_score
from automl.core.metrics import metric
from automl.serving.table_encoder import compute
from automl.testing.context import LocalContext, mixed_table

PLAN = {"version": 1, "width": 2, "names": ["wide", "new"], "blocks": [{"kind": "numbers", "columns": [1, 2]}]}
VALUES = linear_values(np.array([1.0, 10.0]), 0.5, Inverse("none", 0.0, 1.0, 1.0, -1e9, 1e9))
CLASSES = linear_softmax(np.array([[1.0, 0.0], [0.0, 5.0]]), np.zeros(2), np.ones(2, bool))
DATA = mixed_table(11, classes=0)
ENCODED = compute(PLAN, DATA.X)


def context(folder: Path, *, classes: int = 0, valid: int = 4) -> LocalContext:
    rows = np.arange(11)
    which = metric("accuracy" if classes else "rmse")
    return LocalContext(rows[valid:], rows[:valid], classes, folder, metric=which)


def test_it_predicts_from_rows_of_a_table() -> None:
    found = TableModel(VALUES, PLAN, "values").predict(DATA.X)
    np.testing.assert_allclose(found, DATA.X.numbers[:, 1] + 10 * DATA.X.numbers[:, 2] + 0.5, rtol=1e-6)


@pytest.mark.parametrize("rows", [0, 1, 4, 11])
def test_rows_in_parts_are_rows_at_once(rows: int) -> None:
    at_once = TableModel(CLASSES, PLAN, "probabilities").predict(DATA.X[:rows])
    in_parts = TableModel(CLASSES, PLAN, "probabilities", batch=3)
    assert at_once.shape == (rows, 2)
    np.testing.assert_array_equal(in_parts.predict(DATA.X[:rows]), at_once)
    np.testing.assert_array_equal(in_parts.predict_encoded(ENCODED[:rows]), at_once)


def test_its_entry_names_its_files_and_its_ends(tmp_path: Path) -> None:
    entry = TableModel(VALUES, PLAN, "values").save(tmp_path)
    assert entry == {
        "file": "model.onnx", "features": {"kind": "table", "encoder": "model.encoder.json"}, "input": "input",
        "output": "values", "output_kind": "values",
    }  # fmt: skip
    assert (tmp_path / "model.onnx").read_bytes() == VALUES
    assert json.loads((tmp_path / "model.encoder.json").read_text(encoding="utf-8")) == PLAN


def test_it_has_no_checkpoint(tmp_path: Path) -> None:
    TableModel(VALUES, PLAN, "values").save_checkpoint(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_constant_model_of_classes_gives_the_same_probabilities(tmp_path: Path) -> None:
    model = constant_model(np.array([0.25, 0.75]), PLAN, 2, context(tmp_path, classes=2))
    np.testing.assert_array_equal(model.predict(DATA.X), np.tile(np.float32([0.25, 0.75]), (11, 1)))


def test_a_constant_model_of_values_gives_the_same_value(tmp_path: Path) -> None:
    model = constant_model(np.array([-3.5]), PLAN, 2, context(tmp_path))
    np.testing.assert_array_equal(model.predict(DATA.X), np.full(11, -3.5, np.float32))


def test_the_score_of_the_validation_rows_is_reported(tmp_path: Path) -> None:
    model, ctx = TableModel(VALUES, PLAN, "values", batch=3), context(tmp_path)
    report_score(model, ENCODED, DATA, ctx)
    assert ctx.reports == [(1, pytest.approx(ctx.metric.score(DATA.y[:4], model.predict(DATA.X[:4]))), None)]


def test_a_model_of_several_steps_reports_the_last(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    report_score(dataclasses.replace(TableModel(VALUES, PLAN, "values"), steps=7), ENCODED, DATA, ctx)
    assert ctx.reports[0][0] == 7


def test_without_validation_rows_no_score_is_reported(tmp_path: Path) -> None:
    ctx = context(tmp_path, valid=0)
    report_score(TableModel(VALUES, PLAN, "values"), ENCODED, DATA, ctx)
    assert ctx.reports == [(1, None, None)]
