from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from automl.candidates.graphs.onnx_values import linear_values
from automl.candidates.tabular.targets import (
    ClassWeighting,
    TargetChoice,
    TargetScale,
    class_weights,
    prior,
    row_weights,
    target_choice,
)
from automl.core.metrics import metric
from automl.testing.context import ArrayData, LocalContext, mixed_table

Y = np.array([0, 0, 0, 0, 0, 0, 0, 0, 2, 2])
DRAWS = np.random.default_rng(0).normal(3, 2, 200)


def data(y: np.ndarray, weights: np.ndarray | None = None) -> ArrayData:
    return dataclasses.replace(mixed_table(len(y), classes=0), y=y, weights=weights)


def context(folder: Path, rows: int, classes: int = 0, name: str = "rmse") -> LocalContext:
    return LocalContext(np.arange(rows), np.arange(0), classes, folder, metric=metric(name))


@pytest.mark.parametrize(
    ("how", "expected"), [("none", [1, 0, 1]), ("balanced", [0.625, 0, 2.5]), ("sqrt", [5 / 6, 0, 5 / 3])]
)
def test_classes_are_weighed_by_their_rows(how: ClassWeighting, expected: list[float]) -> None:
    np.testing.assert_allclose(class_weights(Y, 3, how), expected)


@pytest.mark.parametrize("how", ["none", "balanced", "sqrt"])
def test_weights_of_classes_have_the_mean_one_over_rows(how: ClassWeighting) -> None:
    assert class_weights(Y, 3, how)[Y].mean() == pytest.approx(1)


def test_rows_that_count_alike_have_no_weights() -> None:
    assert row_weights(data(Y), np.arange(10), 3, "none") is None
    assert row_weights(data(Y), np.arange(10), 0, "balanced") is None


def test_weights_of_rows_and_classes_are_multiplied() -> None:
    found = row_weights(data(Y, np.array([3.0] + [1.0] * 9)), np.array([0, 1, 8]), 3, "balanced")
    np.testing.assert_allclose(found, np.array([3, 1, 2]) / 2)


def test_rows_that_all_count_nothing_count_alike() -> None:
    found = row_weights(data(Y, np.array([0.0] * 5 + [2.0] * 5)), np.arange(5), 3, "none")
    np.testing.assert_array_equal(found, np.ones(5))


@pytest.mark.parametrize(
    ("name", "expected"), [("rmse", 4.0), ("mae", 1.0), ("rmsle", np.expm1(np.log([2, 2, 12]).mean())), ("r2", 13 / 3)]
)
def test_the_prior_is_what_the_metric_asks_for(name: str, expected: float, tmp_path: Path) -> None:
    y = np.array([1.0, 1.0, 11.0]) if name != "rmse" else np.array([1.0, 1.0, 10.0])
    assert prior(data(y), context(tmp_path, 3, name=name))[0] == pytest.approx(expected)


def test_the_prior_weighs_rows(tmp_path: Path) -> None:
    weights = np.array([0.25, 0.25, 2.5])
    assert prior(data(np.array([1.0, 2.0, 3.0]), weights), context(tmp_path, 3, name="mae"))[0] == 3.0
    shares = prior(data(np.array([0, 0, 1]), weights), context(tmp_path, 3, classes=2))
    np.testing.assert_allclose(shares, [1 / 6, 5 / 6])


def test_rmsle_is_learned_on_the_logarithm() -> None:
    assert target_choice("none", metric("rmsle")) == "log"
    assert target_choice("none", metric("rmse")) == "none"


@pytest.mark.parametrize(
    ("y", "how", "kind"),
    [(DRAWS, "none", "none"), (np.abs(DRAWS), "log", "log1p"), (DRAWS, "log", "arcsinh")],
    ids=["none", "positive", "both signs"],
)
def test_a_scale_standardises_and_leads_back(y: np.ndarray, how: TargetChoice, kind: str) -> None:
    scale = TargetScale.fit(y, how)
    moved = scale.forward(y)
    assert (scale.kind, round(float(moved.mean()), 9), round(float(moved.std()), 9)) == (kind, 0, 1)
    np.testing.assert_allclose(scale.inverse(moved), y, rtol=1e-9)


@pytest.mark.parametrize("how", ["none", "log"])
@pytest.mark.parametrize("y", [DRAWS, np.abs(DRAWS) * 1e5, DRAWS - 5], ids=["mixed", "large", "low"])
def test_the_graph_leads_back_as_the_scale_does(y: np.ndarray, how: TargetChoice) -> None:
    scale, t = TargetScale.fit(y, how), np.linspace(-5, 5, 30, dtype=np.float32)
    graph = linear_values(np.ones(1), 0.0, scale.inverse_node_values())
    found = onnxruntime.InferenceSession(graph).run(None, {"input": t[:, None]})[0]
    np.testing.assert_allclose(found, scale.inverse(t), rtol=1e-6)


def test_predictions_leave_the_range_by_a_tenth_at_most() -> None:
    scale = TargetScale.fit(np.array([-10.0, 10.0]), "none")
    assert scale.inverse(np.array([-99.0, 99.0])).tolist() == [-12.0, 12.0]


def test_a_target_that_was_never_negative_stays_so() -> None:
    assert TargetScale.fit(np.array([0.5, 10.0]), "none").inverse(np.array([-99.0])).tolist() == [0.0]


@pytest.mark.parametrize("value", [0.0, -3.5, 1e9], ids=str)
@pytest.mark.parametrize("how", ["none", "log"])
def test_a_constant_target_comes_back(value: float, how: TargetChoice) -> None:
    scale = TargetScale.fit(np.full(7, value), how)
    np.testing.assert_allclose(scale.inverse(scale.forward(np.full(2, value))), [value, value])
    np.testing.assert_allclose(scale.inverse(np.array([3.0])), value)


def test_a_mostly_constant_target_of_both_signs_has_a_spread() -> None:
    scale = TargetScale.fit(np.array([0.0] * 9 + [-10.0]), "log")
    assert np.isfinite(scale.forward(np.array([-10.0, 0.0]))).all()


def test_values_below_what_was_seen_are_taken_as_zero_by_the_logarithm() -> None:
    scale = TargetScale.fit(np.array([0.0, 1.0, 2.0]), "log")
    assert scale.forward(np.array([-5.0])).tolist() == scale.forward(np.array([0.0])).tolist()
