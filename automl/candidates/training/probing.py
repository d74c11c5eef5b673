"""Measures what a member costs with a few steps. Imports torch: load lazily."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from automl.candidates.training.architecture import Layer
from automl.candidates.training.member import SCORED_ROWS, Training
from automl.candidates.training.trainer import Trainer, predict
from automl.core.job import Cost
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

WARM_STEPS, STEPS = 2, 6
"""The quickest step counts: with three steps on average, a probe said half as much again as training then took."""

PREDICTED_ROWS = 64


def probe(
    name: str, layers: Sequence[Layer], configuration: Configuration, data: DataSource, ctx: Context, *, guess: Cost
) -> Cost:
    """Return the cost as a few steps at the configuration's batch size show it; the weights are thrown away.

    Args:
        name: of the candidate.
        layers: of the network.
        configuration: of the member.
        data: of the run.
        ctx: of the member.
        guess: the estimate, for what is not measured here.
    """
    start = time.perf_counter()
    trainer, _ = Training(name, layers, configuration, data, ctx).start(full_steps=1)
    batch = torch.arange(trainer.settings.step_rows(len(trainer.rows.pixels)), device=trainer.device)
    for _ in range(WARM_STEPS):  # they pay for memory and kernels that later steps find ready
        float(trainer.step(batch))
    ready = time.perf_counter()
    step_seconds = min(_step_seconds(trainer, batch) for _ in range(STEPS))
    row_seconds = _prediction_seconds(trainer, data)
    epoch_seconds = step_seconds * trainer.epoch_steps + row_seconds * min(SCORED_ROWS, len(ctx.valid_rows))
    fixed_seconds = (ready - start) + 2 * row_seconds * len(ctx.valid_rows)
    return Cost(fixed_seconds, epoch_seconds, _peak_bytes(trainer, guess))


def _step_seconds(trainer: Trainer, batch: torch.Tensor) -> float:
    """Return the seconds of one step; reading the loss waits for the device."""
    start = time.perf_counter()
    float(trainer.step(batch))
    return time.perf_counter() - start


def _prediction_seconds(trainer: Trainer, data: DataSource) -> float:
    """Return the seconds that predicting one row takes in a batch."""
    X = data.X[:PREDICTED_ROWS]
    predict(trainer.kept, X)
    start = time.perf_counter()
    predict(trainer.kept, X)
    return (time.perf_counter() - start) / len(X)


def _peak_bytes(trainer: Trainer, guess: Cost) -> int:
    return torch.cuda.max_memory_reserved(trainer.device) if trainer.rows.pixels.is_cuda else guess.peak_bytes
