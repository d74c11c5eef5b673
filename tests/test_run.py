from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest

from automl.core.clock import FakeClock
from automl.core.events import Event, Exported, JobEnded, JobPlanned, PhaseChanged, Ticked, Warned
from automl.core.history import History
from automl.core.job import FileRef, Job, JobResult, MemberResult, Report
from automl.core.protocols import Done
from automl.errors import MachineError, RunError
from automl.run.folder import RunFolder
from automl.run.loop import Run, Timekeeper
from automl.schedulers.full import FullScheduler
from automl.testing.worlds import Scenario, Shelf


@dataclass
class Watcher:
    """A recorder that remembers."""

    events: list[Event] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def on_report(self, report: Report) -> None:
        self.reports.append(report)

    def close(self) -> None:
        self.events.clear()


@dataclass
class SlowShelf(Shelf):
    """A publisher that says that it took its time."""

    seconds: float = 1.0
    published: list[Exported] = field(default_factory=list)

    def publish(self, history: History, weights: dict[int, float], at: float) -> Exported:
        self.published.append(replace(super().publish(history, weights, at), seconds=self.seconds))
        return self.published[-1]


def prepared(budget: str = "6trials", **parts: object) -> Run:
    run = Scenario(budget=budget).prepare()
    run.parts = replace(run.parts, **parts)
    return run


def first_job(run: Run) -> Job:
    job = run.next_job()
    assert isinstance(job, Job)
    return job


def events(run: Run) -> list[Event]:
    return list(run.parts.journal.replay())


def result_of(job: Job, path: str = "members/t00000-f0/r3/model.onnx") -> JobResult:
    files = (FileRef(path, "00", 5),)
    members = tuple(MemberResult(m.trial, m.fold, "done", 0.5, steps=job.stop_steps, files=files) for m in job.members)
    return JobResult(job.id, members, 1.5)


# ---- the port


def test_a_job_is_in_the_journal_before_it_is_handed_out() -> None:
    run = prepared()
    job = first_job(run)
    assert [e.job for e in events(run) if isinstance(e, JobPlanned)] == [job]


def test_a_result_is_in_the_journal_when_on_end_returns() -> None:
    run = prepared()
    result = result_of(first_job(run))
    run.on_end(result)
    last = events(run)[-1]
    assert isinstance(last, JobEnded)
    assert (last.result, last.device_seconds) == (result, 1.5)


def test_watchers_see_every_event_in_the_order_of_the_journal() -> None:
    watcher = Watcher()
    run = prepared(watchers=[watcher])
    run.search()
    assert watcher.events == events(run)[1:]


def test_signs_of_life_are_shown_and_not_written_down() -> None:
    watcher = Watcher()
    run, report = prepared(watchers=[watcher]), Report(0, 0, 0, 1, 0.5)
    run.on_report(report)
    assert watcher.reports == [report]
    assert len(events(run)) == 1


def test_the_search_ends_with_its_reason_in_the_journal() -> None:
    run = prepared()
    assert run.search() == "every trial is finished"
    last = events(run)[-1]
    assert isinstance(last, PhaseChanged)
    assert (last.phase, last.reason) == ("finalising", "every trial is finished")


def test_an_interrupted_run_hands_out_nothing_more_and_ends_what_runs() -> None:
    run = prepared()
    job = first_job(run)
    run.interrupt("interrupted by the user")
    run.interrupt("again")
    assert run.next_job() == Done("interrupted by the user")
    assert run.deadline(job.id) == run.time.clock.now()


@pytest.mark.parametrize(("budget", "expected"), [("6trials", inf), ("100s", 90.0)], ids=["trials", "wall"])
def test_a_jobs_deadline_is_the_end_of_its_lease_or_of_the_search(budget: str, expected: float) -> None:
    run = prepared(budget, reserve_seconds=10.0)
    assert run.deadline(first_job(run).id) == expected


def test_a_lease_ends_before_the_search_under_a_device_budget() -> None:
    run = prepared("1000cpu-s")
    job = first_job(run)
    assert run.deadline(job.id) == job.lease.seconds == 2.0


# ---- what is told and made while jobs run


