"""Training the last stages of a pre-trained network, or all of it, from a head that fits already.

A head is learned first on the network as it is, then both are trained, at rates of their own: Kumar et al. 2022,
https://arxiv.org/abs/2202.10054 (linear probing, then fine-tuning); Howard and Ruder 2018,
https://arxiv.org/abs/1801.06146 (discriminative rates). Normalisation keeps the statistics of pre-training.
Imports torch: load lazily.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import nn

from automl.candidates.pretrained.efficientnet_torch import Classifier, Entry
from automl.candidates.training.adamw import AdamW
from automl.candidates.training.augment import augmented
from automl.candidates.training.losses import cross_entropy, soft_labels
from automl.candidates.training.memory import FrugalStep
from automl.candidates.training.pace import Pace, PacedCourse
from automl.candidates.training.settings import Augmentation
from automl.core.space import Value

_HELD_AT_ONCE = 64
_WARMUP = 0.1  # of all steps, in which rates rise


@dataclass(frozen=True)
class TuningSettings:
    """How a network is tuned; every number stands in the search space.

    Attributes:
        epochs: at most.
        batch_size: rows of a step.
        lr: peak rate of the network; head_rate: what part of it the head gets, which fits already and has so many
            weights on one logit that a step moves it far.
        weight_decay: decoupled, of weights but not of biases.
        patience: epochs without a better loss on held-out rows.
    """

    epochs: int
    batch_size: int
    lr: float
    head_rate: float
    weight_decay: float
    label_smoothing: float
    dropout: float
    patience: int

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> TuningSettings:
        """Read the settings of a configuration."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})  # type: ignore[arg-type]


