from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from automl.candidates.tabular.network_inputs import layout
from automl.candidates.tabular.network_layers import TableNetwork
from automl.candidates.tabular.network_settings import NetworkSettings
from automl.candidates.tabular.network_training import NetworkTrainer, Rows, held_loss, train
from automl.candidates.training.pace import Pace, PacedCourse
from automl.core.clock import FakeClock
from automl.testing.context import LocalContext

SETTINGS = NetworkSettings(
    layers=1, width=16, dropout=0.1, embedding="piecewise", lr=0.02, weight_decay=1e-3, epochs=12, patience=4,
    batch_size=64, embedding_width=4, bins=6, ema=1.0, decay=1.0,
)  # fmt: skip


class TickingClock(FakeClock):
    """A clock on which every look takes a second."""

    def now(self) -> float:
        self.advance(1.0)
        return super().now()


def rows_of(count: int, *, seed: int = 0, noise: float = 0.0) -> Rows:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, 3)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] + noise * rng.normal(size=count) > 0).astype(np.int64)
    return Rows(torch.from_numpy(X), torch.from_numpy(y), None)


def trainer_of(rows: Rows, settings: NetworkSettings = SETTINGS, *, seed: int = 0) -> NetworkTrainer:
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        network = TableNetwork(layout(rows.X.numpy(), (), settings.bins), settings, 2)
    return NetworkTrainer(network, rows, settings, "classes", seed=seed)


def pace_of(trainer: NetworkTrainer, *, seconds: float = float("inf")) -> Pace:
    ctx = LocalContext(np.arange(2), np.arange(0), 2, Path(), is_timed=True, seconds=seconds, clock=TickingClock())
    return Pace(ctx, trainer.settings.epochs * trainer.epoch_steps, reserve_seconds=0)


def trained(
    rows: Rows, held: Rows | None = None, settings: NetworkSettings = SETTINGS, *, seed: int = 0
) -> torch.Tensor:
    """Return the outputs of a trained network for these rows."""
    trainer = trainer_of(rows, settings, seed=seed)
    train(trainer, held, pace_of(trainer))
    return trainer.kept(rows.X).detach()


def test_it_learns_what_a_linear_model_cannot() -> None:
    outputs = trained(rows_of(800), rows_of(200, seed=1))
    assert float((outputs.mean(dim=0).argmax(dim=1) == rows_of(800).y).float().mean()) > 0.9


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    rows, held = rows_of(400, noise=1.0), rows_of(200, seed=1, noise=1.0)
    trainer = trainer_of(rows)
    course = train(trainer, held, pace_of(trainer))
    assert held_loss(trainer.kept, held, "classes") == pytest.approx(min(course.losses))
    assert course.losses[course.best_epoch - 1] == min(course.losses)


def test_patience_ends_what_does_not_get_better() -> None:
    rows, held = rows_of(200, noise=20.0), rows_of(200, seed=1, noise=20.0)
    trainer = trainer_of(rows, dataclasses.replace(SETTINGS, epochs=60, patience=3))
    course = train(trainer, held, pace_of(trainer))
    assert course.epochs == course.best_epoch + 3 < 60


def test_without_held_out_rows_it_trains_to_the_end() -> None:
    trainer = trainer_of(rows_of(100))
    assert train(trainer, None, pace_of(trainer)) == PacedCourse((), 12, 12, is_cut=False)


def test_time_cuts_it_short_in_the_midst_of_an_epoch() -> None:
    trainer = trainer_of(rows_of(400))
    course = train(trainer, rows_of(50, seed=1), pace_of(trainer, seconds=20.0))
    assert course.is_cut
    assert 0 < trainer.steps < trainer.epoch_steps
    assert course.best_epoch == 1


def test_the_same_seed_gives_the_same_weights() -> None:
    rows = rows_of(200)
    torch.testing.assert_close(trained(rows), trained(rows), rtol=0, atol=0)
    assert not torch.equal(trained(rows), trained(rows, seed=1))


def test_it_leaves_the_global_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    trained(rows_of(100))
    assert torch.equal(before, torch.random.get_rng_state())


def test_rows_of_no_weight_teach_nothing() -> None:
    rows = rows_of(200)
    weights = (torch.arange(200) % 4 > 0).float()
    wrong = torch.where(weights > 0, rows.y, 1 - rows.y)
    torch.testing.assert_close(
        trained(rows._replace(weights=weights)), trained(rows._replace(weights=weights, y=wrong))
    )


def test_held_out_rows_count_by_their_weights() -> None:
    rows, network = rows_of(100), trainer_of(rows_of(100)).network
    half = Rows(rows.X[:50], rows.y[:50], None)
    weights = torch.where(torch.arange(100) < 50, 2.0, 0.0)
    assert held_loss(network, rows._replace(weights=weights), "classes") == pytest.approx(
        held_loss(network, half, "classes"), rel=1e-5
    )


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    rows = rows_of(100)
    trainer = trainer_of(rows)
    rows.X[7, 1] = float("nan")
    with pytest.raises(FloatingPointError, match=r"the loss is nan after 4 steps\. Lower lr"):
        train(trainer, None, pace_of(trainer))


def test_held_out_rows_without_a_finite_loss_are_an_error() -> None:
    rows = rows_of(100)
    rows.X[7, 1] = float("nan")
    with pytest.raises(FloatingPointError, match="held-out rows is nan"):
        held_loss(trainer_of(rows_of(100)).network, rows, "classes")


def test_small_tables_take_small_steps() -> None:
    assert [trainer_of(rows_of(count)).epoch_steps for count in (100, 3000)] == [4, 47]
