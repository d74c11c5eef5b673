from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from automl.candidates.training.architecture import Conv, Dense, Dropout, Flatten, GlobalPool, Residual, Shape
from automl.candidates.training.layers import Network, initialise, module

SHAPE = Shape(9, 8, 3)
MEAN, DEVIATION = np.array([0.1, 0.5, 0.9]), np.array([0.1, 0.2, 0.5])
LAYERS = [
    Conv(4),
    Conv(4, kernel=5, stride=2),
    Conv(4, pool=True),
    Conv(4, norm=False, activation="silu"),
    Residual(depth=2, activation="gelu"),
    GlobalPool("max"),
    GlobalPool("mean"),
    Flatten(),
    Dropout(0.5),
]


def network(*layers):
    return Network(layers, SHAPE, MEAN, DEVIATION)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_module_gives_the_shape_that_its_layer_tells(layer):
    out = module(layer, SHAPE)(torch.zeros(2, 3, 9, 8))
    height, width, channels = layer.after(SHAPE)
    assert out.numel() == 2 * height * width * channels
    assert out.shape[1] in (channels, height * width * channels)


def test_unknown_layer_is_refused_by_name():
    with pytest.raises(TypeError, match="no module for a layer of type str"):
        module("conv", SHAPE)


def test_normalise_gives_zero_mean_and_unit_deviation():
    x = torch.tensor(MEAN + DEVIATION).float().view(1, 3, 1, 1)
    np.testing.assert_allclose(network(Flatten()).normalise(x).flatten(), [1, 1, 1], rtol=1e-5)


def test_network_gives_one_logit_per_class():
    assert network(Conv(4), GlobalPool(), Dense(8, norm=True, activation="relu"), Dense(5))(
        torch.rand(2, 3, 9, 8)
    ).shape == (2, 5)


def test_residual_without_chain_output_is_the_identity():
    block = module(Residual(), SHAPE)
    nn.init.zeros_(block.chain[0][1].weight)
    x = torch.rand(2, 3, 9, 8)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(("kind", "variance"), [("he", 2 / 27), ("xavier", 2 / (27 + 9 * 64))])
def test_initialise_draws_with_the_variance_of_its_source(kind, variance):
    net = network(Conv(64), GlobalPool(), Dense(5))
    initialise(net, kind, torch.Generator().manual_seed(0))
    assert float(net.body[0][0].weight.detach().var()) == pytest.approx(variance, rel=0.1)


def test_initialise_depends_on_its_generator_alone():
    nets = [network(Conv(4), GlobalPool(), Dense(5)) for _ in range(2)]
    for net in nets:
        initialise(net, "he", torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(*(n.state_dict().values() for n in nets), strict=True))


def test_first_predictions_are_nearly_even():
    net = network(Conv(16), GlobalPool(), Dense(4))
    initialise(net, "he", torch.Generator().manual_seed(0))
    assert float(net(torch.rand(8, 3, 9, 8)).detach().softmax(1).max()) < 0.6
