"""Archives are unpacked inside their folder, bounded, or not at all."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.data import archives
from automl.data.sources import open_source
from automl.errors import DataError
from automl.tasks.image_clf import TASK
from automl.testing.tiny import tiny_images, write_image_folder


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def tar_of(path: Path, members: dict[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix.lower(), "w")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data))
    return path


def packed(source: Path, path: Path, top: str) -> Path:
    """Pack a folder under a top folder, with the litter that other tools leave."""
    files = {f"{top}{p.relative_to(source).as_posix()}": p.read_bytes() for p in sorted(source.rglob("*.png"))}
    litter = {"__MACOSX/._0000.png": b"x", f"{top}readme.txt": b"x", f"{top}bar/.hidden.png": b"x"}
    make = zip_of if path.suffix == ".zip" else tar_of
    return make(path, {**files, **litter})


@pytest.mark.parametrize("name", ["d.zip", "d.tar", "d.tar.gz", "D.TGZ", "d.tar.bz2", "d.tar.xz"])
@pytest.mark.parametrize("top", ["", "flowers/", "a/b/"], ids=["bare", "one-folder", "two-folders"])
def test_an_archive_is_the_folder_it_was_made_from(tmp_path: Path, name: str, top: str) -> None:
    folder = write_image_folder(tmp_path / "d", tiny_images(12))

    expected = open_source(folder, TASK, cache=tmp_path / "cache").data.spec
    found = open_source(packed(folder, tmp_path / name, top), TASK, cache=tmp_path / "cache").data.spec

    assert (found.fingerprint, found.classes, found.rows) == (expected.fingerprint, expected.classes, 12)
    assert len(list((tmp_path / "cache" / "data").iterdir())) == 1


ESCAPES = [
    "../PWNED.png",
    "../../PWNED",
    "/tmp/PWNED.png",
    "a/../../PWNED.png",
    "..\\PWNED.png",
    "c:PWNED.png",
    "\\PWNED.png",
]


@pytest.mark.parametrize("make", [zip_of, tar_of], ids=["zip", "tar"])
@pytest.mark.parametrize("name", ESCAPES)
def test_a_member_outside_of_the_folder_is_refused_before_anything_is_written(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path], name: str
) -> None:
    target = tmp_path / "deep" / "target"
    target.mkdir(parents=True)
    path = make(tmp_path / ("slip.zip" if make is zip_of else "slip.tar"), {"cat/a.png": b"x", name: b"x"})

    with pytest.raises(DataError, match=r"slip\.\w+: members must lie inside .* leads outside. Nothing was unpacked"):
        archives.unpacked(path, target)

    assert [p.name for p in tmp_path.rglob("*")] == ["deep", path.name, "target"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE],
                         ids=["symlink", "hardlink", "fifo", "device"])  # fmt: skip
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tar_of(tmp_path / "d.tar", {"cat/a.png": b""}, kind, "/etc/passwd")

    with pytest.raises(DataError, match=r"members must be files or folders. Got 'cat/a.png', a link or device"):
        archives.unpacked(path, tmp_path)


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("cat/a.png")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")

    with pytest.raises(DataError, match=r"Got 'cat/a.png', a link or device"):
        archives.unpacked(tmp_path / "d.zip", tmp_path)


@pytest.mark.parametrize("name", ["d.zip", "d.tar.gz"])
@pytest.mark.parametrize("bound", ["MAX_MEMBERS", "MAX_TOTAL_BYTES"])
def test_bombs_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, bound: str
) -> None:
    make = zip_of if name == "d.zip" else tar_of
    path = make(tmp_path / name, {f"cat/{n}.png": b"\0" * 1000 for n in range(20)})
    monkeypatch.setattr(archives, bound, 10)

    with pytest.raises(DataError, match=r"d\.\S+: at most \d+ members and \d+ bytes are unpacked. Got"):
        archives.unpacked(path, tmp_path)

    assert not (tmp_path / "cat").exists()


def test_a_member_that_is_larger_than_announced_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "d.zip", {"cat/a.png": b"a" * 100})
    data = path.read_bytes()
    lying = data.replace((100).to_bytes(4, "little") + b"\x09\0", (50).to_bytes(4, "little") + b"\x09\0")
    path.write_bytes(lying)

    with pytest.raises(DataError, match=r"d.zip: .*"):
        archives.unpacked(path, tmp_path)


@pytest.mark.parametrize("name", ["d.zip", "d.tar", "d.tar.gz"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 or so", b"\x1f\x8b\x08 or so"], ids=["empty", "zip-ish", "gz-ish"])
def test_a_damaged_archive_is_refused_by_name(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(DataError, match=f"{name}: the archive is damaged"):
        archives.unpacked(tmp_path / name, tmp_path)


def test_a_truncated_tar_is_refused(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "d.tar.gz", {f"cat/{n}.png": bytes(range(256)) * 40 for n in range(5)})
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(DataError, match=r"d.tar.gz: the archive is damaged"):
        archives.unpacked(path, tmp_path)


def test_a_header_that_announces_gigabytes_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 4 * 2**30
    (tmp_path / "d.tar.gz").write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + b"\0" * 10_240))

    with pytest.raises(DataError, match=r"d.tar.gz: the archive is damaged \(a part of 4294967296 bytes\)"):
        archives.unpacked(tmp_path / "d.tar.gz", tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for _ in range(2):
            archive.writestr("cat/a.png", b"x")

    with pytest.raises(DataError, match=r"d.zip: member names must differ"):
        archives.unpacked(tmp_path / "d.zip", tmp_path)


def test_an_archive_without_images_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "d.zip", {"cat/a.txt": b"x"})

    with pytest.raises(DataError, match=r"one sub-folder of images per class is needed. Got no sub-folder"):
        open_source(path, TASK, cache=tmp_path / "cache")
