from __future__ import annotations

import dataclasses

import pytest

from automl.candidates.tabular.boosting_cost import Shape, TreeSeconds, boosting_cost, columns_of
from automl.candidates.tabular.boosting_rounds import REFIT_ROWS, rate_of
from automl.core.data import DataSpec
from automl.core.space import Configuration
from automl.testing.context import mixed_table

SHAPE = Shape(learning_rate=0.05, leaves=31, bins=255, columns=0.7)
SECONDS = TreeSeconds(fixed=1e-4, row=7e-8, value=4e-9, bin=5e-9)
SPEC = mixed_table(100, classes=2).spec


def seconds(rows: int, spec: DataSpec = SPEC, shape: Shape = SHAPE, features: str = "none") -> float:
    configuration = Configuration("gbdt", {"features": features, "texts": 0})
    return boosting_cost(spec, configuration, rows, shape=shape, seconds=SECONDS).seconds(1)


def test_columns_are_counted_by_their_kind() -> None:
    assert columns_of(SPEC, words=0) == 4 + 6 + 2
    assert columns_of(SPEC, words=100) == columns_of(SPEC, words=0) + 100


def test_more_rows_never_cost_less_also_where_the_second_training_ends() -> None:
    counts = [50, 500, 5000, REFIT_ROWS - 1, REFIT_ROWS, REFIT_ROWS + 1, 20_000, 200_000, 1_000_000]
    costs = [seconds(rows) for rows in counts]
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    "shape",
    [SHAPE._replace(learning_rate=0.01), SHAPE._replace(leaves=255), SHAPE._replace(columns=1.0)],
    ids=["smaller steps", "more leaves", "more columns"],
)
def test_larger_boosters_cost_more(shape: Shape) -> None:
    assert seconds(20_000, shape=shape) > 1.1 * seconds(20_000)


def test_each_class_of_several_has_its_trees() -> None:
    several = dataclasses.replace(SPEC, classes=tuple("abcdefghij"))
    assert seconds(5000, several) > 8 / rate_of(1.0, 10) * seconds(5000)


def test_engineered_columns_cost() -> None:
    assert seconds(5000, features="engineered") > 1.2 * seconds(5000)
