from __future__ import annotations

import pytest

from automl.candidates.training.ragged_cost import Work, cost, whole
from automl.candidates.training.ragged_encoding import Size
from automl.candidates.training.ragged_settings import RaggedSettings
from automl.core.data import DataSpec

PLAIN = RaggedSettings(lr=1e-3, epochs=10, batch_size=64, patience=3)
SPEC = DataSpec("texts", "text", 3000, (1, 50, 100), ("a", "b"), (1500, 1500), "0")
SIZE = Size(width=64, steps=10.0, longest=20, seconds=0.5)


def test_values_of_others_are_left_alone() -> None:
    settings = RaggedSettings.of({"lr": 0.1, "epochs": 3, "kernels": "2,3", "clip": 0.0})
    assert settings == RaggedSettings(lr=0.1, epochs=3, clip=0.0)


@pytest.mark.parametrize(("rows", "batch"), [(10, 8), (480, 20), (10_000, 64)], ids=["few", "some", "many"])
def test_few_rows_take_small_steps(rows: int, batch: int) -> None:
    assert PLAIN.step_rows(rows) == batch


@pytest.mark.parametrize(
    ("rows", "epochs"), [(40, 40), (10_000, 10), (400_000, 5), (10_000_000, 3)], ids=["few", "some", "many", "millions"]
)
def test_few_rows_are_seen_more_often_and_many_less(rows: int, epochs: int) -> None:
    assert PLAIN.most_epochs(rows) == epochs


@pytest.mark.parametrize(("rows", "is_held"), [(319, False), (320, True)])
def test_few_rows_are_all_learned_from(rows: int, is_held: bool) -> None:
    assert PLAIN.is_held_out(rows) == is_held
    assert (PLAIN.fit_rows(rows) < rows) == is_held


def test_without_patience_all_rows_are_learned_from_to_the_end() -> None:
    settings = RaggedSettings(lr=1e-3, epochs=10)
    assert (settings.fit_rows(10_000), settings.expected_epochs(10_000)) == (10_000, 10)


def test_more_work_and_longer_rows_cost_more() -> None:
    costs = [
        cost(SPEC, PLAIN, size, whole(Work(macs, 1e3), size), 2000).seconds(1)
        for macs, size in ((1e4, SIZE), (1e6, SIZE), (1e6, SIZE._replace(width=1024)), (1e8, SIZE))
    ]
    assert costs == sorted(costs)
    assert costs[0] > SIZE.seconds
