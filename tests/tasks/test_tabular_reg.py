"""Numbers of a table: what is refused, what is told, and what good models are told by."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.protocols import Task
from automl.errors import DataError, UserError
from automl.tasks.tabular_reg import TASK

RNG = np.random.default_rng(0)


def spec(y: np.ndarray) -> DataSpec:
    return DataSpec("houses", "table", len(y), (5,), (), (), "0" * 64, target="price")


def found(y: np.ndarray) -> dict[str, str]:
    task: Task = TASK
    return {finding.code: finding.message for finding in task.validate(spec(y), y)}


@pytest.mark.parametrize(
    "y", [RNG.normal(size=500), np.arange(10.0), RNG.exponential(size=50)], ids=["normal", "even", "tail"]
)
def test_numbers_that_vary_need_no_word(y: np.ndarray) -> None:
    assert found(y) == {}


@pytest.mark.parametrize("y", [np.full(9, 3.5), np.zeros(1), np.empty(0)], ids=["constant", "one", "none"])
def test_a_target_that_does_not_vary_is_refused(y: np.ndarray) -> None:
    with pytest.raises(DataError, match=f"houses: column 'price': the target must vary. .* in {len(y)} rows"):
        found(y)


@pytest.mark.parametrize(("y", "advice"), [
    (np.exp(3 * RNG.normal(size=2000)), "consider --metric mae or rmsle"),
    (np.exp(3 * RNG.normal(size=2000)) - 5, "consider --metric mae"),
    (-np.exp(3 * RNG.normal(size=2000)), "consider --metric mae"),
], ids=["positive", "mixed", "negative"])  # fmt: skip
def test_a_skewed_target_is_told_with_metrics_that_stand_it(y: np.ndarray, advice: str) -> None:
    assert found(y)["target-skewed"].endswith(advice)


def test_two_values_may_be_classes() -> None:
    assert found(np.array([0.0, 1.0] * 20))["target-two-values"].endswith("use --task tabular-clf")


def test_huge_numbers_do_not_overflow() -> None:
    assert found(np.array([0.0, 1e200, 3e300])) == {}


@pytest.mark.parametrize("metric", ["rmse", "mae", "r2", "rmsle"])
def test_numbers_from_zero_have_every_metric(metric: str) -> None:
    TASK.check_metric(metric, spec(np.arange(3.0)), np.arange(3.0))


def test_rmsle_needs_numbers_from_zero() -> None:
    y = np.array([1.0, -0.5])
    with pytest.raises(
        UserError, match=r"--metric rmsle: targets must be 0 or more. Got -0.5 in column 'price'. Use rmse"
    ):
        TASK.check_metric("rmsle", spec(y), y)


def test_a_metric_of_classes_is_refused() -> None:
    with pytest.raises(UserError, match="--metric accuracy: tabular-reg is scored by one of: rmse, mae, r2, rmsle"):
        TASK.check_metric("accuracy", spec(np.arange(3.0)), np.arange(3.0))


def test_the_facts_of_the_task() -> None:
    assert TASK.default_metric(spec(np.arange(3.0)), np.arange(3.0)) == "rmse"
    assert (TASK.info.name, TASK.info.kind, TASK.info.target) == ("tabular-reg", "table", "number")
