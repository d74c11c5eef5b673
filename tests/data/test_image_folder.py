"""Folders of images as people have them: mixed sizes, stray files, broken files, empty classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.data.image_folder import open_folder
from automl.data.image_prepare import Sizes, Wanted, choose_rule
from automl.errors import DataError
from automl.serving.image_rule import ImageRule
from automl.testing.tiny import png, tiny_images, write_image_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_image_folder(tmp_path / "images", tiny_images(12, side=16, channels=3))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def findings(root: Path, cache: Path) -> dict[str, str]:
    return {f.code: f.message for f in open_folder(root, "images", Wanted(), cache=cache).findings}


BROKEN = [
    pytest.param("zero.png", b"", "an empty file", id="zero-bytes"),
    pytest.param(
        "cut.png", png(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))[:1500], "cut off", id="cut"
    ),
    pytest.param("text.jpg", b"<html>404</html>", "an image .* is needed", id="text"),
]


@pytest.mark.parametrize(("name", "data", "reason"), BROKEN)
def test_unreadable_files_are_skipped_by_name_and_counted(
    root: Path, cache: Path, name: str, data: bytes, reason: str
) -> None:
    (root / "bar" / name).write_bytes(data)

    prepared = open_folder(root, "images", Wanted(), cache=cache)

    assert prepared.spec.rows == len(prepared.X) == len(prepared.y) == 12
    (finding,) = [f for f in prepared.findings if f.code == "images-unreadable"]
    assert finding.level == "warning"
    assert finding.message.startswith(f"1 unreadable files were skipped: bar/{name}: ")


def test_many_unreadable_files_are_counted_and_some_named(root: Path, cache: Path) -> None:
    for number in range(25):
        (root / "bar" / f"bad{number:02d}.png").write_bytes(bytes([number]))

    message = findings(root, cache)["images-unreadable"]

    assert message.startswith("25 unreadable files were skipped: ")
    assert message.endswith(" And 15 more.")


def test_bytes_decide_what_a_file_is(root: Path, cache: Path) -> None:
    Image.new("RGB", (16, 16), "red").save(root / "bar" / "really_jpeg.png", "JPEG")

    assert open_folder(root, "images", Wanted(), cache=cache).spec.rows == 13


def test_stray_files_are_left_out_and_told(root: Path, cache: Path) -> None:
    (root / "readme.txt").write_text("hello", encoding="utf-8")
    (root / ".DS_Store").write_bytes(b"x")
    (root / "loose.png").write_bytes(png(np.zeros((4, 4), np.uint8)))
    (root / "bar" / "loop").symlink_to("..")

    found = findings(root, cache)

    assert found["files-ignored"] == "1 files that are no images were ignored"
    assert found["images-without-class"] == "1 images lie beside the class folders and were left out"
    assert found["links-ignored"] == "1 links to folders were not followed: bar/loop"


def test_images_in_deeper_folders_belong_to_the_class_above(root: Path, cache: Path) -> None:
    (root / "bar" / "2024" / "may").mkdir(parents=True)
    (root / "bar" / "2024" / "may" / "x.png").write_bytes(png(np.zeros((16, 16, 3), np.uint8)))

    assert open_folder(root, "images", Wanted(), cache=cache).spec.class_counts == (5, 4, 4)


def test_classes_are_the_sorted_folder_names(root: Path, cache: Path) -> None:
    (root / "bar").rename(root / "zebra")

    assert open_folder(root, "images", Wanted(), cache=cache).spec.classes == ("dot", "ring", "zebra")


def test_class_folders_without_images_are_refused_by_name(root: Path, cache: Path) -> None:
    (root / "cat").mkdir()
    (root / "cat" / ".keep").write_bytes(b"")

    with pytest.raises(DataError, match=r"every class folder needs images. Got no image in 'cat'"):
        open_folder(root, "images", Wanted(), cache=cache)


def test_a_class_of_unreadable_images_only_is_refused(root: Path, cache: Path) -> None:
    (root / "cat").mkdir()
    (root / "cat" / "1.png").write_bytes(b"no image")

    with pytest.raises(DataError, match=r"every class needs readable images. Got none in 'cat', such as: cat/1.png"):
        open_folder(root, "images", Wanted(), cache=cache)


def test_unreadable_images_only_are_refused(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "d" / "cat").mkdir(parents=True)
    (tmp_path / "d" / "cat" / "1.png").write_bytes(b"")

    with pytest.raises(DataError, match=r"readable images are needed. Got 1 files, such as: cat/1.png: an image is"):
        open_folder(tmp_path / "d", "d", Wanted(), cache=cache)


def test_a_flat_folder_is_refused(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "1.png").write_bytes(b"x")

    with pytest.raises(DataError, match=r"one sub-folder of images per class is needed. Got no sub-folder, 1 images"):
        open_folder(tmp_path / "d", "d", Wanted(), cache=cache)


def test_all_grey_images_stay_grey_and_one_colour_image_makes_all_colour(tmp_path: Path, cache: Path) -> None:
    grey = write_image_folder(tmp_path / "grey", tiny_images(6))
    assert open_folder(grey, "grey", Wanted(), cache=cache).spec.shape == (8, 8, 1)

    (grey / "bar" / "colour.png").write_bytes(png(np.zeros((8, 8, 3), np.uint8)))

    assert open_folder(grey, "grey", Wanted(), cache=cache).spec.shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("sides", "max_side", "expected"),
    [
        ([(28, 28)], 64, (28, 28)),
        ([(16, 16), (16, 16), (64, 64)], 64, (16, 16)),
        ([(300, 225), (300, 225), (200, 300)], 64, (64, 48)),
        ([(100, 100)], 64, (64, 64)),
        ([(1000, 10)], 64, (64, 8)),
        ([(300, 300)], 100, (96, 96)),
        ([(3, 5)], 2, (2, 2)),
    ],
    ids=["small-kept", "median", "photographs", "square", "strip", "odd-cap", "tiny-cap"],
)
def test_the_common_size_is_the_median_reduced_to_a_cap(
    sides: list[tuple[int, int]], max_side: int, expected: tuple[int, int]
) -> None:
    rule = choose_rule(Sizes(np.array(sides), is_grey=True), Wanted(max_side=max_side))

    assert (rule.height, rule.width) == expected


def test_mixed_sizes_are_told(root: Path, cache: Path) -> None:
    (root / "bar" / "large.png").write_bytes(png(np.zeros((40, 30, 3), np.uint8)))

    assert findings(root, cache)["sizes-mixed"] == (
        "images differ in size, 16 to 40 high and 16 to 30 wide; all are brought to 16 x 16 pixels (stretch)"
    )


def test_reduced_images_are_told(tmp_path: Path, cache: Path) -> None:
    large = write_image_folder(tmp_path / "d", tiny_images(6, side=80))

    assert findings(large, cache)["images-resized"] == "images of 80 x 80 pixels are brought to 64 x 64 pixels"


def test_duplicates_and_conflicting_labels_are_told(root: Path, cache: Path) -> None:
    image = png(np.full((16, 16, 3), 9, np.uint8))
    for name in ("bar/a.png", "bar/b.png", "dot/c.png"):
        (root / name).write_bytes(image)

    found = findings(root, cache)

    assert found["duplicates"].startswith("2 of 15 images are exact duplicates")
    assert found["labels-conflict"].startswith("1 images occur with different labels")


@pytest.mark.parametrize("classes", [None, ("cat", "dog")], ids=["training", "test"])
def test_cut_images_only_are_refused(tmp_path: Path, cache: Path, classes: tuple[str, ...] | None) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    (tmp_path / "d" / "cat").mkdir(parents=True)
    (tmp_path / "d" / "cat" / "1.png").write_bytes(png(noise)[:1500])
    rule = None if classes is None else ImageRule(8, 8, 1)

    with pytest.raises(DataError, match=r"readable images are needed. Got 1 files, such as: cat/1.png: the image is"):
        open_folder(tmp_path / "d", "d", Wanted(rule=rule, classes=classes), cache=cache)
