"""An .npz file is read bounded and is never unpickled."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from automl.serving.arrays import read_npz
from automl.serving.errors import InputError


class Mark:
    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, ("PWNED", "w"))


def member(descr: str, shape: tuple[int, ...], payload: bytes) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue() + payload


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["stored", "compressed"])
def test_named_arrays_are_read_and_absent_ones_left_out(tmp_path: Path, save: object) -> None:
    save(tmp_path / "a.npz", X=np.arange(6).reshape(2, 3), classes=np.array(["ä", "b"]))  # type: ignore[operator]

    found = read_npz(tmp_path / "a.npz", ["X", "y", "classes"])

    assert sorted(found) == ["X", "classes"]
    assert found["X"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["classes"].tolist() == ["ä", "b"]


def test_object_arrays_are_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = zipped(tmp_path / "bad.npz", X=member("|O", (4,), pickle.dumps(Mark())))

    with pytest.raises(InputError, match=r"bad.npz: X: an object array is stored as a pickle"):
        read_npz(path, ["X"])

    assert not (tmp_path / "PWNED").exists()


def test_structured_arrays_with_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", X=np.array([(1, "a")], dtype=[("n", "i4"), ("o", "O")]), allow_pickle=True)

    with pytest.raises(InputError, match=r"object array"):
        read_npz(tmp_path / "s.npz", ["X"])


def test_an_array_that_announces_too_much_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = zipped(tmp_path / "huge.npz", X=member("<f8", (10**6, 10**6, 10**3), b""))

    with pytest.raises(InputError, match=r"huge.npz: X: at most .* bytes are read. Got 8000000000000000"):
        read_npz(path, ["X"])


def test_an_array_that_announces_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "cut.npz", X=member("<f8", (10**6, 10**3), b"12345678"))

    with pytest.raises(InputError, match=r"cut.npz: X: 8000000000 bytes are announced"):
        read_npz(path, ["X"])


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 40], ids=["empty", "text", "half"])
def test_what_is_no_npz_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "d.npz").write_bytes(data)

    with pytest.raises(InputError, match=r"d.npz: an .npz file is needed. Got"):
        read_npz(tmp_path / "d.npz", ["X"])


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "d.npz", X=b"\x93NUMPY\x01\x00garbage")

    with pytest.raises(InputError, match=r"d.npz: an .npz file is needed. Got"):
        read_npz(path, ["X"])
