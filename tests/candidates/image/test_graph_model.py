from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.graphs.onnx_graphs import constant, linear_softmax
from automl.candidates.image.graph_model import GraphModel, report_score
from automl.core.clock import FakeClock
from automl.testing.context import LocalContext, striped_images

FEATURES: dict[str, object] = {"kind": "pooled", "height": 2, "width": 1}
GRAPH = linear_softmax(np.array([[8.0, 0.0], [0.0, 8.0]]), np.zeros(2), np.ones(2, bool))


def context(folder: Path, valid: int) -> LocalContext:
    return LocalContext(np.arange(6), np.arange(6, 6 + valid), 3, folder, is_timed=True, seconds=2, clock=FakeClock())


def test_it_predicts_from_images_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    X, model = striped_images(11).X, GraphModel(GRAPH, FEATURES)
    at_once = model.predict(X)
    monkeypatch.setattr("automl.candidates.image.graph_model._ROWS", 4)
    np.testing.assert_array_equal(model.predict(X), at_once)


def test_its_entry_names_the_file_and_its_ends(tmp_path: Path) -> None:
    entry = GraphModel(GRAPH, FEATURES).save(tmp_path)
    assert entry == {"file": "model.onnx", "features": FEATURES, "input": "input", "output": "probabilities",
                     "output_kind": "probabilities"}  # fmt: skip
    assert (tmp_path / "model.onnx").read_bytes() == GRAPH


def test_its_checkpoint_is_the_files_it_was_given(tmp_path: Path) -> None:
    GraphModel(GRAPH, FEATURES, checkpoint={"checkpoint.txt": "tree"}).save_checkpoint(tmp_path)
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("checkpoint.txt", "tree")]


def test_the_score_of_the_validation_rows_is_reported(tmp_path: Path) -> None:
    data, ctx = striped_images(9), context(tmp_path, valid=3)
    report_score(GraphModel(constant(np.eye(3)[1], (8, 8, 1)), {"kind": "pixels"}), data.X[ctx.valid_rows], data, ctx)
    assert ctx.reports == [(1, pytest.approx(1 / 3), None)]


def test_without_validation_rows_no_score_is_reported(tmp_path: Path) -> None:
    data, ctx = striped_images(9), context(tmp_path, valid=0)
    report_score(GraphModel(GRAPH, FEATURES), np.zeros((0, 2), np.float32), data, ctx)
    assert ctx.reports == [(1, None, None)]
