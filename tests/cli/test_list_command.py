"""`automl list` tells what there is, and only that."""

from __future__ import annotations

import json

import pytest

from automl.candidates.pretrained import weights
from automl.cli.list import render
from automl.cli.main import main


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["list", *words, "--format", "json"], started=0.0) == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


def test_tasks_have_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert "image-clf" in {row["task"] for row in listed(capsys, "tasks") if row["summary"]}


def test_metrics_are_those_of_the_task(capsys: pytest.CaptureFixture[str]) -> None:
    names = [row["metric"] for row in listed(capsys, "metrics", "--task", "image-clf")]
    assert "accuracy" in names
    assert "rmse" not in names


def test_weights_that_lie_nowhere_are_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_in_package", lambda need: None)
    found = {row["candidate"]: row["missing"] for row in listed(capsys, "candidates", "--task", "image-clf")}
    assert (found["efficientnet"], found["linear"]) == (["weights"], [])


@pytest.mark.parametrize("kind", ["tasks", "candidates", "spaces", "metrics"])
def test_a_table_has_one_line_per_row_and_a_header(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(listed(capsys, kind))
    assert main(["list", kind], started=0.0) == 0
    assert len(capsys.readouterr().out.splitlines()) == count + 1


def test_a_space_names_range_default_and_file(capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(capsys, "spaces", "--task", "image-clf")
    assert all(row["range"] and "default" in row and str(row["file"]).endswith(".toml") for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["taks"], "WHAT: 'taks' is not known. Did you mean tasks?"),
        (["tasks", "--task", "imag-clf"], "--task 'imag-clf' is not known. Did you mean image-clf?"),
        (["tasks", "--format", "yaml"], "--format: 'yaml' is not known. Known: table, json."),
    ],
    ids=["kind", "task", "format"],
)
def test_a_mistake_is_answered_with_what_is_known(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", *words], started=0.0) == 2
    assert message in capsys.readouterr().err


def test_lists_and_conditions_are_words_in_a_table() -> None:
    assert render([{"a": ["x", "y"], "b": {"act": ["relu", "gelu"]}}], "table").splitlines()[1].split("  ") == [
        "x y", "act is relu or gelu",
    ]  # fmt: skip


def test_nothing_is_said_to_be_nothing() -> None:
    assert render([], "table") == "nothing\n"
