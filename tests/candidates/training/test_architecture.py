from __future__ import annotations

import pytest

from automl.candidates.training.architecture import (
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Residual,
    Shape,
    count,
)

IMAGE = Shape(9, 8, 3)


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (Conv(4), (9, 8, 4), 9 * 8 * 4 * 3 * 9),
        (Conv(4, kernel=5, stride=2), (5, 4, 4), 5 * 4 * 4 * 3 * 25),
        (Conv(4, pool=True), (4, 4, 4), 9 * 8 * 4 * 3 * 9),
        (Residual(depth=2), (9, 8, 3), 2 * 9 * 8 * 3 * 3 * 9),
        (GlobalPool(), (1, 1, 3), 0),
        (Flatten(), (1, 1, 216), 0),
        (Dropout(0.5), (9, 8, 3), 0),
        (Dense(5), (1, 1, 5), 216 * 5),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "macs") else None,
)
def test_layer_tells_its_shape_and_multiply_adds(layer, shape, macs):
    assert layer.after(IMAGE) == shape
    assert layer.macs(IMAGE) == macs


def test_count_adds_up_the_layers():
    layers = [Conv(4, pool=True), Residual(), GlobalPool(), Dense(5)]
    assert count(layers, IMAGE).macs == 9 * 8 * 4 * 27 + 4 * 4 * 4 * 4 * 9 + 20


def test_count_of_kept_values_grows_with_depth():
    assert count([Residual(depth=2)], IMAGE).values > count([Residual(depth=1)], IMAGE).values


def test_pooling_keeps_more_values_than_comes_out():
    assert count([Conv(4, pool=True)], IMAGE).values > count([Conv(4, stride=2)], Shape(8, 8, 3)).values
