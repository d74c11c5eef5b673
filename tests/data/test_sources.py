"""Whatever a user calls data is prepared once, the same way, or refused with a reason."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.protocols import DataSource
from automl.data.folder import DataFolder
from automl.data.image_array import LabelledArrays
from automl.data.image_prepare import Wanted
from automl.data.sources import Opened, Source, data_name, open_source, prepare_test
from automl.errors import DataError, MachineError
from automl.tasks.image_clf import TASK
from automl.testing.tiny import png, tiny_images, write_image_folder, write_npz


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(source: Source, cache: Path, **wanted: int) -> Opened:
    return open_source(source, TASK, cache=cache, wanted=Wanted(**wanted))  # type: ignore[arg-type]


def codes(result: Opened) -> list[str]:
    return [finding.code for finding in result.findings]


def test_npz_keeps_order_bytes_and_classes(tmp_path: Path, cache: Path) -> None:
    arrays = tiny_images(30)

    data: DataSource = opened(write_npz(tmp_path / "Stripes.npz", arrays), cache).data

    assert np.array_equal(data.X, np.asarray(arrays.X))
    assert np.array_equal(data.y, np.asarray(arrays.y))
    assert data.y.dtype == np.int64
    assert (data.spec.name, data.spec.classes, data.spec.class_counts) == ("stripes", ("bar", "dot", "ring"), (10,) * 3)
    assert (data.spec.rows, data.spec.shape, data.spec.kind) == (30, (8, 8, 1), "image")


def test_prepared_arrays_cannot_be_changed(cache: Path) -> None:
    data = opened(tiny_images(), cache).data

    with pytest.raises(ValueError, match=r"read-only"):
        data.X[0] = 0


def test_folder_rows_are_the_images_of_their_class(tmp_path: Path, cache: Path) -> None:
    arrays = tiny_images(12)

    data = opened(write_image_folder(tmp_path / "d", arrays), cache).data

    of_class = {code: {row.tobytes() for row in np.asarray(data.X)[np.asarray(data.y) == code]} for code in range(3)}
    expected = {
        code: {row.tobytes() for row in np.asarray(arrays.X)[np.asarray(arrays.y) == code]} for code in range(3)
    }
    assert of_class == expected


def test_default_data_are_the_digits(cache: Path) -> None:
    data = opened("", cache).data

    assert (data.spec.name, data.spec.rows, data.spec.shape) == ("digits", 1797, (8, 8, 1))
    assert data.spec.input["value_max"] == 16.0
    assert int(data.X.max()) == 255


def test_arrays_in_memory_equal_an_npz_of_them(tmp_path: Path, cache: Path) -> None:
    arrays = tiny_images(30)

    in_memory = opened((arrays.X, arrays.y, arrays.classes), cache).data
    from_file = opened(write_npz(tmp_path / "d.npz", arrays), cache).data

    assert in_memory.spec.fingerprint == from_file.spec.fingerprint
    assert np.array_equal(in_memory.X, from_file.X)


def test_lists_in_memory_are_data_too(cache: Path) -> None:
    data = opened(([[[0.0, 1.0]], [[1.0, 0.5]]] * 4, ["a", "b"] * 4), cache).data

    assert data.X[0].tolist() == [[[0], [255]]]
    assert data.spec.classes == ("a", "b")


def test_fingerprint_ignores_paths_names_and_times(tmp_path: Path, cache: Path) -> None:
    first = write_image_folder(tmp_path / "one", tiny_images(12))
    second = Path(shutil.copytree(first, tmp_path / "two"))
    for number, path in enumerate(sorted(second.rglob("*.png"), reverse=True)):
        os.utime(path.rename(path.with_name(f"photo{number}.png")), (1, 1))

    data = [opened(folder, cache).data for folder in (first, second)]

    assert data[0].spec.fingerprint == data[1].spec.fingerprint
    assert np.array_equal(data[0].X, data[1].X)


def test_fingerprint_changes_with_a_pixel_or_a_label(tmp_path: Path, cache: Path) -> None:
    arrays = tiny_images(12)
    brighter = np.array(arrays.X)
    brighter[0, 0, 0, 0] ^= 1
    swapped = np.array(arrays.y)[::-1]
    variants = [arrays, arrays._replace(X=brighter), arrays._replace(y=swapped)]

    prints = {opened(variant, cache).data.spec.fingerprint for variant in variants}

    assert len(prints) == 3


def test_the_same_data_is_decoded_once(tmp_path: Path, cache: Path) -> None:
    folder = write_image_folder(tmp_path / "d", tiny_images(12))

    first = opened(folder, cache).data
    before = (first.folder / "X.npy").stat().st_mtime_ns
    again = opened(folder, cache).data

    assert again.folder == first.folder
    assert (again.folder / "X.npy").stat().st_mtime_ns == before
    assert [p.name for p in (cache / "data").iterdir()] == [first.folder.name]


def test_another_rule_is_another_preparation_of_the_same_data(tmp_path: Path, cache: Path) -> None:
    folder = write_image_folder(tmp_path / "d", tiny_images(12, side=16))

    small, large = opened(folder, cache, max_side=8).data, opened(folder, cache).data

    assert (small.spec.shape, large.spec.shape) == ((8, 8, 1), (16, 16, 1))
    assert small.spec.fingerprint == large.spec.fingerprint


@pytest.mark.parametrize("damage", ["truncate", "remove"])
def test_damaged_cache_is_prepared_anew(cache: Path, damage: str) -> None:
    arrays = tiny_images(30)
    rows = opened(arrays, cache).data.folder / "X.npy"
    os.truncate(rows, 200) if damage == "truncate" else rows.unlink()

    assert np.array_equal(opened(arrays, cache).data.X, np.asarray(arrays.X))


def test_findings_are_told_again_from_the_cache(tmp_path: Path, cache: Path) -> None:
    folder = write_image_folder(tmp_path / "d", tiny_images(12))
    (folder / "bar" / "zero.png").write_bytes(b"")

    first, again = opened(folder, cache), opened(folder, cache)

    assert codes(first)[0] == "images-unreadable"
    assert first.findings == again.findings


def test_cache_is_private_to_the_user(cache: Path) -> None:
    data = opened(tiny_images(), cache).data

    assert data.folder.stat().st_mode & 0o077 == 0


def test_cache_that_cannot_be_written_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(MachineError, match=r"file: the cache cannot be written .* set AUTOML_CACHE"):
        opened(tiny_images(), tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Flowers", "flowers"), ("a b.npz", "a-b"), ("x.tar.gz", "x"), ("train.zip", "here"), ("fünf.zip", "fünf")],
)
def test_names_are_short_and_say_something(tmp_path: Path, name: str, expected: str) -> None:
    assert data_name(tmp_path / "here" / name) == expected


def test_a_path_that_is_not_there_is_refused(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: not found. DATA is a folder with one sub-folder"):
        opened(tmp_path / "nowhere", cache)


def test_another_kind_of_file_is_refused(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b\n", encoding="utf-8")

    with pytest.raises(DataError, match=r"d.csv: DATA is a folder .* Got a file that ends in '.csv'"):
        opened(tmp_path / "d.csv", cache)


def test_a_refused_source_leaves_nothing_in_the_cache(tmp_path: Path, cache: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.zeros((4, 8)), y=np.zeros(4, int))

    with pytest.raises(DataError, match=r"d.npz: X: images need shape .* Got \(4, 8\)"):
        opened(tmp_path / "d.npz", cache)

    assert list((cache / "data").iterdir()) == []


ARRAY_MISTAKES = [
    pytest.param({"X": np.zeros((4, 2, 2))}, r"arrays X and y are needed. Got no y", id="no-y"),
    pytest.param({"y": np.zeros(4)}, r"arrays X and y are needed. Got no X", id="no-x"),
    pytest.param({"X": np.zeros((0, 2, 2)), "y": np.zeros(0)}, r"at least one image is needed", id="no-rows"),
    pytest.param({"X": np.full((4, 2, 2), np.nan), "y": np.arange(4)}, r"X: pixels must be finite. Got 16", id="nan"),
    pytest.param({"X": np.zeros((4, 2, 2)), "y": np.arange(5)}, r"y: one label per image.* Got 5 .* 4", id="lengths"),
    pytest.param(
        {"X": np.array([None] * 4), "y": np.arange(4)}, r"X: an object array is stored as a pickle", id="object"
    ),
]


@pytest.mark.parametrize(("arrays", "message"), ARRAY_MISTAKES)
def test_malformed_npz_is_refused_by_name(
    tmp_path: Path, cache: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "d.npz", **arrays)  # type: ignore[arg-type]

    with pytest.raises(DataError, match=f"d.npz: .*{message}|d.npz: {message}"):
        opened(tmp_path / "d.npz", cache)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (([np.zeros((2, 2)), np.zeros((3, 3))], ["a", "b"]), "X: images of one shape are needed|dtype object"),
        ((np.zeros((2, 2, 2)),) * 4, r"arrays are given as \(X, y\) or \(X, y, classes\). Got a tuple of 4"),
    ],
    ids=["ragged", "four"],
)
def test_malformed_arrays_in_memory_are_refused(cache: Path, source: Source, message: str) -> None:
    with pytest.raises(DataError, match=message):
        opened(source, cache)


def test_test_data_obeys_the_rule_of_training(tmp_path: Path, cache: Path) -> None:
    train = opened(tiny_images(30), cache).data
    test = write_image_folder(tmp_path / "t", tiny_images(9, side=20, channels=3, seed=1))

    result = prepare_test(test, train, cache=cache)

    assert (result.data.spec.shape, result.data.spec.classes) == ((8, 8, 1), ("bar", "dot", "ring"))
    assert result.data.spec.class_counts == (3, 3, 3)


def test_test_data_may_lack_a_class_and_keeps_the_codes(cache: Path) -> None:
    train = opened(tiny_images(30), cache).data
    X = np.asarray(tiny_images(4, seed=1).X)

    test = prepare_test((X, ["ring", "bar", "ring", "bar"]), train.spec, cache=cache).data

    assert test.y.tolist() == [2, 0, 2, 0]
    assert test.spec.classes == train.spec.classes


@pytest.mark.parametrize("kind", ["folder", "arrays"])
def test_test_data_with_an_unknown_class_is_refused(tmp_path: Path, cache: Path, kind: str) -> None:
    spec = opened(tiny_images(30, classes=2), cache).data.spec
    strange = tiny_images(9, classes=3, seed=1)
    source = write_image_folder(tmp_path / "t", strange) if kind == "folder" else strange

    with pytest.raises(DataError, match=r"classes of training \('?bar'?, '?dot'?\). Got 'ring'"):
        prepare_test(source, spec, cache=cache)


def test_test_data_has_no_default(cache: Path) -> None:
    with pytest.raises(DataError, match=r"test data: needs a path or arrays. Got ''"):
        prepare_test("", opened(tiny_images(), cache).data, cache=cache)


def test_test_images_that_were_trained_on_are_told(cache: Path) -> None:
    arrays = tiny_images(30)
    train = opened(arrays, cache).data

    result = prepare_test(LabelledArrays(np.asarray(arrays.X)[:4], ["bar"] * 4), train, cache=cache)

    assert [f.message for f in result.findings if f.code == "test-overlap"] == [
        "4 of 4 test images are in the training data too; the test score is flattered"
    ]


def test_float_images_in_a_test_set_are_scaled_as_in_training(cache: Path) -> None:
    X = np.random.default_rng(0).integers(0, 17, (40, 8, 8)).astype(float)
    train = opened((X, [0, 1] * 20), cache).data

    dark = prepare_test((X[:4] * 0.5, [0, 1, 0, 1]), train, cache=cache).data

    assert np.array_equal(dark.X[..., 0], np.rint(X[:4] * 0.5 * 255 / 16).astype(np.uint8))


def test_a_prepared_folder_is_opened_by_its_path_alone(cache: Path) -> None:
    data = opened(tiny_images(30), cache).data

    again = DataFolder(str(data.folder))

    assert isinstance(again.spec, DataSpec)
    assert again.spec == data.spec
    assert np.array_equal(again.y, data.y)


def test_a_folder_without_prepared_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"spec.json: prepared data is needed there"):
        DataFolder(tmp_path)


def test_png_of_the_testing_kit_is_a_png() -> None:
    assert png(np.zeros((2, 2), np.uint8)).startswith(b"\x89PNG")
