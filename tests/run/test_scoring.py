from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.core.metrics import metric
from automl.errors import DataError, UserError
from automl.model import Model
from automl.run.scoring import score_data, score_rows
from automl.serving.calibration import calibrate, decided
from automl.testing.context import mixed_table
from automl.testing.tiny import tiny_artifact, tiny_images, write_npz
from automl.testing.tiny_tables import table_columns, tiny_table_artifact, write_table_csv


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


# ---- tables: calibration, decision, numbers

CALIBRATION = {"kind": "temperature", "temperature": 3.0}
DECISION = {"weights": [1.0, 9.0, 0.2]}


def table_model(place: Path, classes: int = 3, **facts: object) -> Model:
    tiny_table_artifact(place / "table", place / "members", classes=classes, **facts)
    return Model(place / "table")


def test_metrics_of_probabilities_see_them_calibrated_and_those_of_labels_decided(tmp_path: Path) -> None:
    data = mixed_table(200)
    raw = table_model(tmp_path / "raw").predict_scores(data.X)
    found = score_rows(table_model(tmp_path, calibration=CALIBRATION, decision=DECISION), data.X, data.y, "log_loss")
    calibrated = calibrate(raw, CALIBRATION)
    assert found.score == pytest.approx(metric("log_loss").score(data.y, calibrated), abs=1e-5)
    assert found.metrics["macro_f1"] == pytest.approx(metric("macro_f1").score(data.y, decided(calibrated, DECISION)))


def test_the_interval_of_a_metric_of_labels_is_that_of_the_decided_ones(tmp_path: Path) -> None:
    data = mixed_table(200)
    model = table_model(tmp_path, decision={"weights": [1e-6, 1e-6, 1.0]})
    found = score_rows(model, data.X, data.y, "accuracy")
    assert found.score == pytest.approx(np.mean(data.y == 2))
    assert found.low < found.score < found.high


def test_metrics_that_the_classes_do_not_define_are_left_out(tmp_path: Path) -> None:
    three, two = mixed_table(60), mixed_table(60, classes=2)
    assert "f1" not in score_rows(table_model(tmp_path), three.X, three.y, "accuracy").metrics
    found = score_rows(table_model(tmp_path / "two", classes=2), two.X, np.asarray(two.y) % 2, "accuracy")
    assert "f1" in found.metrics


def test_numbers_are_scored_in_their_own_unit(tmp_path: Path) -> None:
    data, model = mixed_table(200, classes=0), table_model(tmp_path, classes=0)
    found = score_rows(model, data.X, data.y, "rmse")
    assert found.score == pytest.approx(float(np.sqrt(np.mean((model.predict_scores(data.X) - data.y) ** 2))), rel=1e-6)
    assert found.low < found.score < found.high


def test_the_rmsle_of_numbers_below_minus_one_is_left_out(tmp_path: Path) -> None:
    data, model = mixed_table(200, classes=0), table_model(tmp_path, classes=0)
    assert set(score_rows(model, data.X, data.y - 100, "mae").metrics) == {"rmse", "mae", "r2"}


def test_a_file_of_a_table_is_scored(tmp_path: Path) -> None:
    data, model = mixed_table(50, classes=0), table_model(tmp_path, classes=0)
    file = write_table_csv(tmp_path / "data.csv", {**table_columns(data), "answer": data.y.tolist()})
    found = score_data(model, file, cache=tmp_path / "cache")
    assert (found.metric, found.rows) == ("rmse", 50)
    assert found.score == pytest.approx(score_rows(model, data.X, data.y, "rmse").score, rel=0.05)
