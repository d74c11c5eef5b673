"""A column that gives the target away is told, and one that is merely good is not."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.table_leaks import leak_findings
from automl.serving.table import Column, TableRule

RNG = np.random.default_rng(0)
ROWS = 2000
BINARY = RNG.integers(0, 2, ROWS)
SEVERAL = RNG.integers(0, 5, ROWS)
AMOUNT = np.exp(RNG.normal(size=ROWS))
RARE = RNG.permutation(ROWS) % 200 // 199
NOISE = RNG.normal(size=ROWS)


def leaks(values: np.ndarray, y: np.ndarray, kind: str = "number") -> list[str]:
    rule = TableRule((Column("noise", "number"), Column("tell tale", kind)))  # type: ignore[arg-type]
    return [f.message for f in leak_findings(rule, np.stack([NOISE[: len(y)], values], axis=1), y)]


def holed(values: np.ndarray, share: float) -> np.ndarray:
    """Return values of which a share, drawn at random, is missing."""
    return np.where(np.random.default_rng(1).random(len(values)) < share, np.nan, values)


LEAKS = {
    "same": (BINARY + 0.0, BINARY, "boolean"),
    "scaled": (5 - 3.0 * BINARY, BINARY, "number"),
    "jittered": (BINARY + RNG.normal(0, 0.05, ROWS), BINARY, "number"),
    "missing-tells": (np.where(BINARY == 1, np.nan, NOISE), BINARY, "number"),
    "category": (BINARY + 2.0 * RNG.integers(0, 4, ROWS), BINARY, "category"),
    "not-in-order": (np.cos(BINARY * 2 + 4.0 * RNG.integers(0, 4, ROWS)), BINARY, "number"),
    "rare": (RARE + 0.0, RARE, "number"),
    "several": (np.array([3.0, 1, 4, 0, 2])[SEVERAL], SEVERAL, "number"),
    "several-categories": (np.array([3.0, 1, 4, 0, 2])[SEVERAL], SEVERAL, "category"),
    "amount": (AMOUNT * 1.19, AMOUNT, "number"),
    "other-scale": (-np.log(AMOUNT), np.log(AMOUNT), "number"),
}


@pytest.mark.parametrize(("values", "y", "kind"), LEAKS.values(), ids=LEAKS)
def test_a_column_that_gives_the_target_away_is_told(values: np.ndarray, y: np.ndarray, kind: str) -> None:
    (message,) = leaks(values, y, kind)
    assert message.startswith("column 'tell tale' alone gives the target away")
    assert message.endswith("--drop 'tell tale'")


FAIR = {
    "noise": (RNG.normal(size=ROWS), BINARY, "number"),
    "good": (BINARY + RNG.normal(0, 0.3, ROWS), BINARY, "number"),
    "half-known": (holed(BINARY + 0.0, 0.3), BINARY, "number"),
    "one-class-of-several": (np.where(SEVERAL == 0, 1.0, 0.0), SEVERAL, "number"),
    "identifier": (np.arange(ROWS) + 0.0, BINARY, "category"),
    "amount": (AMOUNT + RNG.normal(0, 0.3, ROWS), AMOUNT, "number"),
    "constant": (np.zeros(ROWS), BINARY, "number"),
    "all-missing": (np.full(ROWS, np.nan), AMOUNT, "number"),
}


@pytest.mark.parametrize(("values", "y", "kind"), FAIR.values(), ids=FAIR)
def test_a_fair_column_needs_no_word(values: np.ndarray, y: np.ndarray, kind: str) -> None:
    assert leaks(values, y, kind) == []


def test_few_rows_tell_nothing() -> None:
    assert leaks(BINARY[:30] + 0.0, BINARY[:30]) == []


def test_rare_and_many_classes_are_looked_at_together() -> None:
    y = np.concatenate([np.repeat(np.arange(60), 30), [60]])
    y = np.random.default_rng(2).permutation(y)
    rule = TableRule((Column("code", "category"),))
    assert [f.code for f in leak_findings(rule, y[:, None] + 0.0, y)] == ["leak-suspected"]
