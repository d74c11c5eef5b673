from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl.core.events import Event, Registered, Resumed, RunEnded, RunStarted
from automl.core.history import History
from automl.core.ledger import Receipt
from automl.run.result import SearchResult
from automl.testing.recorded_run import recorded_run

RECEIPT = Receipt("cpu", 30.0, 60.0, 6, 14)
MODEL = Registered("models:/automl-image-clf-pets/3", "5", "ab12", champion=True, note="", at=58.0)


@pytest.fixture
def events(tmp_path: Path) -> list[Event]:
    return recorded_run(tmp_path)


def result(events: list[Event], budget: str = "10min", receipt: Receipt = RECEIPT) -> SearchResult:
    history = History()
    for event in events:
        changed = (
            replace(event, request=replace(event.request, budget=budget)) if isinstance(event, RunStarted) else event
        )
        history.apply(changed)
    return SearchResult(Path("runs/pets"), history, receipt)


def test_the_promised_shape_is_kept(events: list[Event]) -> None:
    said = result(events).to_json()
    assert set(said) >= {
        "run", "status", "task", "engine", "data", "metric", "winner", "trials", "spend", "artifact", "model_uri",
        "experiment_id", "mlflow_run_id",
    }  # fmt: skip
    assert set(said["winner"]) == {"candidate", "kind", "cv", "se", "corrected", "low", "high", "p_better"}
    assert set(said["spend"]) >= {"unit", "budget", "used", "wall_seconds", "overhead_share"}


def test_the_shape_is_json(events: list[Event]) -> None:
    assert json.loads(json.dumps(result(events).to_json()))["data"] == "pets & co"


def test_no_credentials_are_told(events: list[Event]) -> None:
    assert "secret" not in json.dumps(result(events).to_json())


def test_trials_are_counted_by_how_they_ended(events: list[Event]) -> None:
    assert result(events).to_json()["trials"] == {"full": 4, "stopped": 1, "failed": 1}


@pytest.mark.parametrize(
    ("budget", "unit", "amount", "used"),
    [("10min", "wall-s", 600.0, 60.0), ("1cpu-min", "cpu-s", 60.0, 30.0), ("7trials", "trials", 7.0, 6),
     ("2min,7trials", "wall-s", 120.0, 60.0), ("1cpu-h,7trials", "cpu-s", 3600.0, 30.0)],
)  # fmt: skip
def test_the_spend_is_told_in_the_unit_of_the_budget(
    events: list[Event], budget: str, unit: str, amount: float, used: float
) -> None:
    spend = result(events, budget).to_json()["spend"]
    assert (spend["unit"], spend["budget"], spend["used"]) == (unit, amount, used)


def test_gpu_time_is_told_as_such(events: list[Event]) -> None:
    spend = result(events, "1gpu-h", replace(RECEIPT, device="gpu")).to_json()["spend"]
    assert (spend["unit"], spend["used"]) == ("gpu-s", 30.0)


def test_the_budget_told_includes_what_was_added(events: list[Event]) -> None:
    more = [Resumed(60.0, 0.0, "+5min"), Resumed(61.0, 0.0), Resumed(62.0, 0.0, "60s")]
    assert result([*events, *more], "10min").to_json()["spend"]["budget"] == 960.0


def test_overhead_is_the_share_of_the_slots_time_that_was_not_leased(events: list[Event]) -> None:
    assert result(events).to_json()["spend"]["overhead_share"] == pytest.approx(0.5)


@pytest.mark.parametrize("wall", [0.0, 10.0], ids=["no time", "less than leased"])
def test_overhead_is_never_negative(events: list[Event], wall: float) -> None:
    assert result(events, receipt=replace(RECEIPT, wall_seconds=wall)).to_json()["spend"]["overhead_share"] == 0.0


def test_a_model_that_mlflow_does_not_know_has_no_names_there(events: list[Event]) -> None:
    said = result(events).to_json()
    assert (said["model_uri"], said["experiment_id"], said["mlflow_run_id"]) == ("", "", "")


def test_a_registered_model_is_named(events: list[Event]) -> None:
    said = result([*events, MODEL]).to_json()
    assert (said["model_uri"], said["experiment_id"], said["mlflow_run_id"]) == (MODEL.model_uri, "5", "ab12")


@pytest.mark.parametrize("status", ["done", "interrupted", "failed"])
def test_the_status_is_that_of_the_last_event(events: list[Event], status: str) -> None:
    assert result([*events[:-1], RunEnded(status, "", 60.0)]).status == status


def test_a_run_without_an_end_has_failed(events: list[Event]) -> None:
    assert result(events[:-1]).status == "failed"


def test_the_test_score_is_there_if_the_test_set_was_looked_at(events: list[Event]) -> None:
    assert result(events).to_json()["test"] == 0.7
    assert result(events[:1]).test is None


def test_rows_are_full_trials_the_best_first(events: list[Event]) -> None:
    rows = result(events).rows
    assert [row.rank for row in rows] == [1, 2, 3, 4]
    assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)


def test_the_leaderboard_is_a_table_of_pandas(events: list[Event]) -> None:
    table = result(events).leaderboard
    assert len(table) == 4
    assert {"rank", "trial", "candidate", "score", "se"} <= set(table.columns)


def test_the_artifact_lies_in_the_run_folder(events: list[Event]) -> None:
    assert result(events).artifact == Path("runs/pets/artifact")


def test_the_winner_is_the_one_decided_on(events: list[Event]) -> None:
    assert result(events).winner.weights == {0: 0.5, 1: 0.5}


def test_the_model_is_loaded_from_the_artifact(finished: Path) -> None:
    from automl.run.session import read

    loaded = SearchResult(finished, read(finished).history, RECEIPT).model
    assert loaded.classes == ("bar", "dot", "ring")
