"""How a network for rows of different lengths is trained, read from a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, cast

from automl.core.space import Value

FEWEST_STEPS = 24
"""Steps of an epoch below which batches are made smaller."""
SMALLEST_BATCH = 8
LEAST_STEPS = 200
"""Of a training; where there are few rows there are more epochs than asked for."""
MOST_SEEN = 2_000_000
"""Rows seen in a training, those of each epoch counted; more rows than this over `FEWEST_EPOCHS` see more."""
FEWEST_EPOCHS = 3
USUAL_SHARE = 0.7
"""Of the longest training, where held-out rows may end it."""
FEWEST_HELD = 40
"""With fewer rows held out than this nobody can say which epoch is best: training goes to its end."""


@dataclass(frozen=True)
class RaggedSettings:
    """How a network for rows of different lengths is trained.

    Attributes:
        lr: the highest.
        weight_decay: of matrices, embeddings included.
        dropout: of the features before the last layer.
        epochs: the longest training.
        patience: epochs without a better loss on held-out rows that end training; 0 trains on all rows to the end.
        batch_size: rows of a step at most, see `step_rows`.
        warmup: the share of training in which the learning rate rises.
        decay: the part of training, at its end, in which the learning rate falls to zero.
        ema: horizon in epochs of the averaged weights; 0 keeps the weights as they are.
        clip: longest gradient; 0 leaves gradients as they are.
        held_share, most_held: of the training rows, how many say when to stop.
    """

    lr: float
    epochs: int
    batch_size: int = 32
    weight_decay: float = 0.0
    dropout: float = 0.0
    patience: int = 0
    warmup: float = 0.05
    decay: float = 1.0
    ema: float = 0.0
    clip: float = 1.0
    label_smoothing: float = 0.0
    class_weights: Literal["none", "sqrt", "balanced"] = "none"
    held_share: ClassVar[float] = 0.125
    most_held: ClassVar[int] = 8_000

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> RaggedSettings:
        """Read the parameters of a configuration that are training's; those it lacks have their defaults."""
        own = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        return cls(**cast("dict[str, object]", own))  # type: ignore[arg-type]

    def step_rows(self, rows: int) -> int:
        """Return the rows of one step: fewer than `batch_size` where an epoch would have fewer than 24 steps.

        >>> [RaggedSettings(1e-3, 10, batch_size=64).step_rows(rows) for rows in (100, 1200, 100_000)]
        [8, 50, 64]
        """
        return min(self.batch_size, max(SMALLEST_BATCH, rows // FEWEST_STEPS))

    def most_epochs(self, rows: int) -> int:
        """Return the epochs of the longest training on so many rows: more where there are few, fewer where many."""
        fewest = -(-LEAST_STEPS * self.step_rows(rows) // max(1, rows))
        most = max(min(FEWEST_EPOCHS, self.epochs), round(MOST_SEEN / max(1, rows)))
        return max(fewest, min(self.epochs, most))

    def is_held_out(self, rows: int) -> bool:
        """Whether some of so many training rows say when to stop."""
        return bool(self.patience) and min(self.most_held, self.held_share * rows) >= FEWEST_HELD

    def expected_epochs(self, rows: int) -> float:
        """Return the epochs after which training on so many rows usually stops."""
        return self.most_epochs(rows) * (USUAL_SHARE if self.is_held_out(rows) else 1.0)

    def fit_rows(self, rows: int) -> float:
        """Return how many of so many training rows the weights are learned from."""
        return rows - min(self.most_held, self.held_share * rows) if self.is_held_out(rows) else rows
