from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from automl.errors import ArtifactError, DataError
from automl.model import Model
from automl.testing.context import mixed_table
from automl.testing.tiny import tiny_artifact, tiny_images, write_image_folder, write_npz
from automl.testing.tiny_tables import table_columns, tiny_table_artifact, write_table_csv


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    place = tmp_path_factory.mktemp("model")
    return place / "model", tiny_artifact(place / "model", place / "cache")


@pytest.fixture
def model(made: tuple[Path, str]) -> Model:
    return Model(made[0])


@pytest.fixture
def copied(made: tuple[Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "copy"))


@pytest.fixture
def rows() -> np.ndarray:
    return np.asarray(tiny_images(12, seed=4).X)


def test_a_model_knows_its_classes_and_its_manifest(model: Model) -> None:
    assert model.classes == ("bar", "dot", "ring")
    assert (model.manifest.task, len(model.manifest.members)) == ("image-clf", 2)


def test_scores_are_probabilities(model: Model, rows: np.ndarray) -> None:
    scores = model.predict_proba(rows)
    assert (scores.shape, scores.dtype) == ((12, 3), np.float32)
    assert scores.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_label_is_that_of_the_highest_score(model: Model, rows: np.ndarray) -> None:
    best = model.predict_proba(rows).argmax(axis=1)
    assert model.predict(rows).tolist() == [model.classes[code] for code in best]


def test_predictions_hold_names_labels_and_scores(model: Model, rows: np.ndarray) -> None:
    made = model.predictions(rows)
    assert made.names == tuple(map(str, range(12)))
    assert (made.classes, len(made.labels), made.scores.shape) == (model.classes, 12, (12, 3))


@pytest.mark.parametrize(
    "change",
    [lambda X: X[..., 0], lambda X: X.tolist(), lambda X: np.asfortranarray(X), lambda X: X[::-1][::-1]],
    ids=["no channels", "lists", "other order", "strided"],
)
def test_rows_may_come_in_several_forms(model: Model, rows: np.ndarray, change: object) -> None:
    assert callable(change)
    assert np.array_equal(model.predict_proba(change(rows)), model.predict_proba(rows))


def test_rows_do_not_change_each_others_scores(model: Model, rows: np.ndarray) -> None:
    each = np.concatenate([model.predict_proba(rows[i : i + 1]) for i in range(len(rows))])
    assert each == pytest.approx(model.predict_proba(rows), abs=1e-6)


def test_no_rows_have_no_predictions(model: Model, rows: np.ndarray) -> None:
    assert model.predict(rows[:0]).shape == (0,)
    assert model.predict_proba(rows[:0]).shape == (0, 3)


def test_a_folder_is_predicted_by_file_names(model: Model, tmp_path: Path) -> None:
    folder = write_image_folder(tmp_path / "images", tiny_images(6))
    made = model.predictions(folder)
    assert sorted(Path(name).name for name in made.names) == [f"{row:04d}.png" for row in range(6)]


def test_a_file_of_arrays_gives_the_same_as_the_arrays(model: Model, tmp_path: Path) -> None:
    arrays = tiny_images(9, seed=2)
    file = write_npz(tmp_path / "my rows.npz", arrays)
    assert np.array_equal(model.predict_proba(file), model.predict_proba(np.asarray(arrays.X)))
    assert np.array_equal(model.predict_proba(str(file)), model.predict_proba(file))


def test_reading_gives_rows_as_the_training_saw_them(model: Model, tmp_path: Path) -> None:
    read = model.read(write_npz(tmp_path / "rows.npz", tiny_images(9)))
    assert (read.X.shape, read.X.dtype) == ((9, 8, 8, 1), np.uint8)


def test_scores_of_rows_as_read_are_those_of_the_file(model: Model, tmp_path: Path) -> None:
    file = write_npz(tmp_path / "rows.npz", tiny_images(9))
    assert np.array_equal(model.predict_scores(model.read(file).X), model.predict_proba(file))


@pytest.mark.parametrize(
    "rows", [np.zeros((2, 3)), np.zeros((2, 8, 8, 7), np.uint8), np.array(["a", "b"])], ids=["flat", "channels", "text"]
)
def test_rows_that_are_no_images_are_told(model: Model, rows: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"Got|got"):
        model.predict(rows)


