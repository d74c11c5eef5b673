from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from automl import api
from automl.core.budget import Budget
from automl.core.events import (
    Decided,
    Event,
    Exported,
    JobEnded,
    JobPlanned,
    PhaseChanged,
    Resumed,
    RunEnded,
    RunStarted,
)
from automl.core.job import Report
from automl.errors import BudgetError, MachineError, RunError, SearchFailed, UserError
from automl.journals import RunLock, open_journal
from automl.model import Model
from automl.run import session
from automl.run.session import read, reserve_seconds
from automl.testing.tiny import tiny_images


@dataclass
class Watcher:
    """Remembers events; may do something at one of a kind."""

    when: type[Event] | None = None
    act: Callable[[], object] = print
    events: list[Event] = field(default_factory=list)

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        if self.when is not None and isinstance(event, self.when):
            self.when = None
            self.act()

    def on_report(self, report: Report) -> None:
        pass

    def close(self) -> None:
        pass


def journal_of(run: Path) -> list[Event]:
    return list(open_journal(run, read_only=True).replay())


def rewind(run: Path, events: list[Event]) -> Path:
    """Make a run's journal say these events and no more, as if it had been killed then."""
    for leftover in run.glob("run.db*"):
        leftover.unlink()
    journal = open_journal(run / "run.db")
    for event in events:
        journal.append(event)
    journal.close()
    return run


def until(run: Path, kind: type[Event]) -> Path:
    """Rewind a run to just after the first event of a kind."""
    events = journal_of(run)
    return rewind(run, events[: 1 + next(i for i, e in enumerate(events) if isinstance(e, kind))])


def resume(run: Path, **more: object) -> api.SearchResult:
    return api.run_resume(run, budget=str(more.pop("budget", "")), started=more.pop("started", 0.0), **more)


def search(place: Path, **options: object) -> api.SearchResult:
    arrays = tiny_images(60)
    known = {"task": "image-clf", "budget": "2trials", "engine": "inprocess", "tracking_uri": "none",
             "include": "linear", "out": place, "progress": False}  # fmt: skip
    return api.search((arrays.X, arrays.y, arrays.classes), **{**known, **options})


@pytest.fixture(autouse=True)
def _no_fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verifying takes most of a short run's time; the run that the others are copies of was verified."""
    monkeypatch.setattr(session, "verify_artifact", lambda *_: None)


# ---- a whole run


def test_a_journal_begins_and_ends_as_it_should(finished: Path) -> None:
    events = journal_of(finished)
    assert isinstance(events[0], RunStarted)
    assert [type(e) for e in events[-3:]] == [PhaseChanged, Decided, RunEnded]


def test_a_run_folder_holds_what_is_promised(finished: Path) -> None:
    names = {p.name for p in finished.iterdir()}
    assert {"run.db", "folds.npy", "members", "artifact", "artifacts", "report.html", "lock"} <= names


def test_everything_in_a_run_folder_is_for_the_user_alone(searched: Path) -> None:
    assert (searched / "run").stat().st_mode & 0o777 == 0o700
    assert (searched / "run" / "run.db").stat().st_mode & 0o077 == 0


def test_the_journal_tells_every_file_by_its_hash(finished: Path) -> None:
    for trial in read(finished).history.full():
        for file in (f for result in trial.results.values() for f in result.files):
            assert hashlib.sha256((finished / file.path).read_bytes()).hexdigest() == file.sha256


def test_the_test_set_was_looked_at(finished: Path) -> None:
    decided = read(finished).history.decided
    assert decided is not None
    assert decided.test is not None
    assert decided.test.rows == 12


def test_a_run_may_be_moved_and_still_predicts(finished: Path) -> None:
    moved = finished.rename(finished.with_name("moved run"))
    assert len(api.load_model(moved).predict(tiny_images(5).X)) == 5


# ---- reading


def test_reading_needs_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not a run: it holds no run.db"):
        read(tmp_path)
    with pytest.raises(RunError, match=r"gone: not found. Name a folder"):
        read(tmp_path / "gone")


def test_a_journal_without_a_beginning_is_refused(finished: Path) -> None:
    rewind(finished, journal_of(finished)[1:])
    with pytest.raises(RunError, match="the first event must be RunStarted"):
        read(finished)


def test_an_empty_journal_is_refused(tmp_path: Path) -> None:
    open_journal(tmp_path / "run.db").close()
    with pytest.raises(RunError, match=r"the first event must be RunStarted. Got None"):
        read(tmp_path)


def test_an_altered_journal_is_refused(finished: Path) -> None:
    with sqlite3.connect(finished / "run.db") as connection:
        connection.execute("UPDATE event SET payload = CAST('{}' AS BLOB) WHERE seq = 3")
    connection.close()
    with pytest.raises(RunError, match="checksum"):
        read(finished)


