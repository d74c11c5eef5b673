from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from automl.candidates.training.attention import Layer, Transformer, waves
from automl.candidates.training.body_settings import Positions, TransformerSettings
from automl.candidates.training.pooling import Pool
from automl.candidates.training.ragged_parts import Steps

MASK = torch.tensor([[1.0, 1, 1, 0], [1, 0, 0, 0]])


def settings(positions: Positions = "learned", dropout: float = 0.0) -> TransformerSettings:
    return TransformerSettings(8, 2, 2, 2, positions, "mean", dropout)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_layer_is_as_torch_has_it() -> None:
    layer = Layer(settings()).eval()
    theirs = nn.TransformerEncoderLayer(8, 2, 16, 0.0, nn.functional.gelu, batch_first=True, norm_first=True).eval()
    parts = (layer.read.weight, layer.read.bias, layer.mix, layer.widen, layer.narrow)
    theirs.self_attn.in_proj_weight.data, theirs.self_attn.in_proj_bias.data = parts[0].data, parts[1].data
    theirs.self_attn.out_proj, theirs.linear1, theirs.linear2 = parts[2:]
    found = layer(drawn(2, 4, 8), MASK.bool()[:, None, None])
    torch.testing.assert_close(found[MASK > 0], theirs(drawn(2, 4, 8), src_key_padding_mask=MASK == 0)[MASK > 0])


def test_steps_past_the_longest_share_the_last_position() -> None:
    body = Transformer(settings(), 8, longest=3).eval()
    x, mask = drawn(1, 6, 8), torch.ones(1, 6)
    swapped = x[:, [0, 1, 2, 5, 4, 3]]
    torch.testing.assert_close(body(Steps(x, mask)), body(Steps(swapped, mask)))


@pytest.mark.parametrize(("positions", "learned"), [("learned", True), ("sinusoidal", False)])
def test_waves_are_no_parameters_but_are_kept(positions: Positions, learned: bool) -> None:
    body = Transformer(settings(positions), 8, longest=3)
    assert ("positions" in dict(body.named_parameters())) == learned
    assert body.state_dict()["positions"].shape == (3, 8)


def test_waves_turn_at_rates_from_1_to_a_ten_thousandth() -> None:
    table = waves(100, 7)
    assert table.shape == (100, 7)
    assert table[1, :2].tolist() == pytest.approx([math.sin(1), math.cos(1)])
    assert table[99, 6].item() == pytest.approx(math.sin(99 * 10_000 ** (-6 / 7)))


def test_steps_as_wide_as_units_need_no_entry() -> None:
    assert isinstance(Transformer(settings(), 8, 3).entry, nn.Identity)
    assert isinstance(Transformer(settings(), 5, 3).entry, nn.Linear)


def test_what_a_layer_adds_begins_smaller_where_there_are_more_layers() -> None:
    shallow, deep = (Layer(TransformerSettings(64, n, 2, 2, "learned", "mean", 0.0)) for n in (1, 16))
    assert (shallow.narrow.weight.data.std() / deep.narrow.weight.data.std()).item() == pytest.approx(4, rel=0.1)


def test_units_are_dropped_in_training_alone() -> None:
    body, steps = Transformer(settings(dropout=0.5), 8, 4), Steps(drawn(2, 4, 8), MASK)
    assert torch.equal(body.eval()(steps), body(steps))
    assert not torch.equal(body.train()(steps), body(steps))


@pytest.mark.parametrize("kind", ["attention", "mean", "max"])
def test_pooling_does_not_see_what_is_behind_the_end(kind: str) -> None:
    pool, x = Pool(kind, 8), drawn(2, 4, 8)  # type: ignore[arg-type]
    found = pool(x, MASK)
    torch.testing.assert_close(found, pool(torch.where(MASK[..., None] > 0, x, 1e6), MASK))
    torch.testing.assert_close(found[1], x[1, 0])


def test_pooling_by_mean_and_by_maximum_are_what_they_say() -> None:
    x = drawn(2, 4, 8)
    torch.testing.assert_close(Pool("mean", 8)(x, MASK)[0], x[0, :3].mean(dim=0))
    torch.testing.assert_close(Pool("max", 8)(x, MASK)[0], x[0, :3].amax(dim=0))
