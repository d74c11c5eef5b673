import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest

from automl.core.history import History, Trial
from automl.core.job import BODY, FileRef, MemberResult
from automl.core.leaderboard import batch_ms, best, body, latency_ms, leaderboard, size_bytes, trial_score, unranked
from automl.core.metrics import metric
from automl.core.space import Configuration

KEYS = ["rank", "trial", "candidate", "score", "se", "device_seconds", "latency_ms", "size_mb", "params", "status"]


def trial(number, scores, *, candidate="cnn", size=1_000_000, status="full", **facts):
    files = (FileRef(f"members/t/model{number}.onnx", "0" * 64, size), FileRef("members/t/oof.npy", "0" * 64, 10**9))
    results = {f: MemberResult(number, f, "done", score=s, files=files, latency_ms=0.5) for f, s in enumerate(scores)}
    configuration = Configuration(candidate, {"lr": 0.1 * number})
    return Trial(number, configuration, "searcher", status=status, results=results, **facts)


def history(*trials):
    past = History(trials={t.number: t for t in trials})
    for t in trials:
        if t.status == "full" and trial_score(t) is not None:
            t.reports[past.top_rung] = trial_score(t)
        past.standings.file(t.number, t.status, t.rung, reports=t.reports, top=past.top_rung)
    return past


def order(name, *trials):
    return [row.trial for row in leaderboard(history(*trials), metric(name))]


@pytest.mark.parametrize(("name", "expected"), [("accuracy", [1, 2, 0]), ("rmse", [0, 2, 1])])
def test_rows_are_ranked_in_the_direction_of_the_metric(name, expected):
    assert order(name, trial(0, [0.1, 0.1]), trial(1, [0.9, 0.9]), trial(2, [0.5, 0.5])) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [({"size": 9}, {"size": 5}), ({"candidate": "b"}, {"candidate": "a"})],
    ids=["smaller", "name"],
)
def test_equal_scores_are_ranked_by_simplicity(first, second):
    assert order("accuracy", trial(0, [0.5], **first), trial(1, [0.5], **second)) == [1, 0]


def test_wholly_equal_trials_are_ranked_by_number():
    assert order("accuracy", trial(3, [0.5]), trial(1, [0.5]), trial(2, [0.5])) == [1, 2, 3]


def test_ranks_count_from_one():
    rows = leaderboard(history(trial(0, [0.1]), trial(1, [0.2])), metric("accuracy"))
    assert [r.rank for r in rows] == [1, 2]


@pytest.mark.parametrize("status", ["running", "paused", "stopped", "failed"])
def test_only_full_trials_are_ranked(status):
    assert order("accuracy", trial(0, [0.9], status=status), trial(1, [0.5])) == [1]


def test_a_row_carries_score_error_cost_latency_and_size():
    row = leaderboard(history(trial(2, [0.8, 0.9], device_seconds=7.5)), metric("accuracy"))[0]
    assert (row.score, row.se) == pytest.approx((0.85, 0.05))
    assert (row.device_seconds, row.latency_ms, row.size_mb) == (7.5, 1.0, 2.0)


def test_rows_serialise_with_exactly_the_promised_keys():
    row = leaderboard(history(trial(1, [0.8, 0.9])), metric("accuracy"))[0]
    assert list(row.as_json()) == KEYS
    assert json.loads(json.dumps(row.as_json(), allow_nan=False))["params"] == {"lr": 0.1}


def test_the_error_of_a_single_fold_is_unknown():
    assert leaderboard(history(trial(0, [0.8])), metric("accuracy"))[0].se is None


@pytest.mark.parametrize("score", [None, math.nan, math.inf], ids=["none", "nan", "infinite"])
def test_a_full_trial_without_a_finite_score_is_not_ranked_but_told(score):
    past = history(trial(0, [0.8, score]), trial(1, [0.5, 0.5]))
    assert [r.trial for r in leaderboard(past, metric("accuracy"))] == [1]
    assert [(u.row.trial, u.reason) for u in unranked(past)] == [(0, "a fold has no finite score")]


