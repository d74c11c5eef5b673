"""Folders and archives of images as they come from strangers."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from automl.testing.tiny import png, tiny_images

if TYPE_CHECKING:
    from .conftest import Command


FILES = [png(image) for image in np.asarray(tiny_images(12).X)]
GOOD = [(f"{'abc'[row % 3]}/{row}.png", data) for row, data in enumerate(FILES)]
SEARCH = ("search", "--task", "image-clf", "--dry-run", "--tracking-uri", "none")


def folder(root: Path, names: list[str], rows: int = 4) -> Path:
    for place, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for row in range(rows):
            (root / name / f"{row}.png").write_bytes(FILES[(3 * row + place) % len(FILES)])
    return root


NAMES = {
    "dashes": ["-rf", "--budget"],
    "quotes": ['quo"te', "ap'o"],
    "emoji": ["🦄", "🍕"],
    "shell": ["$(id)", "semi;id"],
    "format": ["%s{0}", "{}"],
    "markup": ["<script>", "[bold]"],
    "newline": ["a\nb", "c\rd"],
    "escape": ["e\x1b[31m", "plain"],
    "no-utf8": [os.fsdecode(b"\xff"), "plain"],
    "comma": ["a,b", "a;b"],
    "case": ["cat", "Cat"],
    "accents": ["é", "e\u0301"],
    "right-to-left": ["قط", "كلب"],
    "numbers": ["01", "1"],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_odd_names_of_classes_are_names_of_classes(names: list[str], tmp_path: Path, automl: Command) -> None:
    assert automl(*SEARCH, folder(tmp_path / "d", names)).code == 0


def test_one_class_is_not_enough(tmp_path: Path, refused: Command) -> None:
    assert "Got one class only: 'c\\nat'" in refused(*SEARCH, folder(tmp_path / "d", ["c\nat"])).lines[0]


def test_a_class_of_one_image_is_named(tmp_path: Path, refused: Command) -> None:
    assert "Got 1 in 'a'" in refused(*SEARCH, folder(tmp_path / "d", ["a", "b"], rows=1)).lines[0]


def test_a_class_without_images_is_named(tmp_path: Path, refused: Command) -> None:
    (folder(tmp_path / "d", ["a", "b"]) / "empty").mkdir()

    assert "Got no image in 'empty'" in refused(*SEARCH, tmp_path / "d").lines[0]


def test_a_folder_without_folders(tmp_path: Path, refused: Command) -> None:
    (tmp_path / "d").mkdir()
    for row, data in enumerate(FILES):
        (tmp_path / "d" / f"{row}.png").write_bytes(data)

    assert "12 images" in refused(*SEARCH, tmp_path / "d").lines[0]


def test_a_class_of_junk_is_named(tmp_path: Path, refused: Command) -> None:
    root = folder(tmp_path / "d", ["a", "b"])
    for path in (root / "b").iterdir():
        path.write_bytes(b"junk")

    assert "Got none in 'b'" in refused(*SEARCH, root).lines[0]


def zipped(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


ZIPS = {
    "nested": [("inner.zip", b"PK\x03\x04")],
    "empty": [],
    "texts": [("a/x.txt", b"x"), ("b/y.txt", b"y")],
    "flat": [(f"{row}.png", data) for row, data in enumerate(FILES)],
    "upwards": [("../x.png", FILES[0]), *GOOD],
    "upwards-within": [("a/../../x.png", FILES[0]), *GOOD],
    "upwards-backslash": [("a\\..\\..\\x.png", FILES[0]), *GOOD],
    "absolute": [("/etc/x.png", FILES[0]), *GOOD],
    "drive": [("c:/x.png", FILES[0]), *GOOD],
    "name-too-long": [("a/" + "x" * 300 + ".png", FILES[0]), *GOOD],
    "path-too-long": [("a/" + "d/" * 3000 + "x.png", FILES[0]), *GOOD],
    "file-and-folder": [("a/x.png", FILES[0]), ("a/x.png/y.png", FILES[1]), *GOOD],
    "one-class": [(f"a/{row}.png", data) for row, data in enumerate(FILES)],
}


@pytest.mark.parametrize("members", ZIPS.values(), ids=ZIPS)
def test_archives_nothing_can_be_learned_from(
    members: list[tuple[str, bytes]], tmp_path: Path, refused: Command
) -> None:
    line = refused(*SEARCH, zipped(tmp_path / "flowers.zip", members)).lines[0]

    assert "flowers" in line
    assert ".new-" not in line


def test_an_archive_with_odd_but_harmless_names_is_read(tmp_path: Path, automl: Command) -> None:
    members = [("./a/x.png", FILES[0]), ("__MACOSX/a/._x.png", b"x"), ("a/.hidden.png", b"x"), ("a/", b""), *GOOD]

    assert automl(*SEARCH, zipped(tmp_path / "d.zip", members)).code == 0


KINDS = {
    "symlink": tarfile.SYMTYPE,
    "hard-link": tarfile.LNKTYPE,
    "character-device": tarfile.CHRTYPE,
    "block-device": tarfile.BLKTYPE,
    "pipe": tarfile.FIFOTYPE,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_is_no_file_in_a_tar(kind: bytes, tmp_path: Path, refused: Command) -> None:
    with tarfile.open(tmp_path / "d.tar", "w") as archive:
        for name, data in GOOD:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("a/link.png")
        link.type, link.linkname = kind, "/etc/passwd"
        archive.addfile(link)

    assert "a link or device. Nothing was unpacked" in refused(*SEARCH, tmp_path / "d.tar").lines[0]


JUNK = {
    "d.zip": b"hello",
    "d.tar": b"hello" * 300,
    "e.tar": b"",
    "d.tar.gz": b"\x1f\x8b" + b"garbage" * 50,
    "d.tar.bz2": b"BZh9" + b"garbage" * 50,
    "d.tar.xz": b"\xfd7zXZ\0" + b"garbage" * 50,
    "cut.zip": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize(("name", "data"), JUNK.items(), ids=JUNK)
def test_what_is_no_archive(name: str, data: bytes, tmp_path: Path, refused: Command) -> None:
    (tmp_path / name).write_bytes(data)

    assert f"{name}: the archive is damaged" in refused(*SEARCH, tmp_path / name).lines[0]


def test_blocks_of_zeros_are_an_empty_tar(tmp_path: Path, refused: Command) -> None:
    (tmp_path / "d.tar").write_bytes(bytes(10_240))

    assert "d.tar: one sub-folder of images per class" in refused(*SEARCH, tmp_path / "d.tar").lines[0]


@pytest.mark.parametrize("name", ["d.csv", "d.parquet", "d.pkl", "d.npy", "d.rar", "d"])
def test_other_kinds_of_files(name: str, tmp_path: Path, refused: Command) -> None:
    (tmp_path / name).write_bytes(b"x")

    assert "DATA is a folder with one sub-folder" in refused(*SEARCH, tmp_path / name).lines[0]
