from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.errors import DataError, UserError
from automl.model import Model
from automl.run.scoring import score_data, score_rows
from automl.testing.tiny import tiny_artifact, tiny_images, write_npz


@pytest.fixture
def model(tmp_path: Path) -> Model:
    tiny_artifact(tmp_path / "model", tmp_path / "cache")
    return Model(tmp_path / "model")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_npz(tmp_path / "data.npz", tiny_images(30, seed=3))


def test_a_model_is_scored_by_its_own_metric(model: Model, data: Path, tmp_path: Path) -> None:
    scored = score_data(model, data, cache=tmp_path / "cache")
    rows = tiny_images(30, seed=3)
    right = model.predict_proba(rows.X).argmax(axis=1) == np.asarray(rows.y)
    assert (scored.metric, scored.score, scored.rows) == ("accuracy", pytest.approx(right.mean()), 30)


def test_the_interval_holds_the_score(model: Model, data: Path, tmp_path: Path) -> None:
    scored = score_data(model, data, cache=tmp_path / "cache")
    assert scored.low <= scored.score <= scored.high


def test_another_metric_may_be_named(model: Model, data: Path, tmp_path: Path) -> None:
    scored = score_data(model, data, "log_loss", cache=tmp_path / "cache")
    assert (scored.metric, scored.score) == ("log_loss", scored.metrics["log_loss"])


def test_every_metric_of_the_task_is_told(model: Model, data: Path, tmp_path: Path) -> None:
    assert {"accuracy", "macro_f1", "log_loss"} <= set(score_data(model, data, cache=tmp_path / "cache").metrics)


def test_a_metric_of_another_task_is_refused(model: Model, data: Path) -> None:
    with pytest.raises(UserError, match="--metric rmse: image-clf is scored by one of"):
        score_data(model, data, "rmse")


def test_data_with_a_class_the_model_does_not_know_is_refused(model: Model, tmp_path: Path) -> None:
    file = write_npz(tmp_path / "more.npz", tiny_images(40, classes=4))
    with pytest.raises(DataError, match="Got 'cross'"):
        score_data(model, file, cache=tmp_path / "cache")


def test_arrays_are_scored_too(model: Model, tmp_path: Path) -> None:
    rows = tiny_images(30, seed=3)
    assert score_data(model, (rows.X, rows.y, rows.classes), cache=tmp_path / "cache").rows == 30


def test_rows_with_one_class_only_have_a_score(model: Model) -> None:
    scored = score_rows(model, np.asarray(tiny_images(6).X)[::3], np.zeros(2, np.int64), "accuracy")
    assert 0.0 <= scored.score <= 1.0
