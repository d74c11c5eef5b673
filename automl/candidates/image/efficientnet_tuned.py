"""A network pre-trained on ImageNet (EfficientNet-Lite) whose last stages, or all, are trained on.

Claim: accuracy 0.962 on sign_digits (trained = "half", 8 epochs, the head at 2e-3, 1 of 5 folds, 64 CPU-s), where the
candidate `efficientnet` has 0.880 from the same level and 0.976 from earlier ones; 0.938 on hymenoptera (images stored
at 224 x 224, "tail", lr = 5e-5, head_rate = 1, 5-fold, 4 CPU-s a fold), no better than without tuning: 244 rows are too
few.
Source: Tan and Le 2019, https://arxiv.org/abs/1905.11946; Kumar et al. 2022, https://arxiv.org/abs/2202.10054 (learn a
head first, then tune). Weights: see `automl.candidates.pretrained.efficientnet.NEEDS`, Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from automl.candidates.pretrained.efficientnet import NEEDS
from automl.candidates.pretrained.image_tuned_cost import cost
from automl.candidates.pretrained.weights import lacks
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

if TYPE_CHECKING:
    from automl.candidates.pretrained.image_model import PretrainedImageModel


class TunedEfficientNet:
    """Implements `automl.core.protocols.Candidate`.

    Attributes:
        needs: weights it can work with; any one suffices.
    """

    name = "efficientnet-tuned"
    tasks = ("image-clf",)
    requires = ("torch", "onnx", "onnxruntime", "sklearn.linear_model")
    is_probed = False
    needs = NEEDS

    def lacks(self, resources: Mapping[str, Path]) -> str:
        """Return what is missing and how to get it; empty if there are weights."""
        return lacks(self.needs, resources)

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, in which the network sees the whole data set for the first time."""
        return cost(spec, configuration, rows)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: nothing is settled by measuring."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> PretrainedImageModel:
        """Train in one go; where time ends, the best epoch by then is the model.

        Raises:
            UserError: there are no weights, or they cannot be read.
            FloatingPointError: the loss is not finite.
            MemoryError: not even two rows at a time fit on the device.
            TimeoutError: there is no time for the first step.
        """
        from automl.candidates.pretrained.image_tuned_fit import tuned

        return tuned(configuration, data, ctx)


CANDIDATE = TunedEfficientNet()
