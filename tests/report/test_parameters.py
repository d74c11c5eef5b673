"""How parameters go with scores."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.space import Configuration
from automl.report.parameters import correlation_ratio, parameter_plots, rank_correlation
from automl.testing.history_builder import HistoryBuilder


def tried(*values: tuple[float, str, float]) -> HistoryBuilder:
    builder = HistoryBuilder()
    for lr, act, score in values:
        builder.full(Configuration("cnn", {"lr": lr, "act": act, "depth": 3}), [score, score])
    return builder


SIX = tried((0.001, "relu", 0.1), (0.01, "relu", 0.2), (0.1, "gelu", 0.3), (1.0, "gelu", 0.4))


def test_a_parameter_that_never_varied_is_left_out() -> None:
    assert {plot.name for plot in parameter_plots(SIX.history, "cnn")} == {"lr", "act"}


def test_the_strongest_parameter_comes_first() -> None:
    assert [plot.name for plot in parameter_plots(SIX.history, "cnn")] == ["lr", "act"]


def test_numbers_over_decades_are_drawn_on_a_log_scale() -> None:
    lr, act = parameter_plots(SIX.history, "cnn")
    assert (lr.is_log, lr.is_number, act.is_log, act.is_number) == (True, True, False, False)


def test_too_few_trials_say_nothing() -> None:
    assert parameter_plots(tried((0.1, "relu", 0.1), (0.2, "gelu", 0.2)).history, "cnn") == ()


def test_a_candidate_that_was_not_tried_has_no_plots() -> None:
    assert parameter_plots(SIX.history, "resnet") == ()


def test_scores_of_different_rungs_are_not_mixed() -> None:
    builder = tried((0.001, "relu", 0.1), (0.01, "relu", 0.2))
    for lr in (0.1, 0.2, 0.3, 0.4, 0.5):
        builder.stopped(Configuration("cnn", {"lr": lr, "act": "relu"}), 0.05)
    plots = parameter_plots(builder.history, "cnn")
    assert [(plot.name, plot.rung, len(plot.scores)) for plot in plots] == [("lr", 0, 5)]


@pytest.mark.parametrize(
    ("values", "expected"), [([1, 2, 3], 1.0), ([3, 2, 1], -1.0), ([5, 5, 5], 0.0), ([1, 100, 1e6], 1.0)]
)
def test_rank_correlation_knows_order_alone(values: list[float], expected: float) -> None:
    assert rank_correlation(np.array(values), np.array([0.1, 0.2, 0.3])) == pytest.approx(expected)


def test_rank_correlation_shares_ranks_among_equals() -> None:
    assert rank_correlation(np.array([1, 1, 2, 2]), np.array([1, 2, 3, 4])) == pytest.approx(0.894427191)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [(["a", "a", "b", "b"], 0.894427191), (["a", "a", "a", "a"], 0.0), (["a", "b", "b", "a"], 0.0)],
)
def test_correlation_ratio_tells_how_far_a_choice_orders(groups: list[str], expected: float) -> None:
    assert correlation_ratio(groups, np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(expected)


def test_equal_scores_have_no_order_to_explain() -> None:
    assert correlation_ratio(["a", "b"], np.array([1.0, 1.0])) == 0.0
