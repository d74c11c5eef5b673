from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.candidates.training.bodies_text import Bag
from automl.candidates.training.entrance_tokens import TokenEntrance
from automl.candidates.training.pace import Pace
from automl.candidates.training.ragged_network import RaggedNetwork
from automl.candidates.training.ragged_rows import RaggedRows
from automl.candidates.training.ragged_settings import RaggedSettings
from automl.candidates.training.ragged_trainer import RaggedTrainer, held_loss, train
from automl.core.clock import FakeClock
from automl.testing.context import LocalContext

SETTINGS = RaggedSettings(lr=0.05, epochs=6, batch_size=16, patience=3, dropout=0.1, label_smoothing=0.05)


class TickingClock(FakeClock):
    """A clock on which every look takes a second."""

    def now(self) -> float:
        self.advance(1.0)
        return super().now()


class Full(Bag):
    """A bag for whose memory more than so many rows are too many."""

    most = 4
    seen: tuple[int, ...] = ()

    def forward(self, steps: Any) -> torch.Tensor:
        if len(steps.x) > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        self.seen = (*self.seen, len(steps.x))
        return super().forward(steps)


def rows_of(count: int, *, seed: int = 0, noise: float = 0.0) -> RaggedRows:
    """Return rows of 1 to 9 tokens whose class says whether token 3 or 4 is more frequent."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 10, count)
    values = rng.integers(3, 5, lengths.sum())
    ends = np.cumsum(lengths)
    share = np.add.reduceat(values == 4, ends - lengths) / lengths + noise * rng.normal(size=count)
    places = [torch.from_numpy(part) for part in (ends - lengths, ends, (share > 0.5).astype(np.int64))]
    return RaggedRows(torch.from_numpy(values).float(), *places, None, lengths)


def network_of(body: Bag | None = None) -> RaggedNetwork:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        entrance = TokenEntrance(0.1 * np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32))
        return RaggedNetwork(entrance, body or Bag(8, "mean"), 2, dropout=0.1)


def trained(
    rows: RaggedRows, held: RaggedRows | None = None, *, seconds: float = float("inf"), body: Bag | None = None,
    **changes: Any,
) -> tuple[RaggedTrainer, Any]:  # fmt: skip
    settings = dataclasses.replace(SETTINGS, **changes)
    ctx = LocalContext(np.arange(2), np.arange(0), 2, Path(), is_timed=True, seconds=seconds, clock=TickingClock())
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        trainer = RaggedTrainer(network_of(body), rows, settings, np.random.default_rng(0))
        return trainer, train(trainer, held, Pace(ctx, settings.epochs * trainer.epoch_steps, reserve_seconds=0))


def right(trainer: RaggedTrainer, rows: RaggedRows) -> float:
    answers = trainer.kept(rows.inputs(torch.arange(len(rows.y)))).argmax(dim=1)
    return float((answers == rows.y).float().mean())


@pytest.mark.parametrize("changes", [{}, {"ema": 1.0}, {"clip": 0.0}, {"decay": 0.0, "warmup": 0.0}], ids=str)
def test_it_learns(changes: dict[str, float]) -> None:
    trainer, _ = trained(rows_of(400), rows_of(100, seed=1), **changes)
    assert right(trainer, rows_of(200, seed=2)) > 0.9


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    held = rows_of(100, seed=1, noise=0.5)
    trainer, course = trained(rows_of(200, noise=0.5), held)
    assert held_loss(trainer.kept, held, trainer.limits) == pytest.approx(min(course.losses))
    assert course.losses[course.best_epoch - 1] == min(course.losses)


def test_patience_ends_what_does_not_get_better() -> None:
    _, course = trained(rows_of(200, noise=50.0), rows_of(100, seed=1, noise=50.0), epochs=60)
    assert course.epochs == course.best_epoch + 3 < 60


def test_without_held_out_rows_it_goes_to_the_end() -> None:
    _, course = trained(rows_of(100))
    assert (course.losses, course.epochs, course.best_epoch, course.is_cut) == ((), 6, 6, False)


def test_the_clock_cuts_it_and_what_is_there_is_kept() -> None:
    trainer, course = trained(rows_of(400), seconds=40)
    assert course.is_cut
    assert trainer.steps < 40


def test_the_same_seed_gives_the_same_weights() -> None:
    one, two = (trained(rows_of(100))[0].kept.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_loss_that_is_no_number_is_an_error() -> None:
    with pytest.raises(FloatingPointError, match=r"the loss is nan after .* steps\. Lower lr"):
        trained(rows_of(100), lr=1e30, clip=0.0)


def test_held_out_rows_without_a_finite_loss_are_an_error() -> None:
    trainer, _ = trained(rows_of(100))
    torch.nn.init.constant_(trainer.network.head.bias, torch.inf)
    with pytest.raises(FloatingPointError, match="held-out rows is nan"):
        held_loss(trainer.network, rows_of(50), trainer.limits)


def test_weights_of_rows_count() -> None:
    rows = rows_of(200)
    heavy = rows._replace(weights=torch.where(rows.y == 1, 1.9, 0.1))
    shares = [
        torch.softmax(trained(each)[0].kept(rows.inputs(torch.arange(200))), dim=1)[:, 1].mean()
        for each in (rows, heavy)
    ]
    assert shares[1] > shares[0] + 0.02


def test_where_memory_is_full_batches_are_halved() -> None:
    body = Full(8, "mean")
    trainer, _ = trained(rows_of(400), body=body)
    assert max(body.seen) == 4
    assert right(trainer, rows_of(4, seed=2)) >= 0.5


def test_where_two_rows_are_too_many_it_says_so() -> None:
    body = Full(8, "mean")
    body.most = 0
    with pytest.raises(MemoryError, match="rows at a time do not fit"):
        trained(rows_of(400), body=body)


def test_every_row_counts_alike_however_many_share_its_batch() -> None:
    trainer = RaggedTrainer(network_of(), rows_of(400), SETTINGS, np.random.default_rng(0))
    assert trainer.epoch_steps >= 400 / SETTINGS.batch_size
