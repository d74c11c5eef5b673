"""The training of one member: rows, network, trainer, reports. Imports torch: load lazily."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import torch

from automl.candidates.training import checkpoint, precision, rows
from automl.candidates.training.architecture import Layer, Shape, count
from automl.candidates.training.augment import plain
from automl.candidates.training.checkpoint import Progress
from automl.candidates.training.fitted import NetworkFitted
from automl.candidates.training.layers import Network, initialise
from automl.candidates.training.memory import Backward, backward
from automl.candidates.training.settings import Settings
from automl.candidates.training.trainer import Course, Trainer, predict
from automl.core import seeds
from automl.core.job import Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

SCORED_ROWS = 2_000
"""Validation rows scored after an epoch in mid-training; after the last epoch of a job all are."""
PROBE_ROWS = 32
LEAST_SECONDS = 0.5
"""What is kept of the lease for coming home, besides two steps and one prediction of the validation rows."""


class Training:
    """One member's training, from the arguments of `Candidate.fit`."""

    def __init__(
        self, name: str, layers: Sequence[Layer], configuration: Configuration, data: DataSource, ctx: Context,
        *, run: Backward = backward,
    ) -> None:  # fmt: skip
        self.name, self.layers, self.data, self.ctx, self.backward = name, layers, data, ctx, run
        self.settings = Settings.of(configuration.values)
        self.slowest, self.last_look, self.score_seconds = 0.0, 0.0, 0.0

    def run(self, job: Job) -> NetworkFitted:
        """Train to job.stop_steps, or until the stop rule, patience or the clock ends it."""
        trainer, split = self.start(job.full_steps, job.rows)
        progress = self._continued(trainer, job)
        while trainer.epochs < job.stop_steps and not self._is_patience_over(progress):
            loss = trainer.train_epoch(self._must_stop)
            if loss is None:
                self.ctx.note("stopped", f"the time was up in epoch {trainer.epochs + 1}")
                break
            self._remember(trainer, progress, split.held_out)
            last = trainer.epochs >= job.stop_steps or self._is_patience_over(progress)
            if self.ctx.report(trainer.epochs, self._score(trainer, is_last=last), loss):
                break
        if trainer.frugal.parts > 1:
            self.ctx.note("batch", f"in {trainer.frugal.parts} parts, for want of memory")
        return NetworkFitted(trainer, progress)

    def start(self, full_steps: int, share: float = 1.0) -> tuple[Trainer, rows.Split]:
        """Return a trainer before its first step, and the rows it learns from and is stopped by."""
        X, y, seed, device = self.data.X, self.data.y, self.ctx.seed, self.ctx.device
        train_rows = rows.share_of(self.ctx.train_rows, share, seed)
        split = rows.split(train_rows, y, held_out=self.settings.patience > 0, seed=seed)
        balanced = self.settings.class_weights == "balanced"
        resident = rows.load(X, y, split.learn, classes=self.ctx.classes, balanced=balanced, device=device)
        network = self._network(split.learn).to(device)
        chosen = self._precision(network, resident)
        course = Course(seed, full_steps, chosen)
        return Trainer(network, resident, self.settings, course, run=self.backward), split

    def _network(self, learn: np.ndarray) -> Network:
        mean, deviation = rows.statistics(self.data.X, learn)
        with torch.random.fork_rng([]):  # modules draw default weights from the global stream; these are replaced
            network = Network(self.layers, Shape(*self.data.spec.shape), mean, deviation)
        generator = torch.Generator().manual_seed(seeds.derive(self.ctx.seed, "init"))
        initialise(network, self.settings.init, generator)
        return network

    def _precision(self, network: Network, resident: rows.TrainingRows) -> precision.Precision:
        size = count(self.layers, Shape(*self.data.spec.shape)).macs
        key = f"{self.name} {self.data.spec.shape} 2^{math.log2(max(1, size)):.0f}"
        images = plain(resident.pixels[:PROBE_ROWS])
        chosen = precision.settle(network, images, key, self.ctx.cache, is_timed=self.ctx.is_timed)
        self.ctx.note("precision", str(chosen))
        return chosen

    def _continued(self, trainer: Trainer, job: Job) -> Progress:
        if job.start_steps == 0:
            return Progress([])
        if self.ctx.checkpoint is None:
            raise ValueError(f"job {job.id} starts at epoch {job.start_steps} but has no checkpoint. Start it at 0")
        return checkpoint.restore(trainer, self.ctx.checkpoint)

    def _must_stop(self) -> bool:
        """Whether the lease leaves no time for a further step; under a budget of trials alone it never ends."""
        now = time.perf_counter()
        self.slowest = max(self.slowest, now - self.last_look) if self.last_look else 0.0
        self.last_look = now
        return self.ctx.seconds_left() < LEAST_SECONDS + 2 * self.slowest + self.score_seconds

    def _score(self, trainer: Trainer, *, is_last: bool) -> float | None:
        """Return the metric on validation rows, all of them after the last epoch; None where there are none."""
        valid = self.ctx.valid_rows
        if not len(valid):
            return None
        if not is_last:
            valid = valid[:: max(1, len(valid) // SCORED_ROWS)]
        start = time.perf_counter()
        predicted = predict(trainer.kept, self.data.X[valid])
        whole = (time.perf_counter() - start) * len(self.ctx.valid_rows) / len(valid)
        self.score_seconds, self.last_look = max(self.score_seconds, whole), 0.0
        if not np.isfinite(predicted).all():
            raise FloatingPointError(f"the network predicts {predicted.min()} after epoch {trainer.epochs}")
        return self.ctx.metric.score(self.data.y[valid], predicted)

    def _remember(self, trainer: Trainer, progress: Progress, held_out: np.ndarray) -> None:
        """Keep the weights if they are the best on the rows held out of the training rows."""
        if not len(held_out):
            return
        predicted = predict(trainer.kept, self.data.X[held_out])
        likelihood = predicted[np.arange(len(held_out)), self.data.y[held_out]]
        progress.losses.append(float(-np.log(np.maximum(likelihood, 1e-7)).mean()))
        if progress.losses[-1] == min(progress.losses):
            progress.best_epoch = trainer.epochs
            progress.best = {name: t.clone() for name, t in trainer.kept.state_dict().items()}

    def _is_patience_over(self, progress: Progress) -> bool:
        patience = self.settings.patience
        return patience > 0 and len(progress.losses) - progress.best_epoch >= patience
