"""What a network for rows of different lengths costs, from its configuration alone; no torch."""

from __future__ import annotations

from typing import NamedTuple

from automl.candidates.training.ragged_encoding import Size
from automl.candidates.training.ragged_settings import RaggedSettings
from automl.core.data import DataSpec
from automl.core.job import Cost

_FLOPS = 5.0e10  # operations a second on one common core, in the products of small networks
_PER_VALUE = 4e-9  # seconds, forward and back
_PER_STEP = 1.2e-3
_PADDING = 1.15  # steps of a batch over those of its rows
_FIXED_SECONDS = 0.3
_PROCESS_BYTES = 300_000_000


class Work(NamedTuple):
    """What one row costs in a body.

    Attributes:
        macs: multiply-adds on the way forward.
        values: numbers that are written on the way forward.
    """

    macs: float
    values: float


def step_seconds(row: Work, rows: float) -> float:
    """Return the seconds of one optimiser step: way forward and back, three times the multiply-adds, two each."""
    return rows * (6 * row.macs / _FLOPS + _PER_VALUE * row.values) + _PER_STEP


def predict_seconds(row: Work, rows: float) -> float:
    """Return the seconds of predicting so many rows."""
    return rows * (2 * row.macs / _FLOPS + _PER_VALUE / 2 * row.values)


def whole(body: Work, size: Size) -> Work:
    """Return what a row costs in all the network, a little padding included."""
    steps = size.steps * _PADDING
    return Work(
        _PADDING * body.macs + steps * size.macs, _PADDING * body.values + steps * (size.values + 2 * size.width)
    )


def cost(spec: DataSpec, settings: RaggedSettings, size: Size, row: Work, rows: int) -> Cost:
    """Return the cost of one fold of so many training rows, the encoding of all rows included.

    Args:
        spec: of the data.
        settings: of the training.
        size: of what is read.
        row: what one row costs in all the network.
        rows: to learn from.
    """
    batch = min(settings.step_rows(rows), max(1, rows))
    fit, epochs = settings.fit_rows(rows), settings.expected_epochs(rows)
    seen = fit * epochs
    predicted = 2 * max(0, spec.rows - rows) + epochs * (rows - fit)
    return Cost(
        fixed_seconds=_FIXED_SECONDS + size.seconds + predict_seconds(row, predicted),
        step_seconds=seen / batch * step_seconds(row, batch),
        peak_bytes=int(_PROCESS_BYTES + 8 * rows * size.steps * max(1, size.width // 64) + 24 * batch * row.values),
    )
