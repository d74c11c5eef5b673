"""A run on a table is told, drawn and stored as one: columns in words, numbers against the truth, named inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from automl.core.history import History
from automl.exporters.pyfunc import pyfunc_files
from automl.recorders.console_lines import lines
from automl.recorders.console_words import ASCII, UNICODE, data_words
from automl.recorders.mlflow import projection, svg
from automl.recorders.mlflow.model_folder import ARTIFACT, ModelFacts, mlmodel, write_model_files
from automl.recorders.mlflow.plots import confusion, plots, unseen
from automl.testing.context import mixed_table
from automl.testing.recorded_run import ROWS, recorded_run
from automl.testing.tiny_tables import table_columns, tiny_table_artifact

FACTS = ModelFacts("m-1", "r-1", "/place", "3.17.2", 0.0, 10)
SVG = "{http://www.w3.org/2000/svg}"


def folded(folder: Path, *, predicts_numbers: bool = True) -> History:
    history = History()
    for event in recorded_run(folder, predicts_numbers=predicts_numbers):
        history.apply(event)
    return history


@pytest.fixture
def history(tmp_path: Path) -> History:
    return folded(tmp_path)


def started(history: History) -> Any:
    return history.started


def test_a_table_is_told_by_its_columns_and_target(history: History) -> None:
    spec = started(history).spec
    assert data_words(spec, UNICODE) == "30 rows × 2 columns (1 number, 1 category) · target price"
    assert data_words(spec, ASCII) == "30 rows x 2 columns (1 number, 1 category), target price"


def test_the_first_line_of_a_run_tells_the_table(history: History) -> None:
    told = next(lines(started(history), history))
    assert told == "houses, tabular-reg: 30 rows x 2 columns (1 number, 1 category), target price"


def test_a_run_on_numbers_has_plots_of_values_and_no_matrix(history: History, tmp_path: Path) -> None:
    names = set(plots(history, tmp_path))
    assert {"plots/predicted_vs_actual.svg", "plots/residuals.svg"} <= names
    assert "plots/confusion_matrix.svg" not in names


def test_plots_of_values_are_well_formed_and_have_a_point_per_row(history: History, tmp_path: Path) -> None:
    page = ElementTree.fromstring(plots(history, tmp_path)["plots/predicted_vs_actual.svg"])
    assert len(page.findall(f"{SVG}circle")) == ROWS


def test_unseen_values_are_the_weighted_mean_of_the_winner(history: History, tmp_path: Path) -> None:
    found = unseen(history, tmp_path)
    assert found is not None
    assert found.scores.shape == (ROWS,)
    assert np.abs(found.scores - found.y).max() < 500


@pytest.mark.parametrize("lost", ["folds.npy", "data/y.npy", "members/t00000-f0/oof.npy"])
def test_without_its_files_there_are_no_plots_of_values(history: History, tmp_path: Path, lost: str) -> None:
    (tmp_path / lost).unlink()
    assert "plots/residuals.svg" not in plots(history, tmp_path)


def test_the_matrix_shows_labels_as_the_artifact_decides(tmp_path: Path) -> None:
    history = folded(tmp_path, predicts_numbers=False)
    assert history.decided is not None
    history.decided.winner.decision["weights"] = [1.0, 1e9, 1.0]
    found = unseen(history, tmp_path)
    assert found is not None
    assert confusion(found).sum(axis=0).tolist() == [0, ROWS, 0]


def test_points_are_few_enough_to_draw() -> None:
    text = svg.scatter("t", "x", "y", [(0.0, 1.0), (1.0, 2.0)], line=[(0.0, 0.0), (2.0, 2.0)])
    assert len(ElementTree.fromstring(text).findall(f"{SVG}circle")) == 2


def test_the_record_says_columns_target_and_split_but_no_classes(history: History) -> None:
    params = projection.parent_record(history).params
    assert (params["columns"], params["target"], params["split"]) == ("2", "price", "stratified")
    assert "classes" not in params


def test_the_signature_names_the_columns_of_the_table(history: History) -> None:
    signature = mlmodel("run.py", started(history).spec, FACTS)["signature"]
    inputs, outputs = (json.loads(signature[key]) for key in ("inputs", "outputs"))  # type: ignore[index]
    assert [(c["name"], c["type"], c["required"]) for c in inputs] == [("area", "any", True), ("town", "any", True)]
    assert [(c["name"], c["type"]) for c in outputs] == [("prediction", "double")]


def test_an_example_of_a_table_is_one_row_by_columns(history: History, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("")
    (tmp_path / "out").mkdir()
    write_model_files(tmp_path / "out", tmp_path, tmp_path / "run.py", started(history).spec, FACTS)
    served = json.loads((tmp_path / "out" / "serving_input_example.json").read_text(encoding="utf-8"))
    assert served == {"dataframe_split": {"columns": ["area", "town"], "data": [[0.0, "A"]]}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An artifact of numbers in the folder that the recorder writes by hand, as MLflow loads it."""
    import mlflow

    root = tmp_path_factory.mktemp("served")
    spec = mixed_table(60, classes=0).spec
    artifact = root / "model" / ARTIFACT
    tiny_table_artifact(artifact, root / "m", classes=0)
    write_model_files(root / "model", artifact, pyfunc_files(artifact).python_model, spec, FACTS)
    return mlflow.pyfunc.load_model(str(root / "model"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::mlflow")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("change", ["as-is", "whole-numbers", "missing-values", "more-columns"])
def test_mlflow_takes_every_data_frame_that_the_model_reads(served: Any, change: str) -> None:
    import pandas as pd

    frame = pd.DataFrame(table_columns(mixed_table(8, classes=0)))
    frame = {"as-is": frame, "whole-numbers": frame.assign(size=range(8), new=1), "more-columns": frame.assign(x=1),
             "missing-values": frame.assign(size=None, colour=None, said=None, day=None)}[change]  # fmt: skip
    assert served.predict(frame)["prediction"].notna().all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::mlflow")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow_predicts_the_example_and_refuses_rows_without_columns(served: Any) -> None:
    assert len(served.predict(served.input_example)) == 1
    with pytest.raises(Exception, match="missing inputs"):
        served.predict(np.zeros((2, 6)))
