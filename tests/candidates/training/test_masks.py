from __future__ import annotations

import pytest
import torch

from automl.candidates.training.masks import Masks


def masks(rate: float, seed: int = 0) -> Masks:
    return Masks(rate, torch.Generator().manual_seed(seed), torch.device("cpu"))


def test_masks_drop_their_share_and_keep_the_mean() -> None:
    kept = masks(0.25)(torch.ones(200, 300))
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert float(kept.mean()) == pytest.approx(1, abs=0.02)


def test_no_two_masks_are_alike_but_the_same_seed_gives_the_same() -> None:
    first, again = masks(0.5), masks(0.5)
    one, two = first(torch.ones(50, 50)), first(torch.ones(50, 50))
    assert not torch.equal(one, two)
    assert torch.equal(one, again(torch.ones(50, 50)))


def test_a_rate_of_nothing_leaves_units_alone() -> None:
    x = torch.ones(3, 3)
    assert masks(0.0)(x) is x
