from __future__ import annotations

import math

import pytest
import torch

from automl.candidates.tabular.network_losses import Goal, mean_losses, member_losses

LOGITS = torch.tensor([[[0.0, 0.0], [2.0, 0.0]], [[0.0, 4.0], [0.0, 0.0]]])
CODES = torch.tensor([1, 0])
VALUES = torch.tensor([[[1.0], [2.0]], [[3.0], [6.0]]])


def test_each_member_and_row_has_a_cross_entropy() -> None:
    losses = member_losses("classes", LOGITS, CODES)
    assert losses.shape == (2, 2)
    assert losses[0, 0].item() == pytest.approx(math.log(2))
    assert losses[1, 0].item() == pytest.approx(math.log(1 + math.exp(-4)), abs=1e-6)


def test_classes_are_judged_by_the_mean_probability() -> None:
    first = 0.5 * (0.5 + 1 / (1 + math.exp(-4)))
    assert mean_losses("classes", LOGITS, CODES)[0].item() == pytest.approx(-math.log(first))


@pytest.mark.parametrize(("goal", "expected"), [("squares", [1.0, 1.0]), ("distances", [1.0, 1.0])])
def test_values_are_judged_by_the_mean_value(goal: Goal, expected: list[float]) -> None:
    assert mean_losses(goal, VALUES, torch.tensor([1.0, 3.0])).tolist() == expected


@pytest.mark.parametrize(("goal", "expected"), [("squares", [[0, 1], [4, 9]]), ("distances", [[0, 1], [2, 3]])])
def test_each_member_has_its_own_distance(goal: Goal, expected: list[list[float]]) -> None:
    assert member_losses(goal, VALUES, torch.tensor([1.0, 3.0])).tolist() == expected


def test_a_probability_of_nothing_has_a_finite_loss() -> None:
    assert mean_losses("classes", torch.tensor([[[0.0, 500.0]]]), torch.tensor([0])).isfinite().all()