def test_best_is_the_top_of_the_leaderboard():
    past = history(trial(0, [0.5]), trial(1, [0.9], size=9), trial(2, [0.9], size=5))
    assert best(past, metric("accuracy")).number == leaderboard(past, metric("accuracy"))[0].trial == 2


def test_without_full_trials_there_is_no_best():
    assert best(history(trial(0, [0.9], status="paused")), metric("accuracy")) is None


def test_stopped_and_failed_trials_are_told_with_reasons():
    lost = trial(1, [], status="failed", reason="out of memory", failure=MemberResult(1, 0, "oom"))
    past = history(trial(2, [], status="stopped", reason="worse than the best"), lost, trial(3, [0.9]))
    assert [(u.row.trial, u.row.status, u.reason) for u in unranked(past)] == [
        (1, "failed", "out of memory"),
        (2, "stopped", "worse than the best"),
    ]


def test_a_failure_without_a_message_is_told_by_its_outcome():
    past = history(trial(1, [], status="failed", failure=MemberResult(1, 0, "timeout")))
    assert unranked(past)[0].reason == "timeout"


def test_an_unranked_row_shows_the_last_report():
    past = history(trial(0, [], status="stopped", reports={0: 0.4, 1: 0.6}))
    assert (unranked(past)[0].row.rank, unranked(past)[0].row.score) == (None, 0.6)


def test_running_trials_are_in_neither_table():
    past = history(trial(0, [], status="running"))
    assert leaderboard(past, metric("accuracy")) == unranked(past) == []


def test_sizes_count_models_and_no_predictions():
    assert size_bytes(trial(0, [0.1, 0.2, 0.3], size=7)) == 21


def test_latency_is_that_of_all_folds():
    assert latency_ms(trial(0, [0.1, 0.2, 0.3])) == pytest.approx(1.5)


def test_a_body_that_all_folds_share_counts_once():
    shared = trial(0, [0.1, 0.2], size=1_000_000)
    for number, result in shared.results.items():
        shared.results[number] = replace(result, batch_ms=0.3, notes={BODY: "00"})
    assert (size_bytes(shared), latency_ms(shared), batch_ms(shared)) == (1_000_000, 0.5, pytest.approx(0.3))
    assert (body(shared), body(trial(1, [0.1])), body(trial(2, []))) == ("00", "", "")


def test_the_score_of_a_trial_without_results_is_unknown():
    assert trial_score(trial(0, [])) is None


@pytest.mark.parametrize("name", ["accuracy", "log_loss"])
@pytest.mark.parametrize("seed", range(5))
def test_best_agrees_with_the_leaderboard(name, seed):
    rng = np.random.default_rng(seed)
    statuses = rng.choice(["full", "stopped"], size=30)
    past = history(
        *(
            trial(i, rng.integers(1, 4, size=2) / 4, size=int(rng.integers(3)), status=str(s))
            for i, s in enumerate(statuses)
        )
    )
    assert best(past, metric(name)).number == leaderboard(past, metric(name))[0].trial


@pytest.mark.parametrize(("limit", "rows"), [(None, 5), (2, 2), (9, 5)])
def test_a_limit_cuts_the_leaderboard(limit, rows):
    past = history(*(trial(i, [i / 9]) for i in range(5)))
    assert len(leaderboard(past, metric("accuracy"), limit=limit)) == rows


def test_best_of_ten_thousand_trials_is_found_at_once():
    past = history(*(trial(i, [i / 10_000]) for i in range(10_000)))
    started = time.process_time()
    assert all(best(past, metric("accuracy")).number == 9_999 for _ in range(100))
    assert time.process_time() - started < 0.5


def test_ten_thousand_trials_are_ranked_quickly():
    past = history(*(trial(i, [i % 97 / 97] * 5) for i in range(10_000)))
    started = time.process_time()
    assert len(leaderboard(past, metric("accuracy"))) == 10_000
    assert time.process_time() - started < 3.0
