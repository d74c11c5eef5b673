"""MlflowRecorder against a real MLflow on SQLite."""

from __future__ import annotations

import dataclasses
import json
import logging
import multiprocessing
import os
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from hashlib import sha256
from pathlib import Path

import pytest

from automl.core.events import Decided, Resumed, RunEnded, Ticked
from automl.errors import ArtifactError, MachineError, UserError
from automl.journals import MemoryJournal
from automl.recorders.mlflow import MlflowRecorder, Target, artifact_of, store
from automl.testing.recorded_run import recorded_run

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, while it is imported on another thread

SCRIPT = """
import mlflow
import numpy as np
class Sum(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.folder = context.artifacts["model"]
    def predict(self, context, model_input: np.ndarray, params=None):
        return model_input.sum(axis=(1, 2, 3))
mlflow.models.set_model(Sum())
"""
MODEL = "models:/automl-image-clf-pets-co"
LONG = 120.0


@pytest.fixture(scope="session")
def cache(request) -> Path:
    """Keep the prepared empty store from one test run to the next."""
    return request.config.cache.mkdir("mlflow")


def target_in(folder: Path, cache: Path) -> Target:
    (folder / "script.py").write_text(SCRIPT)
    return Target(f"sqlite:///{folder / 'mlflow.db'}", folder / "run", cache, lambda artifact: folder / "script.py")


@pytest.fixture
def target(tmp_path, cache) -> Target:
    return target_in(tmp_path, cache)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, cache) -> Target:
    """Record one run for all tests that only look."""
    target = target_in(tmp_path_factory.mktemp("recorded"), cache)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record(target, recorded_run(target.run_folder))
    return target


class Warnings(list):
    def __call__(self, source: str, message: str) -> None:
        self.append((source, message))


def record(target, events):
    """Record events and return the recorder and the result."""
    recorder = MlflowRecorder(target, Warnings())
    for event in events[:-1]:
        recorder.on_event(event)
    result = recorder.finish(LONG)
    recorder.on_event(events[-1])
    recorder.close()
    return result


def client(target):
    from mlflow import MlflowClient

    return MlflowClient(target.uri)


def runs(target):
    found = client(target).search_runs(["1"])
    return {run.data.tags.get("automl.trial", "parent"): run for run in found}


def test_a_run_is_recorded_with_its_full_trials_below_it(recorded):
    record(recorded, recorded_run(recorded.run_folder))
    found = runs(recorded)
    assert sorted(found) == ["0", "1", "2", "3", "parent"]
    parent = found["parent"].info.run_id
    assert all(r.data.tags["mlflow.parentRunId"] == parent for n, r in found.items() if n != "parent")
    assert {r.info.status for r in found.values()} == {"FINISHED"}


def test_children_have_parameters_scores_and_curves(recorded):
    record(recorded, recorded_run(recorded.run_folder))
    child = runs(recorded)["1"]
    curve = client(recorded).get_metric_history(child.info.run_id, "fold1/accuracy")
    assert child.data.params == {"candidate": "cnn", "lr": "0.05", "norm": "layer"}
    assert {"cv/accuracy", "device_seconds", "latency_ms", "size_mb"} <= set(child.data.metrics)
    assert [point.step for point in curve] == [3, 6, 9]


def test_tables_spaces_report_and_plots_are_artifacts(recorded):
    record(recorded, recorded_run(recorded.run_folder))
    folder = Path(runs(recorded)["parent"].info.artifact_uri)
    names = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    assert names >= {"leaderboard.json", "not_ranked.json", "report.html", "spaces/cnn.toml",
                     "plots/confusion_matrix.svg", "plots/learning_curves.svg", "plots/budget.svg"}  # fmt: skip
    assert len(json.loads((folder / "leaderboard.json").read_text())["data"]) == 4


def test_the_leaderboard_can_be_loaded_as_mlflows_table(recorded):
    import mlflow

    mlflow.set_tracking_uri(recorded.uri)
    table = client(recorded).load_table("1", "leaderboard.json", [runs(recorded)["parent"].info.run_id])
    assert table["rank"].tolist() == [1, 2, 3, 4]


