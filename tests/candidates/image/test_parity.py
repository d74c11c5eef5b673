"""The exported graph of each light candidate scores as the model in the run does, over shapes and classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.image import baseline, forest, gbdt, linear
from automl.core.protocols import Fitted
from automl.core.space import Configuration
from automl.testing.candidate_suite import serve
from automl.testing.context import ArrayData, LocalContext, image_data, one_member, striped_images

POOLED = {"features": "pooled", "size": 4}
HOG = {"features": "hog", "cells": 3, "bins": 8}
TREES = {"learning_rate": 0.3, "num_leaves": 4, "feature_fraction": 0.5, "min_data_in_leaf": 2, "lambda_l2": 0.1}
FOREST = {"trees": 10, "min_leaf": 1}
SHAPES = [(8, 8, 1), (9, 5, 1), (6, 14, 3), (1, 7, 1), (28, 28, 1), (2, 2, 3)]


def space_default(module: Any, **values: Any) -> Configuration:
    from automl.spaces.space_file import read_space

    name = module.CANDIDATE.name
    file = Path(__file__).parents[3] / "search_spaces" / "image-clf" / f"{name}.toml"
    space = read_space(file.read_text(encoding="utf-8"), file.name)
    return Configuration(name, {**space.complete({k: v for k, v in values.items() if k == "features"}).values,
                                **values})  # fmt: skip


def fitted(module: Any, data: ArrayData, folder: Path, *, train: np.ndarray | None = None, **values: Any) -> Fitted:
    rows = np.arange(len(data.X))
    train = rows[: len(rows) * 3 // 4] if train is None else train
    ctx = LocalContext(train, np.setdiff1d(rows, train), len(data.spec.classes), folder / "cache", seed=1)
    job, configuration = one_member(Configuration("x", {}), stop=3), space_default(module, **values)
    model: Fitted = module.CANDIDATE.fit(job, configuration, data, ctx)
    return model


def assert_served_alike(model: Fitted, data: ArrayData, folder: Path) -> None:
    entry = model.save(folder)
    for X in (data.X, data.X[:1], data.X[:0]):
        np.testing.assert_allclose(serve(folder, entry, X), model.predict(X), atol=1e-5)


CASES = [
    pytest.param(baseline, {}, id="baseline"),
    pytest.param(linear, POOLED, id="linear-pooled"),
    pytest.param(linear, HOG, id="linear-hog"),
    pytest.param(forest, {**POOLED, "trees": 10}, id="forest-pooled"),
    pytest.param(gbdt, {**POOLED, **TREES}, id="gbdt-pooled"),
    pytest.param(gbdt, {**HOG, **TREES}, id="gbdt-hog"),
]
EACH = pytest.mark.parametrize(("module", "values"), CASES)


@EACH
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_of_any_shape(module: Any, values: dict[str, Any], shape: tuple[int, int, int], tmp_path: Path) -> None:
    data = striped_images(36, shape=shape)

    assert_served_alike(fitted(module, data, tmp_path, **values), data, tmp_path)


@EACH
@pytest.mark.parametrize("classes", [2, 3, 7, 12])
def test_any_number_of_classes(module: Any, values: dict[str, Any], classes: int, tmp_path: Path) -> None:
    data = striped_images(5 * classes, classes=classes)
    model = fitted(module, data, tmp_path, **values)

    assert model.predict(data.X).shape == (len(data.X), classes)
    assert_served_alike(model, data, tmp_path)


@EACH
def test_a_class_that_no_training_row_has(module: Any, values: dict[str, Any], tmp_path: Path) -> None:
    data = striped_images(40, classes=4)
    model = fitted(module, data, tmp_path, train=np.flatnonzero(data.y != 1), **values)

    assert_served_alike(model, data, tmp_path)
    np.testing.assert_allclose(model.predict(data.X).sum(axis=1), 1, atol=1e-5)


@EACH
@pytest.mark.parametrize("value", [0, 128, 255])
def test_images_that_are_all_alike(module: Any, values: dict[str, Any], value: int, tmp_path: Path) -> None:
    data = image_data(np.full((30, 6, 6, 1), value, np.uint8), np.arange(30) % 3, classes=3, name=f"flat-{value}")
    model = fitted(module, data, tmp_path, **values)

    assert_served_alike(model, data, tmp_path)
    assert np.ptp(model.predict(data.X), axis=0).max() < 1e-6


@EACH
def test_a_row_scores_alike_alone_and_among_many(module: Any, values: dict[str, Any], tmp_path: Path) -> None:
    data = striped_images(40, shape=(10, 7, 3))
    model = fitted(module, data, tmp_path, **values)

    alone = np.concatenate([model.predict(data.X[row : row + 1]) for row in range(8)])
    np.testing.assert_allclose(alone, model.predict(data.X)[:8], atol=1e-6)


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_images_never_seen_are_scored_alike_too(module: Any, values: dict[str, Any], seed: int, tmp_path: Path) -> None:
    data = striped_images(36)
    model = fitted(module, data, tmp_path, **values)
    entry, noise = model.save(tmp_path), np.random.default_rng(seed).integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)

    np.testing.assert_allclose(serve(tmp_path, entry, noise), model.predict(noise), atol=1e-5)
