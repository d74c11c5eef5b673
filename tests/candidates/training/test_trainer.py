from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from automl.candidates.training import checkpoint, rows
from automl.candidates.training.architecture import Conv, Dense, GlobalPool, Shape
from automl.candidates.training.checkpoint import Progress
from automl.candidates.training.layers import Network, initialise
from automl.candidates.training.settings import Settings
from automl.candidates.training.trainer import Course, Trainer, predict


@pytest.fixture
def make(data, configure):
    """Return a maker of trainers of one small network on the tiny data."""

    def build(full_steps=4, **values):
        layers = [Conv(4), GlobalPool(), Dense(3)]
        network = Network(layers, Shape(8, 8, 1), np.array([0.5]), np.array([0.25]))
        initialise(network, "he", torch.Generator().manual_seed(0))
        resident = rows.load(data.X, data.y, np.arange(90), classes=3, balanced=False, device="cpu")
        settings = Settings.of(configure("cnn", **values).values)
        return Trainer(network, resident, settings, Course(seed=5, full_steps=full_steps))

    return build


def never() -> bool:
    return False


def test_an_epoch_sees_every_row_once_in_steps_of_nearly_equal_size(make):
    batches = make()._batches()
    assert sorted(torch.cat(batches).tolist()) == list(range(90))
    assert {len(batch) for batch in batches} == {15}


def test_epochs_are_ordered_differently(make):
    trainer = make()
    first = torch.cat(trainer._batches())
    trainer.train_epoch(never)
    assert not torch.equal(first, torch.cat(trainer._batches()))


def test_epochs_count_what_is_complete(make):
    trainer = make()
    answers = iter([False, False, True])
    assert trainer.train_epoch(lambda: next(answers)) is None
    assert (trainer.steps, trainer.epochs) == (2, 0)
    trainer.train_epoch(never)
    assert (trainer.steps, trainer.epochs) == (6, 1)


def test_learning_rate_follows_the_schedule_over_the_full_length(make):
    trainer = make(full_steps=2, optimizer="sgd", lr=0.1, warmup=0.0)
    seen = []
    for batch in trainer._batches():
        trainer.step(batch)
        seen.append(trainer.optimiser.param_groups[0]["lr"])
    assert seen == pytest.approx([0.1 * (1 - step / 12) for step in range(6)])


def test_clipping_bounds_what_the_optimiser_sees(make):
    trainer = make(clip=1e-3)
    trainer.step(torch.arange(15))
    norms = [p.grad.norm() for p in trainer.network.parameters()]
    assert float(torch.stack(norms).norm()) <= 1.001e-3


def test_the_average_is_kept_where_there_is_one(make):
    assert make(ema=0.0).kept is not make(ema=1.0).kept
    trainer = make(ema=0.0)
    assert trainer.kept is trainer.network


def test_prediction_does_not_depend_on_the_batch(make, data):
    trainer = make()
    trainer.train_epoch(never)
    single = np.concatenate([predict(trainer.kept, data.X[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(single, predict(trainer.kept, data.X)[:5], atol=1e-6)


def test_read_only_rows_are_predicted(make, data):
    data.X.setflags(write=False)
    assert predict(make().kept, data.X).shape == (96, 3)


def test_checkpoint_is_tensors_and_json_and_nothing_else(make, tmp_path):
    trainer = make()
    trainer.train_epoch(never)
    checkpoint.save(trainer, Progress([0.5], 1, trainer.kept.state_dict()), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.safetensors", "checkpoint.json"}
    assert json.loads((tmp_path / "checkpoint.json").read_text())["steps"] == 6
    with safe_open(tmp_path / "checkpoint.safetensors", "pt") as file:
        assert {name.split("/")[0] for name in file.keys()} == {"weights", "average", "best", "optimiser"}  # noqa: SIM118


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_restored_state_is_the_saved_one(make, tmp_path, optimizer):
    trainer, other = make(optimizer=optimizer), make(optimizer=optimizer)
    trainer.train_epoch(never)
    checkpoint.save(trainer, Progress([]), tmp_path)
    checkpoint.restore(other, tmp_path)
    for mine, theirs in zip(trainer.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
        for name, value in trainer.optimiser.state[mine].items():
            assert torch.equal(value, other.optimiser.state[theirs][name])


def test_restored_progress_is_the_saved_one(make, tmp_path):
    trainer = make()
    checkpoint.save(trainer, Progress([0.5, 0.4], 2, trainer.kept.state_dict()), tmp_path)
    progress = checkpoint.restore(make(), tmp_path)
    assert (progress.losses, progress.best_epoch) == ([0.5, 0.4], 2)
    assert progress.best.keys() == trainer.kept.state_dict().keys()
