"""What turns a network for series into a candidate. The driver imports this: no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from automl.candidates.sequence.network_inputs import READER
from automl.candidates.training.body_settings import RecurrentSettings, TransformerSettings
from automl.candidates.training.ragged_candidate import RaggedCandidate
from automl.candidates.training.ragged_settings import RaggedSettings
from automl.core.data import DataSpec
from automl.core.job import Cost
from automl.core.space import Configuration, Value

_BLOCK_SECONDS = 1.1e-3  # one common core, as all below: convolutions of a few rows take as long as of a few more
_WAY_SECONDS = 1.6e-4  # of a recurrent layer, each step and direction
_LAYER_SECONDS = 9e-4


@dataclass(frozen=True, kw_only=True)
class SeriesNetworkCandidate(RaggedCandidate):
    """A network for series; implements `automl.core.protocols.Candidate`.

    Attributes:
        least: seconds of an optimiser step however few its rows, from a configuration and the steps of a row. Small
            sets are trained in steps of a few rows, and most of their time is this.
    """

    tasks: tuple[str, ...] = ("sequence-clf",)
    entrance: str = "automl.candidates.sequence.network_inputs:READER"
    least: Callable[[Mapping[str, Value], float], float] = lambda values, steps: 0.0

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for the number of epochs after which such networks usually stop."""
        values, settings = configuration.values, RaggedSettings.of(configuration.values)
        cost = super().estimate(spec, configuration, rows)
        steps = settings.fit_rows(rows) * settings.expected_epochs(rows) / min(settings.step_rows(rows), max(1, rows))
        least = self.least(values, READER.size(values, spec).steps)
        return replace(cost, step_seconds=cost.step_seconds + steps * least)


def inception_least(values: Mapping[str, Value], steps: float) -> float:
    """Return the seconds of an optimiser step of an Inception body however few its rows."""
    return int(values["blocks"]) * _BLOCK_SECONDS


def recurrent_least(values: Mapping[str, Value], steps: float) -> float:
    """Return the seconds of an optimiser step of a recurrent body however few its rows."""
    settings = RecurrentSettings.of(values)
    return settings.layers * settings.directions * steps * _WAY_SECONDS


def transformer_least(values: Mapping[str, Value], steps: float) -> float:
    """Return the seconds of an optimiser step of a Transformer however few its rows."""
    return TransformerSettings.of(values).layers * _LAYER_SECONDS
