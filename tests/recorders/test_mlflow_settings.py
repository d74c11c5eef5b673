from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl.core.data import DataSpec
from automl.core.events import Ticked
from automl.core.job import Report
from automl.core.redaction import redact
from automl.errors import UserError
from automl.recorders.mlflow.model_folder import ModelFacts, mlmodel, write_model_files
from automl.recorders.mlflow.resolve import artifact_of, parse_model_uri
from automl.recorders.mlflow.settings import ENVIRONMENT, prepare_environment, resolve_uri, store_path
from automl.recorders.none import NoRecorder

FACTS = ModelFacts("m-1", "r-1", "/place", "3.17.2", 0.0, 10)


@pytest.mark.parametrize(("text", "safe"), [
    ("https://ann:pw@host/x", "https://***@host/x"),
    ("cannot reach http://token@h:5000: refused", "cannot reach http://***@h:5000: refused"),
    ("postgresql://u:p@db/x?password=y&a=b", "postgresql://***@db/x?password=***&a=b"),
    ("s3://bucket/a@b", "s3://bucket/a@b"),
    ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
], ids=["user", "inside", "query", "path", "none"])  # fmt: skip
def test_credentials_never_show(text, safe):
    assert redact(text) == safe


@pytest.mark.parametrize(("uri", "absolute"), [
    ("", "sqlite:////w/mlflow.db"), ("sqlite:///a/b.db", "sqlite:////w/a/b.db"),
    ("sqlite:////x/y.db", "sqlite:////x/y.db"), ("http://h:1", "http://h:1"),
])  # fmt: skip
def test_a_relative_store_lies_in_the_given_folder(uri, absolute):
    assert resolve_uri(uri, Path("/w")) == absolute


def test_only_sqlite_stores_have_a_file():
    assert store_path("sqlite:////w/m.db") == Path("/w/m.db")
    assert store_path("http://h") is None


def test_what_the_user_set_stays_set(monkeypatch):
    monkeypatch.setattr(os, "environ", {"MLFLOW_HTTP_REQUEST_TIMEOUT": "77"})
    prepare_environment()
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == ENVIRONMENT["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_the_package_is_imported_without_mlflow():
    code = "import sys, automl.recorders.mlflow, automl.recorders.none; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("uri", ["models:/a", "models:/a/b", "models:/a/0", "models:/a@", "models://a/1", "runs:/x/y",
                                 "models:/a@b/1", "models:/../x@y@z"])  # fmt: skip
def test_other_model_names_are_refused(uri):
    with pytest.raises(UserError, match="a model is models:/NAME@ALIAS or models:/NAME/VERSION"):
        parse_model_uri(uri)


def test_a_version_or_an_alias_is_read():
    assert parse_model_uri("models:/automl-x/12") == ("automl-x", "", "12")
    assert parse_model_uri("models:/automl-x@best.one") == ("automl-x", "best.one", "")


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(UserError, match=r"there is no MLflow store .*/m\.db"):
        artifact_of("models:/a@b", f"sqlite:///{tmp_path}/m.db")
    assert not (tmp_path / "m.db").exists()


def spec(*shape: int) -> DataSpec:
    return DataSpec("d", "image", 1, shape, ("a", "b"), (1, 0), "00")


def test_the_model_file_asks_for_no_pickle():
    flavor = mlmodel("run.py", spec(4, 4, 3), FACTS)["flavors"]["python_function"]
    assert flavor["loader_module"] == "mlflow.pyfunc.loaders.code_model"
    assert "cloudpickle_version" not in flavor
    assert flavor["model_code_path"] == "run.py"


def test_the_signature_names_the_columns_of_a_prediction():
    outputs = json.loads(mlmodel("run.py", spec(4, 4, 3), FACTS)["signature"]["outputs"])
    assert [(c["name"], c["type"]) for c in outputs] == [("prediction", "string"), ("proba_a", "float"),
                                                         ("proba_b", "float")]  # fmt: skip


@pytest.mark.parametrize(("shape", "has"), [((4, 4, 3), True), ((224, 224, 3), False)], ids=["small", "large"])
def test_an_example_is_kept_where_it_is_small(tmp_path, shape, has):
    (tmp_path / "run.py").write_text("")
    (tmp_path / "out").mkdir()
    write_model_files(tmp_path / "out", tmp_path, tmp_path / "run.py", spec(*shape), FACTS)
    assert (tmp_path / "out" / "input_example.json").exists() is has


def test_requirements_are_the_artifacts_and_mlflow(tmp_path):
    (tmp_path / "run.py").write_text("")
    (tmp_path / "requirements.txt").write_text("numpy>=2\n\nonnxruntime\n")
    (tmp_path / "out").mkdir()
    write_model_files(tmp_path / "out", tmp_path, tmp_path / "run.py", spec(4, 4, 3), FACTS)
    assert (tmp_path / "out" / "requirements.txt").read_text() == "mlflow==3.17.2\nnumpy>=2\nonnxruntime\n"


def test_the_recorder_of_nothing_takes_everything_in():
    recorder = NoRecorder()
    recorder.on_event(Ticked(1.0))
    recorder.on_report(Report(0, 0, 0, 1, None))
    assert recorder.close() is None
