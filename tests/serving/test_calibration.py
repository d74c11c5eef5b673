"""Probabilities are calibrated and turned into labels by what a manifest says, and nothing malformed gets that far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.calibration import calibrate, check_calibration, check_decision, decide, decided
from automl.serving.errors import ModelError

SCORES = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]], np.float32)
WARM, COLD = {"kind": "temperature", "temperature": 2.0}, {"kind": "temperature", "temperature": 0.5}
LINE = {"kind": "isotonic", "x": [0.2, 0.6], "y": [0.0, 1.0]}


def test_without_calibration_scores_stay_as_they_are() -> None:
    assert calibrate(SCORES, {}) is SCORES


@pytest.mark.parametrize("calibration", [WARM, COLD, LINE], ids=["warm", "cold", "isotonic"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_rows_sum_to_one_in_the_type_they_came_in(calibration: dict[str, Any], dtype: type) -> None:
    found = calibrate(SCORES.astype(dtype), calibration)
    assert found.dtype == dtype
    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-6)


def test_a_temperature_divides_the_logarithms() -> None:
    found = calibrate(SCORES, WARM)
    expected = np.exp(np.log(SCORES) / 2)
    assert found == pytest.approx(expected / expected.sum(axis=1, keepdims=True), abs=1e-6)


def test_a_temperature_never_changes_the_label() -> None:
    scores = np.random.default_rng(0).dirichlet(np.ones(5), 200)
    assert np.array_equal(calibrate(scores, WARM).argmax(axis=1), scores.argmax(axis=1))


def test_impossible_classes_stay_impossible() -> None:
    assert calibrate(np.array([[0.0, 1.0], [1.0, 0.0]]), COLD).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_tiny_probabilities_do_not_vanish_together() -> None:
    assert calibrate(np.array([[1e-30, 3e-30]]), {"kind": "temperature", "temperature": 1.0}) == pytest.approx(
        np.array([[0.25, 0.75]])
    )


@pytest.mark.parametrize("calibration", [WARM, LINE], ids=["temperature", "isotonic"])
def test_rows_that_were_not_predicted_stay_so(calibration: dict[str, Any]) -> None:
    assert np.isnan(calibrate(np.full((2, 2), np.nan), calibration)).all()


def test_an_isotonic_line_is_flat_beyond_its_ends() -> None:
    assert calibrate(SCORES, LINE)[:, 1].tolist() == pytest.approx([1.0, 0.75, 0.0], abs=1e-6)


def test_without_decision_the_likeliest_class_is_the_label() -> None:
    assert decide(SCORES, {}).tolist() == [1, 0, 0]


def test_weights_move_the_threshold() -> None:
    assert decide(np.array([[0.76, 0.24], [0.74, 0.26]]), {"weights": [1.0, 3.0]}).tolist() == [0, 1]


@pytest.mark.parametrize("decision", [{}, {"weights": [1.0, 2.0, 0.5]}], ids=["none", "weights"])
def test_weighted_scores_have_their_greatest_at_the_label(decision: dict[str, Any]) -> None:
    scores = np.random.default_rng(0).dirichlet(np.ones(3), 300).astype(np.float32)
    weighted = decided(scores, decision)
    assert np.array_equal(weighted.argmax(axis=1), decide(scores, decision))
    assert weighted.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("decision", [{}, {"weights": [1.0, 2.0]}], ids=["none", "weights"])
def test_no_rows_give_no_labels(decision: dict[str, Any]) -> None:
    assert decide(np.zeros((0, 2), np.float32), decision).tolist() == []


@pytest.mark.parametrize(
    ("calibration", "classes"),
    [({}, 0), ({}, 3), (WARM, 2), (WARM, 5), (LINE, 2)],
    ids=["none-for-numbers", "none", "two", "many", "isotonic"],
)
def test_good_calibrations_pass(calibration: dict[str, Any], classes: int) -> None:
    check_calibration(calibration, classes)


@pytest.mark.parametrize(
    ("calibration", "classes", "message"),
    [
        ([], 2, r"calibration: must be an object. Got '\[\]'"),
        ({"kind": "platt"}, 2, "must be one of temperature, isotonic .* Got 'platt'"),
        (WARM, 0, "Got 'temperature' for 0 classes"),
        (LINE, 3, "Got 'isotonic' for 3 classes"),
        ({"kind": "temperature"}, 2, r"temperature must be a number in \[0.001, 1000\]. Got 'None'"),
        ({"kind": "temperature", "temperature": 0}, 2, "Got '0'"),
        ({"kind": "temperature", "temperature": True}, 2, "Got 'True'"),
        ({"kind": "temperature", "temperature": float("nan")}, 2, "Got 'nan'"),
        ({"kind": "temperature", "temperature": 10**400}, 2, "Got '1000"),
        ({**LINE, "x": [0.2]}, 2, "x must be 2 to 100000 numbers"),
        ({**LINE, "y": [0.0, 2.0]}, 2, r"y must be .* in \[0, 1\]. Got '\[0.0, 2.0\]'"),
        ({**LINE, "y": [0.0, "1"]}, 2, "y must be"),
        ({**LINE, "x": [0.6, 0.2]}, 2, "x must rise"),
        ({**LINE, "y": [1.0, 0.0]}, 2, "y must not fall"),
        ({**LINE, "y": [0.0, 0.5, 1.0]}, 2, "of one length. Got 2 x and 3 y"),
    ],
)
def test_bad_calibrations_are_refused(calibration: object, classes: int, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        check_calibration(calibration, classes)


@pytest.mark.parametrize(
    ("decision", "classes"),
    [("x", 2), ({"weights": None}, 2), ({"weights": [1.0]}, 2), ({"weights": [1.0, 0.0]}, 2),
     ({"weights": [1.0, -1.0]}, 2), ({"weights": [1.0, float("inf")]}, 2), ({"weights": [1, "2"]}, 2),
     ({"weights": []}, 0)],
    ids=["text", "none", "few", "zero", "negative", "infinite", "words", "numbers-have-no-classes"],
)  # fmt: skip
def test_bad_decisions_are_refused(decision: object, classes: int) -> None:
    with pytest.raises(ModelError, match=r"decision: .*must be .*Got"):
        check_decision(decision, classes)


def test_good_decisions_pass() -> None:
    check_decision({"weights": [1, 0.25]}, 2)
    check_decision({}, 0)
