from __future__ import annotations

import pytest

from automl.recorders.mlflow.champion import challenge, version_tags
from automl.testing.recorded_run import recorded_run

MINE = {"automl.fingerprint": "f", "automl.metric": "accuracy", "automl.folds": "5", "automl.score": "0.8"}


def test_the_first_version_becomes_champion():
    assert challenge(MINE, None).moves


@pytest.mark.parametrize(("metric", "theirs", "moves"), [
    ("accuracy", "0.7", True), ("accuracy", "0.8", False), ("accuracy", "0.9", False),
    ("log_loss", "0.9", True), ("log_loss", "0.8", False), ("log_loss", "0.7", False),
])  # fmt: skip
def test_the_alias_moves_only_to_a_better_score_in_the_metrics_direction(metric, theirs, moves):
    mine = {**MINE, "automl.metric": metric}
    assert challenge(mine, {**mine, "automl.score": theirs}, "1").moves is moves


@pytest.mark.parametrize("key", ["fingerprint", "metric", "folds"])
def test_scores_of_other_measurements_are_not_compared(key):
    verdict = challenge(MINE, {**MINE, f"automl.{key}": "other", "automl.score": "0.1"}, "4")
    assert verdict == (False, f"champion stays version 4: it was measured with another {key} and cannot be compared")


@pytest.mark.parametrize("score", ["", "good"])
def test_a_champion_without_a_score_stays(score):
    assert challenge(MINE, {**MINE, "automl.score": score}, "1").note.endswith("it has no score to compare with")


def test_a_version_of_another_program_stays_champion():
    assert not challenge(MINE, {}, "1").moves


def test_the_note_of_a_change_shows_both_scores():
    assert challenge(MINE, {**MINE, "automl.score": "0.5"}, "3").note == "better than version 3: 0.8 against 0.5"


def test_a_version_keeps_what_the_next_run_compares_with(tmp_path):
    started, *_, decided, _ = recorded_run(tmp_path)
    tags = version_tags(started, decided)
    assert tags["automl.score"] == "0.75"
    assert tags["automl.fingerprint"] == "ab" * 32
    assert tags["automl.folds"] == "3"
