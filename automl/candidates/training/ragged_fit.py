"""Trains one member: from rows of different lengths to an ONNX graph. Imports torch: load lazily."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from automl.candidates.graphs.conditions import classes_present
from automl.candidates.graphs.encoded_model import EncodedModel
from automl.candidates.tabular.targets import ClassWeighting, prior, row_weights
from automl.candidates.training.memory import is_out_of_memory
from automl.candidates.training.pace import Pace
from automl.candidates.training.ragged_encoding import Encoding
from automl.candidates.training.ragged_network import RaggedNetwork, constant_graph, probabilities_graph
from automl.candidates.training.ragged_parts import Body
from automl.candidates.training.ragged_rows import Limits, RaggedRows, batches, packed, padded
from automl.candidates.training.ragged_settings import RaggedSettings
from automl.candidates.training.ragged_trainer import RaggedTrainer, train
from automl.core import seeds
from automl.core.protocols import Context, DataSource, Holdout
from automl.core.space import Value

MakeBody = Callable[[Mapping[str, Value], int, int], Body]
"""From a configuration, the width of a step and the steps of the longest row to a body."""

_MOST_STEPS = 100_000_000
"""Times channels, of the rows learned from: 400 MB; of more rows a sample is learned from."""
_BATCH_VALUES = 2_000_000
"""Numbers of a layer that are computed at once in prediction."""
_MOST_BATCH = 512


class Recipe(NamedTuple):
    """What is to be trained.

    Attributes:
        values: of the configuration.
        make_body: makes the body of the network.
        row_seconds: of predicting a row on one common core.
    """

    values: Mapping[str, Value]
    make_body: MakeBody
    row_seconds: float = 0.0


def fitted(recipe: Recipe, encoding: Encoding, data: DataSource, ctx: Context) -> EncodedModel:
    """Return a trained model, and report its score.

    Args:
        recipe: what is to be trained.
        encoding: of all rows of the data, learned on the training rows.
        data: for targets and weights.
        ctx: of the member.

    Raises:
        FloatingPointError: the loss is not finite.
        MemoryError: the rows do not fit on the device.
        TimeoutError: there is no time to begin.
    """
    y = np.asarray(data.y[ctx.train_rows])
    if (y == y[0]).all():
        model = encoding.model(constant_graph(prior(data, ctx), encoding.row_shape), encoding.plan, "probabilities")
    else:
        with torch.random.fork_rng([torch.device(ctx.device)] if ctx.device.startswith("cuda") else []):
            torch.manual_seed(seeds.derive(ctx.seed, "network"))
            model = _Member(recipe, encoding, data, ctx).trained()
    rows = ctx.valid_rows
    score = ctx.metric.score(np.asarray(data.y[rows]), predicted(model, encoding, rows)) if len(rows) else None
    ctx.report(model.steps, score)
    return model


def predicted(model: EncodedModel, encoding: Encoding, rows: np.ndarray) -> np.ndarray:
    """Return what a model's graph gives for these rows, (n, classes); rows of like length are computed together."""
    lengths = encoding.lengths[rows]
    answers: np.ndarray | None = None
    for batch in batches(lengths, Limits(model.batch, model.batch * max(1, int(lengths.max(initial=1))))):
        chosen = rows[batch.rows]
        values, ends = packed(encoding.values, encoding.starts[chosen], encoding.ends[chosen])
        starts = torch.from_numpy(ends - lengths[batch.rows])
        inputs = padded(torch.from_numpy(values), starts, torch.from_numpy(ends), batch.steps)
        answer = model.predict_encoded(inputs.numpy())
        answers = np.empty((len(rows), answer.shape[1]), np.float32) if answers is None else answers
        answers[batch.rows] = answer
    assert answers is not None, len(rows)
    return answers


