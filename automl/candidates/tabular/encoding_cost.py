"""How wide a table becomes when it is encoded, and how long that takes; from the rule of the table, before any row."""

from __future__ import annotations

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.core.data import DataSpec
from automl.serving.table import Column, TableRule

_DATE_COLUMNS = {"raw": 7, "standard": 13, "quantile": 13}  # parts, and points on circles for what measures distances
_TEXT_SIZES = 2  # length and number of words
_MOST_TARGETS = 10  # classes with a mean of their own
_SECONDS_PER_VALUE = {"raw": 3e-8, "standard": 4e-8, "quantile": 9e-8}  # of the output, one common core
_SECONDS_PER_TEXT = 6e-5


def encoded_width(spec: DataSpec, options: EncoderOptions) -> int:
    """Return the number of columns to expect; columns that do not vary and marks of gaps make it differ a little."""
    rule = TableRule.from_json(spec.input)
    return max(1, sum(_columns(column, len(spec.classes), options) for column in rule.columns))


def encoding_seconds(spec: DataSpec, options: EncoderOptions) -> float:
    """Return the seconds to encode all rows for one fold; all trials of the fold with these options share them."""
    texts = len(TableRule.from_json(spec.input).texts) if options.texts else 0
    values = encoded_width(spec, options) * _SECONDS_PER_VALUE[options.numbers]
    return 0.02 + spec.rows * (values + texts * _SECONDS_PER_TEXT)


def _columns(column: Column, classes: int, options: EncoderOptions) -> int:
    if column.kind == "date":
        return _DATE_COLUMNS[options.numbers]
    if column.kind == "text":
        return _TEXT_SIZES + options.texts
    if column.kind != "category" or options.categories in ("codes", "frequency"):
        return 1
    if options.categories == "onehot":
        return min(len(column.categories), options.most_onehot) + 1
    return min(classes, _MOST_TARGETS) if classes > 2 else 1
