"""How a network for tables is built and trained, read from a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, cast

from automl.core.space import Value

FEWEST_STEPS = 32
"""Steps of an epoch below which batches are made smaller."""
SMALLEST_BATCH = 32
MOST_SEEN = 3_000_000
"""Rows seen in a training, those of each epoch counted; more rows than this over `FEWEST_EPOCHS` see more."""
FEWEST_EPOCHS = 6
USUAL_SHARE = 0.7
"""Of the longest training, where held-out rows may end it."""


@dataclass(frozen=True)
class NetworkSettings:
    """How a network for tables is built and trained.

    Attributes:
        members: of an ensemble that shares its matrices; 1 is a plain network.
        scaled: whether members scale the inputs and outputs of each layer, or only those of the network.
        layers, width: of the hidden part.
        embedding: of numbers; `embedding_width` units each.
        bins: of a number at most, for piecewise-linear embeddings.
        frequencies, sigma: number and spread of waves, for periodic embeddings.
        category_width: units of a category's embedding.
        epochs: the longest training.
        patience: epochs without a better loss on held-out rows that end training; 0 trains on all rows to the end.
        batch_size: rows of a step at most, see `step_rows`.
        decay: the part of training, at its end, in which the learning rate falls to zero.
        ema: horizon in epochs of the averaged weights; 0 keeps the weights as they are.
        held_share, most_held: of the training rows, how many say when to stop.
    """

    layers: int
    width: int
    dropout: float
    embedding: Literal["none", "piecewise", "periodic"]
    lr: float
    weight_decay: float
    epochs: int
    patience: int
    batch_size: int
    members: int = 1
    scaled: bool = False
    embedding_width: int = 1
    bins: int = 1
    frequencies: int = 1
    sigma: float = 1.0
    category_width: int = 8
    decay: float = 0.0
    ema: float = 0.0
    held_share: ClassVar[float] = 0.125
    most_held: ClassVar[int] = 8_000

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> NetworkSettings:
        """Read the parameters of a configuration that are the network's or its training's."""
        own = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        return cls(**cast("dict[str, object]", own))  # type: ignore[arg-type]

    def step_rows(self, rows: int) -> int:
        """Return the rows of one step: fewer than `batch_size` where an epoch would have fewer than 32 steps.

        >>> [min(256, max(32, rows // 32)) for rows in (100, 3200, 100_000)]
        [32, 100, 256]
        """
        return min(self.batch_size, max(SMALLEST_BATCH, rows // FEWEST_STEPS))

    def most_epochs(self, rows: int) -> int:
        """Return the epochs of the longest training on so many rows: fewer where a few see as many rows."""
        return max(min(FEWEST_EPOCHS, self.epochs), min(self.epochs, round(MOST_SEEN / max(1, rows))))

    def expected_epochs(self, rows: int) -> float:
        """Return the epochs after which training on so many rows usually stops."""
        return self.most_epochs(rows) * (USUAL_SHARE if self.patience else 1.0)

    def fit_rows(self, rows: int) -> float:
        """Return how many of so many training rows the weights are learned from."""
        return rows - min(self.most_held, self.held_share * rows) if self.patience else rows
