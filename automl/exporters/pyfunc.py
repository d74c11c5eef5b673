"""What MLflow needs to log an artifact as a pyfunc by models-from-code. Imports no MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ARTIFACT_KEY = "model"
"""The name under which the script finds the artifact folder in its context."""


class PyfuncFiles(NamedTuple):
    """The arguments of `mlflow.pyfunc.log_model`.

    Attributes:
        python_model: the script that MLflow copies and runs.
        artifacts: name → folder.
        pip_requirements: what a place that loads the model must have; MLflow itself not counted.
    """

    python_model: Path
    artifacts: dict[str, str]
    pip_requirements: list[str]


def pyfunc_files(artifact: Path) -> PyfuncFiles:
    """Return what MLflow needs to log this artifact; nothing is pickled."""
    requirements = (artifact / "requirements.txt").read_text(encoding="utf-8").split()
    return PyfuncFiles(
        python_model=Path(__file__).with_name("pyfunc_model.py"),
        artifacts={ARTIFACT_KEY: str(artifact.resolve())},
        pip_requirements=[*requirements, "pandas>=2.3"],
    )
