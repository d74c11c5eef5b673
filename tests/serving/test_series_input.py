"""A model of series reads arrays and tables of steps alike, also from its own folder, and refuses hostile plans."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.serving.errors import InputError, ModelError
from automl.serving.model import Model
from automl.serving.series import Series, SeriesRule
from automl.serving.series_input import SeriesInput
from automl.testing.context import waving_series
from automl.testing.tiny_series import PLAN, RULE, series_columns, tiny_series_artifact
from automl.testing.tiny_tables import write_table_csv

WAVES: Series = waving_series(30).X


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("series")
    tiny_series_artifact(root / "model", root / "members")
    return root / "model"


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return Model.load(folder)


def test_a_file_of_steps_and_a_file_of_arrays_are_predicted_alike(model: Model, tmp_path: Path) -> None:
    table = model.read(write_table_csv(tmp_path / "s.csv", series_columns(WAVES)))
    np.savez(tmp_path / "s.npz", X=WAVES.padded(), lengths=WAVES.lengths)
    arrays = model.read(tmp_path / "s.npz")
    assert table.names == [f"s{number}" for number in range(30)]
    assert model.predict_scores(table.X).tobytes() == model.predict_scores(arrays.X).tobytes()


def test_objects_in_memory_are_predicted_as_their_series(model: Model) -> None:
    expected = model.predict_scores(WAVES)
    for given in (WAVES, WAVES.padded(), series_columns(WAVES)):
        np.testing.assert_allclose(model.predict_scores(model.rows(given)), expected, rtol=0.02)


def test_a_series_is_predicted_alike_whatever_stands_beside_it(model: Model) -> None:
    whole = model.predict_scores(WAVES)
    for rows in (slice(3, 4), slice(5, 17), np.array([20, 4, 4])):
        np.testing.assert_allclose(model.predict_scores(WAVES[rows]), whole[rows], atol=1e-6)


def test_more_series_than_a_batch_are_predicted(model: Model) -> None:
    rows = np.arange(600) % 30
    np.testing.assert_allclose(model.predict_scores(WAVES[rows]), model.predict_scores(WAVES)[rows], atol=1e-6)


def test_no_series_have_no_predictions(model: Model) -> None:
    assert model.predict_scores(WAVES[:0]).shape == (0, 3)


def test_the_folder_predicts_by_itself(folder: Path, model: Model, tmp_path: Path) -> None:
    path = write_table_csv(tmp_path / "s.csv", series_columns(WAVES[::-1]))
    command = [sys.executable, "-I", str(folder / "runner.py"), str(path), "-o", str(tmp_path / "out.csv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "note: s.csv: 30 series in" in done.stderr
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1:] == model.predict(WAVES[::-1])


def test_made_up_series_are_of_many_lengths_with_missing_values(model: Model) -> None:
    rows = model.input.made_up(40, np.random.default_rng(0))
    assert isinstance(rows, Series)
    model.input.check(rows)
    assert len(set(rows.lengths.tolist())) > 10
    assert 0.05 < np.isnan(rows.values).mean() < 0.3
    assert np.isfinite(model.predict_scores(rows)).all()


@pytest.mark.parametrize("count", [0, 1])
def test_very_few_made_up_series_are_given_too(model: Model, count: int) -> None:
    assert len(model.input.made_up(count, np.random.default_rng(0))) == count


REFUSED: dict[str, tuple[Any, str]] = {
    "an array": (WAVES.padded(), "X: Series are needed. Got ndarray"),
    "other channels": (Series.of([np.zeros((3, 5))]), r"float32 values in 2 channels are needed. Got float32 \(3, 5\)"),
    "double": (Series.of_packed(np.zeros((3, 2)), np.array([3])), r"Got float64 \(3, 2\)"),
}


@pytest.mark.parametrize(("rows", "message"), REFUSED.values(), ids=REFUSED)
def test_rows_that_are_no_series_of_the_model_are_refused(rows: Any, message: str, model: Model) -> None:
    with pytest.raises(InputError, match=message):
        model.predict_scores(rows)


def rewritten(folder: Path, change: dict[str, Any]) -> Path:
    """Return an artifact whose manifest says something else of its members' features."""
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for member in facts["members"]:
        member["features"] |= change
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


FEATURES: dict[str, tuple[dict[str, Any], str]] = {
    "kind": ({"kind": "table"}, "features must be of kind 'series' with an encoder, a .json file"),
    "no file": ({"encoder": None}, "features must be of kind 'series'"),
    "code": ({"encoder": "runner.py"}, "features must be of kind 'series'"),
    "not listed": ({"encoder": "other.json"}, "Got no entry for 'other.json'"),
}


@pytest.mark.parametrize(("change", "message"), FEATURES.values(), ids=FEATURES)
def test_features_of_another_kind_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    tiny_series_artifact(tmp_path / "model", tmp_path / "members")
    with pytest.raises(ModelError, match=message):
        Model.load(rewritten(tmp_path / "model", change))


PLANS: dict[str, dict[str, Any]] = {
    "another version": {**PLAN, "version": 99},
    "another kind": {**PLAN, "kind": "run this"},
    "other channels": {**PLAN, "channels": 3, "means": [0.0] * 3, "scales": [1.0] * 3},
    "no scale": {**PLAN, "scales": [1.0, 0.0]},
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_plans_that_do_not_fit_are_refused(plan: dict[str, Any], tmp_path: Path) -> None:
    tiny_series_artifact(tmp_path / "model", tmp_path / "members", plan=plan)
    with pytest.raises(ModelError, match=r"members/00\.json: plan: .* Get the model again"):
        Model.load(tmp_path / "model")


def test_a_plan_that_was_changed_is_refused(tmp_path: Path) -> None:
    tiny_series_artifact(tmp_path / "model", tmp_path / "members")
    path = tmp_path / "model" / "members" / "00.json"
    path.write_text(json.dumps({**PLAN, "pool": 2}), encoding="utf-8")
    with pytest.raises(ModelError, match="SHA-256 does not match"):
        Model.load(tmp_path / "model")


def test_members_with_one_plan_share_its_numbers(model: Model) -> None:
    keys = {model.input.features(entry).key for entry in model.manifest.members}
    assert keys == {hashlib.sha256(json.dumps(dict(PLAN)).encode()).hexdigest()}


def test_a_broken_rule_is_refused(tmp_path: Path) -> None:
    tiny_series_artifact(tmp_path / "model", tmp_path / "members", rule=SeriesRule(("x", "x")))
    with pytest.raises(ModelError, match="input: channels must be 1 to 10000 different names"):
        Model.load(tmp_path / "model")


def test_the_rule_is_that_of_the_manifest(model: Model) -> None:
    assert model.rule == RULE
    assert isinstance(model.input, SeriesInput)
