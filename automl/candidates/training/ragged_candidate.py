"""What turns a network for rows of different lengths into a candidate. Torch is imported only where it trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from automl.candidates.graphs.conditions import require_time
from automl.candidates.graphs.encoded_model import EncodedModel
from automl.candidates.training.ragged_cost import Work, cost, predict_seconds, whole
from automl.candidates.training.ragged_encoding import Reader, Size
from automl.candidates.training.ragged_settings import RaggedSettings
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration, Value


@dataclass(frozen=True)
class RaggedCandidate:
    """A network for texts or series; implements `automl.core.protocols.Candidate`.

    Attributes:
        entrance: "module:attribute" of a `Reader`, whose module imports nothing heavy.
        body: "module:attribute" of what makes a `ragged_parts.Body` from a configuration, the width of a step and the
            steps of the longest row.
        work: what a body costs for one row, from a configuration, the width of a step and the steps of a row.
    """

    name: str
    tasks: tuple[str, ...]
    entrance: str
    body: str
    work: Callable[[Mapping[str, Value], int, float], Work]
    requires: tuple[str, ...] = ("torch", "onnx", "onnxruntime")
    is_probed: bool = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for the number of epochs after which such networks usually stop."""
        values = configuration.values
        size = self._reader().size(values, spec)
        return cost(spec, RaggedSettings.of(values), size, self._row(values, size), rows)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: when training stops, which decides the cost, no probe can tell."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> EncodedModel:
        """Train in one go; where time is short, with a faster schedule.

        Raises:
            FloatingPointError: the loss is not finite.
            MemoryError: the rows do not fit on the device.
            TimeoutError: there is no time to begin.
            UserError: a file the user named cannot be read.
        """
        from automl.candidates.training.ragged_fit import Recipe, fitted

        values = configuration.values
        size = self._reader().size(values, data.spec)
        require_time(ctx, size.seconds, self.name)
        encoding = self._reader().encoding(values, data, ctx)
        row_seconds = predict_seconds(self._row(values, size), 1)
        return fitted(Recipe(values, _named(self.body), row_seconds), encoding, data, ctx)

    def _reader(self) -> Reader:
        reader: Reader = _named(self.entrance)
        return reader

    def _row(self, values: Mapping[str, Value], size: Size) -> Work:
        return whole(self.work(values, size.width, size.steps), size)


def _named(target: str) -> Any:
    """Return what "module:attribute" names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
