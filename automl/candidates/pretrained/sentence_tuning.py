"""Tunes the upper layers of a pre-trained encoder together with a linear model on it. Imports torch: load lazily.

The linear model is learned first, on the encoder as it is, and both are tuned from there: Kumar et al. 2022,
https://arxiv.org/abs/2202.10054. Lower layers learn slower: Howard & Ruder 2018, https://arxiv.org/abs/1801.06146. What
the layers below the tuned ones give is computed once.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from automl.candidates.pretrained.bert import Bert, rounded
from automl.candidates.pretrained.bert_config import Pool
from automl.candidates.pretrained.bert_files import network_of
from automl.candidates.pretrained.bert_graph import classes_graph
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.sentence_bank import MAC_SECONDS
from automl.candidates.pretrained.sentence_fit import Sentences, head_of
from automl.candidates.pretrained.sentence_model import SentenceModel
from automl.candidates.tabular.targets import row_weights
from automl.candidates.training.adamw import AdamW, clip
from automl.candidates.training.pace import Pace
from automl.core import seeds
from automl.core.protocols import Context, DataSource, Holdout
from automl.core.space import Value

_MOST_STORED = 1 << 30  # bytes of what the lower layers give; beyond, it is computed anew in each epoch
_LONGEST_GRADIENT = 1.0
_GRAPH_SECONDS = 2.0  # kept back to write the graph
_SCORED_AT_ONCE = 128


@dataclass(frozen=True)
class TuningSettings:
    """How an encoder is tuned.

    Attributes:
        layers: that learn, from the last one down.
        lr: of the last layer, at its peak.
        lr_decay: factor from a layer to the one below it.
        head_lr: of the linear model, in units of lr.
        epochs: over the rows.
        batch_size: rows of a step.
        dropout: share of the numbers that are dropped in the layers that learn.
        weight_decay: of the matrices.
        warmup: share of training in which the rate rises; then it falls to zero.
        held_share, most_held: of the training rows, to choose the epoch.
        patience: epochs without a lower loss after which it ends.
    """

    layers: int
    lr: float
    lr_decay: float
    epochs: int
    batch_size: int
    dropout: float
    weight_decay: float
    head_lr: float = 10.0
    warmup: float = 0.1
    held_share: float = 0.1
    most_held: int = 1000
    patience: int = 2

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> TuningSettings:
        """Read the parameters of a configuration."""
        return cls(
            layers=int(values["tuned_layers"]),
            lr=float(values["lr"]),
            lr_decay=float(values["lr_decay"]),
            epochs=int(values["epochs"]),
            batch_size=int(values["batch_size"]),
            dropout=float(values["dropout"]),
            weight_decay=float(values["weight_decay"]),
        )


class _Batch(NamedTuple):
    """Rows that go through the network together.

    Attributes:
        ids: (n, L).
        y: (n,) class codes without gaps.
        weights: (n,).
        low: what the layers that do not learn give, with what is pooled from them; None where it is not stored.
    """

    ids: torch.Tensor
    y: torch.Tensor
    weights: torch.Tensor
    low: tuple[torch.Tensor, torch.Tensor] | None


class TunedEncoder(nn.Module):
    """An encoder and a linear model on standardised vectors.

    Attributes:
        bert: the encoder.
        pools: what a vector is made of.
        first: number of the first layer that learns.
    """

    def __init__(self, bert: Bert, pools: tuple[Pool, ...], layers: int, head: Head, spread: np.ndarray) -> None:
        super().__init__()
        self.bert, self.pools = bert, pools
        self.first = max(0, max(pool.layer for pool in pools) - layers)
        self.register_buffer("spread", torch.from_numpy(spread.astype(np.float32)))
        self.weights = nn.Parameter(torch.from_numpy((head.weights * spread[:, None]).astype(np.float32)))
        self.bias = nn.Parameter(torch.from_numpy(head.bias.astype(np.float32)))

    @torch.no_grad()
    def low(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the layers that do not learn give, (n, L, width), and what is pooled up to there."""
        mask, start = (ids > 0).float(), self.bert.entrance(ids)
        pooled = [start[:, :0, 0], *self.bert.pooled(start, mask, self.pools, 0)]
        x, more = self.bert.through(start, mask, self.pools, stop=self.first)
        return x, torch.cat(pooled + more, dim=1)

    def forward(self, ids: torch.Tensor, low: tuple[torch.Tensor, torch.Tensor] | None, dropout: float) -> torch.Tensor:
        """Return the scores of the classes, (n, classes)."""
        x, pooled = self.low(ids) if low is None else low
        _, more = self.bert.through(x, (ids > 0).float(), self.pools, start=self.first, dropout=dropout)
        vectors = torch.cat([pooled, *more], dim=1) / self.get_buffer("spread")
        return functional.dropout(vectors, dropout) @ self.weights + self.bias

    def groups(self, settings: TuningSettings) -> list[tuple[AdamW, float]]:
        """Return an optimiser for each layer that learns and one for the head, with the factor of its rate."""
        last = max(pool.layer for pool in self.pools)
        made = [(AdamW([([self.weights], settings.weight_decay), ([self.bias], 0.0)]), settings.head_lr)]
        for number in range(self.first, last):
            parameters = list(self.bert.layers[number].parameters())
            matrices = ([p for p in parameters if p.ndim > 1], settings.weight_decay)
            others = ([p for p in parameters if p.ndim == 1], 0.0)
            made.append((AdamW([matrices, others]), settings.lr_decay ** (last - 1 - number)))
        return made

    def head(self) -> Head:
        """Return the linear model for vectors as they are."""
        spread = self.get_buffer("spread").numpy().astype(np.float64)
        weights = self.weights.detach().numpy().astype(np.float64) / spread[:, None]
        return Head(weights, self.bias.detach().numpy().astype(np.float64))