def test_time_is_told_every_two_seconds_and_not_durably_more_often() -> None:
    run = prepared("30s")
    run.search()
    ticks = [e.at for e in events(run) if isinstance(e, Ticked)]
    assert ticks
    assert min(b - a for a, b in pairwise(ticks)) >= 2.0


def test_an_artifact_is_put_in_place_as_soon_as_there_is_a_full_trial() -> None:
    run = prepared(publisher=SlowShelf())
    run.search()
    kinds = [type(e) for e in events(run)]
    assert Exported in kinds
    assert kinds[: kinds.index(Exported)].count(JobEnded) == run.started.folds


def test_standing_artifacts_take_a_small_share_of_the_time() -> None:
    shelf = SlowShelf(seconds=2.0)
    run = prepared("600s", publisher=shelf)
    run.search()
    assert 1 <= len(shelf.published) <= 1 + 0.03 * 600 / 2.0 + 1


def test_an_artifact_is_made_again_only_for_a_better_trial() -> None:
    shelf = SlowShelf(seconds=0.0)
    run = prepared("30trials", publisher=shelf)
    run.search()
    scores = [e.score for e in shelf.published]
    assert scores == sorted(set(scores))


def test_a_warning_of_another_thread_is_written_down_at_the_next_idle_moment() -> None:
    run = prepared()
    run.warn_later("mlflow", "the server is away")
    run.on_idle()
    assert [e.message for e in events(run) if isinstance(e, Warned)] == ["the server is away"]


# ---- files


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_a_checkpoint_that_was_continued_is_deleted(folder: RunFolder) -> None:
    run = Scenario(budget="30trials", slots=1).prepare()
    run.parts = replace(run.parts, folder=folder)
    while not (job := first_job(run)).members[0].checkpoint:
        run.on_end(run.parts.executor._world.run(job))  # type: ignore[attr-defined]
    checkpoint = folder.path / job.members[0].checkpoint
    checkpoint.mkdir(parents=True)
    run.on_end(run.parts.executor._world.run(job))  # type: ignore[attr-defined]
    assert not checkpoint.exists()


def test_the_files_of_a_trial_that_is_given_up_are_deleted(folder: RunFolder) -> None:
    run = Scenario(budget="2trials", scheduler=FullScheduler()).prepare()
    run.parts = replace(run.parts, folder=folder)
    job = first_job(run)
    (folder.path / "members/t00000-f0/r3").mkdir(parents=True)
    run.on_end(result_of(job))
    run._forget(run.history.trials[0])
    assert not (folder.path / "members/t00000-f0").exists()


def test_a_run_folder_is_made_private(tmp_path: Path) -> None:
    made = RunFolder(tmp_path / "runs" / "one")
    made.create()
    assert made.path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match=r"not empty.*automl resume"):
        RunFolder(tmp_path).create()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match=r"--out .*run"):
        RunFolder(tmp_path / "run").create()


def test_a_folder_that_cannot_be_made_is_the_machines_fault() -> None:
    with pytest.raises(MachineError, match=r"/dev/null/run: cannot be created"):
        RunFolder(Path("/dev/null/run")).create()


def test_a_result_without_files_has_no_folder(folder: RunFolder) -> None:
    with pytest.raises(RunError, match="trial 3, fold 1 left no files"):
        folder.files_of(MemberResult(3, 1, "done"))


def test_a_result_with_files_has_the_folder_of_its_job(folder: RunFolder) -> None:
    result = MemberResult(0, 0, "done", files=(FileRef("members/t00000-f0/r3/model.onnx", "00", 5),))
    assert folder.files_of(result) == folder.path / "members/t00000-f0/r3"


# ---- time


def test_run_seconds_go_on_where_an_earlier_process_stopped() -> None:
    clock = FakeClock(100.0)
    keeper = Timekeeper(clock, began=90.0, before=30.0)
    assert keeper.at() == 40.0
    assert keeper.clock_at(40.0) == clock.now()


def test_the_seconds_left_are_those_of_the_wall_budget() -> None:
    run = prepared("100s")
    assert isinstance(run.time.clock, FakeClock)
    run.time.clock.advance(30.0)
    assert run.seconds_left() == 70.0
