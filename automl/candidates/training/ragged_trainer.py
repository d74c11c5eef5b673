"""The loop that trains a network for rows of different lengths. Imports torch: load lazily.

It draws from torch's generators: whoever calls it seeds and forks them.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch.nn import functional

from automl.candidates.training.adamw import AdamW, clip
from automl.candidates.training.averaging import Average
from automl.candidates.training.memory import FrugalStep
from automl.candidates.training.pace import Pace, PacedCourse
from automl.candidates.training.ragged_network import RaggedNetwork
from automl.candidates.training.ragged_rows import Batch, Limits, RaggedRows, batches
from automl.candidates.training.ragged_settings import RaggedSettings

SCORED_AT_ONCE = 8
"""Held-out rows go through the network in batches so many times those of training."""


class RaggedTrainer:
    """Trains a network, on the device of its rows.

    Attributes:
        network: the weights that learn.
        kept: the weights that are judged and kept: their running average where the settings ask for one.
        epoch_steps: of an epoch, about.
        steps: done.
    """

    def __init__(
        self, network: RaggedNetwork, rows: RaggedRows, settings: RaggedSettings, rng: np.random.Generator
    ) -> None:
        self.network, self.rows, self.settings = network.train(), rows, settings
        self.limits = Limits.of(rows.lengths, settings.step_rows(len(rows.y)))
        self.epoch_steps = len(batches(rows.lengths, self.limits))
        self.steps = 0
        self._rng = rng
        self._average = Average(network, settings.ema * self.epoch_steps) if settings.ema else None
        self._parameters = list(network.parameters())
        self._optimiser = _optimiser(network, settings)
        self._frugal, self._batch = FrugalStep(self._loss), Batch(np.empty(0, np.int64), 1, is_full=False)

    @property
    def kept(self) -> RaggedNetwork:
        """Return the network that is judged and kept."""
        kept = self._average.network if self._average else self.network
        assert isinstance(kept, RaggedNetwork)
        return kept

    def train_epoch(self, pace: Pace) -> bool:
        """Train one epoch; return whether it was cut because time ended.

        Raises:
            FloatingPointError: the loss is not finite.
            MemoryError: not even two rows at a time fit on the device.
        """
        total = torch.zeros((), device=self.rows.values.device)
        is_cut = False
        for batch in batches(self.rows.lengths, self.limits, self._rng):
            total += self._step(batch, pace.progress(self.steps), 1 / pace.steps)
            is_cut = pace.progress(self.steps) >= 1 and self.steps < pace.steps
            if is_cut:
                break
        if not math.isfinite(float(total)):
            raise FloatingPointError(f"the loss is {float(total)} after {self.steps} steps. Lower lr.")
        return is_cut

    def _step(self, batch: Batch, progress: float, share: float) -> torch.Tensor:
        """Do one optimiser step, a share of all, on these rows; return the loss."""
        self._batch = batch
        index = torch.from_numpy(batch.rows).to(self.rows.values.device)
        loss = self._frugal(self.network, index, index)
        if self.settings.clip:
            clip(self._parameters, self.settings.clip)
        self._optimiser.step(self.settings.lr * self._factor(progress, share))
        self.steps += 1
        if self._average:
            self._average.update(self.network, self.steps, progress)
        return loss

    def _loss(self, index: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of these rows of the batch; each row counts alike, however many share its batch."""
        rows, batch = self.rows, self._batch
        logits = self.network(rows.inputs(index, batch.steps), is_full=batch.is_full)
        losses = functional.cross_entropy(
            logits, rows.y[index], reduction="none", label_smoothing=self.settings.label_smoothing
        )
        if rows.weights is not None:
            losses = losses * rows.weights[index]
        return losses.mean() * (len(batch.rows) * self.epoch_steps / len(rows.y))

    def _factor(self, progress: float, share: float) -> float:
        """Return the learning rate as a share of its peak: up at first, flat, down to zero at the end."""
        warm = min(1.0, (progress + share) / max(share, self.settings.warmup))
        return warm * (min(1.0, (1 - progress) / self.settings.decay) if self.settings.decay else 1.0)


def train(trainer: RaggedTrainer, held: RaggedRows | None, pace: Pace) -> PacedCourse:
    """Train until the pace or patience ends it; the trainer's `kept` network then has its best weights.

    Args:
        trainer: before its first step.
        held: rows that say which epoch is best and when to stop; None trains to the end and keeps the end.
        pace: says how far it is.

    Raises:
        FloatingPointError: the loss is not finite.
        MemoryError: not even two rows at a time fit on the device.
    """
    losses, best, best_epoch, is_cut = list[float](), dict[str, torch.Tensor](), 0, False
    for epoch in range(1, math.ceil(pace.steps / trainer.epoch_steps) + 1):
        is_cut = trainer.train_epoch(pace)
        if held is not None:
            losses.append(held_loss(trainer.kept, held, trainer.limits))
            if losses[-1] <= min(losses):
                best, best_epoch = copy.deepcopy(trainer.kept.state_dict()), epoch
        if is_cut or (held is not None and epoch - best_epoch >= trainer.settings.patience):
            break
    if best:
        trainer.kept.load_state_dict(best)
    trainer.kept.eval()
    return PacedCourse(tuple(losses), epoch, best_epoch or epoch, is_cut)


@torch.no_grad()
def held_loss(network: RaggedNetwork, rows: RaggedRows, limits: Limits) -> float:
    """Return the weighted mean loss of these rows, of a network as in evaluation.

    Args:
        network: stays in training if it is.
        rows: held out.
        limits: of a batch of training; those here are larger.

    Raises:
        FloatingPointError: it is not finite.
    """
    total, is_training = torch.zeros((), device=rows.values.device), network.training
    network.eval()
    for batch in batches(rows.lengths, Limits(SCORED_AT_ONCE * limits.rows, SCORED_AT_ONCE * limits.steps)):
        index = torch.from_numpy(batch.rows).to(rows.values.device)
        logits = network(rows.inputs(index, batch.steps), is_full=batch.is_full)
        losses = functional.cross_entropy(logits, rows.y[index], reduction="none")
        total += losses.sum() if rows.weights is None else (losses * rows.weights[index]).sum()
    network.train(is_training)
    mean = float(total) / len(rows.y)
    if not math.isfinite(mean):
        raise FloatingPointError(f"the loss of held-out rows is {mean}. Lower lr.")
    return mean


def _optimiser(network: RaggedNetwork, settings: RaggedSettings) -> AdamW:
    """Return AdamW that decays the matrices alone."""
    decayed = network.decayed()
    known = {id(parameter) for parameter in decayed}
    others = [parameter for parameter in network.parameters() if id(parameter) not in known]
    return AdamW([(decayed, settings.weight_decay), (others, 0.0)])
