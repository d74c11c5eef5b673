"""From a model's name to its folder, and out of it in some form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from automl import registry
from automl.errors import ArtifactError


def artifact_folder(model: str, tracking_uri: str = "") -> Path:
    """Return the artifact folder that a model's name means.

    Raises:
        ArtifactError: there is none.
    """
    if model.startswith("models:/"):
        from automl.recorders.mlflow import artifact_of, resolve_uri

        return artifact_of(model, resolve_uri(tracking_uri, Path.cwd()))
    path = Path(model)
    for folder in (path, path / "artifact"):
        if (folder / "manifest.json").is_file():
            return folder
    what = (
        "holds no model (no manifest.json)"
        if path.is_dir()
        else "is not a model folder"
        if path.exists()
        else "not found"
    )
    raise ArtifactError(f"{model}: {what}. Name a run folder, an artifact folder or models:/NAME@champion.")


def export_artifact(artifact: Path, output: Path, *, format: str, verify: bool) -> Sequence[Path]:  # noqa: A002
    """Write an artifact in some form and return the files; with verify, a fresh process must agree with it."""
    from automl.exporters.verify import verify_self

    files: Sequence[Path] = registry.resolve("exporter", format).export(artifact, output)
    if verify:
        verify_self(artifact)
    return files
