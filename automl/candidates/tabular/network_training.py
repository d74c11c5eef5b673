"""The loop that trains a network for tables on rows that lie on its device. Imports torch: load lazily."""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import torch

from automl.candidates.tabular.network_layers import TableNetwork
from automl.candidates.tabular.network_losses import Goal, mean_losses, member_losses
from automl.candidates.tabular.network_settings import NetworkSettings
from automl.candidates.training.adamw import AdamW
from automl.candidates.training.averaging import Average
from automl.candidates.training.masks import Masks
from automl.candidates.training.pace import Pace, PacedCourse
from automl.core import seeds

SCORED_AT_ONCE = 4096
"""Held-out rows that go through the network together."""
WARMUP = 0.02
"""The share of training in which the learning rate rises."""


class Rows(NamedTuple):
    """Rows on the device.

    Attributes:
        X: float32 (rows, columns).
        y: int64 (rows,) class codes, or float32 (rows,) standardised values.
        weights: float32 (rows,), or None where all count alike.
    """

    X: torch.Tensor
    y: torch.Tensor
    weights: torch.Tensor | None


class NetworkTrainer:
    """Trains a network; all randomness derives from its seed.

    Attributes:
        network: the weights that learn.
        kept: the weights that are judged and kept: their running average where the settings ask for one.
        steps: done.
    """

    def __init__(self, network: TableNetwork, rows: Rows, settings: NetworkSettings, goal: Goal, *, seed: int) -> None:
        self.network, self.rows, self.settings, self.goal = network, rows, settings, goal
        self.epoch_steps = math.ceil(len(rows.X) / settings.step_rows(len(rows.X)))
        self._generator = torch.Generator().manual_seed(seeds.derive(seed, "batches"))
        self._masks = Masks(settings.dropout, self._generator, rows.X.device)
        self._average = Average(network, settings.ema * self.epoch_steps) if settings.ema else None
        self._optimiser = _optimiser(network, settings)
        self.steps = 0

    @property
    def kept(self) -> TableNetwork:
        """Return the network that is judged and kept."""
        kept = self._average.network if self._average else self.network
        assert isinstance(kept, TableNetwork)
        return kept

    def train_epoch(self, pace: Pace) -> bool:
        """Train one epoch; return whether it was cut because time ended.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        order = torch.randperm(len(self.rows.X), generator=self._generator).to(self.rows.X.device)
        total = torch.zeros((), device=self.rows.X.device)
        is_cut = False
        for batch in order.tensor_split(self.epoch_steps):
            total += self._step(batch, pace.progress(self.steps), 1 / pace.steps)
            is_cut = pace.progress(self.steps) >= 1 and self.steps < pace.steps
            if is_cut:
                break
        if not math.isfinite(float(total)):
            raise FloatingPointError(f"the loss is {float(total)} after {self.steps} steps. Lower lr.")
        return is_cut

    def _step(self, batch: torch.Tensor, progress: float, share: float) -> torch.Tensor:
        """Do one optimiser step, a share of all, on these rows; return the loss."""
        losses = member_losses(self.goal, self.network(self.rows.X[batch], self._masks), self.rows.y[batch])
        if self.rows.weights is not None:
            losses = losses * self.rows.weights[batch]
        loss = losses.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step(self.settings.lr * self._factor(progress, share))
        self.steps += 1
        if self._average:
            self._average.update(self.network, self.steps, progress)
        return loss.detach()

    def _factor(self, progress: float, share: float) -> float:
        """Return the learning rate as a share of its peak: up at first, flat, down to zero at the end."""
        warm = min(1.0, (progress + share) / WARMUP)
        return warm * (min(1.0, (1 - progress) / self.settings.decay) if self.settings.decay else 1.0)


def train(trainer: NetworkTrainer, held: Rows | None, pace: Pace) -> PacedCourse:
    """Train until the pace or patience ends it; the trainer's `kept` network then has its best weights.

    Args:
        trainer: before its first step.
        held: rows that say which epoch is best and when to stop; None trains to the end and keeps the end.
        pace: says how far it is.

    Raises:
        FloatingPointError: the loss is not finite.
    """
    losses, best, best_epoch, is_cut = list[float](), dict[str, torch.Tensor](), 0, False
    for epoch in range(1, math.ceil(pace.steps / trainer.epoch_steps) + 1):
        is_cut = trainer.train_epoch(pace)
        if held is not None:
            losses.append(held_loss(trainer.kept, held, trainer.goal))
            if losses[-1] <= min(losses):
                best, best_epoch = copy.deepcopy(trainer.kept.state_dict()), epoch
        if is_cut or (held is not None and epoch - best_epoch >= trainer.settings.patience):
            break
    if best:
        trainer.kept.load_state_dict(best)
    return PacedCourse(tuple(losses), epoch, best_epoch or epoch, is_cut)


@torch.no_grad()
def held_loss(network: TableNetwork, rows: Rows, goal: Goal) -> float:
    """Return the weighted mean loss of these rows for what the members predict together.

    Raises:
        FloatingPointError: it is not finite.
    """
    total = torch.zeros((), device=rows.X.device)
    for start in range(0, len(rows.X), SCORED_AT_ONCE):
        part = slice(start, start + SCORED_AT_ONCE)
        losses = mean_losses(goal, network(rows.X[part]), rows.y[part])
        total += losses.sum() if rows.weights is None else (losses * rows.weights[part]).sum()
    mean = float(total) / len(rows.X)
    if not math.isfinite(mean):
        raise FloatingPointError(f"the loss of held-out rows is {mean}. Lower lr.")
    return mean


def _optimiser(network: TableNetwork, settings: NetworkSettings) -> AdamW:
    """Return AdamW that decays the matrices alone."""
    decayed = network.decayed()
    known = {id(parameter) for parameter in decayed}
    others = [parameter for parameter in network.parameters() if id(parameter) not in known]
    return AdamW([(decayed, settings.weight_decay), (others, 0.0)])
