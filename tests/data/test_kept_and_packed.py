"""The cache under two writers, archives of each compression, labels over seeds, and outputs that are devices."""

from __future__ import annotations

import io
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from automl.data.archives import is_archive, unpacked
from automl.data.cache import cache_key, prepared
from automl.data.labels import encode, encode_with
from automl.data.sources import data_name, open_source, prepare_test
from automl.errors import DataError
from automl.serving.command import to_csv, write_whole
from automl.serving.errors import InputError
from automl.tasks.image_clf import TASK
from automl.testing.tiny import png, tiny_data, tiny_images, write_image_folder

IMAGES = np.asarray(tiny_images(12).X)
TAR_MODES = {"d.tar": "w", "d.tar.gz": "w:gz", "d.tgz": "w:gz", "d.tar.bz2": "w:bz2", "d.tar.xz": "w:xz",
             "wrong-name.tar": "w:gz", "wrong-name.tar.gz": "w"}  # fmt: skip
ZIP_MODES = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2,
             "lzma": zipfile.ZIP_LZMA}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_image_folder(tmp_path / "flowers", tiny_images(12))


def fingerprint(source: Path, tmp_path: Path) -> str:
    return open_source(source, TASK, cache=tmp_path / "cache").data.spec.fingerprint


@pytest.mark.parametrize(("name", "mode"), TAR_MODES.items(), ids=TAR_MODES)
@pytest.mark.parametrize("top", ["", "deep/er/"])
def test_a_tar_of_any_compression_is_its_folder(name: str, mode: str, top: str, folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / name, mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, f"{top}flowers")
    assert fingerprint(tmp_path / name, tmp_path) == fingerprint(folder, tmp_path)


@pytest.mark.parametrize("kind", ZIP_MODES.values(), ids=ZIP_MODES)
@pytest.mark.parametrize("top", ["", "flowers/", "a/b/"])
def test_a_zip_of_any_compression_is_its_folder(kind: int, top: str, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w", kind) as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, top + path.relative_to(folder).as_posix())
    assert fingerprint(tmp_path / "d.zip", tmp_path) == fingerprint(folder, tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.TAR.GZ", "a.tgz", "a.Tar.Xz", "a.txz", "a.tbz2"])
def test_archives_are_told_by_their_name(name: str) -> None:
    assert is_archive(Path(name))
    assert not is_archive(Path(name + ".part"))


def test_a_file_that_lies_where_a_folder_must_be_is_named_without_the_scratch_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("a/x.png", png(IMAGES[0]))
        archive.writestr("a/x.png/y.png", png(IMAGES[1]))
    with pytest.raises(DataError, match=r"d.zip: member names must differ. Got 'a/x.png' twice"):
        unpacked(tmp_path / "d.zip", tmp_path / "out")


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_compressed_tar_that_is_cut_off_is_damaged(mode: str, cut: float, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("a/x.png")
        info.size = 30_000
        archive.addfile(info, io.BytesIO(np.random.default_rng(0).bytes(30_000)))
    data = stream.getvalue()
    (tmp_path / "d.tar.gz").write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(DataError, match=r"d.tar.gz: the archive is damaged"):
        unpacked(tmp_path / "d.tar.gz", tmp_path)


@pytest.mark.parametrize("writers", [2, 5])
def test_writers_that_come_at_once_leave_one_whole_folder(writers: int, tmp_path: Path) -> None:
    barrier, found = threading.Barrier(writers), []
    source = tiny_data(tmp_path / "source").folder

    def build(target: Path) -> None:
        barrier.wait(5)
        for path in source.iterdir():
            (target / path.name).write_bytes(path.read_bytes())

    threads = [threading.Thread(target=lambda: found.append(prepared(tmp_path, "k", build))) for _ in range(writers)]
    [thread.start() for thread in threads]  # type: ignore[func-returns-value]
    [thread.join() for thread in threads]  # type: ignore[func-returns-value]
    assert len(found) == writers
    assert all(data.is_whole() for data in found)
    assert os.listdir(tmp_path / "data") == ["k"]  # noqa: PTH208


@pytest.mark.parametrize("seed", range(5))
def test_keys_differ_where_any_value_differs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = {"a": int(rng.integers(9)), "b": [1.5, None], "c": "ä\ud800"}
    keys = {cache_key(parts), cache_key({**parts, "a": 10}), cache_key({**parts, "b": []}), cache_key({})}
    assert len(keys) == 4
    assert cache_key(dict(reversed(parts.items()))) == cache_key(parts)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["texts", "bytes", "numbers", "objects"])
def test_codes_and_classes_give_the_labels_back(kind: str, seed: int) -> None:
    y = np.random.default_rng(seed).integers(-50, 50, 40)
    given = {"texts": y.astype(str), "bytes": y.astype("S"), "numbers": y, "objects": y.astype(object)}[kind]
    labels = encode(given, None, rows=40, name="y")
    assert [labels.classes[code] for code in labels.codes] == [str(v) for v in y]
    assert np.unique(labels.codes).tolist() == list(range(len(labels.classes)))


@pytest.mark.parametrize("seed", range(6))
def test_test_labels_mean_what_training_labels_meant(seed: int) -> None:
    y = np.random.default_rng(seed).choice(list("abcde"), 30)
    known = encode(y, None, rows=30, name="y").classes
    part = y[:7]
    codes = encode_with(part, None, known=known, rows=7, name="y")
    assert [known[code] for code in codes] == part.tolist()


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30])
def test_whole_numbers_beyond_64_bits_are_refused(value: int) -> None:
    with pytest.raises(DataError, match=r"y: labels must lie within 64 bits. Got"):
        encode(np.array([value, 1], object), None, rows=2, name="y")


@pytest.mark.parametrize("classes", [[b"cat", b"dog"], ["cat", "dog"], np.array([b"cat", b"dog"])])
def test_classes_may_be_bytes(classes: list[object]) -> None:
    assert encode([0, 1, 0], classes, rows=3, name="y").classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a b.zip", "a-b"), ("x.tar.gz", "x"), ("ÄÖ.npz", "äö"), ("....npz", "data"), ("n" * 99 + ".npz", "n" * 60)],
)
def test_names_of_data_are_fit_for_folders(name: str, expected: str) -> None:
    assert data_name(Path("/some/where") / name) == expected


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_a_test_set_is_read_by_the_rule_of_training(classes: tuple[str, ...], tmp_path: Path) -> None:
    count = len(classes)
    train = open_source((IMAGES, np.arange(12) % count, classes), TASK, cache=tmp_path).data
    test = prepare_test((IMAGES[:4].repeat(2, axis=1), np.array(classes)[np.arange(4) % 2]), train, cache=tmp_path)
    assert test.data.spec.shape == train.spec.shape
    assert test.data.y.tolist() == [0, 1, 0, 1]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "out").read_text(encoding="utf-8")))
    reader.start()
    write_whole(tmp_path / "out", "a\nb\n")
    reader.join(5)
    assert read == ["a\nb\n"]
    assert (tmp_path / "out").is_fifo()


def test_an_output_whose_name_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="-o cannot be written"):
        write_whole(tmp_path / ("x" * 300), "text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("classes", [("a,b", 'c"d'), ("x\ny", "z"), ("", " "), ("=1+1", "@x"), ("日本", "🦄")])
def test_any_label_survives_the_csv(classes: tuple[str, str]) -> None:
    import csv

    text = to_csv(np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), classes, with_proba=True)
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert table[0] == ["prediction", *(f"proba_{label}" for label in classes)]
    assert [line[0] for line in table[1:]] == list(classes)
