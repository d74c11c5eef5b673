"""From terms to a model: learn on a part of the training rows, scale its scores on the others, learn on all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from automl.candidates.graphs.conditions import classes_present
from automl.candidates.tabular.targets import ClassWeighting, prior, row_weights
from automl.candidates.text.encoding import EncodedTerms
from automl.candidates.text.text_model import TextModel, constant_model
from automl.core.protocols import Context, DataSource
from automl.core.seeds import stream

if TYPE_CHECKING:
    from automl.candidates.text.linear_terms import Learn, Linear, Rows

_HELD_SHARE = 0.25
_MOST_HELD = 5000
_FEWEST_HELD = 8  # rows; of fewer the scores are left as they are
_RESERVE = 1.6  # times the seconds of the first fit that must be left for the second
_MOST_TERMS = 60_000_000  # of the rows learned from, 2 GB in liblinear; of more rows a sample is learned from


def calibrated_model(
    learn: Learn, encoded: EncodedTerms, data: DataSource, ctx: Context, weighting: ClassWeighting
) -> TextModel:
    """Return a model of all training rows whose probabilities are scaled by rows held out of a first fit.

    The first fit is the model where no time is left for a second. One class alone is always answered, and so are the
    classes' shares where no text has a term.

    Args:
        learn: learns a linear map; its scores are of any scale.
        encoded: all rows of the data.
        data: for targets and weights of rows.
        ctx: for the training rows.
        weighting: of classes.
    """
    from automl.candidates.graphs.onnx_terms import linear_terms

    present = classes_present(np.asarray(data.y[ctx.train_rows]), ctx.classes)
    if present.sum() < 2 or not encoded.X.shape[1]:
        return constant_model(prior(data, ctx), encoded.plan, ctx)
    learner = _Learner(learn, encoded, data, present, weighting)
    model = _scaled(learner, data, ctx)
    graph = linear_terms(model.weights, model.bias, present)
    return TextModel(graph, encoded.plan, "probabilities")


class _Learner:
    """Learns from some rows by number."""

    def __init__(
        self, learn: Learn, encoded: EncodedTerms, data: DataSource, present: np.ndarray, weighting: ClassWeighting
    ) -> None:
        self._learn, self._encoded, self._data, self._weighting = learn, encoded, data, weighting
        self._dense = np.cumsum(present) - 1
        self.classes = int(present.sum())

    def rows(self, numbers: np.ndarray) -> Rows:
        """Return what is learned from these rows."""
        from automl.candidates.text.linear_terms import Rows

        weights = row_weights(self._data, numbers, len(self._data.spec.classes), self._weighting)
        codes = self._dense[np.asarray(self._data.y[numbers])]
        return Rows(self._encoded.X[numbers], codes, weights, self.classes)

    def sampled(self, numbers: np.ndarray, ctx: Context) -> Rows:
        """Return what is learned from these rows, or from as many of them as memory is allowed for."""
        X = self._encoded.X
        most = max(1000, int(_MOST_TERMS / (1 + X.nnz / X.shape[0])))
        if len(numbers) > most:
            ctx.note("rows", f"a sample of {most} of {len(ctx.train_rows)}")
            numbers = np.sort(stream(ctx.seed, "terms", "rows").choice(numbers, most, replace=False))
        return self.rows(numbers)

    def fit(self, rows: Rows) -> Linear:
        """Return the linear map learned from these rows."""
        return self._learn(rows)


def _scaled(learner: _Learner, data: DataSource, ctx: Context) -> Linear:
    from automl.candidates.text.linear_terms import fitted_scaling

    parts, every = ctx.holdout(_HELD_SHARE, most=_MOST_HELD), learner.sampled(ctx.train_rows, ctx)
    known = learner.sampled(parts.fit_rows, ctx)
    held = learner.rows(parts.held_rows[np.isin(data.y[parts.held_rows], data.y[parts.fit_rows])])
    if len(held.codes) < _FEWEST_HELD or len(np.unique(known.codes)) < 2:
        return learner.fit(every)
    before = ctx.seconds_left() if ctx.is_timed else 0.0
    first = learner.fit(known)
    scaling = fitted_scaling(first.scores(held.X), held.codes, held.weights)
    if ctx.is_timed and ctx.seconds_left() < _RESERVE * (before - ctx.seconds_left()):
        ctx.note("rows", f"{len(known.codes)} of {len(ctx.train_rows)}: the time ended")
        return first.scaled(scaling)
    return learner.fit(every).scaled(scaling)
