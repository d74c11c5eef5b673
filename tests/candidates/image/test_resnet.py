from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.image.resnet import CANDIDATE, architecture
from automl.candidates.training.architecture import Conv, GlobalPool, Residual, Shape, count
from automl.spaces.space_file import read_space

SPACE = Path(__file__).parents[3] / "search_spaces" / "image-clf" / "resnet.toml"
SHAPES = [Shape(8, 8, 1), Shape(28, 28, 1), Shape(48, 48, 3), Shape(128, 96, 3), Shape(1, 1, 1), Shape(5, 40, 3)]
FASHION = Shape(28, 28, 1)


@pytest.fixture
def space():
    return read_space(SPACE.read_text(encoding="utf-8"), "resnet.toml")


def layers(space, shape=FASHION, **values):
    return architecture(space.complete(values).values, shape, 10)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_image_size_leads_to_one_logit_per_class(space, shape):
    made, size = layers(space, shape, stages=5), shape
    for layer in made:
        size = layer.after(size)
        assert size.size > 0
    assert size == (1, 1, 10)


def test_stages_double_their_width_and_the_first_has_no_residuals(space):
    made = layers(space, stages=3, width=16, residuals=2)
    assert [layer.channels for layer in made if isinstance(layer, Conv)] == [16, 32, 64]
    assert [type(layer) for layer in made[:4]] == [Conv, Conv, Residual, Residual]


def test_small_maps_are_not_pooled(space):
    assert [layer.pool for layer in layers(space, Shape(8, 8, 1)) if isinstance(layer, Conv)] == [True, False, False]


def test_pooling_over_the_image_is_a_choice(space):
    assert layers(space, pool="mean")[-3] == GlobalPool("mean")


@pytest.mark.parametrize("seed", range(20))
def test_any_sample_of_the_space_is_a_network(space, seed):
    values = space.sample(np.random.default_rng(seed)).values
    assert count(architecture(values, Shape(28, 28, 3), 7), Shape(28, 28, 3)).macs > 0


def test_mirroring_is_off_by_default(space):
    assert space.default().values["flip"] is False


def test_importing_a_candidate_imports_no_torch():
    code = "import sys; from automl.candidates.image import cnn, resnet; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_candidate_declares_what_it_needs():
    assert (CANDIDATE.name, CANDIDATE.tasks, CANDIDATE.is_probed) == ("resnet", ("image-clf",), True)
