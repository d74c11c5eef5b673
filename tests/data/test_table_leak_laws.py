"""Whether a column gives the target away does not depend on how it, or the target, happens to be written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from automl.data import table_leaks
from automl.data.table_leaks import leak_findings
from automl.serving.table import Column, ColumnKind, TableRule

ROWS = 800
SEEDS = range(3)
Change = Callable[[np.ndarray], np.ndarray]


def told(values: np.ndarray, y: np.ndarray, kind: ColumnKind = "number") -> bool:
    """Return whether one column is told as a leak."""
    return bool(leak_findings(TableRule((Column("a", kind),)), values[:, None], y))


def names(numbers: np.ndarray, y: np.ndarray) -> list[str]:
    """Return the columns that are told, by their place."""
    rule = TableRule(tuple(Column(f"c{place}", "number") for place in range(numbers.shape[1])))
    return [f.message.split("'")[1] for f in leak_findings(rule, numbers, y)]


def classes(seed: int, count: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, count, ROWS)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(100 + seed).normal(size=shape or ROWS)


CHANGES: dict[str, Change] = {
    "turned": lambda values: -values,
    "scaled": lambda values: 1e-9 * values,
    "huge": lambda values: 1e30 * values,
    "shifted": lambda values: values - 5000,
    "bent": lambda values: np.exp(values),
    "cubed": lambda values: values**3,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_leak_is_a_leak_on_any_scale(change: Change, seed: int) -> None:
    y = classes(seed)
    assert told(change(y + 0.05 * noise(seed)), y)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_column_is_good_on_any_scale(change: Change, seed: int) -> None:
    y = classes(seed)
    assert not told(change(y + 0.4 * noise(seed)), y)


@pytest.mark.parametrize("change", [lambda y: -y, np.arctan, lambda y: y**3], ids=["turned", "bent", "cubed"])
@pytest.mark.parametrize("spread", [0.0, 0.01, 0.5, 5.0])
def test_what_is_told_about_a_number_does_not_depend_on_its_scale(change: Change, spread: float) -> None:
    y = noise(0)
    values = y + spread * noise(1)
    assert told(values, change(y)) == told(values, y) == (spread < 0.1)


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_classes_is_no_matter(count: int, seed: int) -> None:
    y, codes = classes(seed, count), np.random.default_rng(seed).permutation(count)
    assert told(codes[y] + 0.0, y, "category")
    assert told(y + 0.0, codes[y], "category")


@pytest.mark.parametrize("place", [0, 3, 9])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_a_leak_is_found_among_other_columns(place: int, kind: str) -> None:
    y = classes(place, 3) if kind == "classes" else noise(place)
    numbers = noise(50, ROWS, 10)
    numbers[:, place] = 2.0 * y
    assert names(numbers, y) == [f"c{place}"]


def test_several_leaks_come_in_the_order_of_the_columns() -> None:
    y, numbers = classes(0), noise(0, ROWS, 5)
    numbers[:, [1, 4]] = y[:, None] * [3, -1]
    assert names(numbers, y) == ["c1", "c4"]


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_told_about_noise(seed: int) -> None:
    numbers = np.round(noise(seed, ROWS, 20), seed % 3)
    assert names(numbers, classes(seed, 2 + seed % 4)) == []
    assert names(numbers, noise(seed + 50)) == []


@pytest.mark.parametrize(("rows", "expected"), [(39, False), (40, True), (200, True)])
def test_a_leak_needs_forty_rows_to_be_told(rows: int, expected: bool) -> None:
    y = np.random.default_rng(1).permutation(np.arange(rows) % 2)
    assert told(y + 0.0, y) == expected


def test_a_table_of_texts_only_has_nothing_to_tell() -> None:
    assert leak_findings(TableRule((Column("said", "text"),)), np.zeros((ROWS, 0)), classes(0)) == []


@pytest.mark.parametrize("y", [np.zeros(ROWS), np.zeros(ROWS, np.int64)], ids=["number", "class"])
def test_a_target_that_does_not_vary_cannot_be_given_away(y: np.ndarray) -> None:
    assert not told(noise(0), y)


def test_very_wide_tables_are_looked_at_in_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    y, numbers = classes(0), noise(0, ROWS, 30)
    numbers[:100, 7] = y[:100]
    assert names(numbers, y) == []
    monkeypatch.setattr(table_leaks, "_MOST_CELLS", 30 * 100)
    assert names(numbers, y) == ["c7"]


@pytest.mark.parametrize("name", ["it's", "a b", "$(rm)", "--drop", "größe"])
def test_the_advice_can_be_pasted_into_a_shell(name: str) -> None:
    import shlex

    y = classes(0)
    (finding,) = leak_findings(TableRule((Column(name, "number"),)), y[:, None] + 0.0, y)
    assert shlex.split(finding.message.partition("leave it out: ")[2]) == ["--drop", name]


@pytest.mark.parametrize("y", [classes(0), noise(0)], ids=["classes", "numbers"])
def test_the_measure_is_named(y: np.ndarray) -> None:
    (finding,) = leak_findings(TableRule((Column("a", "number"),)), y[:, None] + 0.0, y)
    assert ("ROC AUC" if y.dtype.kind == "i" else "R² of ranks") in finding.message
    assert (finding.code, finding.level) == ("leak-suspected", "warning")
