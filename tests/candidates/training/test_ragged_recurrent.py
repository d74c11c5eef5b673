from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from automl.candidates.training.body_settings import RecurrentSettings
from automl.candidates.training.ragged_parts import Dropout, Steps
from automl.candidates.training.recurrent import Recurrent, Ways, _initialise, _mirror, _mirrored, dropped

LENGTHS = torch.tensor([4, 1, 6, 3])
BOTH = RecurrentSettings("lstm", units=5, layers=1, directions=2, pooling="last", dropout=0.5)


def steps(width: int = 3) -> Steps:
    mask = (torch.arange(6) < LENGTHS[:, None]).float()
    return Steps(torch.randn(4, 6, width, generator=torch.Generator().manual_seed(0)) * mask[..., None], mask)


def settings(cell: str, layers: int = 1) -> RecurrentSettings:
    return RecurrentSettings(cell, 5, layers, 2, "last", 0.5)  # type: ignore[arg-type]


def torchs_own(layer: Ways, cell: str) -> nn.LSTM | nn.GRU:
    """Return torch's module for both ways with the same parameters."""
    both = (nn.LSTM if cell == "lstm" else nn.GRU)(3, 5, batch_first=True, bidirectional=True)
    known = {f"{name}{end}": p for way, end in zip(layer.ways, ("", "_reverse"), strict=True)
             for name, p in way.state_dict().items()}  # fmt: skip
    both.load_state_dict(known)
    return both


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_both_ways_are_as_packed_sequences_have_them(cell: str) -> None:
    layer, x, mask = Ways(settings(cell), 3), steps().x, steps().mask
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(torchs_own(layer, cell)(packed)[0], batch_first=True)[0]
    found = layer(x, _mirror(LENGTHS, 6)) * mask[..., None]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_a_mirror_undoes_itself() -> None:
    mirror, x = _mirror(LENGTHS, 6), steps().x
    torch.testing.assert_close(_mirrored(_mirrored(x, mirror), mirror), x)
    assert sorted(mirror.tolist()) == list(range(24))


def test_rows_are_mirrored_within_their_own_length() -> None:
    x = torch.tensor([[[1.0], [2.0], [3.0], [0.0]], [[4.0], [0.0], [0.0], [0.0]]])
    found = _mirrored(x, _mirror(torch.tensor([3, 1]), 4))
    assert found[..., 0].tolist() == [[3, 2, 1, 0], [4, 0, 0, 0]]


def test_gradients_come_back_through_the_mirror() -> None:
    mirror, x = _mirror(LENGTHS, 6), steps().x.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda t: _mirrored(t, mirror).square(), (x,))


def test_states_after_the_last_step_of_each_way_are_the_features() -> None:
    body = Recurrent(BOTH, 3).eval()
    states = body.layers[0](steps().x, _mirror(LENGTHS, 6))
    features = body(steps())
    torch.testing.assert_close(features[:, :5], states[torch.arange(4), LENGTHS - 1, :5])
    torch.testing.assert_close(features[:, 5:], states[:, 0, 5:])


def test_the_same_units_are_dropped_at_all_steps_of_a_row() -> None:
    torch.manual_seed(0)
    found = dropped(torch.ones(4, 6, 10), Dropout(0.5))
    assert torch.equal(found, found[:, :1].expand_as(found))
    assert set(found.flatten().tolist()) == {0.0, 2.0}


def test_nothing_is_dropped_in_evaluation() -> None:
    x = torch.ones(4, 6, 10)
    assert torch.equal(dropped(x, Dropout(0.5).eval()), x)


def test_units_are_dropped_before_the_first_layer_at_a_rate_of_its_own() -> None:
    body = Recurrent(dataclasses.replace(BOTH, layers=3, input_dropout=0.1), 3)
    assert [part.rate for part in body.dropouts] == [0.1, 0.5, 0.5]


def test_states_begin_as_rotations_and_forget_gates_open() -> None:
    lstm = nn.LSTM(3, 5)
    _initialise(lstm, "lstm", 5)
    for gate in lstm.weight_hh_l0.split(5):
        torch.testing.assert_close(gate @ gate.T, torch.eye(5), atol=1e-5, rtol=0)
    assert lstm.bias_ih_l0.tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_second_layer_reads_both_ways_of_the_first(cell: str) -> None:
    body = Recurrent(settings(cell, layers=2), 3)
    assert [layer.ways[0].input_size for layer in body.layers] == [3, 10]
    assert body.features == 10
