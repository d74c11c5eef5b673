"""Brings MLflow's picture of one run up to date with its history. Blocking; used from one thread.

Imported lazily by the recorder's thread. Every step may be repeated: what is there already is found again by its tags,
and points carry the time of their event, so that recording one twice changes nothing.
"""

from __future__ import annotations

import gc
import json
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from automl.core.history import History
from automl.errors import MachineError
from automl.recorders.mlflow import projection
from automl.recorders.mlflow.plots import plots
from automl.recorders.mlflow.projection import RUN_TAG, TRIAL_TAG, Point, Record
from automl.recorders.mlflow.settings import Target, prepare_environment, store_path
from automl.recorders.mlflow.store import ensure_store

_BATCH_METRICS, _BATCH_TEXTS = 900, 50
"""MLflow takes 1000 entries a call, at most 100 of them parameters and 100 tags."""
_CHATTY = ("mlflow", "alembic")
_STATUS = {"done": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Lets MLflow's pages open with the views for training instead of those for language models."""


class Content(NamedTuple):
    """What a run is told."""

    points: Sequence[Point] = ()
    params: Mapping[str, str] = MappingProxyType({})
    tags: Mapping[str, str] = MappingProxyType({})


class Writer:
    """MLflow's client, and what of this run it was told already.

    Args:
        target: where to record.

    Raises:
        MachineError: the store cannot be made.
    """

    def __init__(self, target: Target) -> None:
        prepare_environment()
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
        path = store_path(target.uri)
        if path is not None:
            ensure_store(path, target.cache)
        with without_collection():
            from mlflow import MlflowClient

            self.client = MlflowClient(target.uri)
        self.target = target
        self.experiment_id = ""
        self.parent_id = ""
        self._children: dict[int, str] = {}
        self._whole: set[int] = set()
        self._points: set[Point] = set()
        self._status: dict[str, str] = {}

    def begin(self, history: History) -> None:
        """Find or begin the run itself, and record what is new of it."""
        parent = projection.parent_record(history)
        if not self.parent_id:
            self._find_experiment(history)
            self._find_runs(parent)
        self._update_parent(history, parent)

    def update(self, history: History) -> None:
        """Record the full trials that are not recorded yet."""
        for number, record in projection.child_records(history, frozenset(self._whole)):
            self._write_child(number, record)

    def finish(self, history: History) -> None:
        """Record tables, spaces, report and plots, and how the run ended."""
        with tempfile.TemporaryDirectory(prefix="automl-") as name:
            folder = Path(name)
            tables = projection.tables(history)
            texts = projection.texts(history) | plots(history, self.target.run_folder)
            texts |= {file: _table_text(table) for file, table in tables.items()}
            for file, text in texts.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_text(text, encoding="utf-8")
            report = self.target.run_folder / "report.html"
            if report.is_file():
                (folder / report.name).write_bytes(report.read_bytes())
            self.client.log_artifacts(self.parent_id, str(folder))
        listed = [{"path": file, "type": "table"} for file in tables]
        self.client.set_tag(self.parent_id, "mlflow.loggedArtifacts", json.dumps(listed))
        if history.ended is not None:
            ended = int(1000 * projection.parent_record(history).ended)
            self.client.set_terminated(self.parent_id, _STATUS[history.ended.status], ended)

    def _find_experiment(self, history: History) -> None:
        from mlflow.exceptions import MlflowException

        assert history.started is not None
        name = self.target.experiment or projection.experiment_name(history.started)
        found = self.client.get_experiment_by_name(name)
        if found is None:
            try:
                location = self._artifacts(name)
                self.experiment_id = self.client.create_experiment(name, artifact_location=location, tags=KIND)
                return
            except MlflowException as problem:
                if problem.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = self.client.get_experiment_by_name(name)
        if found.lifecycle_stage != "active":
            raise MachineError(f"MLflow's experiment {name!r} is {found.lifecycle_stage}. Restore it or name another.")
        self.experiment_id = found.experiment_id

    def _artifacts(self, experiment: str) -> str | None:
        """Return a folder beside an SQLite store, so that artifacts do not land where the program happens to be."""
        path = store_path(self.target.uri)
        return None if path is None else str(path.parent / "mlruns" / re.sub(r"[^A-Za-z0-9._-]+", "-", experiment))

    def _find_runs(self, parent: Record) -> None:
        """Find what earlier processes recorded of this run, or begin it."""
        wanted = f"tags.`{RUN_TAG}` = '{parent.tags[RUN_TAG]}'"
        for run in _pages(self.client, self.experiment_id, wanted):
            number = run.data.tags.get(TRIAL_TAG)
            if number is None:
                self.parent_id = run.info.run_id
                self._status = {"run": run.info.status}
            else:
                self._children[int(number)] = run.info.run_id
                if run.info.status == "FINISHED":
                    self._whole.add(int(number))
        if not self.parent_id:
            run = self.client.create_run(self.experiment_id, int(1000 * parent.started), parent.tags, parent.name)
            self.parent_id, self._status = run.info.run_id, {"run": "RUNNING"}
        self._log(self.parent_id, Content(params=parent.params))

    def _write_child(self, number: int, record: Record) -> None:
        if number not in self._children:
            tags = {**record.tags, "mlflow.parentRunId": self.parent_id}
            run = self.client.create_run(self.experiment_id, int(1000 * record.started), tags, record.name)
            self._children[number] = run.info.run_id
        run_id = self._children[number]
        self._log(run_id, Content(record.points, record.params))
        self.client.set_terminated(run_id, "FINISHED", int(1000 * record.ended))
        self._whole.add(number)

    def _update_parent(self, history: History, parent: Record) -> None:
        """Tell the parent run what is new: points, status, and that it goes on if it had ended."""
        if history.ended is None and self._status.get("run") != "RUNNING":
            self.client.update_run(self.parent_id, status="RUNNING")
            self._status["run"] = "RUNNING"
        points = [p for p in parent.points if p not in self._points]
        tags = {k: v for k, v in projection.status_tags(history).items() if self._status.get(k) != v}
        self._log(self.parent_id, Content(points, tags=tags))
        self._points.update(points)
        self._status.update(tags)

    def _log(self, run_id: str, content: Content) -> None:
        """Send all of it in as few calls as MLflow admits; each one costs a transaction."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(p.key, p.value, int(1000 * p.at), p.step) for p in content.points]
        params = [Param(key, value) for key, value in content.params.items()]
        tags = [RunTag(key, value) for key, value in content.tags.items()]
        while metrics or params or tags:
            self.client.log_batch(
                run_id, metrics[:_BATCH_METRICS], params[:_BATCH_TEXTS], tags[:_BATCH_TEXTS], synchronous=True
            )
            metrics, params, tags = metrics[_BATCH_METRICS:], params[_BATCH_TEXTS:], tags[_BATCH_TEXTS:]


@contextmanager
def without_collection() -> Iterator[None]:
    """Hold garbage collection back, then exempt what came: MLflow's modules stay, and visiting them takes 0.6 CPU-s."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def mlflow_version() -> str:
    """Return the installed MLflow's version without importing it."""
    return version("mlflow")


def _pages(client: Any, experiment_id: str, wanted: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment_id], wanted, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _table_text(table: projection.Table) -> str:
    """Return a table in the form of MLflow's table artifacts (pandas' "split")."""
    rows = list(zip(*table.values(), strict=True))
    return json.dumps({"columns": list(table), "data": rows}, ensure_ascii=False)
