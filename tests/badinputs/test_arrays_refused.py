"""An .npz that nothing can be learned from, handed to `automl search`."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from automl.testing.tiny import tiny_images

if TYPE_CHECKING:
    from .conftest import Command


IMAGES = np.asarray(tiny_images(30).X)
CODES = np.arange(30) % 3
SEARCH = ("search", "--task", "image-clf", "--dry-run", "--tracking-uri", "none")


def of(values: object) -> np.ndarray:
    """Return an array that gives each of three values to a third of the rows."""
    return np.asarray(values)[CODES]


CASES = {
    "y-too-long": ({"y": np.arange(40) % 3}, "Got 40 labels for 30 images"),
    "y-too-short": ({"y": CODES[:29]}, "Got 29 labels for 30 images"),
    "y-one-hot": ({"y": np.eye(3)[CODES]}, "labels need shape (n,). Got (30, 3)"),
    "y-nan": ({"y": of([np.nan, 1.0, 2.0])}, "Got 10 missing of 30"),
    "y-infinite": ({"y": of([np.inf, 1.0, 2.0])}, "Got infinite values"),
    "y-fractions": ({"y": CODES + 0.5}, "fractions such as 0.5"),
    "y-huge-floats": ({"y": of([1e300, 2e300, 1.0])}, "must lie within 64 bits"),
    "y-huge-whole": ({"y": of(np.array([2**63 + 5, 1, 2], np.uint64))}, "must lie within 64 bits"),
    "y-complex": ({"y": CODES + 1j}, "Got dtype complex128"),
    "y-dates": ({"y": CODES.astype("M8[s]")}, "Got dtype datetime64[s]"),
    "y-latin-bytes": ({"y": of([b"\xff\xfe", b"ok", b"z"])}, "must be UTF-8"),
    "y-half-a-surrogate": ({"y": of(["\ud800", "b", "c"])}, "texts that can be written"),
    "y-blank": ({"y": of(["", "b", "c"])}, "Got 10 missing of 30"),
    "y-one-class": ({"y": CODES * 0}, "Got one class only"),
    "y-all-different": ({"y": np.arange(30)}, "every class needs at least 2 images"),
    "classes-one-text": ({"classes": np.array("cat")}, "classes must be a list of labels. Got shape ()"),
    "classes-a-table": ({"classes": np.array([["a", "b", "c"]])}, "Got shape (1, 3)"),
    "classes-twice": ({"classes": np.array(["a", "a", "c"])}, "Got 'a' more than once"),
    "classes-twice-for-texts": ({"y": of(["a", "b", "c"]), "classes": np.array(["a", "a", "b", "c"])},
                                "Got 'a' more than once"),
    "classes-too-few": ({"classes": np.array(["a", "b"])}, "codes must be in 0 to 1"),
    "classes-none": ({"classes": np.array([], "U1")}, "as there are 0 classes"),
    "classes-blank": ({"classes": np.array([" ", "b", "c"])}, "Got 1 missing of 3"),
    "x-object": ({"X": np.array([None] * 30, object)}, "never read. Got dtype object"),
    "x-text": ({"X": np.array(["a"] * 30)}, "pixels must be numbers. Got dtype <U1"),
    "x-scalar": ({"X": np.float32(3)}, "Got ()"),
    "x-flat": ({"X": IMAGES.reshape(30, -1)}, "Got (30, 64)"),
    "x-five-sides": ({"X": IMAGES[None]}, "Got (1, 30, 8, 8, 1)"),
    "x-channels-first": ({"X": np.zeros((30, 3, 8, 8), np.uint8)}, "numpy.moveaxis"),
    "x-no-pixels": ({"X": IMAGES[:, :0]}, "at least one pixel"),
    "x-no-rows": ({"X": IMAGES[:0], "y": CODES[:0]}, "at least one image is needed"),
    "x-nan": ({"X": np.full((30, 8, 8), np.nan)}, "Got 1920 NaN"),
    "x-infinite": ({"X": np.full((30, 8, 8), np.inf)}, "must be finite"),
    "x-negative": ({"X": IMAGES.astype(np.float32) - 300}, "Got values in [-300"),
    "x-huge": ({"X": IMAGES.astype(np.float32) * 1e30}, "Rescale them"),
    "x-complex": ({"X": IMAGES.astype(np.complex64)}, "Got dtype complex64"),
    "x-dates": ({"X": IMAGES.astype("M8[s]")}, "Got dtype datetime64[s]"),
    "x-records": ({"X": np.zeros((30, 8, 8), [("a", "u1"), ("b", "f4")])}, "pixels must be numbers"),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "message"), CASES.values(), ids=CASES)
def test_arrays_that_say_nothing(arrays: dict[str, np.ndarray], message: str, tmp_path: Path, refused: Command) -> None:
    np.savez(tmp_path / "d.npz", **{"X": IMAGES, "y": CODES, **arrays})

    line = refused(*SEARCH, tmp_path / "d.npz").lines[0]

    assert "d.npz" in line or line.startswith("error: d:")
    assert message in line


def stored(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def with_header(text: str, version: bytes = b"\x01\x00") -> bytes:
    """Return an .npy file with this header and 64 bytes of zeros."""
    raw = text.encode("latin1") + b"\n"
    return b"\x93NUMPY" + version + len(raw).to_bytes(2, "little") + raw + bytes(64)


SHAPED = "{'descr': '<i8', 'fortran_order': False, 'shape': %s, }"
HEADERS = {
    "huge": (SHAPED % "(99999999999999999999999,)", "bytes are read"),
    "negative": (SHAPED % "(-1,)", "no negative side"),
    "two-negative": (SHAPED % "(-5, -6)", "no negative side"),
    "true": (SHAPED % "(True,)", "an .npz file is needed"),
    "more-than-there-is": (SHAPED % "(30000,)", "cut off"),
    "code": ("{'descr': __import__('os').system('touch PWNED'), 'shape': (3,), }", "an .npz file is needed"),
    "open": ("{'descr': '<i8',\n 'shape': (3L,), ", "an .npz file is needed"),
    "parentheses": ("(" * 5000, "an .npz file is needed"),
    "deep": ("[" * 900 + "]" * 900, "an .npz file is needed"),
    "no-type": ("{'descr': 'nothing', 'fortran_order': False, 'shape': (3,), }", "an .npz file is needed"),
    "number-type": ("{'descr': 7, 'fortran_order': False, 'shape': (3,), }", "an .npz file is needed"),
    "list": ("[1, 2]", "an .npz file is needed"),
    "objects": ("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "never read"),
    "empty-texts": ("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }", "bytes are read"),
}


@pytest.mark.parametrize(("header", "message"), HEADERS.values(), ids=HEADERS)
def test_headers_that_lie(header: str, message: str, tmp_path: Path, refused: Command) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("X.npy", stored(IMAGES))
        archive.writestr("y.npy", with_header(header))

    assert message in refused(*SEARCH, tmp_path / "d.npz").lines[0]


@pytest.mark.parametrize("version", [b"\x03\x00", b"\x00\x00", b"\xff\xff"], ids=["3.0", "0.0", "255.255"])
def test_formats_that_are_not_read(version: bytes, tmp_path: Path, refused: Command) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("X.npy", with_header(SHAPED % "(3,)", version))
        archive.writestr("y.npy", stored(CODES))

    assert "d.npz" in refused(*SEARCH, tmp_path / "d.npz").lines[0]


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_in_a_header_never_end_in_a_traceback(seed: int, tmp_path: Path, automl: Command) -> None:
    rng, labels = np.random.default_rng(seed), bytearray(stored(CODES))
    for place in rng.integers(6, 128, 4):
        labels[place] = int(rng.integers(256))
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("X.npy", stored(IMAGES))
        archive.writestr("y.npy", bytes(labels))

    assert automl(*SEARCH, tmp_path / "d.npz").code in (0, 2)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\x80\x04cos\nsystem\n.", b"PK\x03\x04" + bytes(60)],
    ids=["empty", "text", "pickle", "cut"],
)
def test_what_is_no_npz(data: bytes, tmp_path: Path, refused: Command) -> None:
    (tmp_path / "d.npz").write_bytes(data)

    assert "d.npz: an .npz file is needed" in refused(*SEARCH, tmp_path / "d.npz").lines[0]


def test_labels_stored_as_bytes_are_texts(tmp_path: Path, work: Path, automl: Command) -> None:
    np.savez(tmp_path / "d.npz", X=IMAGES, y=CODES, classes=np.array([b"cat", b"dog", b"owl"]))

    assert automl(*SEARCH, tmp_path / "d.npz").code == 0


@pytest.mark.parametrize("name", ["pipe.npz", "pipe.zip", "pipe.tar.gz", "pipe"])
def test_a_pipe_is_refused_not_waited_for(name: str, tmp_path: Path, refused: Command) -> None:
    os.mkfifo(tmp_path / name)

    assert "a pipe or device" in refused(*SEARCH, tmp_path / name).lines[0]


@pytest.mark.parametrize("name", ["/dev/null", "/dev/zero", "nothing", "x" * 300, "x/" * 3000, "~nobody/x"])
def test_paths_where_nothing_is(name: str, refused: Command) -> None:
    assert "DATA is a folder" in refused(*SEARCH, name).lines[0]


def test_links_that_lead_nowhere(tmp_path: Path, refused: Command) -> None:
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")

    assert "broken: not found" in refused(*SEARCH, tmp_path / "broken").lines[0]
    assert "circle: not found" in refused(*SEARCH, tmp_path / "circle").lines[0]


def test_data_that_looks_like_a_flag_is_data_after_two_dashes(refused: Command) -> None:
    assert "--budget: not found" in refused(*SEARCH, "--", "--budget").lines[0]
