"""The loop that trains one network on resident rows, one epoch at a time. Imports torch: load lazily."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch

from automl.candidates.training.augment import augmented, mixed, plain
from automl.candidates.training.averaging import Average
from automl.candidates.training.layers import Network
from automl.candidates.training.losses import cross_entropy, soft_labels
from automl.candidates.training.memory import Backward, FrugalStep, backward
from automl.candidates.training.optimisers import optimiser, set_learning_rate
from automl.candidates.training.precision import Precision
from automl.candidates.training.rows import TrainingRows
from automl.candidates.training.schedules import factor
from automl.candidates.training.settings import Settings
from automl.core import seeds

LOOK_EVERY = 16
"""Steps between two looks at the loss on a GPU, where each look waits for the device."""
PREDICT_ROWS = 512


@dataclass(frozen=True)
class Course:
    """What a trainer is told besides its rows and settings.

    Attributes:
        seed: of the member.
        full_steps: epochs that the learning-rate schedule spans.
        precision: how the network runs.
    """

    seed: int
    full_steps: int
    precision: Precision = field(default_factory=Precision)


class Trainer:
    """Trains a network. All randomness of a step derives from (seed, step), so where a job started leaves no trace.

    Attributes:
        network: the weights that learn.
        average: the weights that are kept, or None without averaging.
        steps: optimiser steps done.
    """

    def __init__(
        self, network: Network, rows: TrainingRows, settings: Settings, course: Course, *, run: Backward = backward
    ) -> None:
        self.device = str(rows.pixels.device)
        self.network = network.to(self.device, memory_format=course.precision.memory_format)  # type: ignore[call-overload]
        self.rows, self.settings, self.course = rows, settings, course
        self.epoch_steps = math.ceil(len(rows.pixels) / settings.step_rows(len(rows.pixels)))
        self.average = Average(self.network, settings.ema * self.epoch_steps) if settings.ema else None
        self.optimiser = optimiser(self.network, settings)
        self.frugal = FrugalStep(self._loss, run)
        self.steps = 0

    @property
    def epochs(self) -> int:
        """Return the epochs that are complete."""
        return self.steps // self.epoch_steps

    @property
    def kept(self) -> Network:
        """Return the network that is scored and kept: the average where there is one."""
        kept = self.average.network if self.average else self.network
        assert isinstance(kept, Network)
        return kept

    def train_epoch(self, must_stop: Callable[[], bool]) -> float | None:
        """Train to the end of the epoch that is under way; return its mean loss, None if told to stop before.

        Raises:
            FloatingPointError: the loss is not finite.
            MemoryError: not even two rows at a time fit in memory.
        """
        batches = self._batches()
        done = self.steps % self.epoch_steps
        total = torch.zeros((), device=self.device)
        with self._own_state():
            for number, batch in enumerate(batches[done:], start=1):
                if must_stop():
                    return None
                total += self.step(batch)
                if not self.rows.pixels.is_cuda or number % LOOK_EVERY == 0:
                    self._check(total)
        self._check(total)
        return float(total) / max(1, self.epoch_steps - done)

    def step(self, batch: torch.Tensor) -> torch.Tensor:
        """Do one optimiser step on these row numbers; return the loss."""
        settings, progress = self.settings, self.steps / (self.course.full_steps * self.epoch_steps)
        self.network.train()
        torch.manual_seed(seeds.derive(self.course.seed, "dropout", self.steps))
        set_learning_rate(self.optimiser, settings.lr * factor(settings.schedule, min(1.0, progress), settings.warmup))
        images, labels = self._batch(batch)
        loss = self.frugal(self.network, images, labels)
        if settings.clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip)
        self.optimiser.step()
        self.steps += 1
        if self.average:
            self.average.update(
                self.network, self.steps, min(1.0, self.steps / (self.course.full_steps * self.epoch_steps))
            )  # fmt: skip
        return loss

    def _batch(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        generator = self._generator("step", self.steps)
        augmentation = self.settings.augmentation
        images = augmented(self.rows.pixels, batch, augmentation, generator)
        labels = soft_labels(self.rows.targets[batch], self.rows.classes, self.settings.label_smoothing)
        if augmentation.mixup:
            rng = seeds.stream(self.course.seed, "mixup", self.steps)
            images, labels = mixed(images, labels, float(rng.beta(augmentation.mixup, augmentation.mixup)), generator)
        return images.contiguous(memory_format=self.course.precision.memory_format), labels

    def _batches(self) -> tuple[torch.Tensor, ...]:
        """Return the row numbers of each step of the epoch under way, of nearly equal size."""
        generator = self._generator("epoch", self.epochs)
        order = torch.randperm(len(self.rows.pixels), generator=generator, device=self.device)
        return order.tensor_split(self.epoch_steps)

    def _generator(self, name: str, number: int) -> torch.Generator:
        seed = seeds.derive(self.course.seed, name, number)
        return torch.Generator(self.device).manual_seed(seed)

    def _check(self, total: torch.Tensor) -> None:
        if not math.isfinite(float(total)):
            raise FloatingPointError(
                f"the loss is {float(total)} at step {self.steps}. Try a learning rate below {self.settings.lr:g}"
            )

    @contextmanager
    def _own_state(self) -> Iterator[None]:
        """Leave the global random state as it is; on a GPU choose convolutions that repeat exactly."""
        is_cuda = self.rows.pixels.is_cuda
        with torch.random.fork_rng([self.device] if is_cuda else []):
            if not is_cuda:
                yield
                return
            with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
                yield

    def _loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with self.course.precision.autocast(self.device):
            logits = self.network(images)
        return cross_entropy(logits, labels, self.rows.class_weights)


@torch.inference_mode()
def probabilities(network: Network, pixels: torch.Tensor) -> torch.Tensor:
    """Return float32 (rows, classes) on the network's device for one batch of uint8 (rows, height, width, channels)."""
    network.eval()
    device = next(network.parameters()).device
    logits: torch.Tensor = network(plain(pixels.to(device)))
    return logits.softmax(dim=1)


def predict(network: Network, X: np.ndarray) -> np.ndarray:
    """Return float32 (rows, classes) probabilities for uint8 (rows, height, width, channels), in float32 throughout."""
    parts = [probabilities(network, torch.from_numpy(np.array(part))).cpu() for part in _parts(X)]
    return torch.cat(parts).numpy()


def _parts(X: np.ndarray) -> list[np.ndarray]:
    return [X[start : start + PREDICT_ROWS] for start in range(0, len(X), PREDICT_ROWS)] or [X]
