"""Runs on tables whose rows belong to groups or have an order in time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from automl import api
from automl.core.request import SearchRequest
from automl.data.folder import DataFolder
from automl.run.session import read
from automl.run.setup import Setup, prepare, resolve
from automl.testing.context import mixed_table
from automl.testing.tiny_tables import table_columns, write_table_csv


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    data = mixed_table(120, classes=0)
    columns = {**table_columns(data), "shop": [f"s{row % 11}" for row in range(120)], "step": list(range(120))}
    write_table_csv(tmp_path / "data.csv", {**columns, "answer": data.y.tolist()})
    return tmp_path


def ready(**fields: object) -> Setup:
    known = {"include": ("baseline", "linear"), "workers": 1, "tracking_uri": "none", "budget": "3trials"}
    request = SearchRequest("tabular-reg", data="data.csv", target="answer", **{**known, **fields})  # type: ignore[arg-type]
    return prepare(resolve(request))


def groups_of(setup: Setup) -> np.ndarray:
    assert setup.data.groups is not None
    return np.asarray(setup.data.groups)


def test_groups_stay_in_one_fold() -> None:
    begun = ready(group="shop")
    pairs = set(zip(groups_of(begun).tolist(), begun.folds.tolist(), strict=True))
    assert len(pairs) == 11
    assert begun.started.folds == 5


def test_in_time_folds_are_blocks_and_the_model_is_trained_on_all_rows() -> None:
    begun = ready(split_time="step")
    assert np.bincount(begun.folds + 1).tolist() == [20] * 6
    assert (np.diff(begun.folds[np.argsort(groups_of(begun))]) >= 0).all()
    assert begun.started.request.deploy == "refit"
    assert any(f.code == "time-refit" for f in begun.started.findings)


def test_without_either_rows_are_drawn_at_random_and_the_folds_are_deployed() -> None:
    begun = ready()
    assert np.bincount(begun.folds).tolist() == [24] * 5
    assert begun.started.request.deploy == "bag"
    assert all(f.code != "time-refit" for f in begun.started.findings)


@pytest.mark.slow
@pytest.mark.parametrize("split", [{"split_time": "step"}, {"group": "shop"}], ids=["time", "group"])
def test_a_run_comes_to_its_end(place: Path, split: dict[str, str]) -> None:
    found = api.search(
        "data.csv", task="tabular-reg", target="answer", budget="2trials", include=("baseline", "linear"), workers=1,
        engine="inprocess", tracking_uri="none", out=place / "run", progress=False, **split,
    )  # fmt: skip
    manifest = json.loads((place / "run" / "artifact" / "manifest.json").read_bytes())
    assert manifest["deploy"] == ("refit" if "split_time" in split else "bag")
    assert found.winner.low <= found.winner.corrected <= found.winner.high
    started = read(place / "run").history.started
    assert started is not None
    assert found.model.predict_scores(DataFolder(started.data_folder).X).shape == (120,)


@pytest.mark.slow
def test_the_best_of_each_candidate_keeps_its_models_however_many_are_better(place: Path) -> None:
    api.search("data.csv", task="tabular-reg", target="answer", budget="32trials", include=("baseline", "knn"),
               workers=1, folds=2, scheduler="full", out="run", tracking_uri="none", progress=False)  # fmt: skip
    history = read(Path("run")).history
    kept = {n for n, t in history.trials.items() if all(Path("run", f.path).exists() for f in t.results[0].files)}
    baseline = next(n for n, t in history.trials.items() if t.configuration.candidate == "baseline")
    assert baseline in kept
    assert len(kept) < len(history.trials)
