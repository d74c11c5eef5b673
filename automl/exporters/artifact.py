"""Write a model folder: manifest, ONNX members, and the code that runs them. Whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

import automl.serving
from automl.core.data import DataKind, DataSpec
from automl.core.protocols import ExportMember
from automl.errors import ArtifactError, MachineError
from automl.exporters.card import model_card
from automl.exporters.check import check_onnx
from automl.exporters.shared_body import merged
from automl.serving.manifest import NAME, SCHEMA

RUNTIME: Mapping[DataKind, tuple[str, ...]] = {
    "image": ("numpy", "onnxruntime", "pillow"),
    "table": ("numpy", "onnxruntime"),
    "text": ("numpy", "onnxruntime"),
    "series": ("numpy", "onnxruntime"),
}
"""What an artifact needs installed; its requirements.txt."""
LICENCES = {
    "serving": "Apache-2.0",
    "numpy": "BSD-3-Clause",
    "onnxruntime": "MIT",
    "pillow": "MIT-CMU",
}


ENCODER_SUFFIX = ".json"


class ArtifactFacts(TypedDict):
    """What an artifact says about itself.

    Attributes:
        task, metric: names.
        scores: JSON values for people, such as {"cv": 0.93, "low": 0.91, "high": 0.95}.
        versions: package → version, of the training.
        run_name: where it comes from.
        calibration, decision: from the members' mean to probabilities and labels; see `automl.serving.calibration`.
        deploy: which models these are: "bag" of the folds, or "refit" on all rows.
    """

    task: str
    metric: str
    scores: Mapping[str, Any]
    versions: Mapping[str, str]
    run_name: str
    calibration: NotRequired[Mapping[str, Any]]
    decision: NotRequired[Mapping[str, Any]]
    deploy: NotRequired[str]


def write_artifact(
    destination: Path, *, spec: DataSpec, members: Sequence[ExportMember], **facts: Unpack[ArtifactFacts]
) -> str:
    """Write the model folder and return the SHA-256 of its manifest.

    It is written beside its destination, synced to the disk, and renamed.

    Args:
        destination: a folder that does not exist.
        spec: of the training data.
        members: models with weights that sum to 1.
        facts: see `ArtifactFacts`.

    Raises:
        ArtifactError: the destination exists, or a member is not fit for an artifact.
        MachineError: it cannot be written.
    """
    if destination.exists():
        raise ArtifactError(f"{destination}: an artifact is written to a new folder. Got one that exists. Remove it.")
    if not members:
        raise ArtifactError(f"{destination}: an artifact needs members. Got 0. Train a model first.")
    files = _content(spec, members, facts)
    publish(files, destination)
    return hashlib.sha256(files[NAME]).hexdigest()


def swap(link: Path, target: Path) -> None:
    """Let a symbolic link point to target, in one step, relative to the link's folder.

    Raises:
        MachineError: something else than a link is in its place, or it cannot be written.
    """
    if link.exists() and not link.is_symlink():
        raise MachineError(f"{link}: must be a link. Got a file or folder of that name. Move it away.")
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.path.relpath(target, link.parent))
        fresh.replace(link)
        _sync(link.parent)
    except OSError as error:
        raise MachineError(f"{link}: cannot be written ({error.strerror or error}). Mend its folder.") from error


def serving_files() -> dict[str, bytes]:
    """Return the files of this installation's serving code, by their place in an artifact."""
    package = resources.files(automl.serving)
    sources = {p.name: p.read_bytes() for p in package.iterdir() if p.name.endswith(".py")}
    runner = sources.pop("runner.py")
    return {"runner.py": runner, **{f"serving/{name}": sources[name] for name in sorted(sources)}}