@dataclass(frozen=True)
class _Member:
    """One member on its way, from encoded rows to a model."""

    recipe: Recipe
    encoding: Encoding
    data: DataSource
    ctx: Context

    @property
    def settings(self) -> RaggedSettings:
        """Return how it is trained."""
        return RaggedSettings.of(self.recipe.values)

    def trained(self) -> EncodedModel:
        """Train and return the model."""
        present = classes_present(np.asarray(self.data.y[self.ctx.train_rows]), self.ctx.classes)
        try:
            network = self._network(present)
        except RuntimeError as error:
            if is_out_of_memory(error):
                steps = int(self.encoding.lengths[self.ctx.train_rows].sum())
                raise MemoryError(
                    f"{len(self.ctx.train_rows)} rows of {steps} steps do not fit on {self.ctx.device}. Use fewer rows."
                ) from error
            raise
        graph = probabilities_graph(network, present, self.encoding.row_shape)
        widest = self.encoding.longest * max(network.entrance.width, 64)
        batch = max(8, min(_MOST_BATCH, _BATCH_VALUES // widest))
        return self.encoding.model(graph, self.encoding.plan, "probabilities", batch=batch)

    def _network(self, present: np.ndarray) -> RaggedNetwork:
        ctx, settings, parts = self.ctx, self.settings, self._parts()
        codes = np.cumsum(present) - 1
        fit = self._rows(parts.fit_rows, codes)
        held = self._rows(parts.held_rows, codes) if len(parts.held_rows) else None
        entrance = self.encoding.make_entrance(parts.fit_rows)
        body = self.recipe.make_body(self.recipe.values, entrance.width, self.encoding.longest)
        network = RaggedNetwork(entrance, body, int(present.sum()), dropout=settings.dropout).to(ctx.device)
        trainer = RaggedTrainer(network, fit, settings, seeds.stream(ctx.seed, "batches"))
        epochs = settings.most_epochs(len(ctx.train_rows))
        reserve = 2 * len(ctx.valid_rows) * self.recipe.row_seconds
        course = train(trainer, held, Pace(ctx, epochs * trainer.epoch_steps, reserve_seconds=reserve))
        end = ", cut by time" if course.is_cut else ""
        ctx.note("epochs", f"{course.best_epoch} of {course.epochs}, at most {epochs}{end}")
        return trainer.kept.cpu()

    def _parts(self) -> Holdout:
        """Return the rows that are learned from and those that say when to stop."""
        ctx, settings = self.ctx, self.settings
        parts = Holdout(ctx.train_rows, ctx.train_rows[:0])
        if settings.is_held_out(len(ctx.train_rows)):
            parts = ctx.holdout(settings.held_share, most=settings.most_held)
        values = self.encoding.lengths[parts.fit_rows].sum() * int(np.prod(self.encoding.values.shape[1:]))
        if values <= _MOST_STEPS:
            return parts
        most = max(1, int(len(parts.fit_rows) * _MOST_STEPS / values))
        ctx.note("rows", f"a sample of {most} of {len(parts.fit_rows)}")
        drawn = seeds.stream(ctx.seed, "rows").choice(parts.fit_rows, most, replace=False)
        return Holdout(np.sort(drawn), parts.held_rows)

    def _rows(self, rows: np.ndarray, codes: np.ndarray) -> RaggedRows:
        """Copy rows to the device; codes numbers the classes that are present without gaps."""
        encoding, device = self.encoding, self.ctx.device
        values, ends = packed(encoding.values, encoding.starts[rows], encoding.ends[rows])
        lengths = encoding.lengths[rows]
        weights = row_weights(self.data, rows, self.ctx.classes, _weighting(self.settings))
        return RaggedRows(
            torch.from_numpy(values).to(device),
            torch.from_numpy(ends - lengths).to(device),
            torch.from_numpy(ends).to(device),
            torch.from_numpy(codes[np.asarray(self.data.y[rows])]).to(device),
            None if weights is None else torch.from_numpy(weights).float().to(device),
            lengths,
        )


def _weighting(settings: RaggedSettings) -> ClassWeighting:
    return settings.class_weights
