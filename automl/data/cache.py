"""The content-addressed cache of prepared data: the same bytes and the same rule are decoded once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from automl.data.folder import DataFolder
from automl.errors import DataError, MachineError

_log = logging.getLogger(__name__)

VERSION = 1
"""Raised when preparing gives other arrays from the same bytes."""


def cache_root() -> Path:
    """Return the user's cache folder: $AUTOML_CACHE, else $XDG_CACHE_HOME/automl, else ~/.cache/automl."""
    named = os.environ.get("AUTOML_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "automl"


def cache_key(parts: Mapping[str, object]) -> str:
    """Return the name under which data prepared from these JSON values is kept."""
    text = json.dumps({**parts, "version": VERSION}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def prepared(root: Path, key: str, build: Callable[[Path], None]) -> DataFolder:
    """Return the data kept under a key, building it if it is not there or not whole.

    Args:
        root: the cache folder.
        key: from `cache_key`.
        build: writes X.npy, y.npy and spec.json into the folder it is given, which is then renamed into place, so
            that two processes that prepare the same data at once do not meet.

    Raises:
        MachineError: the cache folder cannot be written.
    """
    place = root / "data" / key
    if (place / "spec.json").is_file():
        data = _whole(place)
        if data is not None:
            return data
        _log.warning("%s: damaged, prepared anew", place)
        shutil.rmtree(place)
    with scratch(root) as folder:
        build(folder)
        _rename(folder, place)
    return DataFolder(place)


def _whole(place: Path) -> DataFolder | None:
    """Return the data in a folder, or None if it is damaged."""
    try:
        data = DataFolder(place)
    except DataError:
        return None
    return data if data.is_whole() else None


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Give a folder in the cache that only this user can open; it is removed at the end unless it was renamed.

    Raises:
        MachineError: the cache folder cannot be written, or the disk is full.
    """
    folder: Path | None = None
    try:
        (root / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=root / "data"))
        yield folder
    except OSError as error:
        raise MachineError(
            f"{root}: the cache cannot be written ({error.strerror or error}). Free space, or set AUTOML_CACHE to "
            "another folder."
        ) from error
    finally:
        if folder is not None and folder.exists():
            shutil.rmtree(folder)


def _rename(folder: Path, place: Path) -> None:
    try:
        folder.rename(place)
    except OSError:
        if not (place / "spec.json").is_file():  # else another process was faster, and its folder is as good
            raise
