"""MLflow as a projection of a run's events. Importing this imports nothing of MLflow."""

from __future__ import annotations

from automl.core.redaction import redact
from automl.recorders.mlflow.recorder import MlflowRecorder
from automl.recorders.mlflow.resolve import artifact_of
from automl.recorders.mlflow.settings import Target, resolve_uri

__all__ = ["MlflowRecorder", "Target", "artifact_of", "redact", "resolve_uri"]
