from __future__ import annotations

import numpy as np
import pytest

from automl.candidates.softmax_loss import SoftmaxLoss

RNG = np.random.default_rng(0)
LOSS = SoftmaxLoss(
    RNG.normal(size=(30, 4)).astype(np.float32), np.arange(30) % 3, np.full(30, 1 / 30, np.float32), 0.5, 3
)


def test_without_weights_it_is_the_logarithm_of_the_classes() -> None:
    assert LOSS(np.zeros(15))[0] == pytest.approx(np.log(3), rel=1e-6)


def test_the_gradient_is_that_of_the_loss() -> None:
    theta, step = RNG.normal(size=15), 1e-3
    slopes = [(LOSS(theta + step * e)[0] - LOSS(theta - step * e)[0]) / (2 * step) for e in np.eye(15)]
    np.testing.assert_allclose(LOSS(theta)[1], slopes, atol=2e-3)


def test_the_bias_is_not_penalised() -> None:
    bias = np.zeros((5, 3))
    bias[-1] = 7.0
    assert LOSS(bias.ravel())[0] == pytest.approx(np.log(3), rel=1e-6)
