"""An artifact is proved in a fresh process, and foreign code is never run for that."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from automl.data.folder import DataFolder
from automl.errors import ArtifactError
from automl.exporters.verify import check_artifact, verify_artifact, verify_self
from automl.serving.model import Model
from automl.testing.tiny import tiny_artifact, tiny_data


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("verify")
    tiny_artifact(root / "model", root / "cache")
    return root


@pytest.fixture(scope="module")
def data(root: Path) -> DataFolder:
    return tiny_data(root / "cache")


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(root / "model", tmp_path / "model"))


def rewrite(folder: Path, name: str, data: bytes) -> None:
    """Change a file and put the right hash into the manifest, as an attacker would."""
    (folder / name).write_bytes(data)
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    facts["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")


def test_a_fresh_process_scores_as_this_one(root: Path, data: DataFolder) -> None:
    expected = Model.load(root / "model").predict_scores(data.X)

    report = verify_artifact(root / "model", data.X, expected)

    assert report.rows == 60
    assert report.max_difference <= 1e-6


def test_an_artifact_verifies_itself_on_made_up_rows(root: Path) -> None:
    assert verify_self(root / "model", rows=8).rows == 8


def test_other_scores_than_expected_are_refused(root: Path, data: DataFolder) -> None:
    expected = Model.load(root / "model").predict_scores(data.X[:4]) + np.float32(1e-3)

    with pytest.raises(ArtifactError, match=r"must equal the expected to 1e-05. Got .* difference 0.00[01]"):
        verify_artifact(root / "model", data.X[:4], expected)


def test_scores_of_another_shape_are_refused(root: Path, data: DataFolder) -> None:
    with pytest.raises(ArtifactError, match=r"Got shape \(4, 3\) for \(4, 2\)"):
        verify_artifact(root / "model", data.X[:4], np.zeros((4, 2), np.float32))


@pytest.mark.parametrize("name", ["serving/model.py", "serving/__init__.py", "runner.py"])
def test_code_that_differs_from_this_installations_is_not_run(copy: Path, data: DataFolder, name: str) -> None:
    rewrite(copy, name, (copy / name).read_bytes() + b"\nopen('PWNED', 'w')\n")

    with pytest.raises(ArtifactError, match=r"its code is not run, as it differs .* Got \['"):
        verify_artifact(copy, data.X[:1], np.zeros((1, 3), np.float32))

    assert not list(copy.parent.rglob("PWNED"))


@pytest.mark.parametrize("name", ["numpy.py", "serving/evil.py", "onnxruntime/__init__.py"])
def test_code_beside_the_listed_files_is_not_run(copy: Path, data: DataFolder, name: str) -> None:
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_bytes(b"open('PWNED', 'w')\n")

    with pytest.raises(ArtifactError, match=f"its code is not run.* Got .'{name}'"):
        verify_artifact(copy, data.X[:1], np.zeros((1, 3), np.float32))


def test_a_member_with_foreign_operators_is_refused_without_running_it(copy: Path) -> None:
    import onnx

    model = onnx.load_model(copy / "members" / "00.onnx")
    model.graph.node[0].domain = "evil"
    model.opset_import.add(domain="evil", version=1)
    rewrite(copy, "members/00.onnx", model.SerializeToString())

    with pytest.raises(ArtifactError, match=r"members/00.onnx: operators must be of ai.onnx"):
        check_artifact(copy)


def test_a_changed_file_is_refused_as_an_artifact_error(copy: Path) -> None:
    (copy / "model_card.md").write_text("the best", encoding="utf-8")

    with pytest.raises(ArtifactError, match=r"model_card.md: SHA-256 does not match"):
        check_artifact(copy)


def test_a_pinned_hash_is_passed_on(copy: Path) -> None:
    with pytest.raises(ArtifactError, match=r"SHA-256 must be 00. Got"):
        check_artifact(copy, expect_sha256="00")
