from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.pretrained.efficientnet import choose, load
from automl.candidates.pretrained.image_bank import Bank, View
from automl.candidates.pretrained.image_sight import Sight
from automl.core.clock import FakeClock
from automl.testing.context import ArrayData, LocalContext, striped_images
from automl.testing.tiny_efficientnet import tiny_efficientnet

ROWS = 20


@pytest.fixture(scope="module")
def sight(tmp_path_factory: pytest.TempPathFactory) -> Sight:
    weights = choose({"weights": tiny_efficientnet(tmp_path_factory.mktemp("weights"))}, "small")
    assert weights is not None
    return Sight(load(weights), (8, 8, 1), (32, 32))


def bank(sight: Sight, folder: Path, data: ArrayData | None = None) -> Bank:
    found = Bank.of(View(sight), data or striped_images(ROWS), folder)
    return Bank(found.view, found.data, found.folder, 6, found.kind)


def context(folder: Path) -> LocalContext:
    return LocalContext(np.arange(15), np.arange(15, ROWS), 3, folder)


def test_rows_come_in_the_order_asked_for(sight: Sight, tmp_path: Path) -> None:
    data, rows = striped_images(ROWS), np.array([13, 2, 19, 2])
    found = bank(sight, tmp_path).rows(rows, context(tmp_path))
    np.testing.assert_allclose(found, View(sight).compute(data.X[rows]), atol=1e-6)


def test_only_the_chunks_of_the_rows_are_computed(sight: Sight, tmp_path: Path) -> None:
    made = bank(sight, tmp_path)
    assert made.missing(np.arange(ROWS)) == ROWS
    made.rows(np.array([0, 19]), context(tmp_path))
    assert made.missing(np.arange(ROWS)) == 12


def test_nothing_is_computed_twice(sight: Sight, tmp_path: Path) -> None:
    bank(sight, tmp_path).rows(np.arange(ROWS), context(tmp_path))
    other = striped_images(ROWS)
    other.X = 255 - other.X
    again = bank(sight, tmp_path, other).rows(np.arange(3), context(tmp_path))
    np.testing.assert_allclose(again, View(sight).compute(striped_images(ROWS).X[:3]), atol=1e-6)


def test_a_chunk_that_another_began_is_computed_last(sight: Sight, tmp_path: Path) -> None:
    made = bank(sight, tmp_path)
    made.folder.mkdir(parents=True)
    (made.folder / "000000.begun").touch()
    assert len(made.rows(np.arange(ROWS), context(tmp_path))) == ROWS
    written = {path.name: path.stat().st_mtime_ns for path in made.folder.glob("*.npy")}
    assert max(written, key=lambda name: written[name]) == "000000.npy"


def test_two_at_once_agree(sight: Sight, tmp_path: Path) -> None:
    found: list[np.ndarray] = []

    def _compute() -> None:
        found.append(bank(sight, tmp_path).rows(np.arange(ROWS), context(tmp_path)))

    both = [threading.Thread(target=_compute) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    np.testing.assert_array_equal(found[0], found[1])


def test_time_that_ends_leaves_what_is_done(sight: Sight, tmp_path: Path) -> None:
    ctx, made = context(tmp_path), bank(sight, tmp_path)
    ctx.is_timed, ctx.seconds, ctx.clock = True, 0.0, FakeClock()
    with pytest.raises(TimeoutError, match=r"has still to see 6 images or more. Got 0.0 s. What was computed is kept"):
        made.rows(np.arange(ROWS), ctx)
    ctx.is_timed = False
    assert len(made.rows(np.arange(ROWS), ctx)) == ROWS


@pytest.mark.parametrize("change", ["view", "size", "stage"])
def test_what_changes_the_numbers_has_a_place_of_its_own(change: str, sight: Sight, tmp_path: Path) -> None:
    data, plain = striped_images(ROWS), View(sight)
    other = {
        "view": View(sight, is_mirrored=True),
        "size": View(Sight(sight.backbone, sight.shape, (64, 32))),
        "stage": View(sight.until(3)),
    }[change]
    assert Bank.of(plain, data, tmp_path).folder != Bank.of(other, data, tmp_path).folder


def test_maps_are_kept_in_half_precision(sight: Sight, tmp_path: Path) -> None:
    assert bank(sight.until(3), tmp_path).rows(np.arange(2), context(tmp_path)).dtype == np.float16


def test_maps_that_half_precision_does_not_hold_are_kept_as_they_are(sight: Sight, tmp_path: Path) -> None:
    trunk = sight.until(1)
    last = trunk.backbone.blocks[-1]
    conv = last.convs[-1]._replace(weight=np.full_like(last.convs[-1].weight, 6e4))
    blocks = (*trunk.backbone.blocks[:-1], last._replace(convs=(*last.convs[:-1], conv)))
    large = replace(trunk, backbone=replace(trunk.backbone, blocks=blocks, name="large"))
    found = bank(large, tmp_path).rows(np.arange(3), context(tmp_path))
    assert found.max() > 65504
    np.testing.assert_allclose(found, View(large).compute(striped_images(ROWS).X[:3]), rtol=1e-5)
