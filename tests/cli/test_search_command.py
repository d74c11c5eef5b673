"""`automl search` and `automl resume` hand over one request and tell the outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl import api
from automl.cli.main import main
from automl.core.events import Decided, Event, RunEnded, Warned, Winner
from automl.core.ledger import Receipt
from automl.core.space import Configuration
from automl.errors import RunError, SearchFailed
from automl.run.result import PlanPreview, SearchResult
from automl.testing.history_builder import HistoryBuilder, run_started

SEARCH = ["search", "--task", "image-clf", "--budget", "1min"]
WINNER = Winner("single", "cnn", {0: 1.0}, 0.91, 0.01, 0.905, 0.88, 0.93, None)


class World:
    """An API whose searches end at once; remembers what it was asked for."""

    def __init__(self, status: str = "done") -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        builder = HistoryBuilder()
        builder.full(Configuration("cnn", {}), [0.9, 0.92])
        builder.add(Warned("mlflow", "is silent", 5.0))
        builder.add(Decided(WINNER, "artifacts/0001", "ab" * 32, None, 6.0))
        builder.add(RunEnded(status, "because", 7.0))  # type: ignore[arg-type]
        self.events: list[Event] = builder.events
        self.result = SearchResult(Path("runs/tiny"), builder.history, Receipt("cpu", 5.0, 7.0, 1, 1))

    def search(self, *args: Any, watchers: Any = (), **kwargs: Any) -> SearchResult:
        self.calls.append((args, kwargs))
        for event in self.events:
            for watcher in watchers:
                watcher.on_event(event)
        return self.result


def world(monkeypatch: pytest.MonkeyPatch, status: str = "done") -> World:
    made = World(status)
    monkeypatch.setattr(api, "run_search", made.search)
    monkeypatch.setattr(api, "run_resume", made.search)
    return made


def test_the_request_and_the_start_reach_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(monkeypatch)
    assert main([*SEARCH, "--seed", "7"], started=3.5) == 0
    (request,), kwargs = made.calls[0]
    assert (request.task, request.budget, request.seed, kwargs) == ("image-clf", "1min", 7, {"started": 3.5})


def test_the_result_goes_to_stdout_and_progress_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world(monkeypatch)
    main(SEARCH, started=0.0)
    shown = capsys.readouterr()
    assert "0.9050  95 % [0.8800, 0.9300]" in shown.out
    assert "trial 0 cnn: 0.9100" in shown.err


def test_json_is_the_only_thing_on_stdout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    world(monkeypatch)
    main([*SEARCH, "--json"], started=0.0)
    assert json.loads(capsys.readouterr().out)["winner"]["corrected"] == 0.905


def test_quiet_leaves_warnings_on_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    world(monkeypatch)
    main([*SEARCH, "--quiet"], started=0.0)
    assert capsys.readouterr().err == "warning: mlflow: is silent\n"


@pytest.mark.parametrize("words", [SEARCH, ["resume", "runs/tiny"]], ids=["search", "resume"])
def test_an_interrupted_run_exits_with_130_and_its_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    world(monkeypatch, "interrupted")
    assert main(words, started=0.0) == 130
    assert "Go on: automl resume runs/tiny" in capsys.readouterr().out


def test_resume_hands_over_folder_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(monkeypatch)
    assert main(["resume", "runs/tiny", "--budget", "+30min"], started=1.0) == 0
    assert made.calls == [((Path("runs/tiny"),), {"budget": "+30min", "started": 1.0})]


@pytest.mark.parametrize(
    ("error", "code"), [(SearchFailed("none"), 3), (RunError("in use"), 2), (KeyboardInterrupt(), 130)], ids=repr
)
def test_an_error_ends_the_console_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    def fail(*args: Any, watchers: Any, **kwargs: Any) -> SearchResult:
        watchers[0].on_event(run_started())
        raise error

    monkeypatch.setattr(api, "run_search", fail)
    assert main(SEARCH, started=0.0) == code
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")


def test_a_dry_run_searches_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made = world(monkeypatch)
    plan = PlanPreview(run_started().spec, (), 5, 2, "cpu", {}, (), {}, {}, 9.0)
    monkeypatch.setattr(api, "plan", lambda request: plan)
    assert main([*SEARCH, "--dry-run"], started=0.0) == 0
    assert "budget  1min; 9.0 s of it held back for finishing" in capsys.readouterr().out
    assert made.calls == []