def test_a_file_that_is_gone_is_told(model: Model) -> None:
    with pytest.raises(DataError, match=r"gone.npz"):
        model.predict("gone.npz")


# ---- loading


def test_a_model_is_pinned_by_the_hash_of_its_manifest(made: tuple[Path, str]) -> None:
    folder, sha256 = made
    assert Model(folder, expect_sha256=sha256).folder == folder
    with pytest.raises(ArtifactError, match="ffff"):
        Model(folder, expect_sha256="f" * 64)


@pytest.mark.parametrize("name", ["members/00.onnx", "runner.py", "serving/model.py", "requirements.txt"])
def test_an_altered_file_is_refused(copied: Path, name: str) -> None:
    (copied / name).write_bytes((copied / name).read_bytes() + b"\n")
    with pytest.raises(ArtifactError, match=name):
        Model(copied)


@pytest.mark.parametrize("name", ["members/01.onnx", "manifest.json"])
def test_a_missing_file_is_refused(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        Model(copied)


def test_a_manifest_that_is_none_is_refused(copied: Path) -> None:
    (copied / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"manifest.json"):
        Model(copied)


def test_a_manifest_of_a_later_version_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_bytes())
    (copied / "manifest.json").write_text(json.dumps({**manifest, "schema": 99}), encoding="utf-8")
    with pytest.raises(ArtifactError, match="99"):
        Model(copied)


def test_a_member_outside_of_the_folder_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_bytes())
    manifest["members"][0]["file"] = "../secret.onnx"
    (copied / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"\.\./secret.onnx"):
        Model(copied)


def test_the_code_in_an_artifact_is_never_run(copied: Path, tmp_path: Path) -> None:
    (copied / "serving" / "sitecustomize.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    Model(copied)
    assert not (tmp_path / "ran").exists()


def test_weights_are_those_of_the_manifest(model: Model, rows: np.ndarray) -> None:
    assert sum(member.weight for member in model.manifest.members) == pytest.approx(1.0)
    assert [member.weight for member in model.manifest.members] == [0.25, 0.75]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Model:
    place = tmp_path_factory.mktemp("numbers")
    tiny_table_artifact(place / "model", place / "m", classes=0)
    return Model(place / "model")


@pytest.mark.parametrize("form", ["frame", "columns", "rows", "file"])
def test_numbers_are_predicted_from_tables_of_every_form(numbers: Model, form: str, tmp_path: Path) -> None:
    import pandas as pd

    data = mixed_table(20, classes=0)
    frame = pd.DataFrame(table_columns(data))
    forms = {"frame": frame, "columns": table_columns(data), "rows": frame.to_dict("records"),
             "file": write_table_csv(tmp_path / "t.csv", table_columns(data))}  # fmt: skip
    found = numbers.predict(forms[form])
    assert (found.dtype, found.shape) == (np.float32, (20,))
    assert found.tolist() == numbers.predict_scores(data.X).tolist()


def test_numbers_have_no_probabilities(numbers: Model) -> None:
    with pytest.raises(DataError, match=r"only classes have probabilities. Got a model for tabular-reg. Use predict."):
        numbers.predict_proba(table_columns(mixed_table(3)))


def test_predictions_of_numbers_are_their_own_labels(numbers: Model) -> None:
    made = numbers.predictions(table_columns(mixed_table(3)))
    assert (made.classes, made.labels) == ((), made.scores.tolist())


def test_a_column_that_is_missing_is_named(numbers: Model) -> None:
    columns = table_columns(mixed_table(3))
    del columns["day"]
    with pytest.raises(DataError, match=r"1 of the columns of the training data are missing: 'day'"):
        numbers.predict(columns)


def test_labels_follow_the_decision_of_the_artifact(tmp_path: Path) -> None:
    tiny_table_artifact(tmp_path / "model", tmp_path / "m", decision={"weights": [1e9, 1.0, 1.0]})
    assert set(Model(tmp_path / "model").predict(table_columns(mixed_table(9)))) == {"class 0"}