def tuned(values: Mapping[str, Value], sentences: Sentences, data: DataSource, ctx: Context) -> SentenceModel:
    """Return a tuned model.

    Args:
        values: of a configuration.
        sentences: the texts as the encoder sees them before.
        data: for the classes and the weights of rows.
        ctx: of the member.

    Raises:
        FloatingPointError: the loss is not finite.
        TimeoutError: there is no time to begin.
    """
    return _Tuning(values, sentences, data, ctx).model()


class _Tuning:
    """One member on its way."""

    def __init__(self, values: Mapping[str, Value], sentences: Sentences, data: DataSource, ctx: Context) -> None:
        self.settings, self.sentences, self.data, self.ctx = TuningSettings.of(values), sentences, data, ctx
        self.how, self.parts = values["class_weights"], _parts(sentences, ctx, self.settings)
        self.rng = seeds.stream(ctx.seed, "batches")
        head = head_of(values, sentences, self.parts.fit_rows, data, ctx)
        spread = sentences.vectors[self.parts.fit_rows].std(axis=0, dtype=np.float64)
        spread = np.maximum(spread, 1e-2 * max(float(spread.mean()), 1e-6))
        bert = copy.deepcopy(network_of(sentences.bank.weights))
        self.network = TunedEncoder(bert, sentences.pools, self.settings.layers, head, spread)
        self.optimisers = self.network.groups(self.settings)
        self.steps = 0

    def model(self) -> SentenceModel:
        """Train and return the model.

        Raises:
            FloatingPointError: the loss is not finite, or a weight grew beyond the range of half precision.
        """
        bank = self.sentences.bank
        with torch.random.fork_rng([]):
            torch.manual_seed(seeds.derive(self.ctx.seed, "dropout"))
            self._train()
        try:
            encoder = rounded(self.network.bert)
        except ValueError as error:
            raise FloatingPointError(f"the tuned network cannot be stored. Got: {error} Or lower lr.") from error
        graph = classes_graph(encoder, self.sentences.pools, self.network.head())
        return SentenceModel(graph, bank.plan, "probabilities", batch=_SCORED_AT_ONCE)

    def _train(self) -> None:
        """Train to the end of the epochs, of patience or of time; the network then has its best weights."""
        pace = self._pace()
        fit, held = self._batches(self.parts.fit_rows), self._batches(self.parts.held_rows)
        losses = [self._held_loss(held)]
        best, kept, best_epoch = losses[0], copy.deepcopy(self.network.state_dict()), 0
        for epoch in range(1, self.settings.epochs + 1):
            is_over = self._epoch(fit, pace)
            losses.append(self._held_loss(held))
            if losses[-1] < best:
                best, kept, best_epoch = losses[-1], copy.deepcopy(self.network.state_dict()), epoch
            if is_over or epoch - best_epoch >= self.settings.patience:
                break
        self.network.load_state_dict(kept)
        self.ctx.note("epochs", f"{best_epoch} of {epoch}, at most {self.settings.epochs}")
        self.ctx.note("held-out loss", ", ".join(f"{loss:.3f}" for loss in losses))

    def _pace(self) -> Pace:
        bank, rows = self.sentences.bank, len(self.ctx.valid_rows) + 2 * len(self.parts.held_rows)
        reserve = _GRAPH_SECONDS + rows * MAC_SECONDS * bank.config.macs(float(bank.lengths.mean()))
        steps = math.ceil(len(self.parts.fit_rows) / self.settings.batch_size) * self.settings.epochs
        return Pace(self.ctx, steps, reserve_seconds=reserve)

    def _batches(self, rows: np.ndarray) -> list[_Batch]:
        """Return rows in batches of about one length, drawn at random among those of about the same."""
        bank = self.sentences.bank
        how = row_weights(self.data, rows, self.ctx.classes, self.how)  # type: ignore[arg-type]
        weights = np.ones(len(rows)) if how is None else how
        drawn = bank.lengths[rows] * self.rng.uniform(0.9, 1.1, len(rows))
        size = self.settings.batch_size
        stored = 4 * int(bank.lengths[rows].sum()) * bank.config.width
        made, order = [], np.argsort(drawn, kind="stable")
        for start in range(0, len(rows), size):
            part = order[start : start + size]
            ids = torch.from_numpy(bank.ids(rows[part])).long()
            y = torch.from_numpy(np.asarray(self.data.y[rows[part]]))
            low = self.network.low(ids) if stored <= _MOST_STORED else None
            made.append(_Batch(ids, y, torch.from_numpy(weights[part]).float(), low))
        return made

    def _epoch(self, batches: list[_Batch], pace: Pace) -> bool:
        """Train one epoch; return whether time or the steps are over.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        total = 0.0
        for number in self.rng.permutation(len(batches)).tolist():
            total += self._step(batches[number], pace.progress(self.steps))
            if pace.progress(self.steps) >= 1:
                break
        if not math.isfinite(total):
            raise FloatingPointError(f"the loss is {total} after {self.steps} steps. Lower lr.")
        return pace.progress(self.steps) >= 1

    def _step(self, batch: _Batch, progress: float) -> float:
        logits = self.network(batch.ids, batch.low, self.settings.dropout)
        losses = functional.cross_entropy(logits, batch.y, reduction="none") * batch.weights
        losses.mean().backward()  # type: ignore[no-untyped-call]
        clip(self.network.parameters(), _LONGEST_GRADIENT)
        rate = self.settings.lr * min(1.0, (progress + 1e-3) / self.settings.warmup) * (1 - progress)
        for optimiser, factor in self.optimisers:
            optimiser.step(rate * factor)
        self.steps += 1
        return float(losses.detach().mean())

    @torch.no_grad()
    def _held_loss(self, batches: list[_Batch]) -> float:
        """Return the weighted mean loss of held-out rows.

        Raises:
            FloatingPointError: it is not finite.
        """
        total, rows = 0.0, 0
        for batch in batches:
            logits = self.network(batch.ids, batch.low, 0.0)
            total += float((functional.cross_entropy(logits, batch.y, reduction="none") * batch.weights).sum())
            rows += len(batch.y)
        mean = total / max(1, rows)
        if not math.isfinite(mean):
            raise FloatingPointError(f"the loss of held-out rows is {mean}. Lower lr.")
        return mean


def _parts(sentences: Sentences, ctx: Context, settings: TuningSettings) -> Holdout:
    """Return the rows that are learned from and those that say which epoch is best."""
    parts = ctx.holdout(settings.held_share, most=settings.most_held)
    fit = parts.fit_rows[np.isin(parts.fit_rows, sentences.rows)]
    return Holdout(fit, parts.held_rows)
