"""Prove that an artifact predicts the same in a fresh process, with nothing but its own files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from automl.errors import ArtifactError, MachineError
from automl.exporters.artifact import serving_files
from automl.exporters.check import check_onnx
from automl.serving.errors import ModelError
from automl.serving.manifest import Manifest, read_manifest
from automl.serving.model import Model
from automl.serving.rows import RowSet, save_rows

TOLERANCE = 1e-5
"""Of probabilities, and of values above 1 relative to them."""
_TIMEOUT_S = 300
_CHILD = """
import json, sys
folder, rows, scores = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path.insert(0, folder)
import numpy as np
from pathlib import Path
from serving.model import Model
from serving.rows import load_rows
model = Model.load(folder)
np.save(scores, model.predict_scores(load_rows(Path(rows))), allow_pickle=False)
foreign = sorted({name.split(".")[0] for name in sys.modules} & {"automl", "torch", "sklearn", "onnx", "mlflow"})
print(json.dumps(foreign))
"""


class VerifyReport(NamedTuple):
    """How an artifact did in a fresh process.

    Attributes:
        rows: how many were compared.
        max_difference: largest difference of a score, as `difference` has it.
    """

    rows: int
    max_difference: float


def verify_artifact(folder: Path, sample: RowSet, expected: np.ndarray) -> VerifyReport:
    """Load the artifact in a fresh process from its own files alone and compare its scores.

    The artifact's code is run only if it is, byte for byte, that of this installation.

    Args:
        folder: the artifact.
        sample: rows of the kind the artifact predicts.
        expected: scores of these rows, calibrated, (n, classes) or (n,).

    Raises:
        ArtifactError: altered, foreign code, or other scores than expected.
        MachineError: the process could not be run.
    """
    manifest = check_artifact(folder)
    _check_code(manifest)
    found = _fresh_scores(manifest.folder, sample)
    apart = difference(found, expected) if found.shape == expected.shape else 0.0
    if found.shape != expected.shape or not apart <= TOLERANCE:
        raise ArtifactError(
            f"{folder}: scores in a fresh process must equal the expected to {TOLERANCE:g}. "
            f"Got shape {found.shape} for {expected.shape}, difference {apart:g}. Do not deploy it."
        )
    return VerifyReport(len(found), apart)


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference of scores of one shape, relative to the expected where that is above 1 in size.

    >>> difference(np.array([0.5, 1002.0]), np.array([0.5, 1000.0]))
    0.002
    """
    apart = np.abs(found.astype(np.float64) - expected) / np.maximum(1.0, np.abs(expected.astype(np.float64)))
    return float(apart.max(initial=0.0))


def verify_self(folder: Path, rows: int = 32) -> VerifyReport:
    """Verify an artifact on made-up rows, against its scores in this process.

    Raises:
        ArtifactError: as `verify_artifact`.
    """
    check_artifact(folder)
    model = Model.load(folder)
    sample = model.input.made_up(rows, np.random.default_rng(0))
    return verify_artifact(folder, sample, model.predict_scores(sample))


def check_artifact(folder: Path, *, expect_sha256: str = "") -> Manifest:
    """Check the manifest, the hash of every file, and each ONNX file, without running anything.

    Raises:
        ArtifactError: something is missing, altered or unsafe.
    """
    try:
        manifest = read_manifest(folder, expect_sha256=expect_sha256)
        manifest.check_files()
        for member in manifest.members:
            check_onnx(manifest.read(member.file), member.file)
    except ModelError as error:
        raise ArtifactError(f"{error}") from error
    return manifest


def _check_code(manifest: Manifest) -> None:
    own = serving_files()
    there = {name for name in manifest.files if name.endswith(".py")}
    stray = {p.relative_to(manifest.folder).as_posix() for p in manifest.folder.rglob("*.py")} - there
    strange = sorted((there ^ set(own)) | stray | {n for n in there & set(own) if manifest.read(n) != own[n]})
    if strange:
        raise ArtifactError(
            f"{manifest.folder}: its code is not run, as it differs from this installation's. Got {strange[:5]}. "
            "Verify with the version that wrote it, or read and run runner.py yourself."
        )


def _fresh_scores(folder: Path, sample: RowSet) -> np.ndarray:
    with tempfile.TemporaryDirectory(prefix="automl-verify-") as place:
        rows, scores = Path(place) / "rows.npz", Path(place) / "scores.npy"
        save_rows(rows, sample)
        command = [sys.executable, "-I", "-c", _CHILD, str(folder), str(rows), str(scores)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, cwd=place,
                                  stdin=subprocess.DEVNULL, env=_environment(), check=False)  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MachineError(f"{folder}: the fresh process could not be run ({error}). Try again.") from error
        if done.returncode != 0:
            detail = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise ArtifactError(f"{folder}: cannot be loaded in a fresh process. Got: {detail[0]}. Do not deploy it.")
        foreign = json.loads(done.stdout)
        if foreign:
            raise ArtifactError(f"{folder}: must load without training packages. Got {', '.join(foreign)}.")
        return np.asarray(np.load(scores, allow_pickle=False))


def _environment() -> dict[str, str]:
    """Return this process's environment without what would let foreign code in, and with one thread."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**kept, "OMP_NUM_THREADS": "1"}
