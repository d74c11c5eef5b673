"""The tiny data that tests rest on is what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from automl.serving.image_files import list_images
from automl.testing.tiny import linear_onnx, tiny_artifact, tiny_data, tiny_images, write_image_folder


def test_the_same_seed_gives_the_same_images() -> None:
    first, again, other = (np.asarray(tiny_images(seed=seed).X) for seed in (0, 0, 1))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_classes_can_be_told_apart_by_where_the_stripe_is() -> None:
    arrays = tiny_images(90, classes=3, side=9)
    brightest = np.asarray(arrays.X, float).mean(axis=(2, 3)).argmax(axis=1) // 3

    assert np.array_equal(brightest, np.asarray(arrays.y))


def test_every_prefix_is_balanced() -> None:
    assert np.bincount(np.asarray(tiny_images(10, classes=5).y)).tolist() == [2] * 5


def test_a_folder_holds_one_file_per_image(tmp_path: Path) -> None:
    listing = list_images(write_image_folder(tmp_path / "d", tiny_images(7)))

    assert (len(listing.files), listing.folders) == (7, ["bar", "dot", "ring"])


def test_prepared_data_are_the_images(tmp_path: Path) -> None:
    assert np.array_equal(tiny_data(tmp_path).X, np.asarray(tiny_images().X))


def test_the_linear_model_gives_probabilities() -> None:
    session = onnxruntime.InferenceSession(linear_onnx((8, 8, 1), 4), providers=["CPUExecutionProvider"])

    (scores,) = session.run(None, {"input": np.zeros((5, 8, 8, 1), np.uint8)})

    assert scores.shape == (5, 4)
    assert np.allclose(scores.sum(axis=1), 1)


def test_two_artifacts_of_the_same_data_have_the_same_manifest(tmp_path: Path) -> None:
    assert tiny_artifact(tmp_path / "a", tmp_path / "c") == tiny_artifact(tmp_path / "b", tmp_path / "c")
