"""The same artifact as a checked copy and as one ONNX file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import version_converter

from automl.core.protocols import Exporter
from automl.data.folder import DataFolder
from automl.errors import ArtifactError
from automl.exporters.artifact import write_artifact
from automl.exporters.folder import EXPORTER as FOLDER
from automl.exporters.onnx import EXPORTER as ONNX
from automl.serving.model import Model
from automl.testing.tiny import linear_onnx, tiny_artifact, tiny_data, write_member


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("forms")
    tiny_artifact(root / "model", root / "cache")
    return root


@pytest.fixture(scope="module")
def data(root: Path) -> DataFolder:
    return tiny_data(root / "cache")


def scores(path: Path, X: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["probabilities"], {"images": np.asarray(X)})[0])


def test_a_copy_equals_its_original_file_by_file(root: Path, tmp_path: Path) -> None:
    exporter: Exporter = FOLDER

    files = exporter.export(root / "model", tmp_path / "copy")

    assert [(tmp_path / "copy" / p).read_bytes() for p in files] == [
        (root / "model" / p.relative_to(tmp_path / "copy")).read_bytes() for p in files
    ]
    assert Model.load(tmp_path / "copy").manifest.sha256 == Model.load(root / "model").manifest.sha256


def test_stray_files_are_not_copied(root: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(root / "model", tmp_path / "model"))
    (folder / "evil.pkl").write_bytes(b"x")

    FOLDER.export(folder, tmp_path / "copy")

    assert not (tmp_path / "copy" / "evil.pkl").exists()


@pytest.mark.parametrize("exporter", [FOLDER, ONNX], ids=["folder", "onnx"])
def test_a_folder_with_content_is_never_written_into(root: Path, tmp_path: Path, exporter: Exporter) -> None:
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")

    with pytest.raises(ArtifactError, match=r"a new or empty folder is needed. Got one with content"):
        exporter.export(root / "model", tmp_path)

    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("exporter", [FOLDER, ONNX], ids=["folder", "onnx"])
def test_an_empty_folder_is_a_fine_destination(root: Path, tmp_path: Path, exporter: Exporter) -> None:
    assert all(path.is_file() for path in exporter.export(root / "model", tmp_path))


@pytest.mark.parametrize("exporter", [FOLDER, ONNX], ids=["folder", "onnx"])
def test_a_changed_artifact_is_not_exported(root: Path, tmp_path: Path, exporter: Exporter) -> None:
    folder = Path(shutil.copytree(root / "model", tmp_path / "model"))
    (folder / "members" / "00.onnx").write_bytes(b"x")

    with pytest.raises(ArtifactError, match=r"SHA-256 does not match"):
        exporter.export(folder, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_one_onnx_file_scores_as_all_members_together(root: Path, data: DataFolder, tmp_path: Path) -> None:
    (path,) = ONNX.export(root / "model", tmp_path / "one")

    expected = Model.load(root / "model").predict_scores(data.X)
    assert np.abs(scores(path, data.X) - expected).max() < 1e-6


def test_one_onnx_file_takes_any_number_of_rows(root: Path, data: DataFolder, tmp_path: Path) -> None:
    (path,) = ONNX.export(root / "model", tmp_path / "one")

    assert [scores(path, data.X[:n]).shape for n in (1, 7)] == [(1, 3), (7, 3)]


def test_one_onnx_file_says_classes_and_input(root: Path, tmp_path: Path) -> None:
    (path,) = ONNX.export(root / "model", tmp_path / "one")

    facts = {p.key: json.loads(p.value) for p in onnx.load_model(path).metadata_props}
    assert facts["classes"] == ["bar", "dot", "ring"]
    assert (facts["task"], facts["input"]["height"]) == ("image-clf", 8)


def test_members_of_different_operator_versions_are_merged(data: DataFolder, tmp_path: Path) -> None:
    newer = version_converter.convert_version(onnx.load_model_from_string(linear_onnx((8, 8, 1), 3, seed=1)), 18)
    members = [
        write_member(tmp_path / "a", linear_onnx((8, 8, 1), 3), weight=0.5),
        write_member(tmp_path / "b", newer.SerializeToString(), weight=0.5, fold=1),
    ]
    write_artifact(tmp_path / "model", spec=data.spec, members=members, task="image-clf", metric="accuracy", scores={},
                   versions={}, run_name="")  # fmt: skip

    (path,) = ONNX.export(tmp_path / "model", tmp_path / "one")

    assert np.abs(scores(path, data.X) - Model.load(tmp_path / "model").predict_scores(data.X)).max() < 1e-6


def test_members_on_features_cannot_be_one_onnx_file(data: DataFolder, tmp_path: Path) -> None:
    features = {"kind": "pooled", "height": 4, "width": 4}
    member = write_member(tmp_path / "m", linear_onnx((16,), 3, inputs="features"), features=features)
    write_artifact(tmp_path / "model", spec=data.spec, members=[member], task="image-clf", metric="accuracy", scores={},
                   versions={}, run_name="")  # fmt: skip

    with pytest.raises(
        ArtifactError, match=r"only members that read pixels. Got features pooled. Export with --format"
    ):
        ONNX.export(tmp_path / "model", tmp_path / "one")


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_one_file_is_calibrated_by_the_temperature(data: DataFolder, root: Path, tmp_path: Path,
                                                   temperature: float) -> None:  # fmt: skip
    folder = ending(root, tmp_path, calibration={"kind": "temperature", "temperature": temperature})

    path = ONNX.export(folder, tmp_path / "out")[0]

    assert np.abs(scores(path, data.X) - Model.load(folder).predict_scores(data.X)).max() < 1e-5


def test_one_file_is_calibrated_by_an_isotonic_curve(root: Path, tmp_path: Path) -> None:
    tiny_artifact(tmp_path / "two", tmp_path / "cache", classes=2)
    curve = {"kind": "isotonic", "x": [0.1, 0.4, 0.5, 0.95], "y": [0.0, 0.0, 0.7, 1.0]}
    folder, X = ending(tmp_path, tmp_path, name="two", calibration=curve), tiny_data(root / "cache").X

    path = ONNX.export(folder, tmp_path / "out")[0]

    assert np.abs(scores(path, X) - Model.load(folder).predict_scores(X)).max() < 1e-5


def test_one_file_says_how_labels_are_decided(root: Path, tmp_path: Path) -> None:
    path = ONNX.export(ending(root, tmp_path, decision={"weights": [1.0, 2.0, 3.0]}), tmp_path / "out")[0]

    facts = {entry.key: json.loads(entry.value) for entry in onnx.load_model(path).metadata_props}
    assert facts["decision"] == {"weights": [1.0, 2.0, 3.0]}


def ending(root: Path, place: Path, *, name: str = "model", **facts: object) -> Path:
    """Return a copy of an artifact with another calibration or decision."""
    folder = Path(shutil.copytree(root / name, place / "ending"))
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **facts}), encoding="utf-8")
    return folder
