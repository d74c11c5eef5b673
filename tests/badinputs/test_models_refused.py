"""Model folders altered in every way, handed to `automl predict`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Command


Facts = dict[str, Any]
MEMBER = "members/00.onnx"


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "model"))


@pytest.fixture
def predict(refused: Command, rows: Path, copied: Path) -> Callable[[], str]:
    """Return what gives the line of the refusal to predict with the copied model."""
    return lambda: refused("predict", copied, rows, "-o", "out.csv").lines[0]


def edit(folder: Path, how: Callable[[Facts], object]) -> None:
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    how(facts)
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")


def replace(folder: Path, old: str, new: str) -> None:
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    assert old in text
    (folder / "manifest.json").write_text(text.replace(old, new, 1), encoding="utf-8")


def put(folder: Path, data: bytes) -> None:
    """Put another first member in, with the right hash."""
    (folder / MEMBER).write_bytes(data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    edit(folder, lambda facts: facts["files"].update({MEMBER: entry}))


def listed(name: str) -> Callable[[Facts], object]:
    return lambda facts: facts["files"].update({name: {"sha256": "0" * 64, "bytes": 1}})


EDITS: dict[str, tuple[Callable[[Facts], object], str]] = {
    "schema-true": (lambda f: f.update(schema=True), "schema must be 1"),
    "schema-float": (lambda f: f.update(schema=1.0), "schema must be 1"),
    "schema-2": (lambda f: f.update(schema=2), "Update the tool"),
    "weights-too-large": (lambda f: f["members"][0].update(weight=0.9), "weights must sum to 1"),
    "weight-nan": (lambda f: f["members"][0].update(weight=float("nan")), "weight must be in (0, 1]"),
    "weight-negative": (lambda f: f["members"][0].update(weight=-0.25), "weight must be in (0, 1]"),
    "weight-infinite": (lambda f: f["members"][0].update(weight=float("inf")), "weight must be in (0, 1]"),
    "weight-beyond-floats": (lambda f: f["members"][0].update(weight=10**400), "weight must be in (0, 1]"),
    "weight-text": (lambda f: f["members"][0].update(weight="0.25"), "weight must be float"),
    "weight-true": (lambda f: f["members"][0].update(weight=True), "weight must be float"),
    "no-members": (lambda f: f.update(members=[]), "weights must sum to 1"),
    "many-members": (lambda f: f.update(members=[{**f["members"][0], "weight": 1 / 5000}] * 5000), "at most 1000"),
    "member-list": (lambda f: f["members"].__setitem__(0, []), "members must be objects"),
    "wrong-input": (lambda f: f["members"][0].update(input="nope"), "input 'nope'"),
    "wrong-output": (lambda f: f["members"][0].update(output="nope"), "output 'nope'"),
    "features-list": (lambda f: f["members"][0].update(features={"kind": ["pixels"]}), "features.kind"),
    "features-huge": (lambda f: f["members"][0].update(features={"kind": "pooled", "height": 10**9, "width": 1}),
                      "features.height"),
    "pickle-in-the-list": (listed("model.pkl"), "holds only"),
    "absolute": (listed("/etc/passwd.json"), "leads outside"),
    "upwards": (listed("../x.json"), "leads outside"),
    "no-name": (listed(""), "leads outside"),
    "name-too-long": (listed("x" * 300 + ".json"), "cannot be read"),
    "path-too-long": (listed("x/" * 3000 + "x.json"), "cannot be read"),
    "name-half-a-surrogate": (listed("\ud800.json"), "texts must be UTF-8"),
    "missing-file": (listed("more.json"), "cannot be read"),
    "size-negative": (lambda f: f["files"]["runner.py"].update(bytes=-1), "needs a SHA-256"),
    "size-huge": (lambda f: f["files"]["runner.py"].update(bytes=10**300), "needs a SHA-256"),
    "member-unlisted": (lambda f: f["files"].pop(MEMBER), "listed in files"),
    "classes-twice": (lambda f: f.update(classes=["a", "a", "b"]), "classes must be different"),
    "classes-half-a-surrogate": (lambda f: f.update(classes=["\ud800", "b", "c"]), "texts must be UTF-8"),
    "classes-none": (lambda f: f.update(classes=[]), "output_kind must be values for 0 classes"),
    "classes-one-more": (lambda f: f.update(classes=list("abcd")), "of shape (6, 4)"),
    "kind-list": (lambda f: f["input"].update(kind=["image"]), "input kinds known here"),
    "kind-object": (lambda f: f["input"].update(kind={"a": 1}), "input kinds known here"),
    "kind-text": (lambda f: f["input"].update(kind="text"), "input kinds known here: image, table, series. Got 'text'"),
    "height-huge": (lambda f: f["input"].update(height=10**9), "height must be a whole number in [1, 4096]"),
    "height-true": (lambda f: f["input"].update(height=True), "height must be a whole number"),
    "channels-2": (lambda f: f["input"].update(channels=2), "channels must be 1 or 3"),
    "resize-list": (lambda f: f["input"].update(resize=["crop"]), "resize must be one of"),
    "white-nan": (lambda f: f["input"].update(value_max=float("nan")), "value_max must be a number"),
    "white-huge": (lambda f: f["input"].update(value_max=10**400), "value_max must be a number"),
}  # fmt: skip


@pytest.mark.parametrize(("how", "message"), EDITS.values(), ids=EDITS)
def test_an_altered_manifest(
    how: Callable[[Facts], object], message: str, copied: Path, predict: Callable[[], str]
) -> None:
    edit(copied, how)

    assert message in predict()


@pytest.mark.parametrize("depth", [60, 500, 900, 960, 975, 985, 2000])
@pytest.mark.parametrize("place", ['"classes": [', '"features": {', '"schema"'], ids=["classes", "features", "top"])
def test_deep_nesting(place: str, depth: int, copied: Path, predict: Callable[[], str]) -> None:
    deep = "[" * depth + "]" * depth
    replace(copied, place, {'"schema"': f'"x": {deep}, "schema"'}.get(place, f'{place}{deep}, ')
            if place != '"features": {' else f'{place}"x": {deep}, ')  # fmt: skip

    line = predict()

    assert "nested at most 50 deep" in line or "JSON is needed" in line


BYTES = {
    "empty": b"",
    "list": b"[]",
    "number": b"1",
    "text": b"hello",
    "pickle": b"\x80\x04cos\nsystem\n.",
    "cut": b'{"schema": 1',
    "no-utf8": b'{"schema": "\xff"}',
    "digits": b'{"schema": ' + b"1" * 5000 + b"}",
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES)
def test_a_manifest_of_other_bytes(data: bytes, copied: Path, predict: Callable[[], str]) -> None:
    (copied / "manifest.json").write_bytes(data)

    assert "manifest.json" in predict()


MEMBERS = {
    "empty": b"",
    "text": b"hello",
    "pickle": b"\x80\x04cos\nsystem\n.",
    "zip": b"PK\x03\x04" + bytes(60),
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("data", MEMBERS.values(), ids=MEMBERS)
def test_a_member_that_is_no_onnx(data: bytes, copied: Path, predict: Callable[[], str]) -> None:
    put(copied, data)

    assert "members/00.onnx: a valid ONNX file is needed" in predict()


def gone(path: Path) -> None:
    path.unlink()


def link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize("how", [gone, link, folder, pipe, longer])
@pytest.mark.parametrize("name", [MEMBER, "runner.py", "serving/model.py"])
def test_a_listed_file_in_another_state(
    how: Callable[[Path], None], name: str, copied: Path, predict: Callable[[], str]
) -> None:
    how(copied / name)

    assert Path(name).name in predict()


@pytest.mark.parametrize("how", [gone, folder, pipe])
def test_a_manifest_in_another_state(how: Callable[[Path], None], copied: Path, predict: Callable[[], str]) -> None:
    how(copied / "manifest.json")

    assert "manifest.json" in predict()


def test_a_linked_folder_of_members(copied: Path, predict: Callable[[], str]) -> None:
    (copied / "members").rename(copied.parent / "elsewhere")
    (copied / "members").symlink_to(copied.parent / "elsewhere")

    assert "Got a link 'members'" in predict()


@pytest.mark.parametrize("name", ["nothing", "/dev/null", "models:", "x" * 200])
def test_what_is_no_model(name: str, rows: Path, refused: Command) -> None:
    assert name[:20] in refused("predict", name, rows, "-o", "out.csv").lines[0]


@pytest.mark.parametrize("pin", ["0" * 64, "zz", "deadbeef"])
def test_another_pin(pin: str, model: Path, rows: Path, refused: Command) -> None:
    line = refused("predict", model, rows, "-o", "out.csv", "--expect-sha256", pin).lines[0]

    assert f"SHA-256 must be {pin}" in line


@pytest.mark.parametrize("name", ["no/out.csv", "/proc/none/out.csv", "."])
def test_an_output_that_cannot_be(name: str, model: Path, rows: Path, refused: Command) -> None:
    assert "--output" in refused("predict", model, rows, "-o", name).lines[0]


@pytest.mark.parametrize("name", ["nothing", "/dev/null", "/dev/zero"])
def test_rows_that_cannot_be_read(name: str, model: Path, refused: Command) -> None:
    assert Path(name).name in refused("predict", model, name, "-o", "out.csv").lines[0]


def test_a_pipe_of_rows(model: Path, tmp_path: Path, refused: Command) -> None:
    os.mkfifo(tmp_path / "rows.npz")

    assert "a regular file is needed" in refused("predict", model, tmp_path / "rows.npz", "-o", "out.csv").lines[0]


def test_a_whole_model_predicts(model: Path, rows: Path, work: Path, automl: Command) -> None:
    assert automl("predict", model, rows, "-o", "out.csv").code == 0
    assert len((work / "out.csv").read_text(encoding="utf-8").splitlines()) == 7
