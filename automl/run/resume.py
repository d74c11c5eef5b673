"""What a stopped or killed run needs to go on: its data, its budget, and an account of what was cut short."""

from __future__ import annotations

import time
from pathlib import Path

from automl import registry
from automl.core.budget import Budget
from automl.core.events import Event, JobEnded, Resumed, RunStarted
from automl.core.history import History
from automl.core.job import JobResult, MemberResult
from automl.data.folder import DataFolder
from automl.data.roles import Roles
from automl.data.sources import open_source, prepare_test
from automl.errors import BudgetError, RunError


def events_of_resume(history: History, added_budget: str) -> list[Event]:
    """Return the events with which a killed run is taken up: what ran is given back, charged until the last sign."""
    events: list[Event] = []
    for planned in history.running.values():
        held = max(0.0, history.at - planned.at)
        members = tuple(
            MemberResult(m.trial, m.fold, "lost", message="the run was killed") for m in planned.job.members
        )
        result = JobResult(planned.job.id, members, held, is_interrupted=True)
        cost = min(held * planned.job.lease.share, planned.job.lease.seconds)
        events.append(JobEnded(result, history.at, cost))
    return [*events, Resumed(history.at, time.time(), added_budget)]


def check_unfinished(path: Path, history: History, added_budget: str) -> None:
    """Check that there is something left to do.

    Raises:
        RunError: the run is finished and gets no more budget.
    """
    if history.ended is not None and history.ended.status == "done" and not added_budget:
        raise RunError(
            f"{path}: the run is finished ({history.ended.reason}). Add budget: automl resume {path} --budget +10min"
        )


def check_addition(budget: Budget, added_budget: str) -> None:
    """Check that an added budget adds to what limits the run; any other account would be one limit more.

    Raises:
        BudgetError: it is malformed, or adds to an account that does not limit the run.
    """
    if not added_budget:
        return
    limited = dict(budget.limits())
    strange = [
        account for account, _ in Budget.parse(added_budget.removeprefix("+")).limits() if account not in limited
    ]
    if strange:
        raise BudgetError(
            f"--budget {added_budget}: the run is limited by {budget}, and {strange[0]} would be a further limit. "
            "Add to what limits it."
        )


def data_again(started: RunStarted) -> DataFolder:
    """Return the prepared data, preparing it anew if the cache was emptied.

    Raises:
        RunError: it is gone and was given as arrays, or the data changed since.
    """
    kept = _kept(started.data_folder)
    if kept is not None:
        return kept
    if not started.request.data and started.spec.name == "arrays":
        raise RunError(_gone(started.data_folder, "data"))
    request = started.request
    data = open_source(request.data, registry.resolve("task", request.task), roles=Roles.of(request)).data
    if data.spec.fingerprint != started.spec.fingerprint:
        raise RunError(
            f"{started.request.data or 'the data'}: changed since the run began. Got {data.spec.fingerprint:.12}, "
            f"not {started.spec.fingerprint:.12}. Bring the old data back, or start a new run."
        )
    return data


def test_again(started: RunStarted, train: DataFolder) -> DataFolder | None:
    """Return the prepared test set, preparing it anew if the cache was emptied; None where there is none.

    Raises:
        RunError: it is gone and was given as arrays.
    """
    if not started.test_folder:
        return None
    kept = _kept(started.test_folder)
    if kept is not None:
        return kept
    if not started.request.test:
        raise RunError(_gone(started.test_folder, "test set"))
    return prepare_test(started.request.test, train).data


def _kept(folder: str) -> DataFolder | None:
    if not (Path(folder) / "spec.json").exists():
        return None
    data = DataFolder(folder)
    return data if data.is_whole() else None


def _gone(folder: str, what: str) -> str:
    return f"{folder}: the prepared {what} is gone, and it was given as arrays. Start a new run with these arrays."
