"""A manifest from a stranger is checked before anything it names is opened."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.serving.errors import ModelError
from automl.serving.manifest import Manifest, read_manifest
from automl.serving.model import Model
from automl.testing.tiny import tiny_artifact

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("artifact")
    tiny_artifact(root / "model", root / "cache")
    return root / "model"


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "model"))


def change(folder: Path, how: Callable[[Facts], object]) -> None:
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    how(facts)
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")


def rename(facts: Facts, name: str) -> None:
    """Let the first member's file go by another name, with the right hash."""
    facts["files"][name] = facts["files"].pop("members/00.onnx")
    facts["members"][0]["file"] = name


def test_a_good_manifest_is_read(folder: Path) -> None:
    manifest = read_manifest(folder)

    assert isinstance(manifest, Manifest)
    assert (manifest.task, manifest.classes) == ("image-clf", ("bar", "dot", "ring"))
    assert [m.weight for m in manifest.members] == [0.25, 0.75]
    assert manifest.sha256 == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "name",
    [
        "../outside.onnx",
        "/etc/passwd.onnx",
        "members/../../x.onnx",
        "a\\..\\x.onnx",
        "c:x.onnx",
        "./members/00.onnx",
        "a//b.onnx",
    ],
)
def test_files_outside_of_the_folder_are_refused(folder: Path, name: str) -> None:
    change(folder, lambda facts: rename(facts, name))

    with pytest.raises(ModelError, match=r"manifest.json: files must lie inside the model folder. Got .*leads outside"):
        read_manifest(folder)


@pytest.mark.parametrize("name", ["model.pkl", "weights.pt", "a.joblib", "lib.so", "members/00.onnx.data", "x"])
def test_kinds_of_files_that_could_hold_pickles_are_refused(folder: Path, name: str) -> None:
    change(folder, lambda facts: rename(facts, name))

    with pytest.raises(ModelError, match=r"a model folder holds only .json, .md, .onnx, .py, .txt. Got"):
        read_manifest(folder)


def _replace(key: str, value: object) -> Callable[[Facts], object]:
    return lambda facts: facts.__setitem__(key, value)


def _member(key: str, value: object) -> Callable[[Facts], object]:
    return lambda facts: facts["members"][0].__setitem__(key, value)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (_replace("schema", 99), "schema must be 1. Got '99'. Update the tool"),
        (_replace("schema", None), "schema must be 1. Got 'None'"),
        (_replace("files", {}), "files must have 1 to 10000 entries. Got '0'"),
        (_replace("files", []), "files must be dict"),
        (_replace("members", []), "members weights must sum to 1. Got '0.0'"),
        (_replace("members", ["x"]), "members must be objects. Got 'x'"),
        (_replace("classes", ["a", "a"]), "classes must be different texts"),
        (_replace("classes", [1, 2]), "classes must be different texts"),
        (_replace("task", None), "task must be str"),
        (_member("weight", -0.25), r"members.members/00.onnx.weight must be in \(0, 1\]"),
        (_member("weight", float("nan")), r"weight must be in \(0, 1\]"),
        (_member("weight", 0.5), "members weights must sum to 1. Got '1.25'"),
        (_member("file", "members/07.onnx"), "must be .onnx files that are listed in files. Got 'members/07.onnx'"),
        (_member("file", "runner.py"), "must be .onnx files that are listed"),
        (_member("output_kind", "logits"), "output_kind must be probabilities or values. Got 'logits'"),
        (_member("features", "pixels"), "features must be dict"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_malformed_manifest_is_refused_with_key_and_value(
    folder: Path, how: Callable[[Facts], object], message: str
) -> None:
    change(folder, how)

    with pytest.raises(ModelError, match=f"manifest.json: .*{message}"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "JSON is needed"), (b"[1]", "a JSON object is needed. Got list"), (b"[" * 100_000, "JSON is needed")],
    ids=["empty", "list", "nested"],
)
def test_what_is_no_json_object_is_refused(folder: Path, data: bytes, message: str) -> None:
    (folder / "manifest.json").write_bytes(data)

    with pytest.raises(ModelError, match=message):
        read_manifest(folder)


@pytest.mark.parametrize("name", ["members/00.onnx", "runner.py", "serving/model.py", "model_card.md"])
def test_one_changed_byte_in_any_file_is_refused(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)

    with pytest.raises(ModelError, match=f"{name}: SHA-256 does not match the manifest, the file was changed"):
        Model.load(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "members" / "01.onnx").unlink()

    with pytest.raises(ModelError, match=r"members/01.onnx: cannot be read .No such file"):
        Model.load(folder)


def test_a_link_in_the_folder_is_refused_even_with_the_right_content(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "members", tmp_path / "elsewhere")
    (folder / "members").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ModelError, match=r"links could lead outside the model folder. Got a link 'members'"):
        Model.load(folder)


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "artifact").symlink_to(folder)

    assert read_manifest(tmp_path / "artifact").folder == folder.resolve()


def test_a_pinned_manifest_is_accepted_and_another_one_refused(folder: Path) -> None:
    sha256 = read_manifest(folder).sha256

    assert read_manifest(folder, expect_sha256=sha256.upper()).sha256 == sha256
    with pytest.raises(ModelError, match=f"SHA-256 must be {'0' * 64}. Got {sha256}"):
        read_manifest(folder, expect_sha256="0" * 64)


def test_a_pickle_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04cos\nsystem\n.")

    with pytest.raises(ModelError, match=r"model.pkl: a model is a folder with manifest.json; other files are not"):
        Model.load(tmp_path / "model.pkl")


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a model is a folder with manifest.json. Got none there"):
        Model.load(tmp_path)


def test_unlisted_names_are_not_read(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"every file must be listed. Got no entry for 'secret.txt'"):
        read_manifest(folder).read("secret.txt")
