from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.candidates.image.baseline import CANDIDATE
from automl.core.space import Configuration
from automl.testing.context import LocalContext, image_data, one_member

CONFIGURATION = Configuration("baseline", {})


def context(folder: Path) -> LocalContext:
    return LocalContext(np.arange(8), np.arange(8, 10), 4, folder)


def test_it_predicts_the_frequencies_of_the_training_rows(tmp_path: Path) -> None:
    X, y = np.zeros((10, 5, 6, 3), np.uint8), np.array([0, 0, 0, 0, 1, 1, 3, 3, 2, 2])
    fitted = CANDIDATE.fit(one_member(CONFIGURATION), CONFIGURATION, image_data(X, y, classes=4), context(tmp_path))
    np.testing.assert_allclose(fitted.predict(X), [[0.5, 0.25, 0.0, 0.25]] * 10)


def test_it_reports_one_score(tmp_path: Path) -> None:
    data = image_data(np.zeros((10, 5, 6, 3), np.uint8), np.array([0] * 9 + [1]), classes=4)
    ctx = context(tmp_path)
    CANDIDATE.fit(one_member(CONFIGURATION), CONFIGURATION, data, ctx)
    assert ctx.reports == [(1, 0.5, None)]


def test_its_graph_takes_the_pixels(tmp_path: Path) -> None:
    data = image_data(np.zeros((10, 5, 6, 3), np.uint8), np.zeros(10, np.int64), classes=4)
    fitted = CANDIDATE.fit(one_member(CONFIGURATION), CONFIGURATION, data, context(tmp_path))
    assert fitted.save(tmp_path) == {
        "file": "model.onnx", "features": {"kind": "pixels"}, "input": "input", "output": "probabilities",
        "output_kind": "probabilities",
    }  # fmt: skip
