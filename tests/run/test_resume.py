from __future__ import annotations

import shutil
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from automl.core.budget import Budget
from automl.core.events import JobEnded, JobPlanned, Resumed, RunEnded, RunStarted, Ticked
from automl.core.job import Job, Lease, Member
from automl.core.space import Configuration
from automl.errors import BudgetError, DataError, RunError
from automl.run import resume
from automl.run.resume import check_addition, check_unfinished, data_again, events_of_resume
from automl.testing.history_builder import HistoryBuilder, run_started
from automl.testing.tiny import tiny_data, tiny_images, write_npz


def killed(*, lease: Lease, planned_at: float = 5.0, last: float = 9.0) -> HistoryBuilder:
    builder = HistoryBuilder()
    configuration = Configuration("cnn", {"lr": 0.1})
    job = Job(0, (Member(0, 0, configuration),), 0, 0, 1, 4, lease=lease)
    builder.add(JobPlanned(job, planned_at, configuration))
    builder.add(Ticked(last))
    return builder


@pytest.mark.parametrize(
    ("lease", "cost"),
    [(Lease(seconds=inf), 4.0), (Lease(seconds=3.0), 3.0), (Lease(share=0.5, seconds=inf), 2.0)],
    ids=["no limit", "at most the lease", "half a device"],
)
def test_a_job_that_was_killed_is_charged_until_the_last_sign_of_life(lease: Lease, cost: float) -> None:
    ended = events_of_resume(killed(lease=lease).history, "")[0]
    assert isinstance(ended, JobEnded)
    assert (ended.device_seconds, ended.at, ended.result.is_interrupted) == (cost, 9.0, True)


def test_what_was_killed_is_tried_again_and_no_failure() -> None:
    builder = killed(lease=Lease())
    for event in events_of_resume(builder.history, ""):
        builder.add(event)
    assert [job.id for job in builder.history.retries] == [0]
    assert builder.history.trials[0].status == "paused"
    assert builder.history.failures_in_a_row == []


def test_a_run_in_which_nothing_ran_is_only_resumed() -> None:
    events = events_of_resume(HistoryBuilder().history, "+10min")
    assert [type(e) for e in events] == [Resumed]
    assert events[0].added_budget == "+10min"


def test_no_time_passes_between_the_last_event_and_the_resume() -> None:
    assert events_of_resume(killed(lease=Lease()).history, "")[-1].at == 9.0


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_a_run_that_was_cut_short_goes_on(status: str) -> None:
    builder = HistoryBuilder()
    builder.add(RunEnded(status, "stopped", 3.0))
    check_unfinished(Path("run"), builder.history, "")


def test_a_run_without_an_end_goes_on() -> None:
    check_unfinished(Path("run"), HistoryBuilder().history, "")


def test_a_finished_run_needs_more_budget() -> None:
    builder = HistoryBuilder()
    builder.add(RunEnded("done", "the budget is spent", 3.0))
    with pytest.raises(RunError, match=r"run is finished \(the budget is spent\).*automl resume run --budget \+10min"):
        check_unfinished(Path("run"), builder.history, "")
    check_unfinished(Path("run"), builder.history, "+10min")


@pytest.mark.parametrize("added", ["", "+10min", "5trials", "+1h,3trials"])
def test_budget_is_added_to_what_limits_the_run(added: str) -> None:
    check_addition(Budget.parse("10min,20trials"), added)


@pytest.mark.parametrize(("added", "account"), [("+5trials", "trials"), ("+1gpu-h", "gpu"), ("+10min,1cpu-h", "cpu")])
def test_an_addition_that_would_be_a_further_limit_is_refused(added: str, account: str) -> None:
    with pytest.raises(BudgetError, match=rf"limited by 600s, and {account} would be a further limit"):
        check_addition(Budget.parse("10min"), added)


def test_a_malformed_addition_is_refused() -> None:
    with pytest.raises(BudgetError, match="is not a unit"):
        check_addition(Budget.parse("10min"), "+10parsecs")


# ---- data


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_CACHE", str(tmp_path / "cache"))
    return tmp_path


def started(place: Path, *, data: str = "", name: str = "arrays", test: str = "") -> RunStarted:
    prepared = tiny_data(place / "cache")
    first = run_started()
    request = replace(first.request, data=data, test=test)
    return replace(first, request=request, spec=replace(prepared.spec, name=name), data_folder=str(prepared.folder))


def test_prepared_data_is_taken_as_it_is(place: Path) -> None:
    first = started(place)
    assert data_again(first).folder == Path(first.data_folder)


def test_arrays_whose_prepared_data_is_gone_are_asked_for(place: Path) -> None:
    first = started(place)
    shutil.rmtree(place / "cache")
    with pytest.raises(RunError, match="the prepared data is gone, and it was given as arrays"):
        data_again(first)


def test_arrays_whose_prepared_data_is_torn_are_asked_for(place: Path) -> None:
    first = started(place)
    (Path(first.data_folder) / "X.npy").write_bytes(b"torn")
    with pytest.raises(RunError, match=r"given as arrays. Start a new run"):
        data_again(first)


def test_a_file_is_prepared_anew_when_the_cache_was_emptied(place: Path) -> None:
    file = write_npz(place / "my data.npz", tiny_images())
    first = started(place, data=str(file), name="my-data")
    shutil.rmtree(place / "cache")
    again = data_again(replace(first, spec=resume.open_source(str(file), _task()).data.spec))
    assert np.array_equal(again.y, np.arange(60) % 3)


def test_a_file_that_changed_since_is_refused(place: Path) -> None:
    file = write_npz(place / "data.npz", tiny_images(seed=1))
    first = started(place, data=str(file), name="data")
    shutil.rmtree(place / "cache")
    with pytest.raises(RunError, match=r"data.npz: changed since the run began. Got [0-9a-f]{12}, not"):
        data_again(first)


def test_a_file_that_is_gone_is_told(place: Path) -> None:
    first = started(place, data=str(place / "gone.npz"), name="gone")
    shutil.rmtree(place / "cache")
    with pytest.raises(DataError, match=r"gone.npz: not found"):
        data_again(first)


def test_a_run_without_a_test_set_has_none_again(place: Path) -> None:
    assert resume.test_again(started(place), tiny_data(place / "cache")) is None


def test_a_prepared_test_set_is_taken_as_it_is(place: Path) -> None:
    train, test = tiny_data(place / "cache"), tiny_data(place / "cache", 30, seed=5)
    again = resume.test_again(replace(started(place), test_folder=str(test.folder)), train)
    assert again is not None
    assert again.folder == test.folder


def test_a_test_set_is_prepared_anew_when_the_cache_was_emptied(place: Path) -> None:
    file = write_npz(place / "test.npz", tiny_images(30, seed=5))
    first = replace(started(place, test=str(file)), test_folder=str(place / "gone"))
    again = resume.test_again(first, tiny_data(place / "cache"))
    assert again is not None
    assert again.spec.rows == 30


def test_a_test_set_given_as_arrays_is_asked_for_when_it_is_gone(place: Path) -> None:
    first = replace(started(place), test_folder=str(place / "gone"))
    with pytest.raises(RunError, match="the prepared test set is gone"):
        resume.test_again(first, tiny_data(place / "cache"))


def _task() -> object:
    from automl import registry

    return registry.resolve("task", "image-clf")
