"""When a member stops before its last step, curve by curve."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.job import StopRule

NAN, INF = math.nan, math.inf


def stops(scores: list[float], patience: int | None = 2, *, greater_is_better: bool = True) -> bool:
    return StopRule(patience, greater_is_better).stops(tuple(enumerate(scores, start=1)))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], False),
        ([0.1], False),
        ([NAN], False),
        ([NAN, 0.1], False),
        ([NAN, 0.1, 0.2], False),
        ([NAN, 0.1, 0.2, 0.3], False),
        ([NAN, NAN, 0.1], False),
        ([NAN, 0.3, 0.2, 0.1], True),
        ([NAN, 0.3, 0.2], False),
        ([0.1, NAN], False),
        ([0.1, NAN, NAN], True),
        ([0.1, NAN, 0.2], False),
        ([0.1, 0.2, NAN, 0.3], False),
        ([NAN, NAN, NAN], True),
        ([-INF, 0.1, 0.2], False),
        ([INF, 0.1, 0.2], True),
        ([0.1, INF, 0.2], False),
        ([0.2, 0.2, 0.2], True),
        ([0.2, 0.1, 0.2], True),
        ([0.2, 0.1, 0.2000001], False),
        ([-3.0, -2.0, -1.0], False),
        ([-1.0, -2.0, -3.0], True),
    ],
    ids=str,
)
def test_a_patience_of_two_where_greater_is_better(scores: list[float], expected: bool) -> None:
    assert stops(scores) is expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([NAN, 0.3, 0.2], False),
        ([NAN, 0.3, 0.2, 0.1], False),
        ([NAN, 0.1, 0.2, 0.3], True),
        ([0.1, NAN, NAN], True),
        ([INF, 0.5, 0.4], False),
        ([-INF, 0.5, 0.4], True),
        ([0.5, 0.4, 0.3], False),
        ([0.3, 0.4, 0.5], True),
        ([0.3, 0.3, 0.3], True),
    ],
    ids=str,
)
def test_a_patience_of_two_where_less_is_better(scores: list[float], expected: bool) -> None:
    assert stops(scores, greater_is_better=False) is expected


@pytest.mark.parametrize("scores", [[], [NAN] * 9, [0.5] * 99, [0.9, 0.1, 0.0]], ids=len)
def test_without_patience_no_curve_stops(scores: list[float]) -> None:
    assert not stops(scores, None)


@pytest.mark.parametrize("patience", [1, 2, 5])
def test_it_stops_at_the_first_moment_that_patience_is_used_up(patience: int) -> None:
    scores = [0.1, 0.5, *[0.4] * 10]
    first = next(n for n in range(1, len(scores) + 1) if stops(scores[:n], patience))
    assert first == 2 + patience


@pytest.mark.parametrize("seed", range(5))
def test_a_loss_is_a_score_turned_round(seed: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 5, size=8).astype(float).tolist()
    assert stops(scores) is stops([-s for s in scores], greater_is_better=False)


@pytest.mark.parametrize("seed", range(5))
def test_the_rule_counts_reports_since_the_first_best(seed: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 5, size=8).astype(float).tolist()
    since = len(scores) - 1 - scores.index(max(scores))
    assert [stops(scores, patience) for patience in range(1, 8)] == [since >= patience for patience in range(1, 8)]


@pytest.mark.parametrize("seed", range(5))
def test_steps_do_not_matter_only_their_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, steps = rng.random(6).tolist(), np.cumsum(rng.integers(1, 9, size=6)).tolist()
    assert StopRule(2).stops(tuple(zip(steps, scores, strict=True))) is stops(scores)
