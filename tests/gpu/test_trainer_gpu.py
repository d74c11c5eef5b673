"""The trainer on a CUDA device: the same promises as on the CPU, within the rounding of bfloat16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from automl.candidates.image.resnet import architecture
from automl.candidates.training import onnx_graph, precision, rows
from automl.candidates.training.architecture import Shape
from automl.candidates.training.checkpoint import Progress, restore, save
from automl.candidates.training.layers import Network, initialise
from automl.candidates.training.settings import Settings
from automl.candidates.training.trainer import Course, Trainer, predict
from automl.spaces.space_file import read_space

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
SPACE = Path(__file__).parents[2] / "search_spaces" / "image-clf" / "resnet.toml"
SHAPE = Shape(16, 16, 3)


def trainer(full_steps=4):
    rng = np.random.default_rng(0)
    y = np.arange(256) % 2
    X = rng.integers(0, 128, (256, *SHAPE), dtype=np.uint8) + (100 * y).astype(np.uint8)[:, None, None, None]
    values = read_space(SPACE.read_text(encoding="utf-8"), "resnet").complete({"width": 16, "flip": True}).values
    network = Network(architecture(values, SHAPE, 2), SHAPE, np.full(3, 0.4), np.full(3, 0.2))
    initialise(network, "he", torch.Generator().manual_seed(0))
    resident = rows.load(X, y, np.arange(256), classes=2, balanced=True, device="cuda")
    course = Course(seed=1, full_steps=full_steps, precision=precision.table("cuda"))
    return Trainer(network, resident, Settings.of(values), course), X, y


def train(made, epochs):
    for _ in range(epochs):
        assert made.train_epoch(lambda: False) is not None


def test_learns_in_bfloat16():
    made, X, y = trainer()
    train(made, 4)
    assert (predict(made.kept, X).argmax(axis=1) == y).mean() > 0.95


def test_training_in_rungs_equals_training_at_once(tmp_path):
    whole, _, _ = trainer()
    train(whole, 4)
    first, X, _ = trainer()
    train(first, 1)
    save(first, Progress([]), tmp_path)
    second, _, _ = trainer()
    restore(second, tmp_path)
    train(second, 3)
    np.testing.assert_allclose(predict(whole.kept, X), predict(second.kept, X), atol=1e-3)


def test_onnx_on_the_cpu_agrees_with_the_device(tmp_path):
    made, X, _ = trainer()
    train(made, 1)
    onnx_graph.save(made.kept, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (scores,) = session.run([onnx_graph.OUTPUT], {onnx_graph.INPUT: X})
    np.testing.assert_allclose(scores, predict(made.kept, X), atol=5e-3)


def test_a_decision_is_measured_and_cached(tmp_path):
    made, _, _ = trainer()
    images = torch.rand(8, 3, 16, 16, device="cuda")
    first = precision.settle(made.network, images, "key", tmp_path, is_timed=True)
    assert first == precision.settle(made.network, images, "key", tmp_path, is_timed=True)
