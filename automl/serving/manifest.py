"""Read a model folder's manifest.json and its files; nothing is parsed before its SHA-256 was compared."""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from .calibration import check_calibration, check_decision
from .errors import ModelError

SCHEMA = 1
"""The manifest layout this code reads and writes."""
NAME = "manifest.json"
SUFFIXES = frozenset({".onnx", ".json", ".py", ".md", ".txt"})
MAX_MANIFEST_BYTES = 16 * 2**20
MAX_FILE_BYTES = 2 * 2**30
MAX_FILES = 10_000
MAX_MEMBERS = 1_000
MAX_DEPTH = 50

OutputKind = Literal["probabilities", "values"]


@dataclass(frozen=True)
class FileEntry:
    """What the manifest says about a file of the folder."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class MemberEntry:
    """One ONNX model of the folder.

    Attributes:
        file: its path in the folder.
        weight: its share of the mean; shares sum to 1.
        features: how its input is computed from a row; see inputs.
        input, output: names in the ONNX graph.
        output_kind: what the output is.
        candidate: the kind of model, for people.
    """

    file: str
    weight: float
    features: Mapping[str, Any]
    input: str
    output: str
    output_kind: OutputKind
    candidate: str


@dataclass(frozen=True)
class Manifest:
    """A checked manifest.

    Attributes:
        folder: where the files lie, resolved.
        sha256: of manifest.json itself; pins the whole folder.
        classes: labels in the order of the scores; none where a number is predicted.
        input: the rule by which a user's file becomes rows.
        calibration, decision: from the mean of the members to probabilities, and to labels; see calibration.
        files: path in the folder → hash and size.
        facts: the whole JSON object, for people (scores, versions, licences ...).
    """

    folder: Path
    sha256: str
    task: str
    classes: tuple[str, ...]
    input: Mapping[str, Any]
    members: tuple[MemberEntry, ...]
    files: Mapping[str, FileEntry]
    facts: Mapping[str, Any] = field(repr=False)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    decision: Mapping[str, Any] = field(default_factory=dict)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the folder after comparing size and SHA-256.

        Raises:
            ModelError: the manifest does not list it, or it was changed.
        """
        if name not in self.files:
            raise ModelError(f"{self.folder / NAME}: files: every file must be listed. Got no entry for {name!r}.")
        entry, path = self.files[name], _inside(self.folder, name)
        data = _bytes(path, MAX_FILE_BYTES)
        found = hashlib.sha256(data).hexdigest()
        if found != entry.sha256 or len(data) != entry.size_bytes:
            raise ModelError(
                f"{path}: SHA-256 does not match the manifest, the file was changed or damaged. Expected "
                f"{entry.sha256} ({entry.size_bytes} bytes). Got {found} ({len(data)} bytes). Get the model again."
            )
        return data

    def read_object(self, name: str, most_bytes: int) -> dict[str, Any]:
        """Return a JSON object of the folder; parsed only after its size and SHA-256 were compared.

        Raises:
            ModelError: as `read`, or it is larger, no JSON object, nested too deep, or holds NaN.
        """
        if name in self.files and self.files[name].size_bytes > most_bytes:
            raise ModelError(
                f"{self.folder / name}: at most {most_bytes} bytes are read. Got {self.files[name].size_bytes}. "
                "Do not use this model."
            )
        return _json(self.read(name), self.folder / name, parse_constant=_no_constant)

    def check_files(self) -> None:
        """Compare every file with its hash.

        Raises:
            ModelError: one was changed or is missing.
        """
        for name in self.files:
            self.read(name)


def read_manifest(folder: Path, *, expect_sha256: str = "") -> Manifest:
    """Read and check the manifest of a model folder.

    Args:
        folder: the model folder, or a link to it.
        expect_sha256: if given, what manifest.json must hash to.

    Raises:
        ModelError: there is none, it does not match, is malformed, or names a file outside of its folder.
    """
    if folder.is_file():
        raise ModelError(f"{folder}: a model is a folder with {NAME}; other files are not opened. Got a file.")
    if not (folder / NAME).is_file():
        raise ModelError(f"{folder}: a model is a folder with {NAME}. Got none there. Give the artifact's folder.")
    folder = folder.resolve()
    data = _bytes(folder / NAME, MAX_MANIFEST_BYTES)
    sha256 = hashlib.sha256(data).hexdigest()
    if expect_sha256 and sha256 != expect_sha256.lower():
        raise ModelError(
            f"{folder / NAME}: SHA-256 must be {expect_sha256}. Got {sha256}. This is not the model that was pinned."
        )
    return _Reader(folder / NAME).manifest(_json(data, folder / NAME), sha256)


def _no_constant(word: str) -> float:
    raise ValueError(f"numbers must be finite. Got {word}")


def _json(data: bytes, path: Path, *, parse_constant: Callable[[str], float] | None = None) -> dict[str, Any]:
    try:
        facts = json.loads(data, parse_constant=parse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: JSON is needed ({error}). Got {data[:20]!r}. Get the model again.") from error
    if not isinstance(facts, dict):
        raise ModelError(f"{path}: a JSON object is needed. Got {type(facts).__name__}. Get the model again.")
    _check_texts_and_depth(facts, path)
    return facts


def _check_texts_and_depth(facts: dict[str, Any], path: Path) -> None:
    """Refuse what json reads but nothing can write or walk: halves of surrogate pairs, and nesting without end."""
    level: list[Any] = [facts]
    for _ in range(MAX_DEPTH):
        texts = [value for value in level if isinstance(value, str)]
        texts += [key for value in level if isinstance(value, dict) for key in value]
        for text in texts:
            if any("\ud800" <= sign <= "\udfff" for sign in text):
                raise ModelError(f"{path}: texts must be UTF-8. Got {text[:200]!r}. Get the model again.")
        inside = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list)]
        level = [value for values in inside for value in values]
        if not level:
            return
    raise ModelError(f"{path}: JSON is nested at most {MAX_DEPTH} deep. Got more. Do not use this model.")


