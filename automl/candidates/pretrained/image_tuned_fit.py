"""From a configuration to a tuned network: what is frozen is seen once. Imports torch: load lazily."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from automl.candidates.pretrained.efficientnet import STAGES, Backbone
from automl.candidates.pretrained.efficientnet_torch import Body, Classifier, Entry
from automl.candidates.pretrained.head import ABSENT, Head, learn
from automl.candidates.pretrained.image_bank import Bank, View
from automl.candidates.pretrained.image_levels import LAST, LEVELS, columns
from automl.candidates.pretrained.image_model import PretrainedImageModel
from automl.candidates.pretrained.image_sight import Sight, look
from automl.candidates.pretrained.image_tuned_cost import first_trained
from automl.candidates.pretrained.image_tuning import Inputs, Maps, Pixels, Problem, Tuner, TuningSettings
from automl.candidates.training.memory import is_out_of_memory
from automl.candidates.training.pace import Pace, PacedCourse
from automl.candidates.training.settings import Augmentation
from automl.core import seeds
from automl.core.protocols import Context, DataSource, Holdout
from automl.core.space import Configuration

END = STAGES + 1
HELD_SHARE, MOST_HELD = 0.15, 1000
"""Of the training rows: they say when to stop."""
_LEAST_FIT_ROWS = 4
_RESERVE_SECONDS = 0.5  # for writing the model


class _Part(NamedTuple):
    """The part of a network that is trained.

    Attributes:
        first: its first stage.
        body: its weights.
    """

    first: int
    body: Backbone


def tuned(configuration: Configuration, data: DataSource, ctx: Context) -> PretrainedImageModel:
    """Return a network tuned on the training rows of a context; reports its score.

    Raises:
        UserError: there are no weights, or they cannot be read.
        FloatingPointError: the loss is not finite.
        MemoryError: not even two rows at a time fit on the device.
        TimeoutError: there is no time for the first step.
    """
    sight = look(configuration, data, ctx).at(LAST)
    settings = TuningSettings.of(configuration.values)
    first = first_trained(configuration.values)
    part = _Part(first, sight.backbone.part(first, END))
    model = _trained(configuration, data, ctx, sight, part) if _has_two(data, ctx) else _constant(data, ctx, sight)
    score = None
    if len(ctx.valid_rows):
        score = ctx.metric.score(data.y[ctx.valid_rows], model.predict(data.X[ctx.valid_rows]))
    ctx.report(1, score)
    ctx.note("tuned", f"stages {first} to {END}, at most {settings.epochs} epochs")
    return model


def _has_two(data: DataSource, ctx: Context) -> bool:
    return len(ctx.train_rows) >= _LEAST_FIT_ROWS and len(np.unique(data.y[ctx.train_rows])) > 1


def _constant(data: DataSource, ctx: Context, sight: Sight) -> PretrainedImageModel:
    """Return the network as it is, with a head that always says what the training rows say."""
    counts = np.bincount(data.y[ctx.train_rows], minlength=ctx.classes)
    bias = np.where(counts > 0, np.log(np.maximum(counts, 1)), ABSENT)
    return PretrainedImageModel(sight, Head(np.zeros((sight.backbone.channels(END), ctx.classes)), bias))


def _trained(
    configuration: Configuration, data: DataSource, ctx: Context, sight: Sight, part: _Part
) -> PretrainedImageModel:
    rows = np.asarray(ctx.train_rows)
    split = _split(data, ctx)
    codes = np.asarray(data.y[rows])
    present = np.unique(codes[split.fit_rows])
    start = _start(configuration, data, ctx, sight, split)
    network = Classifier(Body(part.body), Head(start.weights[:, present], start.bias[present]),
                         float(configuration.values["dropout"])).to(ctx.device)  # fmt: skip
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    known = np.isin(codes[split.held_rows], present)
    problem = Problem(
        _inputs(configuration, data, ctx, sight, part),
        torch.from_numpy(np.searchsorted(present, codes).clip(max=len(present) - 1)).to(ctx.device),
        split.fit_rows, split.held_rows[known], _weights(data, ctx),
    )  # fmt: skip
    course = _train(network, problem, configuration, ctx)
    _note(course, ctx)
    head, learned = network.head(), Head(np.zeros_like(start.weights), np.full(len(start.bias), ABSENT))
    learned.weights[:, present], learned.bias[present] = head.weights, head.bias
    return PretrainedImageModel(replace(sight, backbone=network.body.learned(sight.backbone)), learned)


def _split(data: DataSource, ctx: Context) -> Holdout:
    """Return places within ctx.train_rows: those to learn from, and those that say when to stop."""
    order = np.argsort(ctx.train_rows)
    found = (np.asarray(part) for part in ctx.holdout(HELD_SHARE, most=MOST_HELD))
    fit, held = (order[np.searchsorted(ctx.train_rows, part, sorter=order)] for part in found)
    return Holdout(fit, held) if len(np.unique(data.y[ctx.train_rows[fit]])) > 1 else Holdout(order, order[:0])


def _start(configuration: Configuration, data: DataSource, ctx: Context, sight: Sight, split: Holdout) -> Head:
    """Return a head of the network as it is."""
    rows = ctx.train_rows[split.fit_rows]
    everywhere = replace(sight, levels=LEVELS)  # shared with the candidate that trains nothing but a head
    stored = Bank.of(View(everywhere, device=ctx.device), data, ctx.cache).rows(rows, ctx)
    features = stored[:, columns(sight.backbone, LAST)]
    weights = None if data.weights is None else data.weights[rows]
    return learn(features, np.asarray(data.y[rows]), ctx.classes, l2=float(configuration.values["l2"]),
                 row_weights=weights)  # fmt: skip


def _inputs(configuration: Configuration, data: DataSource, ctx: Context, sight: Sight, part: _Part) -> Inputs:
    """Return what the trained part reads, of the training rows."""
    values, rows = configuration.values, np.asarray(ctx.train_rows)
    is_mirrored = bool(values["mirror"])
    if part.first:
        trunk = sight.until(part.first - 1)
        views = [View(trunk, mirrored, ctx.device) for mirrored in ([False, True] if is_mirrored else [False])]
        return Maps([Bank.of(view, data, ctx.cache).rows(rows, ctx) for view in views], ctx.device)
    augmentation = Augmentation(flip=is_mirrored, translate=float(values["translate"]), cutout=float(values["cutout"]))
    return Pixels(np.asarray(data.X[rows]), Entry(sight), augmentation, ctx.device)


def _weights(data: DataSource, ctx: Context) -> torch.Tensor | None:
    if data.weights is None:
        return None
    return torch.from_numpy(np.asarray(data.weights[ctx.train_rows], np.float32)).to(ctx.device)


def _train(network: Classifier, problem: Problem, configuration: Configuration, ctx: Context) -> PacedCourse:
    settings = TuningSettings.of(configuration.values)
    tuner = Tuner(network, problem, settings, seeds.derive(ctx.seed, "tuning"))
    devices = [torch.device(ctx.device)] if ctx.device.startswith("cuda") else []
    try:
        with torch.random.fork_rng(devices):
            torch.manual_seed(seeds.derive(ctx.seed, "dropout"))
            pace = Pace(ctx, settings.epochs * tuner.epoch_steps, reserve_seconds=_RESERVE_SECONDS)
            return tuner.train(pace)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise MemoryError(f"{len(problem.codes)} rows do not fit on {ctx.device}. Use fewer rows") from error
        raise


def _note(course: PacedCourse, ctx: Context) -> None:
    if course.is_cut:
        ctx.note("epochs", f"{course.epochs}: the time ended")
    held = ", ".join(f"{loss:.3f}" for loss in course.losses)
    ctx.note("kept", f"epoch {course.best_epoch} of {course.epochs}; loss on held-out rows {held}")
