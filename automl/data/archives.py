"""Unpack a zip or tar of images: bounded, and never outside of the folder it is given.

Names and kinds of all members are checked before anything is written; what is no image is not written at all. We
extract ourselves because the filters of the standard library had holes (CVE-2025-4517).
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, NamedTuple, cast

from automl.errors import DataError
from automl.serving.images import MAX_FILE_BYTES, SUFFIXES

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MAX_MEMBERS = 2_000_000
MAX_TOTAL_BYTES = 64 * 2**30
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError,
           RuntimeError)  # fmt: skip


_COMPRESSED: dict[bytes, Callable[[Path, str], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}


class _Member(NamedTuple):
    name: str
    size: int
    is_folder: bool
    is_file: bool


def is_archive(path: Path) -> bool:
    """Whether the name of the file is that of a zip or tar."""
    return path.name.lower().endswith(ENDINGS)


def unpacked(path: Path, folder: Path) -> Path:
    """Unpack the images of an archive into a folder; return the folder that holds the class folders.

    Raises:
        DataError: damaged, too large, or a member that is a link or would lie outside; then nothing was written.
    """
    try:
        if path.name.lower().endswith(".zip"):
            _unpack_zip(path, folder)
        else:
            _unpack_tar(path, folder)
    except _DAMAGE as error:
        raise DataError(f"{path}: the archive is damaged ({_line(error)}). Make it again.") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        name = Path(error.filename).relative_to(folder).as_posix()
        raise DataError(f"{path}: member names must differ. Got {name!r} twice. Make it again.") from error
    except OSError as error:
        if error.errno is None:  # gzip and bz2 tell damage so
            raise DataError(f"{path}: the archive is damaged ({_line(error)}). Make it again.") from error
        if error.errno == errno.ENAMETOOLONG:
            raise DataError(f"{path}: member names must fit this disk. Got one too long. Shorten it.") from error
        if error.filename == str(path):
            raise DataError(f"{path}: cannot be read ({error.strerror}). Mend its permissions.") from error
        raise
    return _inner(folder)


def _unpack_zip(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        wanted = _checked(path, [_zip_member(info) for info in archive.infolist()])
        for member in wanted:
            with archive.open(member.name) as stream:
                _write(stream, member, folder, path)


def _unpack_tar(path: Path, folder: Path) -> None:
    with _tar(path) as archive:
        wanted = {member.name: member for member in _checked(path, _tar_members(archive, path))}
        for info in archive:
            stream = archive.extractfile(info) if info.name in wanted else None
            if stream is not None:
                _write(stream, wanted[info.name], folder, path)


def _zip_member(info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    is_folder = info.is_dir()
    return _Member(info.filename, info.file_size, is_folder, not is_folder and kind in (0, stat.S_IFREG))


def _tar_members(archive: tarfile.TarFile, path: Path) -> list[_Member]:
    """Return the members; stops early, as skipping through a compressed bomb costs time too."""
    members: list[_Member] = []
    total = 0
    for info in archive:
        total += info.size
        if total > MAX_TOTAL_BYTES or len(members) >= MAX_MEMBERS:
            raise DataError(_too_much(path, len(members), total))
        members.append(_Member(info.name, info.size, info.isdir(), info.isreg()))
    return members


def _checked(path: Path, members: list[_Member]) -> list[_Member]:
    """Return the members that are images, after checking all."""
    total = sum(member.size for member in members)
    if total > MAX_TOTAL_BYTES or len(members) > MAX_MEMBERS:
        raise DataError(_too_much(path, len(members), total))
    for member in members:
        parts = PurePosixPath(member.name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in member.name or "\0" in member.name:
            raise DataError(
                f"{path}: members must lie inside the archive's folder. Got {member.name!r}, which leads outside. "
                "Nothing was unpacked. Do not use this archive."
            )
        if not member.is_folder and not member.is_file:
            raise DataError(
                f"{path}: members must be files or folders. Got {member.name!r}, a link or device. Nothing was "
                "unpacked. Make the archive without links."
            )
    return [member for member in members if member.is_file and _is_image(member.name)]


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _write(stream: IO[bytes], member: _Member, folder: Path, path: Path) -> None:
    if member.size > MAX_FILE_BYTES:
        raise DataError(f"{path}: {member.name}: at most {MAX_FILE_BYTES} bytes are unpacked. Got {member.size}.")
    data = stream.read(member.size + 1)
    if len(data) != member.size:
        raise DataError(f"{path}: {member.name}: {member.size} bytes are announced. Got {len(data)}. Make it again.")
    target = folder / PurePosixPath(member.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        file.write(data)


@contextmanager
def _tar(path: Path) -> Iterator[tarfile.TarFile]:
    with path.open("rb") as file:
        start = file.read(6)
    opener = next((opener for magic, opener in _COMPRESSED.items() if start.startswith(magic)), Path.open)
    with opener(path, "rb") as stream, tarfile.open(fileobj=cast("BinaryIO", _Bounded(stream)), mode="r:") as archive:
        yield archive


class _Bounded:
    """A stream that refuses large reads: tarfile takes a header of any announced size into memory at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes.

        Raises:
            ReadError: more is asked for than a file may hold.
        """
        if not 0 <= size <= MAX_FILE_BYTES + tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"a part of {size} bytes")
        return self._stream.read(size)


def _inner(folder: Path) -> Path:
    """Step into a folder that only holds one folder of class folders, as archives of a folder do."""
    for _ in range(3):
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir() or not any(child.is_dir() for child in inside[0].iterdir()):
            break
        folder = inside[0]
    return folder


def _too_much(path: Path, members: int, total: int) -> str:
    return (
        f"{path}: at most {MAX_MEMBERS} members and {MAX_TOTAL_BYTES} bytes are unpacked. Got {members} members, "
        f"{total} bytes. Unpack it yourself and give the folder."
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
