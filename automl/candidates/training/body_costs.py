"""What a row costs in the bodies that texts and series share, from a configuration alone; no torch."""

from __future__ import annotations

from collections.abc import Mapping

from automl.candidates.training.body_settings import RecurrentSettings, TransformerSettings
from automl.candidates.training.ragged_cost import Work
from automl.core.space import Value

_GATES = {"lstm": 4, "gru": 3}
_SLOWNESS = {"lstm": 1.0, "gru": 1.7}  # of a multiply-add on a CPU: oneDNN has no GRU of torch's kind
_SCORE_UNITS = 64


def recurrent_work(values: Mapping[str, Value], width: int, steps: float) -> Work:
    """Return what a row of so many steps of so many numbers costs in a recurrent body."""
    settings = RecurrentSettings.of(values)
    units, features, gates = settings.units, settings.features, _GATES[settings.cell]
    inputs = width + features * (settings.layers - 1)
    macs = settings.directions * gates * units * (inputs + units * settings.layers) * _SLOWNESS[settings.cell]
    written = settings.directions * (gates + 3) * units * settings.layers
    pooled = _SCORE_UNITS if settings.pooling == "attention" else 0
    return Work(steps * (macs + features * (pooled + 1)), steps * (written + pooled + features))


def transformer_work(values: Mapping[str, Value], width: int, steps: float) -> Work:
    """Return what a row of so many steps of so many numbers costs in a Transformer."""
    settings = TransformerSettings.of(values)
    units, inner = settings.units, settings.units * settings.expansion
    layer = 4 * units**2 + 2 * steps * units + 2 * units * inner
    entry = 0 if width == units else width * units
    pooled = _SCORE_UNITS if settings.pooling == "attention" else 0
    written = settings.layers * (10 * units + 3 * inner + steps * settings.heads) + 3 * units + pooled
    return Work(steps * (entry + settings.layers * layer + units * (pooled + 1)), steps * written)