def test_the_winner_is_registered_and_loads_as_pyfunc(recorded):
    import mlflow
    import numpy as np

    result = record(recorded, recorded_run(recorded.run_folder))
    mlflow.set_tracking_uri(recorded.uri)
    model = mlflow.pyfunc.load_model(f"{MODEL}@champion")
    assert (result.model_uri, result.champion) == (f"{MODEL}/1", True)
    assert model.predict(np.ones((2, 4, 4, 3), np.uint8)).tolist() == [48, 48]
    assert model.input_example.shape == (1, 4, 4, 3)
    assert model.metadata.signature.outputs.input_names() == ["prediction", "proba_cat", "proba_dog", "proba_owl"]


def test_the_artifact_is_found_by_name_and_is_the_very_same(recorded):
    record(recorded, recorded_run(recorded.run_folder))
    found = artifact_of(f"{MODEL}@champion", recorded.uri)
    assert found == artifact_of(f"{MODEL}/1", recorded.uri)
    mine = recorded.run_folder / "artifacts" / "0001"
    assert {f.name: f.read_bytes() for f in found.rglob("*.*")} == {f.name: f.read_bytes() for f in mine.rglob("*.*")}


@pytest.mark.parametrize("name", ["models:/other@champion", f"{MODEL}@best", f"{MODEL}/9"])
def test_an_unknown_model_is_the_users_mistake(recorded, name):
    with pytest.raises(UserError, match=f"^{name}: MLflow at sqlite:.* does not know it: "):
        artifact_of(name, recorded.uri)


def test_a_model_of_another_program_is_refused(recorded, tmp_path):
    (tmp_path / "theirs").mkdir()
    client(recorded).create_registered_model("theirs")
    client(recorded).create_model_version("theirs", str(tmp_path / "theirs"))
    with pytest.raises(ArtifactError, match=r"^models:/theirs/1: .*/theirs holds no artifacts/model that can be read"):
        artifact_of("models:/theirs/1", recorded.uri)


def rows(target) -> dict[str, int]:
    with sqlite3.connect(target.uri.removeprefix("sqlite:///")) as connection:
        tables = ["runs", "metrics", "params", "tags", "model_versions", "logged_models", "experiments"]
        counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}
    connection.close()
    return counts


def test_catching_up_records_nothing_twice(target):
    events = recorded_run(target.run_folder)
    first = record(target, events)
    before = rows(target)
    second = MlflowRecorder(target, Warnings()).catch_up(MemoryJournal(events))
    assert rows(target) == before
    assert (second.model_uri, second.mlflow_run_id) == (first.model_uri, first.mlflow_run_id)


@pytest.mark.slow
def test_catching_up_alone_records_everything(target):
    result = MlflowRecorder(target, Warnings()).catch_up(MemoryJournal(recorded_run(target.run_folder)))
    assert result.champion
    assert rows(target)["runs"] == 5


