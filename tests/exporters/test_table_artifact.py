"""An artifact of tables says what it reads, needs no Pillow, is proved in a fresh process, and is served by MLflow."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.core.protocols import ExportMember
from automl.errors import ArtifactError
from automl.exporters.artifact import write_artifact
from automl.exporters.folder import FolderExporter
from automl.exporters.onnx import OnnxExporter
from automl.exporters.pyfunc import pyfunc_files
from automl.exporters.verify import check_artifact, difference, verify_artifact, verify_self
from automl.model import Model
from automl.testing.context import mixed_table
from automl.testing.tiny_tables import PLAN, table_columns, tiny_table_artifact, write_table_member

WARM = {"kind": "temperature", "temperature": 1.5}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("artifacts")
    tiny_table_artifact(root / "classes", root / "c", classes=2, calibration=WARM, deploy="bag",
                        decision={"weights": [1.0, 3.0]})  # fmt: skip
    tiny_table_artifact(root / "numbers", root / "n", classes=0)
    return root


@pytest.fixture(scope="module")
def facts(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "classes" / "manifest.json").read_text(encoding="utf-8"))
    return found


def card(root: Path, name: str) -> str:
    return (root / name / "model_card.md").read_text(encoding="utf-8")


def test_the_manifest_says_how_scores_become_answers(facts: dict[str, Any]) -> None:
    assert (facts["calibration"], facts["decision"], facts["deploy"]) == (WARM, {"weights": [1.0, 3.0]}, "bag")
    assert (facts["target"], facts["task"], facts["data"]["split"]) == ("answer", "tabular-clf", "stratified")


def test_without_calibration_and_decision_both_are_empty(root: Path) -> None:
    manifest = check_artifact(root / "numbers")
    assert (manifest.calibration, manifest.decision, manifest.classes) == ({}, {}, ())


def test_an_encoder_that_all_members_share_is_kept_once(facts: dict[str, Any]) -> None:
    assert [name for name in facts["files"] if name.startswith("members/")] == [
        "members/00.json", "members/00.onnx", "members/01.onnx",
    ]  # fmt: skip


def test_encoders_that_differ_are_kept_each(tmp_path: Path) -> None:
    other = {**PLAN, "names": ["a", "b", "c", "d"]}
    members = [write_table_member(tmp_path / f"m{fold}", plan, classes=3, fold=fold, weight=0.5)
               for fold, plan in enumerate((PLAN, other))]  # fmt: skip
    write_artifact(tmp_path / "a", spec=mixed_table(60).spec, members=members, task="tabular-clf", metric="log_loss",
                   scores={}, versions={}, run_name="")  # fmt: skip
    entries = check_artifact(tmp_path / "a").facts["members"]
    assert [entry["features"]["encoder"] for entry in entries] == ["members/00.json", "members/01.json"]


def test_nothing_of_pillow_is_asked_for(root: Path, facts: dict[str, Any]) -> None:
    requirements = (root / "classes" / "requirements.txt").read_text(encoding="utf-8")
    assert [line.partition(">")[0] for line in requirements.splitlines()] == ["numpy", "onnxruntime"]
    assert sorted(facts["licences"]) == ["numpy", "onnxruntime", "serving"]


@pytest.mark.parametrize("name", ["classes", "numbers"])
def test_a_table_artifact_verifies_itself_on_made_up_rows(root: Path, name: str) -> None:
    assert verify_self(root / name, rows=40).rows == 40


@pytest.mark.parametrize("name", ["classes", "numbers"])
def test_rows_of_tables_reach_the_fresh_process_as_they_are(root: Path, name: str) -> None:
    X = mixed_table(30, classes=2).X
    expected = Model(root / name).predict_scores(X)
    assert verify_artifact(root / name, X, expected).max_difference == 0.0


def test_values_are_compared_relative_to_their_size(root: Path) -> None:
    X = mixed_table(30).X
    expected = Model(root / "numbers").predict_scores(X)
    assert verify_artifact(root / "numbers", X, expected * np.float32(1 + 2e-6)).max_difference > 0
    with pytest.raises(ArtifactError, match=r"must equal the expected to 1e-05. Got shape \(30,\) for \(30,\)"):
        verify_artifact(root / "numbers", X, expected * np.float32(1.001))


@pytest.mark.parametrize(
    ("found", "expected", "apart"),
    [([0.5], [0.4], 0.1), ([1001.0], [1000.0], 0.001), ([-3.0], [-2.0], 0.5), ([], [], 0.0)],
    ids=["probability", "large", "negative", "none"],
)
def test_differences_are_relative_above_one(found: list[float], expected: list[float], apart: float) -> None:
    assert difference(np.array(found), np.array(expected)) == pytest.approx(apart)


def test_a_difference_from_nothing_known_is_not_small() -> None:
    assert not difference(np.array([np.nan]), np.array([1.0])) <= 1.0


def test_one_onnx_file_of_tables_is_refused_with_what_to_do(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"only models of images.* Got 'table'. Use --format folder"):
        OnnxExporter().export(root / "classes", tmp_path / "out")


def test_a_copied_folder_predicts_alike(root: Path, tmp_path: Path) -> None:
    FolderExporter().export(root / "numbers", tmp_path / "copy")
    X = mixed_table(5).X
    assert Model(tmp_path / "copy").predict_scores(X).tolist() == Model(root / "numbers").predict_scores(X).tolist()


def test_an_altered_encoder_is_refused_as_an_artifact_error(root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root / "classes", tmp_path / "copy"))
    (copy / "members" / "00.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"00.json: SHA-256 does not match"):
        check_artifact(copy)


def test_the_card_lists_the_columns_and_what_labels_mean(root: Path) -> None:
    text = card(root, "classes")
    assert "| colour | category: red, green, blue, violet |" in text
    assert "CSV, TSV or JSONL" in text
    assert "calibrated by temperature 1.5" in text
    assert "The label is class 1 from a probability of 0.250 on" in text


def test_the_card_of_numbers_speaks_of_no_classes(root: Path) -> None:
    text = card(root, "numbers")
    assert "It predicts `answer`" in text
    assert "python runner.py DATA -o predictions.csv\n" in text
    assert "class" not in text.replace("tabular", "")


def test_names_of_columns_cannot_break_the_card(tmp_path: Path) -> None:
    spec = mixed_table(60).spec
    spec.input["columns"][0]["name"] = "a|b<script>\n# x"
    member: ExportMember = write_table_member(tmp_path / "m", PLAN, classes=3)
    write_artifact(tmp_path / "a", spec=spec, members=[member], task="tabular-clf", metric="log_loss", scores={},
                   versions={}, run_name="")  # fmt: skip
    assert "| a\\|b&lt;script> # x | number |" in card(tmp_path, "a")


@pytest.fixture(scope="module")
def served(root: Path) -> Any:
    import mlflow

    def _load(name: str) -> Any:
        files = pyfunc_files(root / name)
        mlflow.pyfunc.save_model(root / f"mlflow-{name}", python_model=str(files.python_model),
                                 artifacts=files.artifacts, pip_requirements=files.pip_requirements)  # fmt: skip
        return mlflow.pyfunc.load_model(str(root / f"mlflow-{name}"))

    return _load


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::mlflow")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["classes", "numbers"])
def test_mlflow_predicts_a_data_frame_as_the_artifact_does(root: Path, served: Any, name: str) -> None:
    import pandas as pd

    frame = pd.DataFrame(table_columns(mixed_table(20, classes=2)))
    answer, model = served(name).predict(frame), Model(root / name)
    assert answer["prediction"].tolist() == [*model.predictions(frame).labels]
    scores = model.predictions(frame).scores
    assert answer.iloc[:, 1:].to_numpy().tolist() == (scores.tolist() if name == "classes" else [[]] * 20)