def publish(files: Mapping[str, bytes], destination: Path) -> None:
    """Write files into a new folder, whole or not at all.

    Raises:
        ArtifactError: the destination exists and is not an empty folder.
        MachineError: it cannot be written.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise ArtifactError(f"{destination}: a new or empty folder is needed. Got one with content. Name another.")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
        try:
            for name, data in files.items():
                _write(folder, name, data)
            _rename(folder, destination)
        finally:
            if folder.exists():
                shutil.rmtree(folder)
    except OSError as error:
        raise MachineError(
            f"{destination}: cannot be written ({error.strerror or error}). Free space or mend its permissions."
        ) from error


def _content(spec: DataSpec, members: Sequence[ExportMember], facts: ArtifactFacts) -> dict[str, bytes]:
    """Return all files of an artifact."""
    files: dict[str, bytes] = dict(serving_files())
    entries = [_member(number, group, files) for number, group in enumerate(_groups(members))]
    manifest = _manifest(spec, entries, facts)
    files["requirements.txt"] = _requirements(spec.kind).encode()
    files["model_card.md"] = model_card(manifest).encode()
    manifest["files"] = {name: _entry(data) for name, data in sorted(files.items())}
    files[NAME] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def _groups(members: Sequence[ExportMember]) -> list[list[ExportMember]]:
    """Return members one by one, but those of a candidate together that share a body and read the same features."""
    groups: dict[tuple[object, ...], list[ExportMember]] = {}
    for place, member in enumerate(members):
        entry = _facts(member)
        key: tuple[object, ...] = (place,)
        if "body" in entry:
            encoder = entry["features"].get("encoder")
            plan = hashlib.sha256((member.folder / encoder).read_bytes()).hexdigest() if encoder else ""
            key = (member.candidate, entry["body"], entry["features"]["kind"], plan)
        groups.setdefault(key, []).append(member)
    return list(groups.values())


def _member(number: int, group: Sequence[ExportMember], files: dict[str, bytes]) -> dict[str, Any]:
    """Add the files of members that share a body to files and return their manifest entry."""
    first, entry = group[0], _facts(group[0])
    graphs = [(member.folder / _facts(member)["file"]).read_bytes() for member in group]
    for member, data in zip(group, graphs, strict=True):
        check_onnx(data, f"{member.folder / entry['file']}")
    weight = math.fsum(member.weight for member in group)
    name = f"members/{number:02d}.onnx"
    files[name] = graphs[0] if len(group) == 1 else merged(graphs, [member.weight / weight for member in group])
    kept = {key: entry[key] for key in ("features", "input", "output", "output_kind")}
    if "encoder" in kept["features"]:
        encoder = _encoder(number, first.folder / kept["features"]["encoder"], files)
        kept["features"] = {**kept["features"], "encoder": encoder}
    fold = {"fold": first.fold} if len(group) == 1 else {"fold": -1, "models": len(group)}
    return {"file": name, "weight": weight, "candidate": first.candidate, "trial": first.trial, **fold, **kept}


def _facts(member: ExportMember) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads((member.folder / "member.json").read_text(encoding="utf-8"))
    return entry


def _encoder(number: int, path: Path, files: dict[str, bytes]) -> str:
    """Add an encoder to files and return its name there; equal ones are kept once, so that they are computed once."""
    data = path.read_bytes()
    for name, known in files.items():
        if name.startswith("members/") and name.endswith(ENCODER_SUFFIX) and known == data:
            return name
    name = f"members/{number:02d}{ENCODER_SUFFIX}"
    files[name] = data
    return name


def _manifest(spec: DataSpec, members: list[dict[str, Any]], facts: ArtifactFacts) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "task": facts["task"],
        "metric": facts["metric"],
        "run": facts["run_name"],
        "classes": list(spec.classes),
        "target": spec.target,
        "input": dict(spec.input),
        "members": members,
        "deploy": facts.get("deploy", ""),
        "calibration": dict(facts.get("calibration", {})),
        "decision": dict(facts.get("decision", {})),
        "scores": dict(facts["scores"]),
        "data": {
            "name": spec.name,
            "rows": spec.rows,
            "shape": list(spec.shape),
            "class_counts": list(spec.class_counts),
            "fingerprint": spec.fingerprint,
            "columns": dict(spec.columns),
            "split": spec.split,
            "is_weighted": spec.is_weighted,
        },
        "versions": dict(facts["versions"]),
        "licences": {name: LICENCES[name] for name in ("serving", *RUNTIME[spec.kind])},
    }


def _requirements(kind: DataKind) -> str:
    """Return the packages that a kind of data needs, from the least known to work up to the next major one."""
    from importlib.metadata import version

    def _line(package: str) -> str:
        major = int(version(package).split(".", 1)[0])
        return f"{package}>={_floor(package)},<{major + 1}\n"

    return "".join(_line(package) for package in RUNTIME[kind])


def _floor(package: str) -> str:
    return {"numpy": "2.0", "onnxruntime": "1.23", "pillow": "12.3"}[package]


def _entry(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _write(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _rename(folder: Path, destination: Path) -> None:
    """Make a filled folder readable as the user's other files are, and rename it into place."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        _sync(path)
    folder.rename(destination)
    _sync(destination.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
