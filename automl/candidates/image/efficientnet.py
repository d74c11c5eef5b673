"""Logistic regression on what a network pre-trained on ImageNet sees (EfficientNet-Lite), its weights left as they are.

Claim: accuracy 0.963 on hymenoptera (5-fold; images stored at 224 x 224, network = "large", defaults else; 0.943 with
"small") and 0.976 on sign_digits (5-fold; levels = "middle", l2 = 0.01, scale = 1.4; 0.880 with levels = "last"); on
their test parts 0.954 and 0.980. 5 and 7 CPU-s once for all trials and folds, then 0.07 and 0.3 a fold, on one core.
Source: Tan and Le 2019, https://arxiv.org/abs/1905.11946; Kornblith et al. 2018, https://arxiv.org/abs/1805.08974
(logistic regression on its features). Weights: see `automl.candidates.pretrained.efficientnet.NEEDS`, Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from automl.candidates.graphs.conditions import require_time
from automl.candidates.pretrained.efficientnet import NEEDS
from automl.candidates.pretrained.head import Head, head_seconds, learn
from automl.candidates.pretrained.image_bank import Bank, View
from automl.candidates.pretrained.image_cost import FIXED_SECONDS, PROCESS_BYTES, costs, image_seconds, seen_seconds
from automl.candidates.pretrained.image_levels import CHOICES, LEVELS, columns, width
from automl.candidates.pretrained.image_model import PretrainedImageModel, remembered
from automl.candidates.pretrained.image_sight import look
from automl.candidates.pretrained.weights import lacks
from automl.core.data import DataSpec
from automl.core.job import BODY, Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration


class EfficientNet:
    """Implements `automl.core.protocols.Candidate`.

    Attributes:
        needs: weights it can work with; any one suffices.
    """

    name = "efficientnet"
    tasks = ("image-clf",)
    requires = ("torch", "onnx", "onnxruntime", "sklearn.linear_model")
    is_probed = False
    needs = NEEDS

    def lacks(self, resources: Mapping[str, Path]) -> str:
        """Return what is missing and how to get it; empty if there are weights."""
        return lacks(self.needs, resources)

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, in which the network sees the whole data set for the first time."""
        stages, seen = costs(spec, configuration), len(_views(configuration)) * rows
        wide = width(stages, CHOICES[str(configuration.values["levels"])])
        return Cost(
            fixed_seconds=FIXED_SECONDS + seen_seconds(spec, stages, len(_views(configuration))),
            step_seconds=head_seconds(seen, wide, len(spec.classes)),
            peak_bytes=PROCESS_BYTES + 4 * seen * (width(stages, LEVELS) + 3 * wide),
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: nothing is settled by measuring."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> PretrainedImageModel:
        """Train in one go; what the network made of images is kept for all trials and folds.

        Raises:
            UserError: there are no weights, or they cannot be read.
            TimeoutError: there is no time to see the images and learn the head.
        """
        sight, rows = look(configuration, data, ctx), np.concatenate([ctx.valid_rows, ctx.train_rows])
        views = [View(sight, is_mirrored, ctx.device) for is_mirrored in _views(configuration)]
        banks = [Bank.of(view, data, ctx.cache) for view in views]
        require_time(ctx, sum(image_seconds(sight.macs) * bank.missing(rows) for bank in banks), self.name)
        levels = CHOICES[str(configuration.values["levels"])]
        features = [bank.rows(rows, ctx)[:, columns(sight.backbone, levels)] for bank in banks]
        held = len(ctx.valid_rows)
        head = _head(configuration, [part[held:] for part in features], data, ctx)
        score = ctx.metric.score(data.y[rows[:held]], head.probabilities(features[0][:held])) if held else None
        ctx.report(1, score)
        ctx.note(BODY, sight.backbone.name)
        known = remembered(data.X, rows, features[0])
        return PretrainedImageModel(sight.at(levels), head, known, body=sight.backbone.name)


def _views(configuration: Configuration) -> list[bool]:
    """Return for each view whether it is mirrored."""
    return [False, True] if configuration.values["mirror"] else [False]


def _head(configuration: Configuration, features: list[np.ndarray], data: DataSource, ctx: Context) -> Head:
    """Return the head learned on the training rows in all views."""
    codes = np.asarray(data.y[ctx.train_rows])
    weights = None if data.weights is None else np.tile(data.weights[ctx.train_rows], len(features))
    l2 = float(configuration.values["l2"])
    return learn(np.concatenate(features), np.tile(codes, len(features)), ctx.classes, l2=l2, row_weights=weights)


CANDIDATE = EfficientNet()
