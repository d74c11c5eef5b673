from __future__ import annotations

import pytest
import torch

from automl.candidates.training.augment import augmented, mixed, plain
from automl.candidates.training.settings import Augmentation

ROWS = torch.arange(40)


@pytest.fixture
def pixels():
    return torch.randint(0, 256, (40, 10, 12, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def draw(pixels, seed=1, **values):
    return augmented(pixels, ROWS, Augmentation(**values), torch.Generator().manual_seed(seed))


ALL = {
    "flip": {"flip": True}, "translate": {"translate": 0.2}, "rotate": {"rotate": 20.0}, "zoom": {"zoom": 0.2},
    "cutout": {"cutout": 0.4}, "colour": {"colour": 0.3},
}  # fmt: skip


def test_plain_is_channels_first_in_the_unit_range(pixels):
    x = plain(pixels)
    assert x.shape == (40, 3, 10, 12)
    assert float(x[3, 2, 4, 5]) == pytest.approx(int(pixels[3, 4, 5, 2]) / 255)
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_nothing_switched_on_changes_nothing(pixels):
    assert torch.equal(draw(pixels), plain(pixels))


@pytest.mark.parametrize("values", ALL.values(), ids=ALL)
def test_each_switch_changes_images_but_not_their_shape(pixels, values):
    x = draw(pixels, **values)
    assert x.shape == (40, 3, 10, 12)
    assert not torch.equal(x, plain(pixels))


@pytest.mark.parametrize("values", ALL.values(), ids=ALL)
def test_same_generator_gives_same_images_and_another_gives_others(pixels, values):
    assert torch.equal(draw(pixels, seed=5, **values), draw(pixels, seed=5, **values))
    assert not torch.equal(draw(pixels, seed=5, **values), draw(pixels, seed=6, **values))


def test_flip_mirrors_about_half_of_the_images_and_no_other(pixels):
    x, before = draw(pixels, flip=True), plain(pixels)
    mirrored = (x == before.flip(-1)).flatten(1).all(1)
    assert (mirrored | (x == before).flatten(1).all(1)).all()
    assert 8 < int(mirrored.sum()) < 32


def test_translate_moves_by_at_most_its_share():
    ramp = torch.arange(12, dtype=torch.uint8).repeat(10, 1)[None, :, :, None].repeat(40, 1, 1, 1)
    shift = draw(ramp, translate=0.17)[:, 0, 5, 6] * 255 - 6
    assert {round(float(s)) for s in shift} == {-2, -1, 0, 1, 2}


def test_translate_mirrors_at_the_border():
    ramp = torch.arange(12, dtype=torch.uint8).repeat(10, 1)[None, :, :, None].repeat(40, 1, 1, 1)
    assert {round(float(v) * 255) for v in draw(ramp, translate=0.17)[:, 0, 0, 0]} == {0, 1, 2}


def test_rotate_keeps_the_centre_of_a_disc():
    disc = torch.zeros(40, 11, 11, 1, dtype=torch.uint8)
    disc[:, 4:7, 4:7] = 255
    assert float(draw(disc, rotate=25.0)[:, 0, 5, 5].min()) > 0.99


def test_rotate_of_a_wide_image_keeps_lengths():
    dot = torch.zeros(40, 21, 41, 1, dtype=torch.uint8)
    dot[:, 9:12, 29:32] = 255  # ten to the right of the centre
    x = draw(dot, rotate=25.0)[:, 0]
    down, across = (
        (x * torch.arange(21.0)[:, None]).sum((1, 2)) / x.sum((1, 2)),
        (x * torch.arange(41.0)).sum((1, 2)) / x.sum((1, 2)),
    )
    assert float((torch.hypot(down - 10, across - 20) - 10).abs().max()) < 0.2


def test_cutout_blanks_at_most_its_square(pixels):
    changed = (draw(pixels, cutout=0.4) != plain(pixels)).any(1)
    assert int(changed.flatten(1).sum(1).max()) <= 5 * 5
    assert bool(changed.any())


def test_colour_keeps_the_order_of_pixels(pixels):
    x, before = draw(pixels, colour=0.3).flatten(1), plain(pixels).flatten(1)
    assert torch.equal(x.argmax(1), before.argmax(1))


def test_mixed_labels_are_shares_of_two():
    labels = torch.eye(4).repeat(10, 1)
    _, y = mixed(torch.rand(40, 1, 2, 2), labels, 0.7, torch.Generator().manual_seed(0))
    torch.testing.assert_close(y.sum(1), torch.ones(40))
    assert {round(float(v), 1) for v in y.flatten()} <= {0.0, 0.3, 0.7, 1.0}


def test_mixing_with_a_share_of_one_changes_nothing():
    images, labels = torch.rand(40, 1, 2, 2), torch.eye(4).repeat(10, 1)
    assert torch.equal(mixed(images, labels, 1.0, torch.Generator().manual_seed(0))[0], images)
