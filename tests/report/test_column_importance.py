"""Columns matter as much as the score loses without them, on rows that the models did not see."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from automl.core.history import History
from automl.core.metrics import metric
from automl.report.importance import MOST_ROWS, Validated, column_importance
from automl.report.write import write_report
from automl.testing.context import mixed_table
from automl.testing.recorded_run import recorded_run
from automl.testing.tiny_tables import tiny_table_artifact

ROWS = 600


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("importance")
    tiny_table_artifact(root / "a", root / "m", classes=0)
    return root / "a"


@pytest.fixture(scope="module")
def data(artifact: Path) -> Validated:
    from automl.serving.model import Model

    X = mixed_table(ROWS, classes=0).X
    return Validated(X, Model.load(artifact).predict_scores(X), np.arange(ROWS) % 2)


def measured(artifact: Path, data: Validated, seconds: float = 60.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    return column_importance(artifact, data, metric("rmse"), seconds=seconds, rng=rng)


def test_columns_that_are_not_read_have_no_importance(artifact: Path, data: Validated) -> None:
    found = measured(artifact, data)
    assert found.columns["said"] == (0.0, 0.0)
    assert found.columns["day"] == (0.0, 0.0)


def test_columns_that_are_read_come_first(artifact: Path, data: Validated) -> None:
    names = list(measured(artifact, data).columns)
    assert set(names[:4]) == {"size", "wide", "new", "colour"}
    assert all(measured(artifact, data).columns[name][0] > 0 for name in names[:3])


def test_the_same_seed_finds_the_same(artifact: Path, data: Validated) -> None:
    assert measured(artifact, data) == measured(artifact, data)


def test_rows_that_were_never_validated_are_not_used(artifact: Path, data: Validated) -> None:
    folds = np.where(np.arange(ROWS) < 200, data.folds, -1)
    assert measured(artifact, Validated(data.X, data.y, folds)).rows == 200


@pytest.mark.parametrize("seconds", [0.0, 1e-6], ids=["none", "little"])
def test_without_time_nothing_is_said(artifact: Path, data: Validated, seconds: float) -> None:
    assert measured(artifact, data, seconds=seconds) is None


def test_no_more_rows_are_looked_at_than_it_takes(artifact: Path) -> None:
    many = mixed_table(3 * MOST_ROWS, classes=0)
    found = measured(artifact, Validated(many.X, many.y, np.arange(3 * MOST_ROWS) % 2))
    assert found.rows == MOST_ROWS


def test_a_model_of_all_rows_has_seen_them_all(artifact: Path, data: Validated, tmp_path: Path) -> None:
    tiny_table_artifact(tmp_path / "a", tmp_path / "m", classes=0)
    path = tmp_path / "a" / "manifest.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    for member in facts["members"]:
        member["fold"] = -1
    path.write_text(json.dumps(facts), encoding="utf-8")
    assert measured(tmp_path / "a", data) is None


def test_the_page_of_a_run_names_the_columns_that_matter(data: Validated, tmp_path: Path) -> None:
    history = History()
    for event in recorded_run(tmp_path, predicts_numbers=True):
        history.apply(event)
    (tmp_path / "artifacts" / "0001" / "manifest.json").unlink()
    place = tmp_path / "artifacts" / "0001"
    place.rename(tmp_path / "old")
    tiny_table_artifact(place, tmp_path / "m", classes=0)
    page = write_report(tmp_path, history, validated=data, seconds=60.0).read_text(encoding="utf-8")
    assert "What the model looks at" in page


def test_a_page_is_written_where_the_artifact_is_gone(data: Validated, tmp_path: Path) -> None:
    history = History()
    for event in recorded_run(tmp_path, predicts_numbers=True):
        history.apply(event)
    (tmp_path / "artifacts" / "0001" / "manifest.json").unlink()
    page = write_report(tmp_path, history, validated=data, seconds=60.0).read_text(encoding="utf-8")
    assert "What the model looks at" not in page
