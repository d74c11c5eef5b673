"""What the page says follows from the history."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from automl.core.events import JobEnded, JobPlanned
from automl.core.history import History
from automl.core.job import Job, JobResult, Member, MemberResult
from automl.core.ledger import Receipt
from automl.core.space import Configuration
from automl.report.build import OutOfFold, build
from automl.report.spend import MEASURING
from automl.testing.history_builder import HistoryBuilder, run_started

if TYPE_CHECKING:
    from .conftest import FinishedRun

CNN = Configuration("cnn", {"lr": 0.1})


def test_candidates_keep_one_order_the_best_first(finished: FinishedRun) -> None:
    data = build(finished.history)
    assert data.candidates[0] == data.rows[0].candidate
    assert sorted(data.candidates) == ["baseline", "cnn", "forest", "linear", "resnet"]


def test_each_full_trial_has_its_moment_in_order_of_time(finished: FinishedRun) -> None:
    data = build(finished.history)
    assert len(data.moments) == len(data.rows)
    assert [m.at for m in data.moments] == sorted(m.at for m in data.moments)


def test_a_curve_is_the_mean_over_the_folds_with_its_range(finished: FinishedRun) -> None:
    curve = build(finished.history).curves[0]
    assert [step for step, *_ in curve.points] == list(range(1, 10))
    assert all(low <= mean <= high for _, mean, low, high in curve.points)


def test_candidates_trained_in_one_go_have_no_curve(finished: FinishedRun) -> None:
    assert {curve.candidate for curve in build(finished.history).curves} == {"cnn", "resnet"}


def test_trials_that_were_not_finished_keep_their_reasons(finished: FinishedRun) -> None:
    reasons = {other.reason for other in build(finished.history).others}
    assert reasons == {"out of memory at batch 32 (14.2 GiB)", "worse than the best third at rung 0"}


def test_the_bill_adds_up(finished: FinishedRun) -> None:
    bill = build(finished.history).bill
    assert sum(item.device_seconds for item in bill.items) == pytest.approx(bill.receipt.leased_seconds)
    assert sum(item.jobs for item in bill.items) == bill.receipt.leases


def test_a_given_receipt_is_the_one_shown(finished: FinishedRun) -> None:
    receipt = Receipt("cpu", 1.0, 2.0, 3, 4)
    assert build(finished.history, receipt=receipt).bill.receipt == receipt


def test_workers_never_do_two_jobs_at_once(finished: FinishedRun) -> None:
    for worker in ("cpu0", "cpu1"):
        mine = [span for span in build(finished.history).spans if span.worker == worker]
        assert all(a.end <= b.begin + 1e-9 for a, b in pairwise(mine))


def test_a_job_of_no_trial_is_called_measuring() -> None:
    builder = HistoryBuilder()
    builder.add(JobPlanned(Job(0, (Member(-1, 0, CNN),), 0, 0, 3, 9, purpose="probe"), at=1.0))
    builder.add(JobEnded(JobResult(0, (MemberResult(-1, 0, "done"),), 2.0), at=3.0, device_seconds=2.0))
    assert [item.candidate for item in build(builder.history).bill.items] == [MEASURING]


def test_a_probe_that_bears_the_number_of_a_trial_is_not_charged_to_it() -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [0.8, 0.9])
    builder.add(JobPlanned(Job(5, (Member(0, 0, CNN),), 0, 0, 3, 9, purpose="probe"), at=50.0))
    builder.add(JobEnded(JobResult(5, (MemberResult(0, 0, "done"),), 2.0), at=52.0, device_seconds=2.0))
    data = build(builder.history)
    assert {item.candidate: item.device_seconds for item in data.bill.items} == {"cnn": 1.0, MEASURING: 2.0}
    assert data.moments[0].at < 50.0


def test_spaces_carry_origin_and_hash(finished: FinishedRun) -> None:
    space = build(finished.history).spaces[0]
    assert (space.candidate, space.origin, len(space.sha256)) == (
        "baseline",
        "automl/search_spaces/image-clf/baseline.toml",
        64,
    )


def test_predictions_of_the_winner_are_mixed_by_weight(finished: FinishedRun) -> None:
    weights = finished.history.decided.winner.weights
    wrong = np.roll(finished.probabilities, 1, axis=1)
    trials = dict(zip(weights, (finished.probabilities, wrong), strict=True))
    found = build(finished.history, out_of_fold=OutOfFold(finished.y, trials)).confusion
    assert found.counts.trace() > 0.9 * found.rows


def test_without_all_predictions_there_is_no_confusion_matrix(finished: FinishedRun) -> None:
    known = OutOfFold(finished.y, {next(iter(finished.history.decided.winner.weights)): finished.probabilities})
    assert build(finished.history, out_of_fold=known).confusion is None


def test_a_run_that_only_began_can_be_described() -> None:
    history = History()
    history.apply(run_started())
    data = build(history)
    assert (data.rows, data.moments, data.curves, data.spans, data.decided) == ((), (), (), (), None)
