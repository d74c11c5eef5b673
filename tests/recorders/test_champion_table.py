"""Which model is the champion, case by case; what is recorded of odd runs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from automl.core.events import Decided, RunEnded, Winner
from automl.core.space import Configuration
from automl.recorders.mlflow.champion import challenge, version_tags
from automl.recorders.mlflow.importance import importances
from automl.recorders.mlflow.projection import (
    LONGEST_VALUE,
    child_records,
    experiment_name,
    model_name,
    parent_record,
    run_id,
    status_tags,
    tables,
)
from automl.testing.history_builder import HistoryBuilder, run_started

WINNER = Winner("single", "cnn", {0: 1.0}, 0.9, 0.01, 0.9, 0.85, 0.93, None)


def tags(score: float = 0.9, metric: str = "accuracy", **changes: str) -> dict[str, str]:
    decided = Decided(replace(WINNER, corrected=score), "artifacts/0001", "ab" * 32, None, 1.0)
    made = version_tags(run_started(metric=metric), decided)
    return made | {f"automl.{name}": value for name, value in changes.items()}


@pytest.mark.parametrize(
    ("metric", "mine", "theirs", "moves"),
    [
        ("accuracy", 0.9, 0.8, True),
        ("accuracy", 0.8, 0.9, False),
        ("accuracy", 0.9, 0.9, False),
        ("accuracy", math.nan, 0.9, False),
        ("accuracy", 0.9, -math.inf, True),
        ("log_loss", 0.3, 0.4, True),
        ("log_loss", 0.4, 0.3, False),
        ("log_loss", 0.3, 0.3, False),
        ("log_loss", math.nan, 0.3, False),
        ("log_loss", 0.3, math.inf, True),
        ("rmse", 10.0, 10.5, True),
        ("r2", -3.0, -2.0, False),
        ("r2", -2.0, -3.0, True),
    ],
)
def test_the_alias_moves_to_what_is_better_and_to_nothing_else(
    metric: str, mine: float, theirs: float, moves: bool
) -> None:
    assert challenge(tags(mine, metric), tags(theirs, metric), "2").moves is moves


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"fingerprint": "x"}, "fingerprint"), ({"metric": "f1"}, "metric"), ({"folds": "9"}, "folds")],
)
def test_what_was_measured_otherwise_is_not_compared(changes: dict[str, str], what: str) -> None:
    verdict = challenge(tags(1.0), tags(0.1, **changes), "4")
    assert (verdict.moves, f"another {what}" in verdict.note) == (False, True)
    assert verdict.note.startswith("champion stays version 4")


@pytest.mark.parametrize("theirs", ["", "high", "0,9"])
def test_a_champion_without_a_score_stays_and_it_is_said(theirs: str) -> None:
    verdict = challenge(tags(), tags(score=0.1) | {"automl.score": theirs}, "2")
    assert verdict == (False, "champion stays version 2: it has no score to compare with")


def test_a_champion_made_by_something_else_stays() -> None:
    assert not challenge(tags(), {}, "1").moves


def test_the_first_is_champion() -> None:
    assert challenge(tags(), None).moves


@pytest.mark.parametrize("change", [{"name": "b"}, {"seed": 1}, {"wall_started": 1.0}, {"space_sha256": "f"}], ids=str)
def test_another_run_has_another_id(change: dict[str, object]) -> None:
    assert run_id(replace(run_started(), **change)) != run_id(run_started())


def test_a_run_keeps_its_id() -> None:
    assert run_id(run_started()) == run_id(run_started())
    assert len(run_id(run_started())) == 32


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("digits", "automl-image-clf-digits"),
        ("my flowers", "automl-image-clf-my-flowers"),
        ("a/b:c@d", "automl-image-clf-a-b-c-d"),
        ("v1.2_x", "automl-image-clf-v1.2_x"),
        ("日本", "automl-image-clf--"),
    ],
)
def test_a_model_name_has_only_letters_that_are_admitted(data: str, name: str) -> None:
    started = run_started()
    assert model_name(replace(started, spec=replace(started.spec, name=data))) == name


def test_the_experiment_is_named_by_task_and_data() -> None:
    assert experiment_name(run_started()) == "automl/image-clf/tiny"


def full(values: list[object], scores: list[float], candidate: str = "cnn") -> HistoryBuilder:
    builder = HistoryBuilder()
    for value, score in zip(values, scores, strict=True):
        builder.full(Configuration(candidate, {"x": value}), [score, score])  # type: ignore[dict-item]
    return builder


RISING = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@pytest.mark.parametrize(
    ("values", "scores", "strength"),
    [
        ([1, 2, 3, 4, 5, 6], RISING, 1.0),
        ([6, 5, 4, 3, 2, 1], RISING, 1.0),
        ([1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9], RISING, 1.0),
        (["a", "a", "a", "b", "b", "b"], [0.1] * 3 + [0.9] * 3, 1.0),
        ([True, True, True, False, False, False], [0.1] * 3 + [0.9] * 3, 1.0),
        ([1, 2, 3, 4, 5, 6], [0.5] * 6, 0.0),
        (["a", "b"] * 3, [0.5] * 6, 0.0),
        ([1, 2, 3, 3, 2, 1], RISING, 0.0),
    ],
    ids=str,
)
def test_the_strength_of_a_parameter(values: list[object], scores: list[float], strength: float) -> None:
    assert importances(full(values, scores).history) == {"cnn.x": pytest.approx(strength)}


@pytest.mark.parametrize("values", [[1] * 6, [1, 2, 3, 4, 5]], ids=["constant", "few"])
def test_what_was_not_varied_or_too_seldom_has_no_strength(values: list[object]) -> None:
    assert importances(full(values, RISING[: len(values)]).history) == {}


@pytest.mark.parametrize("length", [LONGEST_VALUE - 1, LONGEST_VALUE, LONGEST_VALUE + 1, 10 * LONGEST_VALUE])
def test_no_text_is_longer_than_mlflow_takes(length: int) -> None:
    builder = full(["x" * length], [0.5])
    builder.add(RunEnded("failed", "y" * length, 9.0))
    (_, child), *_ = child_records(builder.history, frozenset())
    for text in (*child.params.values(), *status_tags(builder.history).values()):
        assert len(text) <= LONGEST_VALUE


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_only_finite_points_are_recorded(score: float) -> None:
    builder = full([1, 2], [score, 0.5])
    records = [record for _, record in child_records(builder.history, frozenset())]
    assert all(math.isfinite(point.value) for record in records for point in record.points)
    assert len(records) == 2


@pytest.mark.parametrize("known", [frozenset(), frozenset({0}), frozenset({0, 1, 2})], ids=len)
def test_trials_that_are_known_are_not_recorded_again(known: frozenset[int]) -> None:
    builder = full([1, 2, 3], [0.5, 0.6, 0.7])
    assert {number for number, _ in child_records(builder.history, known)} == {0, 1, 2} - known


def test_the_password_of_the_store_is_no_parameter() -> None:
    builder = HistoryBuilder()
    started = run_started()
    builder.add(replace(started, request=replace(started.request, tracking_uri="http://ann:s3cret@host")))
    assert "s3cret" not in str(parent_record(builder.history))


def test_tables_have_as_many_values_in_every_column() -> None:
    builder = full([1, "a", True], [0.5, 0.6, 0.7])
    builder.failed(Configuration("cnn", {}))
    for table in tables(builder.history).values():
        assert len({len(values) for values in table.values()}) == 1
