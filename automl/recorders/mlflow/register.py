"""The winner as a LoggedModel of its run and a version of a registered model. Imported lazily, like writer."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from automl.core.events import Registered
from automl.core.history import History
from automl.errors import RunError
from automl.recorders.mlflow import projection
from automl.recorders.mlflow.champion import ALIAS, challenge, version_tags
from automl.recorders.mlflow.model_folder import ARTIFACT, ModelFacts, write_model_files
from automl.recorders.mlflow.projection import RUN_TAG
from automl.recorders.mlflow.writer import Writer, mlflow_version

_MANIFEST = "automl.manifest_sha256"


def register(writer: Writer, history: History) -> Registered:
    """Register the winner once, and move the alias `champion` to it if it is better on the same data.

    Raises:
        RunError: the artifact is gone, or is no longer the one that was decided on.
    """
    started, decided = history.started, history.decided
    assert started is not None
    assert decided is not None
    name, client = projection.model_name(started), writer.client
    tags = {**version_tags(started, decided), RUN_TAG: projection.run_id(started)}
    made = _find(client, name, tags)
    if made is None:
        artifact = _artifact(writer.target.run_folder / decided.artifact, decided.manifest_sha256)
        model = _find_model(writer, tags) or _log_model(writer, history, artifact, tags)
        made = _new_version(writer, name, model, tags)
    champion = _champion(client, name)
    if champion is not None and champion.version == made.version:
        is_champion, note = True, f"version {made.version} is {ALIAS}"
    else:
        version = "" if champion is None else str(champion.version)
        is_champion, note = challenge(tags, None if champion is None else champion.tags, version)
        if is_champion:
            client.set_registered_model_alias(name, ALIAS, made.version)
    return Registered(
        f"models:/{name}/{made.version}", writer.experiment_id, writer.parent_id, is_champion, note, history.at
    )


def _find(client: Any, name: str, tags: dict[str, str]) -> Any:
    """Return the version that an earlier call made of this very model, or None."""
    for version in client.search_model_versions(f"name = '{name}'"):
        if all(version.tags.get(key) == tags[key] for key in (RUN_TAG, _MANIFEST)):
            return version
    return None


def _find_model(writer: Writer, tags: dict[str, str]) -> Any:
    """Return the whole model that an earlier attempt logged, or None."""
    wanted = f"source_run_id = '{writer.parent_id}'"
    for model in writer.client.search_logged_models([writer.experiment_id], wanted):
        if str(model.status) == "READY" and model.tags.get(_MANIFEST) == tags[_MANIFEST]:
            return model
    return None


def _artifact(folder: Path, manifest_sha256: str) -> Path:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise RunError(f"{folder}: the artifact is gone. Export it again, or search anew.")
    found = hashlib.sha256(manifest.read_bytes()).hexdigest()
    if found != manifest_sha256:
        raise RunError(f"{manifest}: was changed after the run, SHA-256 {found[:12]}… is not {manifest_sha256[:12]}….")
    return folder.resolve()


def _log_model(writer: Writer, history: History, artifact: Path, tags: dict[str, str]) -> Any:
    """Log the artifact as a model of the run and return it."""
    from mlflow.entities import LoggedModelOutput

    started, decided, client = history.started, history.decided, writer.client
    assert started is not None
    assert decided is not None
    model = client.create_logged_model(
        writer.experiment_id, name="model", source_run_id=writer.parent_id, model_type="automl",
        params={"candidate": decided.winner.candidate, "kind": decided.winner.kind},
        tags=tags,
    )  # fmt: skip
    size = sum(f.stat().st_size for f in artifact.rglob("*") if f.is_file())
    facts = ModelFacts(model.model_id, writer.parent_id, model.artifact_location, mlflow_version(),
                       started.wall_started + decided.at, size)  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="automl-") as folder:
        write_model_files(Path(folder), artifact, writer.target.script(artifact), started.spec, facts)
        client.log_model_artifacts(model.model_id, folder)
    client.log_model_artifacts(model.model_id, str(artifact), ARTIFACT)
    client.log_outputs(writer.parent_id, [LoggedModelOutput(model.model_id, step=0)])
    return client.finalize_logged_model(model.model_id, "READY")


def _new_version(writer: Writer, name: str, model: Any, tags: dict[str, str]) -> Any:
    from mlflow.exceptions import MlflowException

    client, run_id = writer.client, writer.parent_id
    try:
        client.create_registered_model(name)
    except MlflowException as problem:
        if problem.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        name, _source(writer, model), run_id, tags=tags, model_id=model.model_id, await_creation_for=0
    )


def _source(writer: Writer, model: Any) -> str:
    """Return where a version's files are: by id at a server, which admits no paths; else by place.

    Without a server MLflow would look the id up in the process-wide default store, which is not ours to set.
    """
    is_served = writer.target.uri.startswith(("http://", "https://"))
    return f"models:/{model.model_id}" if is_served else str(model.artifact_location)


def _champion(client: Any, name: str) -> Any:
    """Return the version that has the alias, or None."""
    version = client.get_registered_model(name).aliases.get(ALIAS)
    return None if version is None else client.get_model_version(name, str(version))