@pytest.mark.slow
def test_a_run_that_went_on_after_a_kill_is_one_run(target):
    events = recorded_run(target.run_folder)
    half = MlflowRecorder(target, Warnings())
    for event in events[: len(events) // 2]:
        half.on_event(event)
    half.finish(LONG)
    record(target, events)
    assert rows(target)["runs"] == 5


@pytest.mark.slow
def test_a_child_that_was_cut_off_is_made_whole(target):
    events = recorded_run(target.run_folder)
    record(target, events)
    cut = runs(target)["2"].info.run_id
    client(target).update_run(cut, status="RUNNING")
    before = rows(target)
    MlflowRecorder(target, Warnings()).catch_up(MemoryJournal(events))
    assert client(target).get_run(cut).info.status == "FINISHED"
    assert rows(target) == before


@pytest.mark.parametrize(("corrected", "moves"), [
    pytest.param(0.9, True, id="better"), pytest.param(0.5, False, id="worse", marks=pytest.mark.slow),
])  # fmt: skip
def test_the_champion_changes_only_for_a_better_model(target, corrected, moves):
    record(target, recorded_run(target.run_folder))
    target = dataclasses.replace(target, run_folder=target.run_folder.with_name("second"))
    result = record(target, recorded_run(target.run_folder, seed=1, corrected=corrected))
    champion = client(target).get_registered_model(MODEL.removeprefix("models:/")).aliases["champion"]
    assert (result.champion, int(champion)) == (moves, 2 if moves else 1)
    assert result.note


@pytest.mark.slow
@pytest.mark.parametrize(("status", "theirs"), [("interrupted", "KILLED"), ("failed", "FAILED")])
def test_the_end_of_a_run_is_said_in_mlflows_words(target, status, theirs):
    events = [e for e in recorded_run(target.run_folder) if not isinstance(e, Decided | RunEnded)]
    record(target, [*events, RunEnded(status, "why", 60.0)])
    assert runs(target)["parent"].info.status == theirs


def test_an_artifact_that_changed_is_not_registered(target):
    events = recorded_run(target.run_folder)
    (target.run_folder / "artifacts" / "0001" / "manifest.json").write_text("{}")
    with pytest.raises(MachineError, match=r"was changed after the run, SHA-256 44136fa355b3… is not"):
        MlflowRecorder(target, Warnings()).catch_up(MemoryJournal(events))


def dead_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://ann:secret@127.0.0.1:{probe.getsockname()[1]}"


def test_a_dead_server_is_one_warning_and_costs_the_search_nothing(target, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    told = Warnings()
    recorder = MlflowRecorder(dataclasses.replace(target, uri=dead_address()), told)
    began = time.monotonic()
    for event in recorded_run(target.run_folder):
        recorder.on_event(event)
    assert time.monotonic() - began < 1.0
    assert recorder.finish(LONG) is None
    recorder.close()
    assert [source for source, _ in told] == ["mlflow"]


@pytest.mark.slow
def test_a_warning_shows_no_credentials(target, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    told = Warnings()
    recorder = MlflowRecorder(dataclasses.replace(target, uri=dead_address()), told)
    recorder.on_event(recorded_run(target.run_folder)[0])
    recorder.finish(LONG)
    assert "not recorded yet, tried again later: " in told[0][1]
    assert "secret" not in told[0][1]


@pytest.mark.slow
def test_catching_up_with_a_dead_server_says_so(target, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    recorder = MlflowRecorder(dataclasses.replace(target, uri=dead_address()), Warnings())
    with pytest.raises(MachineError, match=r"MLflow at http://\*\*\*@127.0.0.1:\d+: MlflowException: "):
        recorder.catch_up(MemoryJournal(recorded_run(target.run_folder)))


@pytest.mark.slow
def test_what_failed_is_recorded_when_the_store_is_back(target):
    recorder, events = MlflowRecorder(target, Warnings()), recorded_run(target.run_folder)
    store_file = target.run_folder.parent / "mlflow.db"
    store_file.write_bytes(b"no database")
    for event in events:
        recorder.on_event(event)
    assert recorder.finish(LONG) is None
    store_file.unlink()
    recorder.on_event(Ticked(61.0))
    registered = recorder.finish(LONG) or recorder.finish(LONG)  # an attempt begun before the store was back may fail
    assert registered.champion


@pytest.mark.slow
def test_an_experiment_someone_deleted_is_a_warning(target):
    record(target, recorded_run(target.run_folder))
    client(target).delete_experiment("1")
    with pytest.raises(MachineError, match=r"experiment 'automl/image-clf/pets & co' is deleted. Restore it or name"):
        MlflowRecorder(target, Warnings()).catch_up(MemoryJournal(recorded_run(target.run_folder)))


@pytest.mark.slow
def test_a_resumed_run_registers_its_new_winner(target):
    events = recorded_run(target.run_folder)
    record(target, events)
    decided = dataclasses.replace(events[-2], at=70.0, winner=dataclasses.replace(events[-2].winner, corrected=0.8))
    manifest = target.run_folder / "artifacts" / "0002" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{}")
    decided = dataclasses.replace(decided, artifact="artifacts/0002", manifest_sha256=sha256(b"{}").hexdigest())
    result = record(target, [*events, Resumed(60.0, 1e9), decided, RunEnded("done", "", 75.0)])
    assert (result.model_uri, result.champion) == (f"{MODEL}/2", True)
    assert rows(target)["runs"] == 5


@pytest.mark.slow
def test_an_old_winner_is_not_registered_while_a_resumed_run_searches_on(target):
    events = recorded_run(target.run_folder)
    result = MlflowRecorder(target, Warnings()).catch_up(MemoryJournal([*events, Resumed(60.0, 1e9)]))
    assert result is None
    assert runs(target)["parent"].info.status == "RUNNING"


@pytest.mark.slow
def test_the_users_tracking_uri_is_left_alone(target):
    import mlflow

    mlflow.set_tracking_uri("sqlite:////nowhere/theirs.db")
    record(target, recorded_run(target.run_folder))
    assert mlflow.get_tracking_uri() == "sqlite:////nowhere/theirs.db"


@pytest.mark.slow
def test_nothing_is_written_to_stdout(target, capfd):
    record(target, recorded_run(target.run_folder))
    assert capfd.readouterr().out == ""


def test_a_recorder_that_saw_nothing_closes_at_once(target):
    recorder = MlflowRecorder(target, Warnings())
    recorder.close()
    assert not (target.run_folder.parent / "mlflow.db").exists()


def open_store(path: str, cache: str) -> None:
    store.ensure_store(Path(path), Path(cache))


@pytest.mark.slow
def test_processes_that_make_the_store_at_once_all_find_it_whole(tmp_path, cache):
    store.empty_store(cache)
    context = multiprocessing.get_context("forkserver")
    arguments = (str(tmp_path / "mlflow.db"), str(cache))
    crowd = [context.Process(target=open_store, args=arguments) for _ in range(6)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join()
    assert [process.exitcode for process in crowd] == [0] * 6
    assert [p.name for p in tmp_path.iterdir()] == ["mlflow.db"]


def test_the_default_experiment_lies_beside_the_store(tmp_path, cache):
    store.ensure_store(tmp_path / "deep" / "mlflow.db", cache)
    with sqlite3.connect(tmp_path / "deep" / "mlflow.db") as connection:
        places = connection.execute("SELECT experiment_id, artifact_location FROM experiments").fetchall()
    connection.close()
    assert places == [(0, str(tmp_path / "deep" / "mlruns" / "0"))]


def test_a_store_that_is_there_is_left_alone(tmp_path, cache):
    sqlite3.connect(tmp_path / "mlflow.db").close()
    store.ensure_store(tmp_path / "mlflow.db", cache)
    assert (tmp_path / "mlflow.db").read_bytes() == b""


@pytest.mark.parametrize(("make", "why"), [(lambda p: p.write_bytes(b"x" * 200), "file is not a database"),
                                           (Path.mkdir, "disk I/O error")],
                         ids=["foreign", "folder"])  # fmt: skip
def test_a_store_that_is_none_is_refused_at_once(tmp_path, cache, make, why):
    make(tmp_path / "mlflow.db")
    with pytest.raises(MachineError, match=rf"mlflow.db: is no SQLite database: {why}. Move it away, or name another"):
        store.ensure_store(tmp_path / "mlflow.db", cache)


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(MachineError, match=r"cache/mlflow: cannot be written: Not a directory. Set AUTOML_CACHE"):
        store.ensure_store(tmp_path / "mlflow.db", tmp_path / "cache")


def test_a_broken_mlflow_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_MAKE", "raise SystemExit('no module named x')")
    with pytest.raises(MachineError, match=r"MLflow cannot make a store: no module named x. Check its installation"):
        store.empty_store(tmp_path)
    assert list((tmp_path / "mlflow").glob("*.db")) == []


@pytest.mark.slow
def test_recording_takes_few_cpu_seconds(target):
    """A search of ten seconds has to register its model too."""
    script = target.run_folder.parent / "script.py"
    recorded_run(target.run_folder)
    code = (
        "import sys, time, pathlib\n"
        "from automl.recorders.mlflow import MlflowRecorder, Target\n"
        "from automl.testing.recorded_run import recorded_run\n"
        "run, cache, script = map(pathlib.Path, sys.argv[1:4])\n"
        "events, began = recorded_run(run), time.process_time()\n"
        "recorder = MlflowRecorder(Target(sys.argv[4], run, cache, lambda a: script), print)\n"
        "for event in events: recorder.on_event(event)\n"
        "assert recorder.finish(120) is not None\n"
        "print(time.process_time() - began)"
    )
    arguments = [str(target.run_folder), str(target.cache), str(script), target.uri]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    logging.getLogger(__name__).info("%s CPU-s", done.stdout)
    assert float(done.stdout) < 5.0
