"""A linear classifier of TF-IDF terms: runs of words and of characters, weighed by hinge, logistic or squared loss.

Claim: accuracy 0.859 on trec, 0.900 on waimai_zh, macro-F1 0.985 on sms_spam, 0.760 on airline_tweets; 3-fold,
defaults, 0.8, 0.4, 0.6 and 2.7 CPU-s a fold on one core, the encoding included; 0.3, 0.1, 0.1 and 1.0
where it is in the cache.
Learned on all training texts 0.910, 0.907, 0.988 and 0.768 on the test parts.
Source: Joachims 1998, https://doi.org/10.1007/BFb0026683 (linear machines of TF-IDF); Wang & Manning 2012,
https://aclanthology.org/P12-2018/ (log-count ratios); runs of characters: Cavnar & Trenkle 1994, N-gram-based text
categorization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automl.candidates.graphs.conditions import require_time
from automl.candidates.text.calibrated import calibrated_model
from automl.candidates.text.encoding import encoded_terms
from automl.candidates.text.term_choice import chosen_terms, encoding_seconds, expected_options, terms_per_row
from automl.candidates.text.text_model import TextModel, report_score
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.seeds import derive
from automl.core.space import Configuration

if TYPE_CHECKING:
    from automl.candidates.text.linear_terms import Learn

_SECONDS_PER_TERM = {"hinge": 9e-8, "logistic": 1e-7, "ridge": 1.5e-7}  # of a row and class, one common core
_SCORING = 2e-7  # of a term of a row: batches for the graph
_HELD = 1.75  # fits: one of three quarters of the rows, one of all
_COSTLY = 0.3  # power of C by which liblinear takes longer


class TfidfLinear:
    """Implements `automl.core.protocols.Candidate`."""

    name = "tfidf-linear"
    tasks = ("text-clf",)
    requires = ("onnx", "onnxruntime", "scipy", "sklearn")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, the encoding of the whole data set included."""
        values = configuration.values
        options = expected_options(spec, values)
        found, machines = terms_per_row(spec, options), max(1, len(spec.classes) - (len(spec.classes) == 2))
        a_term = _SECONDS_PER_TERM[str(values["loss"])] * max(1.0, float(values["C"])) ** _COSTLY
        return Cost(
            fixed_seconds=0.1 + encoding_seconds(spec, options),
            step_seconds=rows * found * (machines * a_term * _HELD + _SCORING),
            peak_bytes=int(found * (16 * spec.rows + 48 * rows)) + 16 * options.most * len(spec.classes),
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: training is over sooner than it could be measured."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TextModel:
        """Train in one go; where time ends between the two fits, the first is the model.

        Raises:
            TimeoutError: there is no time to begin.
        """
        values = configuration.values
        options = chosen_terms(data, ctx, values)
        cost = self.estimate(data.spec, configuration, len(ctx.train_rows))
        require_time(ctx, encoding_seconds(data.spec, options) + cost.step_seconds / 2, self.name)
        encoded = encoded_terms(data, ctx, options)
        model = calibrated_model(_learner(configuration, ctx), encoded, data, ctx, values["class_weights"])  # type: ignore[arg-type]
        report_score(model, encoded, data, ctx)
        return model


def _learner(configuration: Configuration, ctx: Context) -> Learn:
    from automl.candidates.text.linear_terms import OneAgainstRest, Ridge

    values = configuration.values
    if values["loss"] == "ridge":
        return Ridge(1 / float(values["C"]))
    smoothing = float(values["smoothing"]) if values["ratios"] == "counts" else None
    seed = derive(ctx.seed, "liblinear") % (1 << 31)
    return OneAgainstRest(values["loss"], float(values["C"]), smoothing, seed)  # type: ignore[arg-type]


CANDIDATE = TfidfLinear()
