"""Which space file is in force for each candidate; later sources win over earlier ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from automl.core.space import SearchSpace
from automl.errors import SpaceError
from automl.spaces.completion import completed, to_toml
from automl.spaces.place import Place, did_you_mean, shown
from automl.spaces.space_file import read_space

PORTFOLIO = "portfolio.toml"
VARIABLE = "AUTOML_SEARCH_SPACES"
ENTRY_POINTS = "automl.spaces"
LARGEST_BYTES = 1 << 20
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class SpaceFile:
    """A text and the file it was read from."""

    text: str
    origin: str


@dataclass(frozen=True)
class Found:
    """The files in force.

    Attributes:
        spaces: candidate → the file that won, in the order the candidates were asked for.
        portfolio: what is tried first, or None where no source has one.
        unused: files that were named but concern no candidate of this search.
    """

    spaces: Mapping[str, SpaceFile]
    portfolio: SpaceFile | None = None
    unused: tuple[str, ...] = ()

    @property
    def texts(self) -> dict[str, str]:
        """Return candidate → text, as the journal keeps it."""
        return {name: file.text for name, file in self.spaces.items()}

    @property
    def origins(self) -> dict[str, str]:
        """Return candidate → the file that won."""
        return {name: file.origin for name, file in self.spaces.items()}


def find(task: str, candidates: Sequence[str], extra: Sequence[str] = (), *, like: str = "") -> Found:
    """Return the space file in force for each candidate, and the portfolio.

    Later wins: built-in, plugin entry points (group `automl.spaces`, each naming a package that is a folder of space
    files), the environment variable AUTOML_SEARCH_SPACES (files and folders joined like PATH), extra. The working
    directory is never searched by itself.

    A folder is searched for `<task>/<candidate>.toml`, or `<candidate>.toml` where it has no folder of the task; a
    file may have any name that ends in .toml. A file need not list all parameters: those that the candidate's own file
    (the first of all) has beyond it are held at their defaults, and the text carried says so.

    Args:
        task: the task's name.
        candidates: the candidates of this search.
        extra: files and folders in the order the user named them with --space.
        like: another task whose files stand in for what this one does not have, see `TaskInfo.spaces`.

    Raises:
        SpaceError: a path or a file breaks a rule, or a candidate has no space.
    """
    own: dict[str, SpaceFile] = {}
    files: dict[str, SpaceFile] = {}
    unused: list[str] = []
    folders = [_built_in(), *_plugins()]
    for folder, named in [*((f, like) for f in folders if like), *((f, task) for f in folders)]:
        more = _from_folder(folder, named, candidates)
        own, files = more | own, files | more
    for name in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        more = _named(name, VARIABLE, task, candidates)
        files.update(more)
        unused += [] if more else [name]
    for name in extra:
        files.update(_required(_named(name, "--space", task, candidates), name, candidates))
    _check_complete(files, task, candidates)
    spaces = {name: _completed(files[name], own.get(name, files[name])) for name in candidates}
    return Found(spaces, files.get(PORTFOLIO), tuple(unused))


def merge(found: Found) -> SearchSpace:
    """Return the union of the spaces in force.

    Raises:
        SpaceError: a file breaks a rule.
    """
    return SearchSpace({name: read_space(file.text, file.origin) for name, file in found.spaces.items()})


def _built_in() -> Path:
    packaged = _PACKAGE / "search_spaces"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "search_spaces"


def _plugins() -> Iterable[Path]:
    for point in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda p: (p.name, p.value)):
        locations = _locations(point.value)
        if not locations:
            raise SpaceError(
                f"entry point {point.name!r} of {ENTRY_POINTS} must name a package with space files. "
                f"Got {point.value!r}. Reinstall or remove the plugin."
            )
        yield from map(Path, locations)


def _locations(package: str) -> list[str]:
    """Return the folders of a package without importing it; none where it is missing or a plain module."""
    try:
        spec = util.find_spec(package)
    except (ImportError, ValueError):  # its parent is missing; or no name at all
        return []
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def _named(name: str, flag: str, task: str, candidates: Sequence[str]) -> dict[str, SpaceFile]:
    """Return the files behind a path the user gave, by candidate; the portfolio by its file name."""
    path = Path(name).expanduser()
    if path.is_dir():
        return _from_folder(path, task, candidates)
    if not path.exists():
        raise SpaceError(f"{flag} {name}: no such file or folder. Got {shown(str(path))}. Check the path.")
    if path.suffix != ".toml":
        raise SpaceError(f"{flag} {name}: a space file is TOML and ends in .toml. Got {path.name}. Convert it to TOML.")
    file = SpaceFile(_read(path), name)
    if path.name == PORTFOLIO:
        return {PORTFOLIO: file}
    candidate = read_space(file.text, name).candidate
    if candidate in candidates:
        return {candidate: file}
    if flag != "--space":
        return {}
    hint = did_you_mean(candidate, candidates)
    raise Place(name, "candidate").error(
        f"{shown(candidate)} is not a candidate of this search.{hint} Known: {', '.join(candidates)}."
    )


def _from_folder(folder: Path, task: str, candidates: Sequence[str]) -> dict[str, SpaceFile]:
    place = folder / task if (folder / task).is_dir() else folder
    found: dict[str, SpaceFile] = {}
    for name in candidates:
        path = place / f"{name}.toml"
        if path.is_file():
            found[name] = SpaceFile(_read(path), str(path))
            _check_name(found[name], name)
    if (place / PORTFOLIO).is_file():
        found[PORTFOLIO] = SpaceFile(_read(place / PORTFOLIO), str(place / PORTFOLIO))
    return found


def _check_name(file: SpaceFile, name: str) -> None:
    candidate = read_space(file.text, file.origin).candidate
    if candidate != name:
        rule = "in a folder a file is named after its candidate"
        place = Place(file.origin, "candidate")
        raise place.error(f"{rule}. Got {shown(candidate)}. Rename the file {candidate}.toml.")


def _required(files: dict[str, SpaceFile], name: str, candidates: Sequence[str]) -> dict[str, SpaceFile]:
    if not files:
        wanted = ", ".join(f"{c}.toml" for c in candidates)
        raise SpaceError(f"--space {name}: the folder has no file for any candidate. Looked for {wanted}.")
    return files


def _completed(file: SpaceFile, own: SpaceFile) -> SpaceFile:
    """Return file, rewritten where it lacks parameters that the candidate's own file has."""
    if file is own:
        return file
    given = read_space(file.text, file.origin)
    full = completed(given, read_space(own.text, own.origin))
    return file if full == given else SpaceFile(to_toml(full), file.origin)


def _check_complete(files: Mapping[str, SpaceFile], task: str, candidates: Sequence[str]) -> None:
    for name in candidates:
        if name not in files:
            raise SpaceError(
                f"{task}: candidate {name!r} has no space file. Give one with --space {name}.toml, "
                f"or leave it out with --exclude {name}."
            )


def _read(path: Path) -> str:
    data = _bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = f"{data[error.start]:#04x}"
        raise SpaceError(f"{path}: line {line}: must be UTF-8. Got the byte {byte}. Save the file as UTF-8.") from None


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_file() and size <= LARGEST_BYTES:
            return path.read_bytes()
    except OSError as error:
        raise SpaceError(f"{path}: cannot be read: {error.strerror}. Check the path and its permissions.") from None
    raise SpaceError(f"{path}: a space is a file of at most {LARGEST_BYTES} bytes. Got {size}. Check the path.")
