from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from automl.candidates.tabular.network_inputs import CodeInput, layout
from automl.candidates.tabular.network_layers import Codes, Periodic, PiecewiseLinear, Shared, TableNetwork
from automl.candidates.tabular.network_settings import NetworkSettings

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(size=(60, 3)), RNG.integers(0, 4, (60, 1)), RNG.integers(0, 2, (60, 1))], axis=1)
X = X.astype(np.float32)
READ = layout(X, [CodeInput(3, 4)], 5)
PLAIN = NetworkSettings(
    layers=2, width=16, dropout=0.0, embedding="piecewise", lr=1e-3, weight_decay=0.0, epochs=2, patience=0,
    batch_size=32, embedding_width=4, bins=5, category_width=3,
)  # fmt: skip
ENSEMBLE = dataclasses.replace(PLAIN, members=6)


def network(settings: NetworkSettings, outputs: int = 3) -> TableNetwork:
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        return TableNetwork(READ, settings, outputs)


def test_piecewise_linear_embeddings_begin_linear() -> None:
    embedding = PiecewiseLinear(READ, 4)
    x = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    steps = embedding(x).diff(dim=0)
    torch.testing.assert_close(steps[0], steps[1])


def test_piecewise_linear_embeddings_bend_at_the_bounds_of_bins() -> None:
    embedding = PiecewiseLinear(READ, 1)
    with torch.no_grad():
        embedding.weight.zero_()
        embedding.bias.zero_()
        embedding.bins[0, 2] = 7.0
    left, width = READ.left[0, 2], 1 / READ.scale[0, 2]
    x = torch.tensor([[left - 1, 0, 0], [left + width / 2, 0, 0], [left + width + 1, 0, 0]])
    assert embedding(x)[:, 0].tolist() == pytest.approx([0, 3.5, 7], abs=1e-4)


def test_periodic_embeddings_are_bounded_far_away() -> None:
    embedding = Periodic(READ, 4, frequencies=8, sigma=0.1)
    far = embedding(torch.full((1, 3), 1e6))
    assert far.shape == (1, 12)
    assert float(far.detach().max()) < 10


@pytest.mark.parametrize("value", [-1.0, 4.0, 99.0, float("nan")], ids=str)
def test_what_is_no_code_has_an_embedding_of_its_own(value: float) -> None:
    codes = Codes(READ, 3)
    rows = codes(torch.tensor([[value], [3.0], [0.0]]))
    torch.testing.assert_close(rows[0], codes.table[4])
    torch.testing.assert_close(rows[1], codes.table[3])


def test_codes_of_different_columns_have_different_rows() -> None:
    codes = Codes(dataclasses.replace(READ, codes=(CodeInput(3, 2), CodeInput(4, 3))), 2)
    assert codes.table.shape == (2 + 1 + 3 + 1, 2)
    torch.testing.assert_close(codes(torch.tensor([[1.0, 0.0]])), codes.table[[1, 3]].reshape(1, 4))


def test_scales_make_members_differ() -> None:
    layer = Shared(5, 4, members=3, scaled=True)
    x = torch.randn(1, 7, 5).expand(3, 7, 5)
    with torch.no_grad():
        layer.bias.zero_()
        assert layer.scale_out is not None
        layer.scale_out[1] = 2.0
    torch.testing.assert_close(layer(x)[1], 2 * layer(x)[0])


@pytest.mark.parametrize(
    "settings",
    [PLAIN, ENSEMBLE, dataclasses.replace(ENSEMBLE, scaled=True), dataclasses.replace(PLAIN, embedding="periodic"),
     dataclasses.replace(PLAIN, embedding="none")],
    ids=["plain", "mini", "full", "periodic", "numbers as they are"],
)  # fmt: skip
def test_every_parameter_learns(settings: NetworkSettings) -> None:
    whole = network(settings)
    whole(torch.from_numpy(X)).square().sum().backward()
    assert whole(torch.from_numpy(X)).shape == (settings.members, 60, 3)
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in whole.parameters())


def test_members_begin_with_signs_that_inputs_of_a_column_share() -> None:
    whole = network(ENSEMBLE)
    assert whole.first is not None
    assert set(whole.first.unique().tolist()) == {-1.0, 1.0}
    assert whole.sections == (4, 4, 4, 1, 3)
    by_column = whole.first.split(whole.sections, dim=2)
    assert all(bool((part == part[:, :, :1]).all()) for part in by_column)


def test_members_do_not_hear_of_each_other() -> None:
    whole = network(dataclasses.replace(ENSEMBLE, scaled=True))
    before = whole(torch.from_numpy(X)).detach()
    with torch.no_grad():
        whole.heads.weight[2] += 1
    changed = (whole(torch.from_numpy(X)).detach() != before).flatten(1).any(dim=1)
    assert changed.tolist() == [False, False, True, False, False, False]


def test_a_plain_network_has_no_scales() -> None:
    assert network(PLAIN).first is None


def test_only_matrices_decay() -> None:
    assert [tuple(p.shape) for p in network(ENSEMBLE).decayed()] == [(16, 16), (16, 16), (6, 16, 3)]


def test_rows_are_predicted_alone() -> None:
    whole = network(ENSEMBLE)
    x = torch.from_numpy(X)
    torch.testing.assert_close(whole(x[4:5]), whole(x)[:, 4:5])
