"""Vectors that a pre-trained encoder starts a word from, their mean and the first ones, with a linear model on them.

Claim: accuracy 0.850 on trec, two of five folds of the training part, macro F1 0.748 on airline_tweets, one of five;
defaults, 3 and 6 CPU-s a fold of one core. The mean alone 0.793 and 0.746, that of 256 numbers from a language model's
table (wordllama) 0.680 and 0.695.
Source: Shen et al. 2018, https://arxiv.org/abs/1805.09843 (mean and largest of word vectors). Weights: see
`automl.candidates.pretrained.bert_files.MINILM`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from automl.candidates.graphs.conditions import classes_present, require_time
from automl.candidates.pretrained.bert_files import MINILM
from automl.candidates.pretrained.head import head_seconds, learn
from automl.candidates.pretrained.sentence_bank import SentenceBank
from automl.candidates.pretrained.sentence_fit import found_weights, sampled
from automl.candidates.pretrained.static_vectors import StaticParts, static_graph, static_vectors, table_of
from automl.candidates.pretrained.weights import lacks
from automl.candidates.tabular.targets import prior, row_weights
from automl.candidates.text.text_model import TextModel, constant_model
from automl.core.data import DataSpec
from automl.core.job import BODY, Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

_WIDTH = 384  # of the weights that `MINILM` names
_CHARACTERS = 4.0  # of a token, in English
_TOKEN_SECONDS = 3e-6  # to cut a text into it and to add its vector
_START_SECONDS = 1.0  # to read the weights and write the graph


class StaticEmbeddings:
    """Implements `automl.core.protocols.Candidate`.

    Attributes:
        needs: weights it can work with.
    """

    name = "static-embeddings"
    tasks = ("text-clf",)
    requires = ("onnx", "onnxruntime", "safetensors", "sklearn.linear_model")
    is_probed = False
    needs = (MINILM,)

    def lacks(self, resources: Mapping[str, Path]) -> str:
        """Return what is missing and how to get it; see `core.protocols.Pretrained`."""
        return lacks(self.needs, resources)

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for texts in English."""
        tokens = min(float(configuration.values["longest"]), spec.shape[1] / _CHARACTERS + 2)
        wide = _WIDTH * _parts(configuration).count
        return Cost(
            fixed_seconds=_START_SECONDS + spec.rows * tokens * _TOKEN_SECONDS,
            step_seconds=head_seconds(rows, wide, len(spec.classes)),
            peak_bytes=500_000_000 + 8 * spec.rows * wide + 8 * rows * wide,
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: training is over sooner than it could be measured."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TextModel:
        """Train in one go.

        Raises:
            UserError: there are no weights, or they cannot be read.
            TimeoutError: there is no time to begin.
        """
        values, parts = configuration.values, _parts(configuration)
        require_time(ctx, self.estimate(data.spec, configuration, len(ctx.train_rows)).seconds(1), self.name)
        bank = SentenceBank.of(found_weights(self.name, self.needs, ctx), int(values["longest"]), data, ctx.cache)
        if classes_present(np.asarray(data.y[ctx.train_rows]), ctx.classes).sum() == 1:
            model = constant_model(prior(data, ctx), bank.plan, ctx)
        else:
            table = table_of(bank.weights, len(bank.plan["vocabulary"]))
            vectors, rows = static_vectors(bank, table, parts), sampled(ctx, parts.count * table.shape[1])
            weights = row_weights(data, rows, ctx.classes, values["class_weights"])  # type: ignore[arg-type]
            codes = np.asarray(data.y[rows])
            head = learn(vectors[rows], codes, ctx.classes, l2=float(values["l2"]), row_weights=weights)
            body = bank.weights.sha256
            ctx.note(BODY, body)
            model = TextModel(static_graph(table, parts, head), bank.plan, "probabilities", body=body)
        held = ctx.valid_rows
        ctx.report(1, ctx.metric.score(np.asarray(data.y[held]), model.predict(data.X[held])) if len(held) else None)
        return model


def _parts(configuration: Configuration) -> StaticParts:
    values = configuration.values
    return StaticParts(has_max=values["pooling"] == "mean-max", firsts=int(values["firsts"]))


CANDIDATE = StaticEmbeddings()
