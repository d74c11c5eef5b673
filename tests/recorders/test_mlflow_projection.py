from __future__ import annotations

import dataclasses
import math

import pytest

from automl.core.events import Resumed, RunEnded, RunStarted
from automl.core.history import History
from automl.recorders.mlflow import projection
from automl.testing.recorded_run import STARTED, recorded_run


def folded(events) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


@pytest.fixture
def events(tmp_path):
    return recorded_run(tmp_path)


@pytest.fixture
def history(events):
    return folded(events)


def test_a_run_has_one_name_for_ever(events, tmp_path):
    assert projection.run_id(events[0]) == projection.run_id(recorded_run(tmp_path)[0])


def test_two_runs_have_different_names(events, tmp_path):
    assert projection.run_id(events[0]) != projection.run_id(recorded_run(tmp_path, seed=1)[0])


def test_experiment_and_model_are_named_by_task_and_data(history):
    assert projection.experiment_name(history.started) == "automl/image-clf/pets & co"
    assert projection.model_name(history.started) == "automl-image-clf-pets-co"


def test_the_request_becomes_parameters_without_what_was_not_said(history):
    params = projection.parent_record(history).params
    assert params["task"] == "image-clf"
    assert params["budget"] == "10min"
    assert "max_latency_ms" not in params


def test_the_address_of_the_server_is_no_parameter(history):
    assert "secret" not in str(projection.parent_record(history))


def test_the_parent_says_what_the_run_depends_on(history):
    tags = projection.parent_record(history).tags
    assert tags["automl.fingerprint"] == "ab" * 32
    assert tags["automl.space_sha256"] == "cd" * 32
    assert tags["automl.version.automl"] == "0.1.0"


def test_only_full_trials_become_child_runs(history):
    assert [number for number, _ in projection.child_records(history, frozenset())] == [0, 1, 2, 3]


def test_known_trials_are_left_out(history):
    assert [number for number, _ in projection.child_records(history, frozenset({0, 2}))] == [1, 3]


def test_a_child_has_its_configuration_as_parameters(history):
    _, child = next(projection.child_records(history, frozenset({0})))
    assert child.params == {"candidate": "cnn", "lr": "0.05", "norm": "layer"}
    assert child.name == "t00001 cnn"


def test_a_child_has_one_curve_per_fold_with_steps(history):
    _, child = next(projection.child_records(history, frozenset()))
    assert [p.step for p in child.points if p.key == "fold1/accuracy"] == [3, 6, 9]
    assert [p.value for p in child.points if p.key == "fold2/train_loss"] == [1.0, 0.5]


def test_a_child_sums_up_score_error_time_latency_and_size(history):
    _, child = next(projection.child_records(history, frozenset()))
    values = {p.key: p.value for p in child.points}
    assert values["cv/accuracy"] == pytest.approx(sum(values[f"fold{f}/cv_accuracy"] for f in range(3)) / 3)
    assert values["device_seconds"] == pytest.approx(2.4)
    assert values["latency_ms"] == pytest.approx(1.5)
    assert values["cv/accuracy_se"] > 0 < values["size_mb"]


def test_points_carry_the_time_of_their_event_so_that_twice_is_once(events):
    first, second = (list(projection.child_records(folded(events), frozenset())) for _ in range(2))
    assert first == second
    assert first[0][1].points[0].at == STARTED + 3.9


def test_numbers_that_are_not_finite_are_left_out(history):
    history.trials[0].results[0] = dataclasses.replace(history.trials[0].results[0], curve=((3, math.nan), (6, 0.5)))
    _, child = next(projection.child_records(history, frozenset()))
    assert [p.value for p in child.points if p.key == "fold0/accuracy"] == [0.5]


def test_the_best_score_over_time_only_rises(history):
    best = [p.value for p in projection.parent_record(history).points if p.key == "best/accuracy"]
    assert best
    assert best == sorted(best)


def test_the_best_error_over_time_only_falls(events):
    started = dataclasses.replace(events[0], metric="log_loss")
    best = [p.value for p in projection.parent_record(folded([started, *events[1:]])).points if p.key[:5] == "best/"]
    assert best
    assert best == sorted(best, reverse=True)


def test_the_winner_and_the_test_are_metrics_of_the_parent(history):
    values = {p.key: p.value for p in projection.parent_record(history).points}
    assert values["corrected"] == 0.75
    assert values["test/log_loss"] == 0.9
    assert values["spend/device_seconds"] == pytest.approx(10.2)


def test_a_run_that_only_began_has_no_points(events):
    assert projection.parent_record(folded(events[:1])).points == ()


@pytest.mark.parametrize(("more", "status"), [([], "done"), ([Resumed(60.0, 1e9)], "running"),
                                              ([RunEnded("interrupted", "Ctrl-C", 61.0)], "interrupted")],
                         ids=["ended", "resumed", "interrupted"])  # fmt: skip
def test_the_status_follows_the_run(events, more, status):
    tags = projection.status_tags(folded([*events, *more]))
    assert tags["automl.status"] == status
    assert tags["automl.winner"] == "cnn"


def test_the_leaderboard_is_a_table_best_first(history):
    table = projection.tables(history)["leaderboard.json"]
    assert table["rank"] == [1, 2, 3, 4]
    assert table["score"] == sorted(table["score"], reverse=True)
    assert set(table) >= {"trial", "candidate", "se", "device_seconds", "latency_ms", "size_mb", "params"}


def test_stopped_and_failed_trials_are_a_table_with_reasons(history):
    table = projection.tables(history)["not_ranked.json"]
    assert table["status"] == ["stopped", "failed"]
    assert table["reason"] == ["worse than others at rung 0", "ValueError: no"]


def test_empty_tables_are_left_out(events):
    assert projection.tables(folded(events[:1])) == {}


def test_the_spaces_in_force_are_kept_as_text(history):
    assert projection.texts(history)["spaces/cnn.toml"] == 'candidate = "cnn"\n'


def test_long_values_are_cut_to_what_mlflow_takes(events):
    request = dataclasses.replace(events[0].request, space=("x" * 9000,))
    started: RunStarted = dataclasses.replace(events[0], request=request)
    assert len(projection.parent_record(folded([started])).params["space"]) == projection.LONGEST_VALUE
