"""What is worth knowing about a prepared table. Nothing here is fatal, and nothing takes longer than seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from shlex import quote

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.data.table_hashes import repeated_findings, shared_findings, table_hashes
from automl.data.table_leaks import leak_findings
from automl.data.table_shift import shift_findings
from automl.serving.table import Table, TableRule

SAMPLE = 20_000
"""Rows that are looked at where not all are."""
_MISSING_SHARE = 0.5
_MANY_CATEGORIES = 1_000
_SHOWN = 8
_SEED = 0x7AB1E


def train_findings(spec: DataSpec, table: Table, y: np.ndarray) -> list[Finding]:
    """Return what is worth knowing about training rows."""
    rule = TableRule.from_json(spec.input)
    rows = sample_rows(len(table), SAMPLE)
    some = table[rows]
    return [
        *_summary(spec.columns),
        *_width(spec, rule),
        *_missing(rule, some),
        *_cardinality(rule),
        *_dates(spec, rule),
        *repeated_findings(table_hashes(table), y),
        *leak_findings(rule, some.numbers, np.asarray(y[rows])),
    ]


def test_findings(spec: DataSpec, train: Table, test: Table) -> list[Finding]:
    """Return what is worth knowing about test rows beside training rows; targets are not looked at."""
    rule = TableRule.from_json(spec.input)
    sampled = [table[sample_rows(len(table), SAMPLE)] for table in (train, test)]
    return [*shared_findings(table_hashes(train), table_hashes(test)), *shift_findings(rule, *sampled)]


def sample_rows(rows: int, most: int) -> np.ndarray:
    """Return row numbers in random order, the same for the same number of rows; at most so many."""
    rng = np.random.default_rng(_SEED)
    return rng.permutation(rows) if rows <= most else rng.choice(rows, most, replace=False)


def _summary(columns: Mapping[str, str]) -> list[Finding]:
    """Say what became of each column, in one line."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, kind in columns.items():
        names[kind].append(name)
    parts = [f"{len(listed)} {kind} ({_some(listed)})" for kind, listed in names.items()]
    return [Finding("columns", "info", f"{len(columns)} columns: {'; '.join(parts)}")]


def _width(spec: DataSpec, rule: TableRule) -> list[Finding]:
    if len(rule.columns) < spec.rows:
        return []
    message = (
        f"{len(rule.columns)} columns and {spec.rows} rows: a model can learn the rows by heart; mind the interval"
    )
    return [Finding("columns-many", "warning", message)]


def _missing(rule: TableRule, table: Table) -> list[Finding]:
    shares = dict(zip((c.name for c in rule.numbers), np.isnan(table.numbers).mean(axis=0).tolist(), strict=True))
    for column, texts in zip(rule.texts, table.texts, strict=True):
        shares[column.name] = sum(not text for text in texts) / max(1, len(texts))
    holes = [f"{name!r} ({share:.0%})" for name, share in shares.items() if share > _MISSING_SHARE]
    if not holes:
        return []
    more = f" and {len(holes) - _SHOWN} more" if len(holes) > _SHOWN else ""
    message = f"columns with no value in more than half of the rows: {', '.join(holes[:_SHOWN])}{more}"
    return [Finding("missing-mostly", "info", message)]


def _cardinality(rule: TableRule) -> list[Finding]:
    large = [f"{c.name!r} ({len(c.categories)})" for c in rule.numbers if len(c.categories) >= _MANY_CATEGORIES]
    if not large:
        return []
    message = f"columns of very many categories, which are encoded in bounded form: {', '.join(large[:_SHOWN])}"
    return [Finding("categories-many", "info", message)]


def _dates(spec: DataSpec, rule: TableRule) -> list[Finding]:
    dates = [column.name for column in rule.numbers if column.kind == "date"]
    if not dates or spec.split != "stratified":
        return []
    message = (
        f"dates in {_some(dates)}: folds are drawn at random over time. If the model is for later rows than these, "
        f"use --split-time {quote(dates[0])}"
    )
    return [Finding("dates-unordered", "info", message)]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
