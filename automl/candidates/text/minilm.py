"""What a pre-trained encoder of sentences makes of a text, with a linear model on it, its weights as they are or tuned.

Claim: accuracy 0.899 on trec, macro F1 0.790 on airline_tweets, two of five folds of the training part, defaults; 22
and about 85 CPU-s of one core to read all texts, once, then 5 and 9 a fold. By the last layer alone 0.858 and 0.753.
Tuned on 2,000 rows of trec, 2 epochs, in 28 CPU-s 0.920 (500 rows), where it was 0.878 as it is.
Source: Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084 (vectors of sentences); Wang et al. 2020,
https://arxiv.org/abs/2002.10957 (the encoder); Tenney et al. 2019, https://arxiv.org/abs/1905.05950 (lower layers tell
more of a text's form, upper ones of its meaning). Weights: see `automl.candidates.pretrained.bert_files.MINILM`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from automl.candidates.pretrained.bert_config import BertConfig
from automl.candidates.pretrained.bert_files import MINILM
from automl.candidates.pretrained.head import head_seconds
from automl.candidates.pretrained.sentence_bank import MAC_SECONDS
from automl.candidates.pretrained.sentence_model import SentenceModel
from automl.candidates.pretrained.weights import lacks
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

_SIZE = BertConfig(vocabulary=30_522, positions=512, kinds=2, width=384, layers=6, heads=12, inner=1536, epsilon=1e-12)
"""Of the weights that `MINILM` names; others show in the ratio of measured and estimated cost."""
_CHARACTERS = 4.0  # of a token, in English
_ENDS = 2  # tokens at the ends of a text
_SHARED = 0.3
"""What a fold pays of reading all texts: five folds and two workers share it, and nobody pays twice."""
_START_SECONDS = 4.0  # to load the weights, write the graph and load that
_SCORED = 0.2
"""The share of the rows that a fold predicts; what a frozen encoder makes of them is known already."""
_BACKWARD = 3.0  # a step of training beside its way forward alone
_PROCESS_BYTES = 900_000_000


class MiniLm:
    """Implements `automl.core.protocols.Candidate`.

    Attributes:
        needs: weights it can work with.
    """

    name = "minilm"
    tasks = ("text-clf",)
    requires = ("torch", "onnx", "onnxruntime", "safetensors", "sklearn.linear_model")
    is_probed = False
    needs = (MINILM,)

    def lacks(self, resources: Mapping[str, Path]) -> str:
        """Return what is missing and how to get it; see `core.protocols.Pretrained`."""
        return lacks(self.needs, resources)

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for texts in English."""
        values = configuration.values
        tokens = min(float(values["longest"]), spec.shape[1] / _CHARACTERS + _ENDS)
        passed = MAC_SECONDS * _SIZE.macs(tokens)
        is_tuned = values["train"] == "tuned"
        wide = _SIZE.width * (1 if is_tuned else len(_SIZE.pools()))
        seconds = head_seconds(rows, wide, len(spec.classes))
        if is_tuned:
            share = min(int(values["tuned_layers"]), _SIZE.layers) / _SIZE.layers
            trained = rows * (1 - share + share * _BACKWARD * int(values["epochs"]))
            seconds += passed * (trained + _SCORED * spec.rows)
        return Cost(
            fixed_seconds=_START_SECONDS + _SHARED * spec.rows * passed,
            step_seconds=seconds,
            peak_bytes=_PROCESS_BYTES + 16 * rows * wide,
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: nothing is settled by measuring."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> SentenceModel:
        """Train in one go; what the encoder makes of the texts is kept for all trials and folds.

        Raises:
            UserError: there are no weights, or they cannot be read.
            TimeoutError: there is no time to read the texts.
            FloatingPointError: the loss is not finite.
        """
        from automl.candidates.pretrained.sentence_fit import fitted

        return fitted(self.name, self.needs, configuration.values, data, ctx)


CANDIDATE = MiniLm()
