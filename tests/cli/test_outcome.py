"""What a search says at its end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl.cli.outcome import plan_json, render, render_plan, show
from automl.core import events
from automl.core.data import DataSpec, Finding
from automl.core.events import Decided, Registered, Resumed, RunEnded, Winner
from automl.core.job import Cost
from automl.core.ledger import Receipt
from automl.core.space import Configuration
from automl.run.result import PlanPreview, SearchResult
from automl.testing.history_builder import HistoryBuilder, run_started

SINGLE = Winner("single", "cnn", {1: 1.0}, 0.91, 0.01, 0.905, 0.88, 0.93, 0.999)


def finished(winner: Winner = SINGLE, *, status: str = "done", test: events.TestScore | None = None) -> SearchResult:
    builder = HistoryBuilder(folds=2)
    builder.full(Configuration("baseline", {}), [0.1, 0.1])
    builder.full(Configuration("cnn", {"lr": 0.1}), [0.9, 0.92])
    builder.add(Decided(winner, "artifacts/0001", "ab" * 32, test, 50.0))
    builder.add(Registered("models:/automl-image-clf-tiny/1", "1", "r", True, "the first", 51.0))
    builder.add(RunEnded(status, "the budget is spent", 52.0))  # type: ignore[arg-type]
    return SearchResult(Path("runs/tiny"), builder.history, Receipt("cpu", 44.5, 60.0, 2, 2))


@pytest.mark.parametrize(
    "text",
    [
        "model  cnn, trial 1",
        "accuracy  0.9050  95 % [0.8800, 0.9300], corrected for selection",
        "0.9100 ± 0.0100 cross-validated on 2 folds",
        "better than the baseline with probability above 0.99",
        "artifact  runs/tiny/artifact",
        "page  runs/tiny/report.html",
        "registry  models:/automl-image-clf-tiny/1  (the first)",
        "next  automl predict runs/tiny DATA -o predictions.csv",
    ],
)
def test_the_end_tells(text: str) -> None:
    assert text in render(finished())


def test_the_receipt_adds_up() -> None:
    assert "1 workers × 60.0 s = 44.5 cpu-s in 2 jobs + 15.5 not leased" in render(finished())


def test_a_gpu_receipt_counts_leased_seconds_alone() -> None:
    result = replace(finished(), receipt=Receipt("gpu", 44.5, 60.0, 2, 2))
    assert "44.5 gpu-s in 2 jobs\n" in render(result)


def test_an_ensemble_names_its_greatest_members() -> None:
    winner = replace(SINGLE, kind="ensemble", candidate="cnn + linear", weights=dict.fromkeys(range(6), 1 / 6))
    assert "cnn + linear: ensemble of trial 0 17%, trial 1 17%, trial 2 17%, trial 3 17% and 2 more" in render(
        finished(winner)
    )


def test_the_test_score_is_told_where_there_is_one() -> None:
    scored = events.TestScore("accuracy", 0.9, 0.85, 0.95, {}, 1200)
    assert "test  0.9000  95 % [0.8500, 0.9500] on 1,200 rows" in render(finished(test=scored))


def test_an_interrupted_run_says_how_to_go_on() -> None:
    assert "Go on: automl resume runs/tiny" in render(finished(status="interrupted"))


def test_a_run_folder_with_a_blank_is_quoted_for_the_shell() -> None:
    assert "automl predict 'my runs/tiny' DATA" in render(replace(finished(), run=Path("my runs/tiny")))


def test_a_budget_that_grew_is_told_in_parts() -> None:
    result = finished()
    result.history.apply(Resumed(60.0, 0.0, "+5min"))
    assert "budget 10min + 5min" in render(result)


def test_json_is_one_object_on_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    show(finished(), as_json=True)
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"run", "status", "task", "engine", "data", "metric", "winner", "trials", "spend", "artifact"} <= set(shown)


def plan() -> PlanPreview:
    spec = replace(run_started().spec, classes=tuple("abcdefghij"), class_counts=tuple(range(10, 20)))
    return PlanPreview(spec, (Finding("few", "warning", "class a has 10 images"),), 5, 2, "cpu",
                       {"cnn": "cnn.toml", "resnet": "resnet.toml"}, (Configuration("cnn", {}),), {"cnn": 9},
                       {"cnn": Cost(0.5, 0.1), "resnet": Cost(1.0, 9.0)}, 12.0)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "warning  class a has 10 images",
        "classes  a 10, b 11, c 12, d 13, e 14, f 15, g 16, h 17 and 2 more",
        "plan  5 folds, 2 workers on cpu, 1 portfolio entries",
        "budget  2min; 12.0 s of it held back for finishing",
        "cnn                   9         1.4  cnn.toml",
        "resnet     does not fit           -  resnet.toml",
    ],
)
def test_a_dry_run_tells(text: str) -> None:
    assert text in render_plan(plan(), "2min")


def test_a_dry_run_as_json_keeps_classes_and_steps() -> None:
    shown = json.loads(json.dumps(plan_json(plan())))
    assert (shown["data"]["classes"]["a"], shown["full_steps"], shown["seconds_per_fold"]["cnn"]) == (
        10,
        {"cnn": 9},
        1.4,
    )


def table_plan() -> PlanPreview:
    rule = {"kind": "table", "columns": [{"name": "area", "kind": "number"}, {"name": "town", "kind": "category"}]}
    spec = DataSpec("houses", "table", 1000, (2,), (), (), "ab" * 32, rule, target="price", columns={"id": "left out"})
    return replace(plan(), spec=spec)


def test_a_plan_for_a_table_tells_columns_and_target_and_no_classes() -> None:
    text = render_plan(table_plan(), "2min")
    assert "data  houses: 1,000 rows × 2 columns (1 number, 1 category)\n" in text
    assert "target  price" in text
    assert "classes" not in text


def test_a_plan_for_a_table_as_json_says_what_became_of_the_columns() -> None:
    data = plan_json(table_plan())["data"]
    assert isinstance(data, dict)
    assert (data["classes"], data["target"], data["columns"]) == ({}, "price", {"id": "left out"})


def test_scores_in_a_large_unit_stay_readable() -> None:
    winner = replace(SINGLE, cv=45210.3, se=812.1, corrected=45801.2, low=44100.0, high=47620.9)
    text = render(finished(winner))
    assert "45,801.2  95 % [44,100.0, 47,620.9], corrected" in text
    assert "45,210.3 ± 812.10 cross-validated" in text
