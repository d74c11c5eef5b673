"""Open what a user calls data: checked, fingerprinted, decoded once into the cache."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.protocols import Task
from automl.data import series_sources, table_sources
from automl.data.archives import ENDINGS, is_archive, unpacked
from automl.data.cache import cache_root, scratch
from automl.data.checks import overlap_findings
from automl.data.folder import DataFolder
from automl.data.image_array import LabelledArrays, open_arrays, open_made, open_npz
from automl.data.image_folder import open_folder
from automl.data.image_prepare import Wanted
from automl.data.roles import Roles
from automl.errors import DataError
from automl.serving.arrays import is_npz
from automl.serving.image_rule import ImageRule

Source = str | Path | LabelledArrays | tuple[object, object] | tuple[object, object, object] | Any
"""A path, arrays, or for tables a data frame."""
_VAGUE = frozenset({"train", "training", "data", "dataset", "images", "test", "val", "valid"})
_KINDS = "a folder with one sub-folder of images per class, a zip or tar of one, or an .npz with X and y"


class Opened(NamedTuple):
    """Prepared data and what was noticed on the way."""

    data: DataFolder
    findings: tuple[Finding, ...]


def open_source(
    source: Source, task: Task, *, roles: Roles | None = None, cache: Path | None = None, wanted: Wanted | None = None
) -> Opened:
    """Return prepared training data; the same bytes are prepared once only.

    Args:
        source: for images a folder of class folders, a zip or tar of one, an .npz with X and y (and classes), or
            arrays in memory as (X, y) or (X, y, classes); for tables a CSV, TSV, JSON Lines or Parquet file, a data
            frame with the target in it, or (X, y); for series an .npz with X and y (and lengths, classes), arrays in
            memory, or a file or data frame with one step a row; "" for the task's default data.
        task: says what is learned and whether this data allows it.
        roles: what the columns of a table are for.
        cache: the cache folder; None takes the user's.
        wanted: how images are prepared; None takes the defaults.

    Raises:
        DataError: nothing can be learned from this.
        MachineError: the cache cannot be written.
    """
    root, roles = cache or cache_root(), roles or Roles()
    _refuse_foreign(roles, task)
    if task.info.kind == "series":
        data = _open_series(source, roles, task, cache=root)
    elif task.info.kind in ("table", "text"):
        data = _open_table(source, roles, task, cache=root)
    else:
        data = _open_images(source, roles, task, wanted or Wanted(), cache=root)
    return Opened(data, (*data.findings, *task.validate(data.spec, data.y)))


def _open_images(source: Source, roles: Roles, task: Task, wanted: Wanted, *, cache: Path) -> DataFolder:
    if roles.given():
        raise DataError(f"{roles.given()[0]}: it is for tables, and {task.info.name} is about images. Leave it out.")
    if isinstance(source, str) and source == "":
        return _open_default(task, wanted, cache)
    if isinstance(source, tuple):
        return open_arrays(_labelled(source), "arrays", wanted, cache=cache)
    _refuse_frame(source, "data")
    return _open_path(Path(source), wanted, cache)


def _open_series(source: Source, roles: Roles, task: Task, *, cache: Path) -> DataFolder:
    if isinstance(source, str) and source == "":
        raise DataError(f"DATA: task {task.info.name} needs data. Got none. DATA is {series_sources.KINDS}.")
    if not isinstance(source, str | Path):
        return series_sources.open_memory(source, roles, task, cache=cache)
    path = _series_path(Path(source))
    return series_sources.open_file(path, data_name(path), roles, task, cache=cache)


def _open_table(source: Source, roles: Roles, task: Task, *, cache: Path) -> DataFolder:
    if not isinstance(source, str | Path):
        return table_sources.open_memory(source, roles, task, cache=cache)
    if source == "":
        return table_sources.open_default(roles, task, cache=cache)
    path = _table_path(Path(source))
    return table_sources.open_file(path, data_name(path), roles, task, cache=cache)


def prepare_test(source: Source, train: DataFolder | DataSpec, *, cache: Path | None = None) -> Opened:
    """Return prepared test data, by the input rule and with the classes of the training data.

    Args:
        source: as for `open_source`, but not "".
        train: the training data (then rows that are in both are told), or its spec alone.
        cache: the cache folder; None takes the user's.

    Raises:
        DataError: it cannot be read, or has a class that training did not have.
        MachineError: the cache cannot be written.
    """
    spec = train.spec if isinstance(train, DataFolder) else train
    if isinstance(source, str) and source == "":
        kinds = {"image": _KINDS, "series": series_sources.KINDS}.get(spec.kind, table_sources.KINDS)
        raise DataError(f"test data: needs a path or arrays. Got {source!r}. DATA is {kinds}.")
    root = cache or cache_root()
    if spec.kind == "series":
        return _prepare_test_series(source, train, spec, cache=root)
    if spec.kind in ("table", "text"):
        return _prepare_test_table(source, train, spec, cache=root)
    wanted = Wanted(rule=ImageRule.from_json(spec.input), classes=spec.classes)
    if isinstance(source, tuple):
        data = open_arrays(_labelled(source), "test", wanted, cache=root)
    else:
        _refuse_frame(source, "test data")
        data = _open_path(Path(source), wanted, root)
    overlap = overlap_findings(train.X, data.X) if isinstance(train, DataFolder) else []
    return Opened(data, (*data.findings, *overlap))


def data_name(path: Path) -> str:
    """Return a short name for folders and experiments; a name that says little gives way to its folder's.

    >>> data_name(Path("/data/My Flowers.tar.gz"))
    'my-flowers'
    >>> data_name(Path("/data/flowers/train.npz"))
    'flowers'
    """
    stem = re.sub(r"(\.tar)?\.[A-Za-z0-9]{1,4}$", "", path.name) if not path.is_dir() else path.name
    if stem.lower() in _VAGUE and path.parent.name and path.parent.name.lower() not in _VAGUE:
        stem = path.parent.name
    return re.sub(r"[^\w.]+", "-", stem.lower()).strip("-.")[:60] or "data"


def _prepare_test_table(source: Source, train: DataFolder | DataSpec, spec: DataSpec, *, cache: Path) -> Opened:
    if isinstance(source, str | Path):
        path = _table_path(Path(source))
        data = table_sources.test_file(path, data_name(path), spec, cache=cache)
    else:
        data = table_sources.test_memory(source, spec, cache=cache)
    found = table_sources.compared(train, data) if isinstance(train, DataFolder) else []
    return Opened(data, (*data.findings, *found))


def _prepare_test_series(source: Source, train: DataFolder | DataSpec, spec: DataSpec, *, cache: Path) -> Opened:
    if isinstance(source, str | Path):
        path = _series_path(Path(source))
        data = series_sources.test_file(path, data_name(path), spec, cache=cache)
    else:
        data = series_sources.test_memory(source, spec, cache=cache)
    found = series_sources.compared(train, data) if isinstance(train, DataFolder) else []
    return Opened(data, (*data.findings, *found))


def _series_path(path: Path) -> Path:
    """Return the resolved path of a file that may hold series."""
    path, kinds = _found(path, series_sources.KINDS), series_sources.KINDS
    if path.suffix.lower() not in series_sources.SUFFIXES or not path.is_file():
        got = "a folder" if path.is_dir() else f"a file that ends in {path.suffix!r}"
        raise DataError(f"{path}: DATA is {kinds}. Got {got}. Convert it.")
    return path


def _table_path(path: Path) -> Path:
    """Return the resolved path of a file that may be a table."""
    path, kinds = _found(path, table_sources.KINDS), table_sources.KINDS
    if path.suffix.lower() not in table_sources.SUFFIXES or not path.is_file():
        images = path.is_dir() or is_npz(path) or path.name.lower().endswith(ENDINGS)
        hint = " Images are learned by --task image-clf." if images else ""
        got = "a folder" if path.is_dir() else f"a file that ends in {path.suffix!r}"
        raise DataError(f"{path}: DATA is {kinds}. Got {got}.{hint}")
    return path


_ONLY_FOR = {"--text": "text", "--series-id": "series", "--series-time": "series"}
_ROWS = {"image": "images", "table": "tables", "text": "texts", "series": "series"}


def _refuse_foreign(roles: Roles, task: Task) -> None:
    """Refuse columns that rows of the task do not have."""
    for flag, column in roles.flags().items():
        kind = _ONLY_FOR.get(flag, task.info.kind)
        if kind != task.info.kind:
            about = f"{task.info.name} is about {_ROWS[task.info.kind]}"
            raise DataError(f"{flag} {column!r}: it is for {_ROWS[kind]}, and {about}. Leave it out.")


def _refuse_frame(source: object, what: str) -> None:
    if not isinstance(source, str | Path):
        raise DataError(f"{what}: images are a path, (X, y) or (X, y, classes). Got a {type(source).__name__}.")


def _found(path: Path, kinds: str) -> Path:
    """Return the resolved path of what is there.

    Raises:
        DataError: nothing is.
    """
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        why = (
            "" if isinstance(error, FileNotFoundError) else f" ({getattr(error, 'strerror', 0) or 'links in a circle'})"
        )
        raise DataError(f"{str(path)[:300]}: not found{why}. DATA is {kinds}.") from error


def _open_path(path: Path, wanted: Wanted, cache: Path) -> DataFolder:
    path = _found(path, _KINDS)
    kind = path.stat().st_mode
    name = data_name(path)
    if path.is_dir():
        return open_folder(path, name, wanted, cache=cache)
    if not stat.S_ISREG(kind):
        raise DataError(f"{path}: DATA is {_KINDS}. Got a pipe or device (mode {kind:o}). Name a file.")
    if is_npz(path):
        return open_npz(path, name, wanted, cache=cache)
    if is_archive(path):
        with scratch(cache) as folder:
            return open_folder(unpacked(path, folder), name, wanted, cache=cache, shown=path)
    hint = (
        " Tables are learned by --task tabular-clf or tabular-reg."
        if path.suffix.lower() in table_sources.SUFFIXES
        else ""
    )
    raise DataError(f"{path}: DATA is {_KINDS}. Got a file that ends in {path.suffix!r}.{hint}")


def _open_default(task: Task, wanted: Wanted, cache: Path) -> DataFolder:
    if task.info.default_data != "digits":
        raise DataError(f"DATA: task {task.info.name} needs data. Got none. DATA is {_KINDS}.")
    from importlib.metadata import version

    return open_made(_digits, "digits", f"scikit-learn {version('scikit-learn')}", wanted=wanted, cache=cache)


def _digits() -> LabelledArrays:
    """Return the hand-written digits that ship with scikit-learn: 1,797 grey images of 8 x 8 pixels, values 0 to 16."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return LabelledArrays(digits.images, digits.target)


def _labelled(source: tuple[object, ...]) -> LabelledArrays:
    if len(source) not in (2, 3):
        raise DataError(f"data: arrays are given as (X, y) or (X, y, classes). Got a tuple of {len(source)}.")
    classes = source[2] if len(source) == 3 else None
    return LabelledArrays(source[0], source[1], None if classes is None else np.asarray(classes))
