"""Export an artifact as a folder: a checked copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from automl.exporters.artifact import publish
from automl.exporters.verify import check_artifact
from automl.serving.manifest import NAME


class FolderExporter:
    """Copies an artifact: the listed files and the manifest, nothing else."""

    def export(self, artifact: Path, destination: Path) -> Sequence[Path]:
        """Check the artifact, copy it and return the files.

        Raises:
            ArtifactError: the artifact is altered or unsafe, or the destination has content.
            MachineError: it cannot be written.
        """
        manifest = check_artifact(artifact)
        files = {name: manifest.read(name) for name in manifest.files}
        files[NAME] = (manifest.folder / NAME).read_bytes()
        publish(files, destination)
        return sorted(destination / name for name in files)


EXPORTER = FolderExporter()
