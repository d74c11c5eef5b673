from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.pretrained import image_model
from automl.candidates.pretrained.efficientnet import choose, load
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.image_bank import View
from automl.candidates.pretrained.image_levels import LAST
from automl.candidates.pretrained.image_model import PretrainedImageModel, remembered
from automl.candidates.pretrained.image_sight import Sight
from automl.testing.context import striped_images
from automl.testing.tiny_efficientnet import tiny_efficientnet

X = striped_images(10).X


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PretrainedImageModel:
    weights = choose({"weights": tiny_efficientnet(tmp_path_factory.mktemp("weights"))}, "small")
    assert weights is not None
    sight = Sight(load(weights), (8, 8, 1), (32, 32), LAST)
    slopes = np.random.default_rng(0).normal(0, 0.05, (1280, 3))
    known = remembered(X, np.arange(4), View(sight).compute(X[:4]))
    return PretrainedImageModel(sight, Head(slopes, np.zeros(3)), known)


def test_what_is_known_is_what_the_graph_gives(model: PretrainedImageModel) -> None:
    np.testing.assert_allclose(model.predict(X), model.unaided.predict(X), atol=1e-5)


def test_known_images_start_no_runtime(model: PretrainedImageModel) -> None:
    fresh = PretrainedImageModel(model.sight, model.head, model.known)
    fresh.predict(X[[3, 0, 0]])
    assert "_session" not in vars(fresh)


def test_without_help_it_knows_nothing(model: PretrainedImageModel) -> None:
    assert model.known
    assert not model.unaided.known
    assert model.unaided.unaided.head is model.head


def test_no_rows_give_no_predictions(model: PretrainedImageModel) -> None:
    assert model.predict(X[:0]).shape == (0, 3)


def test_more_rows_than_a_batch_are_predicted_as_ever(model: PretrainedImageModel) -> None:
    many = np.concatenate([X] * 8)
    np.testing.assert_allclose(model.unaided.predict(many)[70:], model.unaided.predict(X), atol=1e-5)


def test_it_remembers_no_more_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_model, "_MOST_REMEMBERED_BYTES", 2 * X[0].size)
    assert len(remembered(X, np.arange(3), np.zeros((3, 2), np.float32))) == 2


def test_saving_writes_one_file(model: PretrainedImageModel, tmp_path: Path) -> None:
    entry = model.save(tmp_path)
    model.save_checkpoint(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [entry["file"]]
