"""Every command calls one function of the API and writes its answer."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from automl import api
from automl.cli.evaluate import render as render_evaluation
from automl.cli.leaderboard import KEYS, render
from automl.cli.main import main
from automl.core.leaderboard import Row
from automl.serving.rows import Rows
from automl.testing.context import mixed_table
from automl.testing.tiny_tables import table_columns, tiny_table_artifact

ROW = Row(1, 4, "cnn", 0.91, None, 12.34, 0.456, 1.5, {"lr": 0.1, "act": "a,b"}, "full")


class Recorded:
    """A function that remembers its arguments and gives one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.calls = answer, []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append((args, kwargs))
        return self.answer


class TwoClasses:
    """A model that is sure of class b."""

    classes = ("a", "b")
    manifest = SimpleNamespace(input={"kind": "image"}, decision={})

    def read(self, source: str) -> Rows:
        return Rows(["1", "2"], np.zeros((2, 4, 4, 1), np.uint8))

    def predict_scores(self, X: np.ndarray) -> np.ndarray:
        return np.array([[0.25, 0.75]] * len(X), dtype=np.float32)


def answer(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> Recorded:
    recorded = Recorded(value)
    monkeypatch.setattr(api, name, recorded)
    return recorded


def test_leaderboard_prints_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    called = answer(monkeypatch, "leaderboard", [ROW])
    assert main(["leaderboard", "runs/x"], started=0.0) == 0
    assert called.calls == [((Path("runs/x"),), {})]
    assert capsys.readouterr().out.splitlines()[1].split() == ["1", "4", "cnn", "0.9100", "-", "12.3", "0.46", "1.50"]


def test_leaderboard_as_json_has_the_promised_keys() -> None:
    assert list(json.loads(render([ROW.as_json()], "json"))[0]) == list(KEYS)


def test_leaderboard_as_csv_keeps_parameters_in_one_cell() -> None:
    row = next(csv.DictReader(io.StringIO(render([ROW.as_json()], "csv"))))
    assert json.loads(row["params"]) == {"lr": 0.1, "act": "a,b"}


def test_an_empty_leaderboard_says_so() -> None:
    assert render([], "table") == "no trial was trained in full yet\n"


def test_predict_writes_labels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called = answer(monkeypatch, "load_model", TwoClasses())
    out = tmp_path / "p.csv"
    assert main(["predict", "runs/x", "new", "-o", str(out), "--expect-sha256", "ab"], started=0.0) == 0
    assert out.read_text() == "prediction\nb\nb\n"
    assert called.calls == [(("runs/x",), {"expect_sha256": "ab"})]


def test_predict_writes_probabilities_to_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "load_model", TwoClasses())
    assert main(["predict", "m", "d", "-o", "-", "--proba"], started=0.0) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["prediction,proba_a,proba_b", "b,0.25,0.75"]


@pytest.mark.parametrize("place", [".", "missing/p.csv"], ids=["folder", "no such folder"])
def test_predict_refuses_a_bad_output_before_loading(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "m", "d", "-o", str(tmp_path / place)], started=0.0) == 2
    assert capsys.readouterr().err.startswith("error: --output ")


def test_evaluate_prints_score_and_interval(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scored = api.Evaluation("accuracy", 0.9, 0.85, 0.95, {"accuracy": 0.9, "log_loss": 0.3}, 1200)
    called = answer(monkeypatch, "evaluate", scored)
    assert main(["evaluate", "m", "d", "--metric", "accuracy"], started=0.0) == 0
    assert called.calls == [(("m", "d", "accuracy"), {})]
    assert capsys.readouterr().out == "accuracy 0.9000  [0.8500, 0.9500]  on 1,200 rows\n  log_loss  0.3000\n"


def test_evaluate_as_json_has_the_promised_keys() -> None:
    shown = json.loads(render_evaluation(api.Evaluation("accuracy", 0.9, 0.8, 1.0, {"accuracy": 0.9}, 3), as_json=True))
    assert list(shown) == ["metric", "score", "low", "high", "metrics", "rows"]


def test_export_names_the_runner(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "manifest.json"
    file.write_text("{}")
    called = answer(monkeypatch, "export", [file])
    assert main(["export", "m", "-o", str(tmp_path / "out"), "--verify"], started=0.0) == 0
    assert called.calls == [(("m", tmp_path / "out"), {"format": "folder", "verify": True})]
    shown = capsys.readouterr().out
    assert "1 files, 0.0 MB" in shown
    assert "runner.py DATA" in shown


def test_export_refuses_a_folder_with_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert main(["export", "m", "-o", str(tmp_path)], started=0.0) == 2
    assert "exists and is not an empty folder. Name another one." in capsys.readouterr().err


@pytest.mark.parametrize("command", ["report", "sync"])
def test_the_answer_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    called = answer(monkeypatch, command, "here")
    assert main([command, "runs/x"], started=0.0) == 0
    assert (called.calls, capsys.readouterr().out) == ([((Path("runs/x"),), {})], "here\n")


def test_resume_checks_the_added_budget_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", "runs/x", "--budget", "+1parsec"], started=0.0) == 2
    assert "'parsec' is not a unit" in capsys.readouterr().err


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("houses")
    tiny_table_artifact(root / "model", root / "m", classes=0)
    return root


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_predict_reads_tables_of_every_form(houses: Path, form: str, tmp_path: Path) -> None:
    import pandas as pd

    frame, path = pd.DataFrame(table_columns(mixed_table(9))), tmp_path / f"t.{form}"
    _ = frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path, index=False)
    assert main(["predict", str(houses / "model"), str(path), "-o", str(tmp_path / "p.csv")], started=0.0) == 0
    found = [float(line) for line in (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()[1:]]
    assert found == pytest.approx(api.load_model(str(houses / "model")).predict(frame), rel=1e-6)


def test_predict_refuses_probabilities_of_numbers(houses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(houses / "model"), "x.csv", "-o", "-", "--proba"], started=0.0) == 2
    assert "error: --proba: only classes have probabilities. Got a model that predicts" in capsys.readouterr().err


def test_evaluate_writes_large_scores_short() -> None:
    scored = api.Evaluation("rmse", 45123.456, 44000.0, 46000.0, {"rmse": 45123.456, "r2": 0.91}, 1200)
    assert render_evaluation(scored, as_json=False) == (
        "rmse 45,123.5  [44,000.0, 46,000.0]  on 1,200 rows\n  r2  0.9100\n"
    )
