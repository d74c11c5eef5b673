from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.image.features import cached, chosen, seconds
from automl.core.space import Value
from automl.serving.image_features import columns, compute
from automl.testing.context import striped_images

HOG: dict[str, Value] = {"features": "hog", "cells": 7, "bins": 12}


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((28, 28, 1), 14, (14, 14)), ((8, 8, 1), 14, (8, 8)), ((100, 50, 3), 8, (8, 4)), ((2, 300, 3), 20, (1, 20))],
    ids=["square", "small", "tall", "strip"],
)
def test_pooled_size_counts_along_the_longer_side(shape: tuple[int, ...], size: int, expected: tuple[int, int]) -> None:
    features = chosen(shape, {"features": "pooled", "size": size})
    assert (features["height"], features["width"]) == expected


@pytest.mark.parametrize(
    ("shape", "cells", "working"),
    [
        ((28, 28, 1), (7, 7), (28, 28)),
        ((8, 8, 1), (4, 4), (8, 8)),
        ((300, 150, 3), (7, 4), (42, 24)),
        ((1, 1, 1), (1, 1), (1, 1)),
    ],
    ids=["square", "small", "large", "one pixel"],
)
def test_cells_fit_the_image_and_large_images_are_averaged_down(
    shape: tuple[int, ...], cells: tuple[int, int], working: tuple[int, int]
) -> None:
    features = chosen(shape, HOG)
    assert (features["cells_high"], features["cells_wide"]) == cells
    assert (features["height"], features["width"]) == working


@pytest.mark.parametrize("cells", [4, 7, 10])
@pytest.mark.parametrize("side", [1, 2, 3, 8, 13, 28, 300])
def test_what_is_chosen_can_always_be_computed(side: int, cells: int) -> None:
    for shape in ((side, side, 1), (side, 2 * side + 1, 3)):
        features = chosen(shape, {**HOG, "cells": cells})
        assert compute(features, np.zeros((1, *shape), np.uint8)).shape == (1, columns(features, shape))


def test_cached_features_are_those_of_all_rows_and_read_only(tmp_path: Path) -> None:
    data = striped_images(30)
    features = chosen(data.spec.shape, HOG)
    stored = cached(features, data, tmp_path / "new")
    np.testing.assert_array_equal(stored, compute(features, data.X))
    assert stored.dtype == np.float32
    assert not stored.flags.writeable


def test_features_are_written_in_blocks_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = striped_images(30)
    features = chosen(data.spec.shape, HOG)
    monkeypatch.setattr("automl.candidates.image.features._BLOCK_BYTES", 4 * 7 * columns(features, data.spec.shape))
    np.testing.assert_array_equal(cached(features, data, tmp_path), compute(features, data.X))


def test_other_features_and_other_data_have_files_of_their_own(tmp_path: Path) -> None:
    data = striped_images(30)
    other = dataclasses.replace(data, spec=dataclasses.replace(data.spec, fingerprint="other"))
    for source, bins in ((data, 12), (data, 8), (other, 12), (data, 12)):
        cached(chosen(data.spec.shape, {**HOG, "bins": bins}), source, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_workers_that_come_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    data = striped_images(300)
    features = chosen(data.spec.shape, HOG)
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: cached(features, data, tmp_path), range(8)))
    assert len(list(tmp_path.iterdir())) == 1
    assert all(np.array_equal(one, stored[0]) for one in stored)


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    data = striped_images(30)
    data.X = data.X.astype(np.float32)
    with pytest.raises(ValueError, match="images must be uint8"):
        cached(chosen(data.spec.shape, HOG), data, tmp_path)
    assert not list(tmp_path.iterdir())


def test_seconds_grow_with_rows_and_orientations() -> None:
    small, large = striped_images(30).spec, striped_images(300).spec
    eight, twelve = (chosen(small.shape, {**HOG, "bins": bins}) for bins in (8, 12))
    assert 0 < seconds(small, eight) < seconds(small, twelve) < seconds(large, twelve)
