"""Read the arrays of an .npz file, bounded, and never by unpickling."""

from __future__ import annotations

import os
import stat
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from .errors import InputError

MAX_ARRAY_BYTES = 16 * 2**30
# What zipfile and numpy were seen to raise on damaged files; the header of an array is parsed as a Python literal.
_DAMAGE = (OSError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError, TypeError,
           OverflowError, MemoryError, SyntaxError, tokenize.TokenError)  # fmt: skip


class _Layout(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype


def read_npz(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return those of the named arrays that the file holds.

    Raises:
        InputError: it is no .npz file, damaged, larger than 16 GiB unpacked, or holds an object array, which could
            only be read by unpickling it.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path.name}: a regular file is needed. Got another kind, such as a pipe. Copy it.")
        with zipfile.ZipFile(path) as archive:
            found = set(archive.namelist())
            return {name: _read(archive, name, path) for name in names if f"{name}.npy" in found}
    except InputError:
        raise
    except _DAMAGE as error:
        detail = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path.name}: an .npz file is needed. Got: {detail}. Write it with numpy.savez.") from error


def _read(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    label = f"{path.name}: {name}"
    with archive.open(f"{name}.npy") as stream:
        layout = _layout(cast("BinaryIO", stream), label)
    if layout.dtype.hasobject:
        raise InputError(
            f"{label}: an object array is stored as a pickle, which is never read. Got dtype {layout.dtype}. "
            "Save numbers or text (dtype 'U')."
        )
    if min(layout.shape, default=0) < 0:
        raise InputError(
            f"{label}: an array has no negative side. Got shape {layout.shape}. Write it with numpy.savez."
        )
    expected = int(np.prod(layout.shape, dtype=object)) * max(1, layout.dtype.itemsize)
    if expected > MAX_ARRAY_BYTES:
        raise InputError(f"{label}: at most {MAX_ARRAY_BYTES} bytes are read. Got {expected}. Split the file.")
    stored = archive.getinfo(f"{name}.npy").file_size
    if stored < expected:
        raise InputError(f"{label}: {expected} bytes are announced. Got {stored}. The file is cut off: write it again.")
    with archive.open(f"{name}.npy") as stream:
        return np.lib.format.read_array(cast("BinaryIO", stream), allow_pickle=False)


def _layout(stream: BinaryIO, label: str) -> _Layout:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise InputError(f"{label}: .npy format 1.0 or 2.0 is read. Got {version}. Save it with numpy.savez.")
    return _Layout(shape, dtype)


def is_npz(path: Path) -> bool:
    """Whether the path names an .npz file."""
    return os.fspath(path).lower().endswith(".npz")
