"""Find image files, and read a folder, a file or an .npz as rows."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from .arrays import is_npz, read_npz
from .errors import InputError
from .image_arrays import rows_from_array
from .image_rule import ImageRule
from .images import MAX_FILE_BYTES, SUFFIXES, bombs_refused, decode
from .rows import Rows

_CHUNK = 32
"""Items a thread takes at once: handing over one by one costs as much as decoding a small image."""
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class ImageFile(NamedTuple):
    """An image file; name is its path below the folder, with forward slashes."""

    name: str
    path: Path


class Listing(NamedTuple):
    """What a folder holds.

    Attributes:
        files: image files (by suffix), sorted by name.
        folders: sub-folders, sorted.
        others: number of other files.
        links: links to folders that were not followed.
    """

    files: list[ImageFile]
    folders: list[str]
    others: int
    links: list[str]


def list_images(root: Path) -> Listing:
    """Find the image files below a folder; hidden names are passed over.

    A direct sub-folder may be a link, unless it leads back to the folder itself; deeper links to folders are not
    followed, so that no loop is walked.

    Raises:
        InputError: the folder cannot be read.
    """
    files: list[ImageFile] = []
    folders: list[str] = []
    links: list[str] = []
    others = 0
    for entry in sorted(_entries(root), key=lambda e: e.name):
        if not entry.is_dir():
            others += _take(entry.name, Path(entry.path), files)
        elif entry.is_symlink() and _leads_back(Path(entry.path), root):
            links.append(_text(entry.name))
        else:
            folders.append(_text(entry.name))
            others += _walk(Path(entry.path), entry.name, files, links)
    return Listing(sorted(files), folders, others, links)


def read_rows(source: Path, rule: ImageRule) -> Rows:
    """Read what is to be predicted: an image file, a folder of them (flat or nested), or an .npz with X.

    The order is that of the names (files) or of the array.

    Raises:
        InputError: nothing there, no image, or one that cannot be read (named).
    """
    if not source.exists():
        raise InputError(f"{source}: not found. Give an image, a folder of images or an .npz file with X.")
    if is_npz(source):
        return _read_npz_rows(source, rule)
    files = list_images(source).files if source.is_dir() else [ImageFile(source.name, source)]
    if not files:
        raise InputError(f"{source}: no image in this folder. Known endings: {' '.join(sorted(SUFFIXES))}.")
    X = np.empty((len(files), *rule.shape), np.uint8)
    with bombs_refused():
        for row, pixels in enumerate(parallel(lambda f: decode(read_bytes(f.path, f.name), f.name, rule), files)):
            X[row] = pixels
    return Rows([f.name for f in files], X)


def read_bytes(path: Path, name: str) -> bytes:
    """Return the bytes of a regular file of at most 256 MiB.

    Raises:
        InputError: another kind of file, a larger one, or one that cannot be read.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise InputError(f"{name}: a regular file is needed. Got mode {facts.st_mode:o}. Remove it.")
        if facts.st_size > MAX_FILE_BYTES:
            raise InputError(f"{name}: at most {MAX_FILE_BYTES} bytes are read. Got {facts.st_size}. Store it smaller.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}). Remove it or mend its permissions.") from error


def parallel(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Yield function(item) in order, computed by as many threads as there are cores; decoding lets threads run."""
    todo = list(items)
    chunks = [todo[start : start + _CHUNK] for start in range(0, len(todo), _CHUNK)]
    with ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool:
        for results in pool.map(lambda chunk: [function(item) for item in chunk], chunks):
            yield from results


def _read_npz_rows(source: Path, rule: ImageRule) -> Rows:
    arrays = read_npz(source, ["X"])
    if "X" not in arrays:
        raise InputError(f"{source.name}: an array named X is needed. Got none. Write it with numpy.savez(file, X=X).")
    X = rows_from_array(arrays["X"], rule, f"{source.name}: X")
    return Rows([str(row) for row in range(len(X))], X)


def _entries(root: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(root) as entries:
            return [e for e in entries if not e.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{root}: cannot be read as a folder ({error.strerror}).") from error


def _refuse(error: OSError) -> None:
    raise InputError(
        f"{error.filename}: cannot be read as a folder ({error.strerror}). Mend its permissions."
    ) from error


def _text(name: str) -> str:
    """Return a name that can be written as UTF-8, also where the file system's is not."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _leads_back(link: Path, root: Path) -> bool:
    real = link.resolve()
    return root.resolve().is_relative_to(real) or real.is_relative_to(root.resolve())


def _walk(folder: Path, prefix: str, files: list[ImageFile], links: list[str]) -> int:
    others = 0
    for at, folders, names in os.walk(folder, onerror=_refuse):
        below = Path(at).relative_to(folder).as_posix()
        start = prefix if below == "." else f"{prefix}/{below}"
        links += [_text(f"{start}/{name}") for name in folders if (Path(at) / name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".")]
        others += sum(_take(f"{start}/{name}", Path(at) / name, files) for name in names if not name.startswith("."))
    return others


def _take(name: str, path: Path, files: list[ImageFile]) -> int:
    """Add an image file to files; return 1 if it is another kind of file."""
    if path.suffix.lower() not in SUFFIXES:
        return 1
    files.append(ImageFile(_text(name), path))
    return 0
