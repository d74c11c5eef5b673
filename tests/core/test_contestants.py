"""Which full trials the winner is chosen among."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from automl.core.history import History
from automl.core.leaderboard import contestants
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.testing.history_builder import HistoryBuilder


def played(rows: int, kind: Any = "table", trials: int = 30) -> History:
    """A history of trials, each better than the one before; every tenth is of a candidate of its own."""
    builder = HistoryBuilder(folds=2)
    for number in range(trials):
        name = "linear" if number % 10 == 0 else "gbdt"
        builder.full(Configuration(name, {"lr": 0.001 * (number + 1)}), [0.5 + 0.01 * number] * 2)
    started = builder.history.started
    assert started is not None
    builder.history.started = replace(started, spec=replace(started.spec, kind=kind, rows=rows))
    return builder.history


def chosen(history: History, most: int = 25) -> list[int]:
    return contestants(history, metric("accuracy"), most=most)


@pytest.mark.parametrize(("rows", "expected"), [(999, 8), (1_000, 15), (4_999, 15), (5_000, 25), (10**6, 25)])
def test_the_fewer_rows_the_fewer_trials(rows: int, expected: int) -> None:
    assert len(chosen(played(rows))) == expected


def test_images_are_chosen_among_as_before() -> None:
    assert chosen(played(100, kind="image")) == list(range(29, 4, -1))


def test_the_best_of_each_candidate_is_there() -> None:
    assert chosen(played(999)) == [29, 28, 27, 26, 25, 24, 23, 20]


def test_no_more_than_are_kept_are_chosen_among() -> None:
    assert chosen(played(999), most=5) == [29, 28, 27, 26, 20]
    assert len(chosen(played(999, trials=3))) == 3
