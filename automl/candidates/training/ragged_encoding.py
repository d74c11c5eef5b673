"""What stands between rows of different lengths and the networks for them: their steps end to end. No torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from automl.candidates.graphs.encoded_model import EncodedModel
from automl.core.data import DataSpec
from automl.core.protocols import Context, DataSource
from automl.core.space import Value

if TYPE_CHECKING:
    from automl.candidates.training.ragged_parts import Entrance


@dataclass(frozen=True)
class Encoding:
    """All rows of the data as the encoder of a plan gives them, their steps end to end.

    Attributes:
        plan: of the encoder.
        values: of all steps: token ids (steps,), float32 or whole numbers from 1 up to 2^24, or float32
            (steps, channels) without NaN.
        starts, ends: int64 (rows of the data,), where the steps of each row lie in values; each row has one at least.
        longest: steps that a row may have at most, in training or later.
        make_entrance: makes the part of the network that reads them, called with torch's generator seeded, once; it is
            given the numbers of the rows that weights are learned from.
        model: of the kind of the plan.
    """

    plan: Mapping[str, Any]
    values: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    longest: int
    make_entrance: Callable[[np.ndarray], Entrance]
    model: type[EncodedModel]

    @property
    def lengths(self) -> np.ndarray:
        """Return the steps of each row, int64."""
        return np.asarray(self.ends - self.starts)

    @property
    def row_shape(self) -> tuple[int | str, ...]:
        """Return the shape of a row as a graph reads it: ("steps",), or (channels, "steps")."""
        return (*self.values.shape[1:], "steps")


class Size(NamedTuple):
    """What reading a data set will give, guessed before a row is read.

    Attributes:
        width: of a step behind the entrance.
        steps: of a row in the mean.
        longest: steps of a row.
        seconds: of encoding all rows for one fold, on one common core.
        macs, values: of the entrance, for each step: multiply-adds, and numbers written.
    """

    width: int
    steps: float
    longest: int
    seconds: float
    macs: float = 0.0
    values: float = 0.0


class Reader(Protocol):
    """How one kind of rows gets into a network."""

    def size(self, values: Mapping[str, Value], spec: DataSpec) -> Size:
        """Return what `encoding` will give, from the configuration and the facts of the data alone."""
        ...

    def encoding(self, values: Mapping[str, Value], data: DataSource, ctx: Context) -> Encoding:
        """Return the rows encoded, learned on the training rows, from the cache where they are there.

        Raises:
            UserError: a file the user named cannot be read.
        """
        ...