class _Reader:
    """Turns JSON into a Manifest; every message names the file and the key."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def manifest(self, facts: dict[str, Any], sha256: str) -> Manifest:
        """Return the manifest that facts describe, every one of them checked."""
        if type(facts.get("schema")) is not int or facts["schema"] != SCHEMA:
            raise self._error("schema", f"must be {SCHEMA}", facts.get("schema"), "Update the tool that reads it.")
        files = {name: self._file(name, entry) for name, entry in self._get(facts, "files", dict).items()}
        if not 0 < len(files) <= MAX_FILES:
            raise self._error("files", f"must have 1 to {MAX_FILES} entries", len(files))
        entries = self._get(facts, "members", list)
        if len(entries) > MAX_MEMBERS:
            raise self._error("members", f"must have at most {MAX_MEMBERS} entries", len(entries))
        members = tuple(self._member(entry, files) for entry in entries)
        total = math.fsum(member.weight for member in members)
        if abs(total - 1.0) > 1e-3:
            raise self._error("members", "weights must sum to 1", total)
        classes = self._get(facts, "classes", list)
        if not all(isinstance(label, str) for label in classes) or len(set(classes)) != len(classes):
            raise self._error("classes", "must be different texts", classes)
        task, rule = self._get(facts, "task", str), self._get(facts, "input", dict)
        calibration, decision = facts.get("calibration", {}), facts.get("decision", {})
        try:
            check_calibration(calibration, len(classes))
            check_decision(decision, len(classes))
        except ModelError as error:
            raise ModelError(f"{self._path}: {error}") from error
        return Manifest(
            self._path.parent, sha256, task, tuple(classes), rule, members, files, facts, calibration, decision
        )

    def _file(self, name: str, entry: object) -> FileEntry:
        _check_name(name, self._path)
        if not isinstance(entry, dict):
            raise self._error(f"files.{name}", "must be an object", entry)
        sha256, size = self._get(entry, "sha256", str), self._get(entry, "bytes", int)
        if len(sha256) != 64 or not 0 <= size <= MAX_FILE_BYTES:
            raise self._error(f"files.{name}", f"needs a SHA-256 and 0 to {MAX_FILE_BYTES} bytes", (sha256, size))
        return FileEntry(sha256, size)

    def _member(self, entry: object, files: Mapping[str, FileEntry]) -> MemberEntry:
        if not isinstance(entry, dict):
            raise self._error("members", "must be objects", entry)
        file, kind = self._get(entry, "file", str), self._get(entry, "output_kind", str)
        _check_name(file, self._path)
        if file not in files or not file.endswith(".onnx"):
            raise self._error("members", "must be .onnx files that are listed in files", file)
        if kind not in ("probabilities", "values"):
            raise self._error(f"members.{file}.output_kind", "must be probabilities or values", kind)
        weight = self._get(entry, "weight", float)
        if not 0 < weight <= 1:
            raise self._error(f"members.{file}.weight", "must be in (0, 1]", weight)
        names = [self._get(entry, key, str) for key in ("input", "output", "candidate")]
        features = self._get(entry, "features", dict)
        output_kind: OutputKind = "values" if kind == "values" else "probabilities"
        return MemberEntry(file, weight, features, names[0], names[1], output_kind, names[2])

    def _get(self, facts: Mapping[str, Any], key: str, kind: type) -> Any:
        value = facts.get(key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) < 2**53 else math.inf
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._error(key, f"must be {kind.__name__}", value)
        return value

    def _error(self, key: str, rule: str, value: object, then: str = "Get the model again.") -> ModelError:
        return ModelError(f"{self._path}: {key} {rule}. Got {str(value)[:200]!r}. {then}")


def _check_name(name: str, manifest: Path) -> None:
    """Refuse a name that could lead out of the folder, or a kind of file that no model folder holds."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name or name != str(path):
        raise ModelError(
            f"{manifest}: files must lie inside the model folder. Got {name!r}, which leads outside. Do not use this "
            "model."
        )
    if path.suffix not in SUFFIXES:
        raise ModelError(
            f"{manifest}: a model folder holds only {', '.join(sorted(SUFFIXES))}. Got {name!r}. Do not use this model."
        )


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a listed file, refusing links."""
    path = folder / name
    for part in (path, *path.parents):
        if part == folder:
            break
        if os.path.islink(part):  # noqa: PTH114 - Path.is_symlink raises where the name is too long for the disk
            raise ModelError(f"{path}: links could lead outside the model folder. Got a link {part.name!r}. Copy it.")
    return path


def _bytes(path: Path, limit: int) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ModelError(f"{path}: a regular file is needed. Got mode {found.st_mode:o}. Get the model again.")
        if found.st_size > limit:
            raise ModelError(f"{path}: at most {limit} bytes are read. Got {found.st_size}. Do not use this model.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}). Get the model again.") from error
