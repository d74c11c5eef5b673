"""On few rows what cannot be told apart is averaged."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.metrics import metric
from automl.core.scores import Pool
from automl.ensembles.field import Contestant, Rules
from automl.ensembles.greedy import Latency
from automl.ensembles.select import Choice, choose, likely_members
from automl.ensembles.ties import FEW_ROWS, Ties

ROWS = 80
Y = np.arange(ROWS) % 2
FOLDS = np.arange(ROWS) // 2 % 4


def answers(wrong: tuple[int, ...], rows: int = ROWS) -> np.ndarray:
    """Return sure predictions of two classes, wrong on some rows."""
    right = np.where(np.isin(np.arange(rows), wrong), 1 - np.arange(rows) % 2, np.arange(rows) % 2)
    return np.where(right[:, None] == np.arange(2), 0.9, 0.1).astype(np.float32)


def ties(*wrong: tuple[int, ...], names: str = "abcdef", latency: Latency | None = None) -> Ties:
    pool = Pool(tuple(answers(w) for w in wrong), Y, metric("accuracy"))
    return Ties(pool, list(names[: len(wrong)]), FOLDS, latency=latency)


def members(select: Ties, counts: np.ndarray | None = None) -> list[int]:
    return np.flatnonzero(select(np.ones(ROWS) if counts is None else counts)).tolist()


def test_one_error_more_is_a_tie() -> None:
    assert members(ties((3,), (5, 40))) == [0, 1]


def test_errors_in_every_fold_are_none() -> None:
    assert members(ties((3,), tuple(range(24)))) == [0]


def test_of_each_candidate_the_best_counts() -> None:
    assert members(ties((3,), (5, 40), (6,), names="aab")) == [0, 2]


def test_of_equals_the_first_is_taken() -> None:
    assert members(ties((3,), (4,), (5,), names="aab")) == [0, 2]


def test_weights_are_equal_and_sum_to_one() -> None:
    np.testing.assert_allclose(ties((3,), (5,), (7, 9))(np.ones(ROWS)), [1 / 3] * 3)


def test_rows_that_do_not_count_are_not_looked_at() -> None:
    counts = np.ones(ROWS)
    counts[:24] = 0
    assert members(ties((70,), tuple(range(24))), counts) == [0, 1]


@pytest.mark.parametrize(("most", "expected"), [(1.0, [0]), (2.0, [0, 1]), (9.0, [0, 1, 2])])
def test_what_is_averaged_keeps_the_limit(most: float, expected: list[int]) -> None:
    limit = Latency(np.ones(3), most)
    assert members(ties((3,), (5, 40), (6, 41), latency=limit)) == expected


def test_the_best_is_taken_even_beyond_the_limit() -> None:
    assert members(ties((3,), (5, 40), latency=Latency(np.array([9.0, 9.0]), 1.0))) == [0]


def test_a_single_fold_ties_nothing() -> None:
    pool = Pool((answers((3,)), answers((5, 40))), Y, metric("accuracy"))
    assert members(Ties(pool, ["a", "b"], np.zeros(ROWS), latency=None)) == [0]


@pytest.mark.parametrize("name", ["log_loss", "roc_auc", "macro_f1"])
def test_any_metric_will_do(name: str) -> None:
    pool = Pool((answers((3,)), answers((5,))), Y, metric(name))
    assert members(Ties(pool, ["a", "b"], FOLDS, latency=None)) == [0, 1]


def decided(rows: int) -> Choice:
    """Return the choice among three candidates that are wrong on one to three of so many rows."""
    field = [Contestant(i, f"c{i}", answers(tuple(range(7 * i, 7 * i + i + 1)), rows)) for i in range(3)]
    return choose(field, np.arange(rows) % 2, metric("accuracy"), folds=np.arange(rows) // 2 % 4,
                  rng=np.random.default_rng(0), rules=Rules())  # fmt: skip


def test_on_few_rows_the_choice_is_a_mean_of_candidates_that_tie() -> None:
    choice = decided(ROWS)
    assert choice.kind == "ensemble"
    assert set(choice.weights.values()) == {1 / 3}


def test_on_more_rows_the_ensemble_is_built_greedily() -> None:
    assert set(decided(FEW_ROWS).weights.values()) != {1 / 3}


@pytest.mark.parametrize("rows", [ROWS, FEW_ROWS], ids=["few", "more"])
def test_what_is_likely_is_what_is_chosen(rows: int) -> None:
    field = [Contestant(i, f"c{i}", answers(tuple(range(7 * i, 7 * i + i + 1)), rows)) for i in range(3)]
    likely = likely_members(field, np.arange(rows) % 2, metric("accuracy"), folds=np.arange(rows) // 2 % 4,
                            rng=np.random.default_rng(0))  # fmt: skip
    assert likely == set(decided(rows).weights)