def test_reading_changes_nothing(finished: Path) -> None:
    before = (finished / "run.db").read_bytes()
    read(finished)
    assert (finished / "run.db").read_bytes() == before


# ---- going on


@pytest.mark.parametrize(
    "kind",
    [
        RunStarted, Decided,
        *(pytest.param(k, marks=pytest.mark.slow) for k in (JobPlanned, JobEnded, Exported, PhaseChanged)),
    ],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_a_run_killed_after_any_event_comes_to_the_same_end(finished: Path, kind: type[Event]) -> None:
    whole = read(finished).history
    result = resume(until(finished, kind))
    assert result.status == "done"
    assert [t.configuration.key() for t in result.history.full()] == [t.configuration.key() for t in whole.full()]
    assert [r.score for r in result.rows] == pytest.approx([t.reports[3] for t in sorted(
        whole.full(), key=lambda t: -t.reports[3])])  # fmt: skip


@pytest.mark.slow
def test_nothing_that_was_finished_is_done_again(finished: Path) -> None:
    events = journal_of(finished)
    before = [e for e in events if isinstance(e, JobEnded)]
    result = resume(rewind(finished, events[: events.index(before[3]) + 1]))
    assert len(result.history.ended_jobs) == len(before)
    assert result.receipt.trials == 2


def test_time_between_is_not_charged(finished: Path) -> None:
    until(finished, PhaseChanged)
    before = read(finished).history.at
    assert resume(finished, started=time.monotonic()).receipt.wall_seconds < before + 10.0


def test_a_resumed_run_shows_its_past_to_who_watches(finished: Path) -> None:
    watcher = Watcher()
    resume(until(finished, PhaseChanged), watchers=(watcher,))
    assert isinstance(watcher.events[0], RunStarted)
    assert sum(isinstance(e, Resumed) for e in watcher.events) == 1
    assert watcher.events == journal_of(finished)


@pytest.mark.slow
def test_lost_folds_are_made_again_as_they_were(finished: Path) -> None:
    folds = np.load(finished / "folds.npy")
    until(finished, JobEnded)
    (finished / "folds.npy").unlink()
    resume(finished)
    assert np.array_equal(np.load(finished / "folds.npy"), folds)


def test_more_trials_are_tried_with_more_budget(finished: Path) -> None:
    result = resume(finished, budget="+1trials")
    assert (len(result.history.trials), result.to_json()["spend"]["budget"]) == (3, 3.0)


def test_a_finished_run_is_not_taken_up_without_budget(finished: Path) -> None:
    with pytest.raises(RunError, match="the run is finished"):
        resume(finished)


@pytest.mark.parametrize(
    ("budget", "message"), [("+10min", "would be a further limit"), ("more", "a budget is|no number|not a unit")]
)
def test_budget_that_cannot_be_added_is_refused_and_nothing_is_written(
    finished: Path, budget: str, message: str
) -> None:
    before = journal_of(finished)
    with pytest.raises(BudgetError, match=message):
        resume(finished, budget=budget)
    assert journal_of(finished) == before


def test_a_run_in_use_is_not_taken_up(finished: Path) -> None:
    with RunLock(finished), pytest.raises(RunError, match="works on this run"):
        resume(finished, budget="+1trials")


def test_a_run_whose_arrays_are_gone_is_not_taken_up(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = journal_of(finished)
    rewind(finished, [replace(events[0], data_folder="/gone"), *events[1:-1]])
    with pytest.raises(RunError, match=r"given as arrays. Start a new run with these arrays"):
        resume(finished)
    assert len(journal_of(finished)) == len(events) - 1


def test_a_run_that_needs_credentials_asks_for_them(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    first, *rest = journal_of(finished)
    request = replace(first.request, tracking_uri="https://***@host")
    rewind(finished, [replace(first, request=request), *rest[:-1]])
    with pytest.raises(UserError, match="Set MLFLOW_TRACKING_URI"):
        resume(finished)


def test_a_folder_that_is_none_is_not_taken_up(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nothing: not found"):
        resume(tmp_path / "nothing")


def test_a_torn_end_is_cut_off_and_told(finished: Path) -> None:
    with sqlite3.connect(finished / "run.db") as connection:
        connection.execute("UPDATE event SET checksum = x'00' WHERE seq = (SELECT max(seq) FROM event)")
    connection.close()
    result = resume(finished)
    assert any("torn" in warning.message for warning in result.history.warnings)


# ---- interruptions and failures


@pytest.fixture
def cached(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_CACHE", str(searched / "cache"))


def by_request(place: Path, watcher: Watcher, **options: object) -> api.SearchResult:
    from automl.core.request import SearchRequest

    known = {
        "budget": "4trials",
        "engine": "inprocess",
        "tracking_uri": "none",
        "include": ("linear",),
        "out": str(place),
    }
    arrays = tiny_images(60)
    request = SearchRequest("image-clf", **{**known, **options})
    return api.run_search(request, started=0.0, watchers=(watcher,), data=(arrays.X, arrays.y, arrays.classes))


def test_an_interrupt_keeps_the_best_so_far(cached: None, tmp_path: Path) -> None:
    watcher = Watcher(Exported, lambda: os.kill(os.getpid(), signal.SIGINT))
    result = by_request(tmp_path / "run", watcher)
    assert (result.status, len(result.history.full())) == ("interrupted", 1)
    assert len(result.model.predict(tiny_images(5).X)) == 5


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_its_end(cached: None, tmp_path: Path) -> None:
    by_request(tmp_path / "run", Watcher(Exported, lambda: os.kill(os.getpid(), signal.SIGINT)))
    result = resume(tmp_path / "run")
    assert (result.status, len(result.history.trials)) == ("done", 4)


def test_an_interrupt_while_finalising_still_leaves_a_model(cached: None, tmp_path: Path) -> None:
    watcher = Watcher(PhaseChanged, lambda: os.kill(os.getpid(), signal.SIGTERM))
    result = by_request(tmp_path / "run", watcher, budget="1trials")
    assert result.status == "interrupted"
    assert Model(result.artifact).classes == ("bar", "dot", "ring")


@pytest.mark.slow
def test_an_interrupt_before_the_first_model_is_a_search_without_one(cached: None, tmp_path: Path) -> None:
    watcher = Watcher(JobPlanned, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(SearchFailed, match="stopped by the user"):
        by_request(tmp_path / "run", watcher)
    assert resume(tmp_path / "run").status == "done"


def test_a_search_may_run_on_any_thread(cached: None, tmp_path: Path) -> None:
    done: list[str] = []
    thread = threading.Thread(target=lambda: done.append(search(tmp_path / "run", budget="1trials").status))
    thread.start()
    thread.join()
    assert done == ["done"]


@pytest.mark.slow
def test_a_watcher_that_dies_leaves_a_run_that_can_be_taken_up(cached: None, tmp_path: Path) -> None:
    def die() -> None:
        raise MachineError(f"{tmp_path}: the disk is full")

    with pytest.raises(MachineError, match="the disk is full"):
        by_request(tmp_path / "run", Watcher(JobEnded, die))
    assert resume(tmp_path / "run").status == "done"


def test_a_run_that_fails_lets_go_of_its_folder(cached: None, tmp_path: Path) -> None:
    def die() -> None:
        raise MachineError(f"{tmp_path}: the disk is full")

    with pytest.raises(MachineError, match="the disk is full"):
        by_request(tmp_path / "run", Watcher(RunStarted, die))
    RunLock(tmp_path / "run").release()


def test_a_place_with_spaces_and_dots_is_as_good_as_any(
    cached: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = search(Path("my runs/../my runs/größe 1"), budget="1trials")
    assert (tmp_path / "my runs" / "größe 1" / "artifact" / "manifest.json").is_file()
    assert json.loads(json.dumps(result.to_json()))["status"] == "done"


def test_no_credentials_are_in_any_file_of_a_run(cached: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "target_of", lambda uri, folder: None)
    search(tmp_path / "run", budget="1trials", tracking_uri="https://ann:s3cret@host")
    assert b"***@host" in (tmp_path / "run" / "run.db").read_bytes() + _wal(tmp_path / "run")
    assert not [p for p in (tmp_path / "run").rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()]


def _wal(run: Path) -> bytes:
    wal = run / "run.db-wal"
    return wal.read_bytes() if wal.exists() else b""


@dataclass
class ClosingRecorder(Watcher):
    """Remembers the last event before it was closed."""

    closed: list[str] = field(default_factory=list)

    def finish(self, seconds: float) -> None:
        return None

    def close(self) -> None:
        self.closed.append(type(self.events[-1]).__name__)


def test_the_recorder_is_told_the_end_of_a_failed_run_too(
    cached: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = ClosingRecorder()
    monkeypatch.setattr(session.Drive, "_recorder", lambda self, run: recorder)
    with pytest.raises(SearchFailed, match="stopped"):
        by_request(tmp_path / "run", Watcher(JobPlanned, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert recorder.closed == ["RunEnded"]


# ---- the reserve


@pytest.mark.parametrize(
    ("budget", "is_recorded", "expected"),
    [
        ("1h", True, 7.02),
        ("1h", False, 5.42),
        ("60s", False, 3.62),
        ("2s", True, 0.56),
        ("8cpu-h", True, 4.02),
        ("9trials", False, 2.42),
    ],
)
def test_some_of_a_wall_budget_is_held_back(budget: str, is_recorded: bool, expected: float) -> None:
    assert reserve_seconds(Budget.parse(budget), 1000, is_recorded=is_recorded) == pytest.approx(expected)
