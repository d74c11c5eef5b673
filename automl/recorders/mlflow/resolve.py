"""From models:/ names to the artifact folder, without MLflow's loaders: nothing of a model is run or unpickled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from automl.core.redaction import redact
from automl.errors import ArtifactError, MachineError, UserError
from automl.recorders.mlflow.model_folder import ARTIFACT
from automl.recorders.mlflow.settings import prepare_environment, store_path

_MODEL = re.compile(r"models:/(?P<name>[^/@:]+)(?:@(?P<alias>[^/@:]+)|/(?P<version>[1-9]\d*))")


_UNKNOWN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


class ModelName(NamedTuple):
    """A registered model with an alias or a version."""

    name: str
    alias: str
    version: str


def parse_model_uri(uri: str) -> ModelName:
    """Read models:/NAME@ALIAS or models:/NAME/VERSION.

    Raises:
        UserError: it is neither.

    >>> parse_model_uri("models:/flowers@champion")
    ModelName(name='flowers', alias='champion', version='')
    """
    match = _MODEL.fullmatch(uri)
    if match is None:
        raise UserError(f"{uri!r}: a model is models:/NAME@ALIAS or models:/NAME/VERSION. For example …@champion.")
    return ModelName(match["name"], match["alias"] or "", match["version"] or "")


def artifact_of(model_uri: str, tracking_uri: str) -> Path:
    """Return the local artifact folder of a registered model, downloading its files where they are elsewhere.

    Args:
        model_uri: models:/NAME@ALIAS or models:/NAME/VERSION.
        tracking_uri: MLflow's store or server, absolute (see `resolve_uri`).

    Raises:
        UserError: the store, the model, the alias or the version is not there.
        ArtifactError: the model was not made by this program.
        MachineError: the server does not answer.
    """
    wanted = parse_model_uri(model_uri)
    path = store_path(tracking_uri)
    if path is not None and not path.is_file():
        raise UserError(f"{model_uri}: there is no MLflow store {path}. Go where the search was started.")
    prepare_environment()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        location = _location(MlflowClient(tracking_uri), wanted)
    except MlflowException as problem:
        text = redact(" ".join(str(problem).split()))[:300]
        if problem.error_code in _UNKNOWN:
            raise UserError(f"{model_uri}: MLflow at {redact(tracking_uri)} does not know it: {text}") from None
        raise MachineError(f"{model_uri}: MLflow at {redact(tracking_uri)} does not answer: {text}") from None
    return _fetch(location, model_uri, tracking_uri)


def _location(client: Any, wanted: ModelName) -> str:
    """Return where the files of a version lie."""
    version = wanted.version or client.get_model_version_by_alias(wanted.name, wanted.alias).version
    return str(client.get_model_version_download_uri(wanted.name, str(version)))


def _fetch(location: str, model_uri: str, tracking_uri: str) -> Path:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        folder = Path(download_artifacts(artifact_uri=f"{location}/{ARTIFACT}", tracking_uri=tracking_uri))
    except (OSError, MlflowException) as problem:
        text = redact(" ".join(str(problem).split()))[:300]
        raise ArtifactError(
            f"{model_uri}: {redact(location)} holds no {ARTIFACT} that can be read: {text}. Name a model of automl."
        ) from None
    if not (folder / "manifest.json").is_file():
        raise ArtifactError(
            f"{model_uri}: {redact(location)} holds no {ARTIFACT}/manifest.json. Name a model of automl."
        )
    return folder
