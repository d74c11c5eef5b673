"""Files are found without walking loops, and read in a stated order."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from automl.serving.errors import InputError
from automl.serving.image_files import list_images, parallel, read_bytes, read_rows
from automl.serving.image_rule import ImageRule
from automl.testing.tiny import png, tiny_images, write_image_folder, write_npz

RULE = ImageRule(8, 8, 1)


def grey(value: int) -> bytes:
    return png(np.full((8, 8), value, np.uint8))


def test_images_are_listed_sorted_with_folders_and_others_counted(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/deep/1.JPG", "a/1.png", "a/notes.txt", "loose.png", ".hidden.png", "a/.thumb/x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    listing = list_images(tmp_path)

    assert [f.name for f in listing.files] == ["a/1.png", "b/2.png", "b/deep/1.JPG", "loose.png"]
    assert (listing.folders, listing.others, listing.links) == (["a", "b"], 1, [])


def test_links_that_lead_back_are_not_walked(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / "data", tiny_images(6))
    (root / "self").symlink_to(root)
    (root / "bar" / "loop").symlink_to("..")

    listing = list_images(root)

    assert len(listing.files) == 6
    assert listing.links == ["bar/loop", "self"]


def test_a_class_folder_may_be_a_link_to_elsewhere(tmp_path: Path) -> None:
    elsewhere = write_image_folder(tmp_path / "elsewhere", tiny_images(6))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cat").symlink_to(elsewhere / "bar")

    assert [f.name for f in list_images(tmp_path / "data").files] == ["cat/0000.png", "cat/0003.png"]


def test_flat_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name, value in (("b.png", 20), ("a.png", 10), ("c.png", 30)):
        (tmp_path / name).write_bytes(grey(value))

    rows = read_rows(tmp_path, RULE)

    assert rows.names == ["a.png", "b.png", "c.png"]
    assert rows.X[:, 0, 0, 0].tolist() == [10, 20, 30]


def test_a_single_file_is_one_row(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(grey(5))

    rows = read_rows(tmp_path / "one.png", RULE)

    assert (rows.names, rows.X.shape) == (["one.png"], (1, 8, 8, 1))


def test_npz_is_read_in_the_order_of_the_array(tmp_path: Path) -> None:
    arrays = tiny_images(5)

    rows = read_rows(write_npz(tmp_path / "d.npz", arrays), RULE)

    assert np.array_equal(rows.X, np.asarray(arrays.X))
    assert rows.names == ["0", "1", "2", "3", "4"]


def test_files_and_arrays_of_the_same_images_give_the_same_rows(tmp_path: Path) -> None:
    arrays = tiny_images(4, classes=2)

    from_files = read_rows(write_image_folder(tmp_path / "f", arrays), RULE)

    assert np.array_equal(from_files.X[[0, 2, 1, 3]], np.asarray(arrays.X))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "nowhere", "nowhere: not found"),
        (lambda p: p, "no image in this folder"),
    ],
    ids=["missing", "empty-folder"],
)
def test_a_source_without_images_is_refused(tmp_path: Path, make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_rows(make(tmp_path), RULE)  # type: ignore[operator]


def test_one_unreadable_file_among_those_to_predict_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(grey(1))
    (tmp_path / "zero.png").write_bytes(b"")

    with pytest.raises(InputError, match=r"zero.png: an image is needed. Got an empty file"):
        read_rows(tmp_path, RULE)


def test_npz_without_x_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", images=np.zeros((1, 2, 2)))

    with pytest.raises(InputError, match=r"d.npz: an array named X is needed. Got none"):
        read_rows(tmp_path / "d.npz", RULE)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")

    with pytest.raises(InputError, match=r"pipe.png: a regular file is needed. Got mode 1"):
        read_bytes(tmp_path / "pipe.png", "pipe.png")


def test_a_dangling_link_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to("nowhere")

    with pytest.raises(InputError, match=r"gone.png: cannot be read .No such file"):
        read_rows(tmp_path, RULE)


def test_names_that_are_no_utf8_are_written_out(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102
    with open(folder + b"/\xff.png", "wb") as stream:  # noqa: PTH123
        stream.write(grey(1))

    listing = list_images(tmp_path)

    assert (listing.folders, [f.name for f in listing.files]) == (["caf\\udce9"], ["caf\\udce9/\\udcff.png"])
    assert read_rows(tmp_path, RULE).X.shape == (1, 8, 8, 1)


def test_a_folder_that_cannot_be_opened_is_refused_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cat").mkdir()
    scan = os.scandir

    def refuse(path: object) -> object:
        if str(path).endswith("cat"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"cat: cannot be read as a folder \(Permission denied\)"):
        list_images(tmp_path)


def test_parallel_work_keeps_its_order() -> None:
    assert list(parallel(lambda n: n * n, range(1000))) == [n * n for n in range(1000)]


def test_an_error_in_parallel_work_comes_through() -> None:
    with pytest.raises(InputError, match=r"no good: 77"):
        list(parallel(_picky, range(100)))


def _picky(number: int) -> int:
    if number == 77:
        raise InputError(f"no good: {number}")
    return number
