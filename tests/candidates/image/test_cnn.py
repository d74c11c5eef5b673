from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.image.cnn import CANDIDATE, architecture, stem_stride
from automl.candidates.training.architecture import Conv, Dense, Dropout, Flatten, Shape, count
from automl.spaces.space_file import read_space

SPACE = Path(__file__).parents[3] / "search_spaces" / "image-clf" / "cnn.toml"
SHAPES = [Shape(8, 8, 1), Shape(28, 28, 1), Shape(48, 48, 3), Shape(128, 96, 3), Shape(1, 1, 1), Shape(5, 40, 3)]
FASHION = Shape(28, 28, 1)


@pytest.fixture
def space():
    return read_space(SPACE.read_text(encoding="utf-8"), "cnn.toml")


def layers(space, shape=FASHION, **values):
    return architecture(space.complete(values).values, shape, 10)


def sizes(made, shape):
    for layer in made:
        shape = layer.after(shape)
        yield shape


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_image_size_leads_to_one_logit_per_class(space, shape):
    after = list(sizes(layers(space, shape, blocks=4), shape))
    assert after[-1] == (1, 1, 10)
    assert all(size.size > 0 for size in after)


def test_default_network_for_small_grey_images_costs_a_few_million_multiply_adds(space):
    assert 2e6 < count(layers(space), Shape(28, 28, 1)).macs < 1.2e7


def test_blocks_double_their_width_and_pool_last(space):
    convs = [layer for layer in layers(space, blocks=2, depth=2, width=8) if isinstance(layer, Conv)]
    assert [(c.channels, c.pool) for c in convs] == [(8, False), (8, True), (16, False), (16, True)]


def test_large_images_are_shrunk_by_the_first_convolution(space):
    assert [stem_stride(side) for side in (40, 41, 80, 81)] == [1, 2, 2, 4]
    assert layers(space, Shape(128, 128, 3))[0].stride == 4


def test_head_is_flat_dense_dropout_output(space):
    assert layers(space, dropout=0.3, dense_width=99)[-4:] == [
        Flatten(), Dense(99, norm=True, activation="relu"), Dropout(0.3), Dense(10),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_any_sample_of_the_space_is_a_network(space, seed):
    values = space.sample(np.random.default_rng(seed)).values
    assert count(architecture(values, Shape(28, 28, 3), 7), Shape(28, 28, 3)).macs > 0


def test_mirroring_is_off_by_default(space):
    assert space.default().values["flip"] is False


def test_candidate_declares_what_it_needs():
    assert (CANDIDATE.name, CANDIDATE.tasks, CANDIDATE.is_probed) == ("cnn", ("image-clf",), True)
    assert "torch" in CANDIDATE.requires
