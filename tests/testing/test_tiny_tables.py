"""The tiny tables that tests rest on are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from automl.serving.table import TableRule
from automl.serving.table_encoder import check, compute
from automl.serving.table_rows import read_table
from automl.testing.context import mixed_table
from automl.testing.tiny_tables import PLAN, table_columns, tiny_table_artifact, values_onnx, write_table_csv


@pytest.mark.parametrize("classes", [0, 2, 3, 5])
def test_classes_are_counted_as_they_are(classes: int) -> None:
    data = mixed_table(60, classes=classes)
    assert len(data.spec.class_counts) == classes
    assert not classes or data.spec.class_counts == tuple(np.bincount(data.y))


def test_the_plan_fits_the_table() -> None:
    data = mixed_table(30)
    check(PLAN, TableRule.from_json(data.spec.input))
    assert np.isfinite(compute(PLAN, data.X)).all()


def test_a_table_as_a_user_has_it_reads_back_as_it_was(tmp_path: Path) -> None:
    data = mixed_table(200)
    rows = read_table(write_table_csv(tmp_path / "t.csv", table_columns(data)), TableRule.from_json(data.spec.input))
    np.testing.assert_array_equal(rows.X.numbers, data.X.numbers)  # type: ignore[attr-defined]
    assert [list(texts) for texts in rows.X.texts] == [list(texts) for texts in data.X.texts]  # type: ignore[attr-defined]


def test_values_are_a_linear_map() -> None:
    session = onnxruntime.InferenceSession(values_onnx(3), providers=["CPUExecutionProvider"])
    found = session.run(None, {"input": np.eye(3, dtype=np.float32) * 2})[0]
    assert found.shape == (3,)
    assert found == pytest.approx(2 * np.random.default_rng(0).normal(0, 100, 3), rel=1e-5)


def test_the_same_content_gives_the_same_artifact(tmp_path: Path) -> None:
    first, again = (tiny_table_artifact(tmp_path / name, tmp_path / "m", classes=0) for name in "ab")
    assert first == again
