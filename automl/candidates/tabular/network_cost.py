"""What a network for tables costs, from its configuration alone; no torch."""

from __future__ import annotations

import math
from typing import NamedTuple

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_cost import encoded_width, encoding_seconds
from automl.candidates.tabular.network_settings import NetworkSettings
from automl.core.data import DataSpec
from automl.core.job import Cost
from automl.serving.table import TableRule

# CPU-seconds on one common core, see `seconds_of_step`: 53-85e9 operations a second in matrix products alone.
_FLOPS = 7.0e10
_PER_VALUE = 5e-9
_PER_STEP = 1.1e-3
_FIXED_SECONDS = 0.15
_PROCESS_BYTES = 300_000_000


class Work(NamedTuple):
    """What one row costs.

    Attributes:
        macs: multiply-adds on the way forward.
        values: numbers that are written on the way forward.
    """

    macs: float
    values: float


def work(spec: DataSpec, settings: NetworkSettings, options: EncoderOptions) -> Work:
    """Return what one row costs, before any row is seen: numbers and codes are counted by the rule of the table."""
    columns = encoded_width(spec, options)
    codes = sum(column.kind == "category" for column in TableRule.from_json(spec.input).columns)
    codes = codes if options.categories == "codes" else 0
    numbers = sum(column.kind in ("number", "date") for column in TableRule.from_json(spec.input).columns)
    units = settings.embedding_width if settings.embedding != "none" else 1
    inputs = columns - numbers - codes + numbers * units + codes * settings.category_width
    inner = {"none": 0, "piecewise": settings.bins, "periodic": 4 * settings.frequencies}[settings.embedding]
    outputs, hidden = max(1, len(spec.classes)), settings.width * settings.layers
    body = inputs * settings.width + settings.width**2 * (settings.layers - 1) + settings.width * outputs
    values = settings.members * (inputs + hidden * (2 if settings.scaled else 1) + 3 * outputs)
    return Work(settings.members * body + numbers * inner * units, values + numbers * inner)


def step_seconds(row: Work, batch: int) -> float:
    """Return the seconds of one optimiser step: way forward and back, three times the multiply-adds, two each."""
    return 6 * row.macs * batch / _FLOPS + _PER_VALUE * row.values * batch + _PER_STEP


def predict_seconds(row: Work, rows: int) -> float:
    """Return the seconds of predicting so many rows."""
    return rows * (2 * row.macs / _FLOPS + _PER_VALUE / 2 * row.values)


def cost(spec: DataSpec, settings: NetworkSettings, options: EncoderOptions, rows: int) -> Cost:
    """Return the cost of one fold of so many training rows, the encoding of the whole table included."""
    row = work(spec, settings, options)
    batch = settings.step_rows(rows)
    steps = math.ceil(settings.fit_rows(rows) / batch) * settings.expected_epochs(rows)
    predicted = max(0, spec.rows - rows) + settings.expected_epochs(rows) * (rows - settings.fit_rows(rows))
    return Cost(
        fixed_seconds=_FIXED_SECONDS + encoding_seconds(spec, options) + predict_seconds(row, int(predicted)),
        step_seconds=steps * step_seconds(row, batch),
        peak_bytes=int(_PROCESS_BYTES + 5 * rows * encoded_width(spec, options) + 16 * batch * row.values),
    )
