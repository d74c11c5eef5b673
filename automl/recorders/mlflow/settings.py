"""Where to record, and how MLflow has to be set before it is imported."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEFAULT_STORE = "mlflow.db"
_SQLITE = "sqlite:///"

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOG_UV_FILES": "false",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""What is set unless the user set it. By default MLflow asks a dead server 7 times for 120 s each."""


@dataclass(frozen=True)
class Target:
    """Where a run is recorded.

    Attributes:
        uri: MLflow's tracking URI, made absolute by `resolve_uri`.
        run_folder: where the files of the run lie.
        cache: the user's cache folder; keeps the prepared empty store.
        script: artifact folder → Python file that MLflow loads the model by (models-from-code).
        experiment: name; empty for `automl/<task>/<data>`.
    """

    uri: str
    run_folder: Path
    cache: Path
    script: Callable[[Path], Path]
    experiment: str = ""


def resolve_uri(uri: str, folder: Path) -> str:
    """Return uri with a relative SQLite path made absolute in folder; empty gives the default store there.

    >>> resolve_uri("", Path("/projects"))
    'sqlite:////projects/mlflow.db'
    """
    text = uri or _SQLITE + DEFAULT_STORE
    path = store_path(text)
    return text if path is None else f"{_SQLITE}{folder / path}"


def store_path(uri: str) -> Path | None:
    """Return the file of an SQLite store, None for any other store."""
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def prepare_environment() -> None:
    """Set what MLflow reads when it is imported, where the user has not set it."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
