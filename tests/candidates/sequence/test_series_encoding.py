from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from automl.candidates.sequence.encoding import encoded
from automl.serving.series import Series
from automl.testing.context import LocalContext, waving_series

DATA = waving_series(30)
PLAN = {"version": 1, "kind": "summary", "channels": 2, "longest": 99, "points": 0, "parts": ["length"]}


def context(folder: Path, **more: Any) -> LocalContext:
    return LocalContext(np.arange(20), np.arange(20, 30), 3, folder, **more)


class Counting:
    """Makes the same plan each time and counts the series it is given, and what it draws."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.drawn: list[float] = []

    def __call__(self, series: Series, rng: np.random.Generator) -> dict[str, Any]:
        self.given.append(len(series))
        self.drawn.append(rng.random())
        return PLAN


def test_all_rows_are_encoded_by_what_the_training_rows_gave(tmp_path: Path) -> None:
    fit = Counting()
    table = encoded(DATA, context(tmp_path), {"a": 1}, fit)
    assert fit.given == [20]
    np.testing.assert_array_equal(table.X[:, 0], DATA.X.lengths)
    assert table.plan == PLAN


def test_trials_of_a_fold_share_it_whatever_their_seed(tmp_path: Path) -> None:
    fit = Counting()
    for seed in (0, 1):
        encoded(DATA, context(tmp_path, seed=seed), {"a": 1}, fit)
    assert fit.given == [20]


def test_other_options_draw_anew(tmp_path: Path) -> None:
    fit = Counting()
    for options in ({"a": 1}, {"a": 2}):
        encoded(DATA, context(tmp_path), options, fit)
    assert fit.drawn[0] != fit.drawn[1]


def test_a_plan_without_its_numbers_is_made_again(tmp_path: Path) -> None:
    fit = Counting()
    encoded(DATA, context(tmp_path), {"a": 1}, fit)
    next(tmp_path.glob("*.npy")).unlink()
    assert len(encoded(DATA, context(tmp_path), {"a": 1}, fit).X) == 30
    assert fit.drawn[0] == fit.drawn[1]
