from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from automl.candidates.training import bodies_text
from automl.candidates.training.bodies_text import Bag, TextCnn, make_bag, make_cnn
from automl.candidates.training.entrance_tokens import TokenEntrance
from automl.candidates.training.ragged_network import RaggedNetwork
from automl.candidates.training.ragged_parts import Body, Steps

VALUES: dict[str, dict[str, Any]] = {
    "mean": {"pooling": "mean", "hidden": 0},
    "mean, hidden": {"pooling": "mean", "hidden": 5},
    "attention": {"pooling": "attention", "hidden": 0},
    "attention, hidden": {"pooling": "attention", "hidden": 5},
    "one kernel": {"kernels": "3", "filters": 6, "blocks": 1},
    "kernels": {"kernels": "1,2,3,5", "filters": 4, "blocks": 1},
    "blocks": {"kernels": "2,3", "filters": 4, "blocks": 3},
}
X = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1))


def body(values: dict[str, Any]) -> Body:
    """Return a body in evaluation, no parameter of which is as it began."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        made = (make_bag if "pooling" in values else make_cnn)(values, 4, 6)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter += 0.3 * torch.randn_like(parameter)
    return made.eval()


def steps(x: torch.Tensor, *lengths: int) -> Steps:
    mask = (torch.arange(x.shape[1]) < torch.tensor(lengths)[:, None]).float()
    return Steps(x * mask[:, :, None], mask)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_a_text_has_the_same_features_alone_and_beside_longer_ones(values: dict[str, Any]) -> None:
    made = body(values)
    together = made(steps(X, 2, 6, 1))
    alone = [made(steps(X[row : row + 1, :length], length)) for row, length in enumerate((2, 6, 1))]
    assert together.shape == (3, made.features)
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_where_nothing_is_padded_the_mask_may_be_left_out(values: dict[str, Any]) -> None:
    made, full = body(values), steps(X, 6, 6, 6)
    torch.testing.assert_close(made(full._replace(is_full=True)), made(full))


def test_a_bag_is_the_mean_whatever_the_order() -> None:
    torch.testing.assert_close(Bag(4, "mean")(steps(X, 6, 6, 6)), X.mean(dim=1))


def test_attention_begins_as_the_mean() -> None:
    torch.testing.assert_close(Bag(4, "attention")(steps(X, 3, 6, 1))[0], X[0, :3].mean(dim=0))


def test_filters_see_the_order() -> None:
    made = body(VALUES["one kernel"])
    assert not torch.allclose(made(steps(X, 6, 6, 6)), made(steps(X.flip(1), 6, 6, 6)))


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_many_steps_are_answered_as_few(kernel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    filters = bodies_text.Filters(4, 5, kernel)
    windowed = filters(X)
    monkeypatch.setattr(bodies_text, "_MOST_WINDOWED", 0)
    torch.testing.assert_close(filters(X), windowed)


def test_each_kernel_has_as_many_filters() -> None:
    assert TextCnn(4, 6, (2, 3, 4)).features == 18


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_they_can_be_made_from_values_and_trained(values: dict[str, Any]) -> None:
    entrance = TokenEntrance(np.ones((5, 4), np.float32))
    network = RaggedNetwork(entrance, body(values), 2, dropout=0.5).train()
    network(torch.tensor([[1.0, 2], [3, 0]])).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
