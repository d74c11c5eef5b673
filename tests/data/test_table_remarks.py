"""Remarks about a table begin where they should, are short, and beside test data look at features alone."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
import pytest

from automl.core.data import DataSpec, Split
from automl.data import table_findings
from automl.data.table_findings import train_findings
from automl.serving.table import Column, ColumnKind, Table, TableRule
from automl.serving.texts import Texts

ROWS = 200


def numbers(columns: int, seed: int = 0, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns))


def rule_of(columns: int, kind: ColumnKind = "number", name: str = "c") -> TableRule:
    return TableRule(tuple(Column(f"{name}{place}", kind) for place in range(columns)))


def spec_of(rule: TableRule, rows: int = ROWS, split: Split = "stratified") -> DataSpec:
    kinds = {column.name: column.kind for column in rule.columns}
    return DataSpec("d", "table", rows, (len(rule.columns),), (), (), "", rule.to_json(), split=split, columns=kinds)


def remarks(rule: TableRule, table: Table, y: np.ndarray | None = None, split: Split = "stratified") -> dict[str, str]:
    """Return what is told about training rows, by code."""
    target = np.random.default_rng(9).normal(size=len(table)) if y is None else y
    return {f.code: f.message for f in train_findings(spec_of(rule, len(table), split), table, target)}


def beside(train: Table, test: Table, rule: TableRule) -> dict[str, str]:
    """Return what is told about test rows, by code."""
    return {f.code: f.message for f in table_findings.test_findings(spec_of(rule, len(train)), train, test)}


@pytest.mark.parametrize("split", ["stratified", "group", "time"])
def test_an_ordinary_table_needs_its_columns_told_only(split: Split) -> None:
    assert list(remarks(rule_of(3), Table(numbers(3)), split=split)) == ["columns"]


@pytest.mark.parametrize(("share", "told"), [(0.0, False), (0.5, False), (0.51, True), (1.0, True)])
@pytest.mark.parametrize("kind", ["number", "text"])
def test_a_column_is_mostly_missing_from_half_of_the_rows_on(kind: ColumnKind, share: float, told: bool) -> None:
    is_gone = np.arange(ROWS) < round(share * ROWS)
    values = np.where(is_gone[:, None], np.nan, numbers(1))
    texts = (Texts.of("" if gone else "said" for gone in is_gone.tolist()),)
    table = Table(values) if kind == "number" else Table(np.arange(ROWS)[:, None][:, :0] + 0.0, texts)
    assert ("missing-mostly" in remarks(rule_of(1, kind), table)) == told


def test_many_columns_with_holes_are_listed_in_part() -> None:
    message = remarks(rule_of(11), Table(np.full((ROWS, 11), np.nan)))["missing-mostly"]
    assert message.endswith("'c7' (100%) and 3 more")


@pytest.mark.parametrize(("columns", "told"), [(39, False), (40, True), (41, True)])
def test_as_many_columns_as_rows_are_too_many(columns: int, told: bool) -> None:
    assert ("columns-many" in remarks(rule_of(columns), Table(numbers(columns, rows=40)))) == told


@pytest.mark.parametrize(("count", "told"), [(999, False), (1000, True)])
def test_a_thousand_categories_are_very_many(count: int, told: bool) -> None:
    rule = TableRule((Column("town", "category", tuple(map(str, range(count)))),))
    assert ("categories-many" in remarks(rule, Table(np.arange(ROWS)[:, None] % count + 0.0))) == told


@pytest.mark.parametrize(("split", "told"), [("stratified", True), ("group", False), ("time", False)])
def test_dates_are_told_only_where_folds_are_drawn_at_random(split: Split, told: bool) -> None:
    days = Table(86400.0 * np.arange(ROWS)[:, None])
    assert ("dates-unordered" in remarks(rule_of(1, "date"), days, split=split)) == told


def test_the_first_date_is_advised_as_a_shell_takes_it() -> None:
    days = Table(86400.0 * np.tile(np.arange(ROWS)[:, None], 2))
    message = remarks(rule_of(2, "date", "day's end "), days)["dates-unordered"]
    assert shlex.split(message.partition("use ")[2]) == ["--split-time", "day's end 0"]


@pytest.mark.parametrize(("columns", "end"), [(8, "'c7')"), (9, "'c7' and 1 more)"), (30, "'c7' and 22 more)")])
def test_the_summary_lists_eight_columns_of_a_kind(columns: int, end: str) -> None:
    message = remarks(rule_of(columns), Table(numbers(columns)))["columns"]
    assert message.startswith(f"{columns} columns: {columns} number ('c0', 'c1'")
    assert message.endswith(end)


@pytest.mark.parametrize("y", [np.arange(ROWS) % 2, np.arange(ROWS) / 7], ids=["classes", "numbers"])
def test_equal_rows_of_different_targets_contradict_each_other_in_classes_only(y: np.ndarray) -> None:
    found = remarks(rule_of(1), Table(np.zeros((ROWS, 1))), y)
    assert "duplicates" in found
    assert ("labels-conflict" in found) == (y.dtype.kind == "i")


def test_a_long_table_is_looked_at_in_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_findings, "SAMPLE", 50)
    values = numbers(1)
    values[table_findings.sample_rows(ROWS, 50)] = np.nan
    assert "'c0' (100%)" in remarks(rule_of(1), Table(values))["missing-mostly"]


def test_repeated_rows_are_counted_beyond_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_findings, "SAMPLE", 10)
    values = np.concatenate([numbers(2), numbers(2)])
    assert remarks(rule_of(2), Table(values))["duplicates"].startswith(f"{ROWS} of {2 * ROWS} rows")


def test_test_rows_of_the_same_world_need_no_word() -> None:
    assert beside(Table(numbers(4)), Table(numbers(4, seed=1)), rule_of(4)) == {}


def test_test_rows_that_are_training_rows_in_another_order_are_told() -> None:
    train = numbers(4)
    found = beside(Table(train), Table(np.random.default_rng(0).permutation(train)), rule_of(4))
    assert list(found) == ["test-overlap"]
    assert found["test-overlap"].startswith(f"{ROWS} of {ROWS} test rows")


def test_texts_tell_rows_apart() -> None:
    rule, nothing = rule_of(1, "text"), np.zeros((ROWS, 0))
    first, other = (Table(nothing, (Texts.of(f"{word} {row}" for row in range(ROWS)),)) for word in ("a", "b"))
    assert beside(first, other, rule) == {}
    assert list(beside(first, first, rule)) == ["test-overlap"]


@pytest.mark.parametrize(("shared", "level"), [(1, "info"), (2, "warning")])
def test_a_hundredth_of_shared_rows_is_worth_a_warning(shared: int, level: str) -> None:
    train, test = numbers(2), numbers(2, seed=1)
    test[:shared] = train[:shared]
    (finding,) = table_findings.test_findings(spec_of(rule_of(2)), Table(train), Table(test))
    assert finding.level == level


def test_shifted_and_shared_rows_are_both_told() -> None:
    train = numbers(2)
    test = np.concatenate([train[:60], numbers(2, seed=1) + np.array([0, 5])])
    found = beside(Table(train), Table(test), rule_of(2))
    assert list(found) == ["test-overlap", "test-shifted"]
    assert "'c1'" in found["test-shifted"]
    assert "'c0'" not in found["test-shifted"]


@pytest.mark.parametrize("column", range(3))
def test_only_the_column_that_moved_is_named(column: int) -> None:
    test = numbers(3, seed=1)
    test[:, column] += 3
    message = beside(Table(numbers(3)), Table(test), rule_of(3))["test-shifted"]
    assert [place for place in range(3) if f"'c{place}'" in message] == [column]


def test_findings_of_a_spec_do_not_depend_on_its_name() -> None:
    rule, table, y = rule_of(2), Table(numbers(2)), np.arange(ROWS) / 7
    spec = spec_of(rule)
    assert train_findings(replace(spec, name="other"), table, y) == train_findings(spec, table, y)