class Inputs(Protocol):
    """What the part of a network that is trained reads."""

    def shown(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the rows of a batch as they are shown in training, changed at random."""
        ...

    def plain(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows as they are."""
        ...


class Maps:
    """Inputs that the frozen stages have made of images, in one view or two."""

    def __init__(self, views: list[np.ndarray], device: str) -> None:
        self._views = [torch.from_numpy(view).to(device) for view in views]

    def shown(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return each row in one of its views, drawn at random."""
        maps = self._views[0][rows]
        for view in self._views[1:]:
            is_other = torch.rand(len(rows), generator=generator, device=generator.device) < 0.5
            maps = torch.where(is_other[:, None, None, None], view[rows], maps)
        return maps.float()

    def plain(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows in their first view."""
        return self._views[0][rows].float()


class Pixels:
    """Inputs that are images, augmented in training."""

    def __init__(self, images: np.ndarray, entry: Entry, augmentation: Augmentation, device: str) -> None:
        self._images, self._entry = torch.from_numpy(images).to(device), entry.to(device)
        self._augmentation = augmentation

    def shown(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return rows augmented."""
        x: torch.Tensor = self._entry(augmented(self._images, rows, self._augmentation, generator) * 255.0)
        return x

    def plain(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows as they are."""
        x: torch.Tensor = self._entry(self._images[rows].permute(0, 3, 1, 2).float())
        return x


class Problem(NamedTuple):
    """What is to be learned.

    Attributes:
        inputs: of all rows.
        codes: (rows,) int64 classes without gaps.
        fit, held: numbers of the rows to learn from, and of those that say when to stop; the latter may be none.
        weights: (rows,) float32 or None.
    """

    inputs: Inputs
    codes: torch.Tensor
    fit: np.ndarray
    held: np.ndarray
    weights: torch.Tensor | None


class Tuner:
    """Trains a classifier in place."""

    def __init__(self, network: Classifier, problem: Problem, settings: TuningSettings, seed: int) -> None:
        self.network, self.problem, self.settings = network, problem, settings
        device = problem.codes.device
        self._generator = torch.Generator(device=device).manual_seed(seed)
        self._order = np.random.default_rng(seed)
        self._classes = network.linear.out_features
        self._body = AdamW(_groups(network.body, settings.weight_decay))
        self._head = AdamW(_groups(network.linear, settings.weight_decay))
        self._rows = torch.empty(0, dtype=torch.int64)
        self._step = FrugalStep(self._loss)
        self.steps = 0

    @property
    def epoch_steps(self) -> int:
        """Return the steps of an epoch."""
        return max(1, len(self.problem.fit) // self.settings.batch_size)

    def train(self, pace: Pace) -> PacedCourse:
        """Train until the pace or patience ends it; the network then has its best weights.

        Raises:
            FloatingPointError: the loss is not finite.
            MemoryError: not even two rows at a time fit on the device.
        """
        losses, best, best_epoch, is_cut = [self._held_loss()], copy.deepcopy(self.network.state_dict()), 0, False
        for epoch in range(1, self.settings.epochs + 1):
            is_cut = self._epoch(pace)
            losses.append(self._held_loss())
            if losses[-1] <= min(losses):
                best, best_epoch = copy.deepcopy(self.network.state_dict()), epoch
            if is_cut or epoch - best_epoch >= self.settings.patience:
                break
        self.network.load_state_dict(best)
        self.network.eval()
        return PacedCourse(tuple(losses), epoch, best_epoch, is_cut)

    def _epoch(self, pace: Pace) -> bool:
        """Train one epoch; return whether time ended it."""
        self.network.train()
        total = torch.zeros((), device=self.problem.codes.device)
        for rows in np.array_split(self._order.permutation(self.problem.fit), self.epoch_steps):
            progress = pace.progress(self.steps)
            if progress >= 1:
                return self.steps < pace.steps
            index = torch.from_numpy(rows).to(total.device)
            total += self._step(self.network, index, index)
            rate = self.settings.lr * _factor(progress, 1 / pace.steps)
            self._body.step(rate)
            self._head.step(rate * self.settings.head_rate)
            self.steps += 1
        if not math.isfinite(float(total)):
            raise FloatingPointError(f"the loss is {float(total)} after {self.steps} steps. Lower lr.")
        return False

    def _loss(self, index: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of these rows, shown at random."""
        labels = soft_labels(self.problem.codes[index], self._classes, self.settings.label_smoothing)
        if self.problem.weights is not None:
            labels = labels * self.problem.weights[index][:, None]
        x = self.problem.inputs.shown(index, self._generator)
        return cross_entropy(self.network(x.contiguous(memory_format=torch.channels_last)), labels, None)

    @torch.no_grad()
    def _held_loss(self) -> float:
        """Return the mean loss of the held-out rows; falling without such rows, so that the last epoch is the best."""
        if not len(self.problem.held):
            return -float(self.steps)
        self.network.eval()
        total = 0.0
        for start in range(0, len(self.problem.held), _HELD_AT_ONCE):
            index = torch.from_numpy(self.problem.held[start : start + _HELD_AT_ONCE]).to(self.problem.codes.device)
            labels = soft_labels(self.problem.codes[index], self._classes, 0.0)
            x = self.problem.inputs.plain(index).contiguous(memory_format=torch.channels_last)
            total += float(cross_entropy(self.network(x), labels, None)) * len(index)
        return total / len(self.problem.held)


def _groups(module: nn.Module, weight_decay: float) -> list[tuple[list[nn.Parameter], float]]:
    """Return parameters with their decay: weights decay, biases do not."""
    weights = [p for p in module.parameters() if p.ndim > 1]
    biases = [p for p in module.parameters() if p.ndim <= 1]
    return [(weights, weight_decay), (biases, 0.0)]


def _factor(progress: float, share: float) -> float:
    """Return the rate as a share of its peak: up at first, then half a cosine down to zero.

    Source: Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983 (without restarts).
    """
    return min(1.0, (progress + share) / max(share, _WARMUP)) * 0.5 * (1 + math.cos(math.pi * progress))
