"""An artifact is written whole, says what it is, and holds nothing that could run on reading."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.core.protocols import ExportMember
from automl.data.folder import DataFolder
from automl.errors import ArtifactError, MachineError
from automl.exporters.artifact import publish, serving_files, swap, write_artifact
from automl.exporters.card import model_card
from automl.serving.model import Model
from automl.testing.tiny import linear_onnx, tiny_artifact, tiny_data, write_member


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("artifact")
    tiny_artifact(root / "model", root / "cache")
    return root


@pytest.fixture(scope="module")
def data(root: Path) -> DataFolder:
    return tiny_data(root / "cache")


@pytest.fixture(scope="module")
def facts(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "model" / "manifest.json").read_text(encoding="utf-8")))


def write(destination: Path, data: DataFolder, members: list[ExportMember]) -> str:
    return write_artifact(destination, spec=data.spec, members=members, task="image-clf", metric="accuracy", scores={},
                          versions={}, run_name="")  # fmt: skip


def test_the_folder_holds_only_what_the_design_says(root: Path) -> None:
    names = {p.relative_to(root / "model").as_posix() for p in (root / "model").rglob("*") if p.is_file()}

    expected = {"manifest.json", "members/00.onnx", "members/01.onnx", "model_card.md", "requirements.txt"}
    assert names == expected | set(serving_files())
    assert {Path(name).suffix for name in names} == {".json", ".onnx", ".md", ".txt", ".py"}


def test_every_file_is_in_the_manifest_with_its_hash(root: Path, facts: dict[str, Any]) -> None:
    there = {p.relative_to(root / "model").as_posix(): p for p in (root / "model").rglob("*") if p.is_file()}
    del there["manifest.json"]

    assert {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in there.items()} == {
        name: entry["sha256"] for name, entry in facts["files"].items()
    }


def test_the_returned_hash_is_that_of_the_manifest(root: Path, tmp_path: Path) -> None:
    sha256 = tiny_artifact(tmp_path / "again", root / "cache")

    assert sha256 == hashlib.sha256((tmp_path / "again" / "manifest.json").read_bytes()).hexdigest()
    assert Model.load(tmp_path / "again", expect_sha256=sha256).manifest.sha256 == sha256


def test_the_same_content_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    assert tiny_artifact(tmp_path / "a", root / "cache") == tiny_artifact(tmp_path / "b", root / "cache")


def test_the_manifest_says_what_the_model_is(facts: dict[str, Any], data: DataFolder) -> None:
    assert (facts["schema"], facts["task"], facts["metric"], facts["run"]) == (1, "image-clf", "accuracy", "tiny")
    assert facts["classes"] == ["bar", "dot", "ring"]
    assert facts["input"] == data.spec.input
    assert facts["data"]["fingerprint"] == data.spec.fingerprint
    assert (facts["scores"]["cv"], facts["versions"], facts["licences"]["onnxruntime"]) == (0.9, {"automl": "0"}, "MIT")


def test_the_code_inside_is_this_installations_and_imports_only_the_runtime(root: Path) -> None:
    for_type_checkers = {"_typeshed"}
    allowed = {"numpy", "PIL", "onnxruntime"} | for_type_checkers | set(sys.stdlib_module_names)

    for name, source in serving_files().items():
        assert (root / "model" / name).read_bytes() == source
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert str(node.module).split(".")[0] in allowed


def test_no_code_inside_unpickles() -> None:
    for name, source in serving_files().items():
        assert b"import pickle" not in source, name
        assert b"allow_pickle=True" not in source, name
        assert re.findall(rb"np\.load\((?!.*allow_pickle=False)", source) == [], name


def test_requirements_are_the_runtime_alone(root: Path) -> None:
    lines = (root / "model" / "requirements.txt").read_text(encoding="utf-8").splitlines()

    assert [line.split(">=")[0] for line in lines] == ["numpy", "onnxruntime", "pillow"]
    assert all("<" in line for line in lines)


def test_the_card_tells_scores_members_and_limits(facts: dict[str, Any]) -> None:
    card = model_card(facts)

    for text in (
        "# tiny: image-clf",
        "| cv | 0.9000 |",
        "| low | 0.8500 |",
        "| bar | 20 |",
        "members/01.onnx",
        "0.7500",
    ):
        assert text in card
    for heading in ("## Use", "## Data", "## Scores", "## Members", "## Limits", "## Safety"):
        assert heading in card


def test_the_card_says_so_when_there_are_no_scores(facts: dict[str, Any]) -> None:
    assert "None are recorded" in model_card({**facts, "scores": {}})


def test_a_class_name_cannot_break_the_card(facts: dict[str, Any]) -> None:
    card = model_card({**facts, "classes": ["a|b", "<script>", "x\n# y"]})

    assert "| a\\|b | 20 |" in card
    assert "<script>" not in card
    assert "\n# y" not in card


def test_an_artifact_that_exists_is_never_written_over(root: Path, data: DataFolder) -> None:
    with pytest.raises(ArtifactError, match=r"model: an artifact is written to a new folder. Got one that exists"):
        write(root / "model", data, [])


def test_an_artifact_without_members_is_refused(data: DataFolder, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"an artifact needs members. Got 0"):
        write(tmp_path / "model", data, [])


def test_a_member_that_is_no_onnx_leaves_nothing_behind(data: DataFolder, tmp_path: Path) -> None:
    members = [write_member(tmp_path / "m", linear_onnx((8, 8, 1), 3)), write_member(tmp_path / "n", b"\x80\x04.")]

    with pytest.raises(ArtifactError, match=r"n/model.onnx: a valid ONNX file is needed"):
        write(tmp_path / "out" / "model", data, members)

    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_the_machines_fault(data: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(MachineError, match=r"file/model: cannot be written"):
        write(tmp_path / "file" / "model", data, [write_member(tmp_path / "m", linear_onnx((8, 8, 1), 3))])


def test_publishing_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"out: cannot be written"):
        publish({"a.txt": b"x", "a.txt/b.txt": b"x"}, tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


def test_an_artifact_can_be_read_by_whom_the_users_files_can(root: Path, tmp_path: Path) -> None:
    (tmp_path / "usual").mkdir()

    assert (root / "model").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_swapping_replaces_the_link_in_one_step(tmp_path: Path) -> None:
    for number in ("0001", "0002"):
        (tmp_path / "artifacts" / number).mkdir(parents=True)
        swap(tmp_path / "artifact", tmp_path / "artifacts" / number)

    assert (tmp_path / "artifact").readlink() == Path("artifacts/0002")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["artifact", "artifacts"]


def test_swapped_links_survive_a_move_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "run" / "artifacts" / "0001").mkdir(parents=True)
    swap(tmp_path / "run" / "artifact", tmp_path / "run" / "artifacts" / "0001")

    os.rename(tmp_path / "run", tmp_path / "moved")  # noqa: PTH104

    assert (tmp_path / "moved" / "artifact").resolve() == tmp_path / "moved" / "artifacts" / "0001"


def test_a_folder_is_never_swapped_away(tmp_path: Path) -> None:
    (tmp_path / "artifact").mkdir()

    with pytest.raises(MachineError, match=r"artifact: must be a link. Got a file or folder"):
        swap(tmp_path / "artifact", tmp_path)
