from __future__ import annotations

import pytest

from automl.core.data import DataSpec
from automl.core.words import data_words, score_words


def table(rows: int, **kinds: int) -> DataSpec:
    columns = [{"kind": kind} for kind, number in kinds.items() for _ in range(number)]
    return DataSpec("t", "table", rows, (len(columns),), (), (), "", {"kind": "table", "columns": columns})


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (table(1000, number=9, category=5), "1,000 rows × 14 columns (9 numbers, 5 categories)"),
        (table(1, number=1), "1 row × 1 column (1 number)"),
        (table(5, text=2, date=1, boolean=1), "5 rows × 4 columns (1 boolean, 1 date, 2 texts)"),
        (DataSpec("t", "table", 7, (3,), (), (), ""), "7 rows × 3 columns"),
        (DataSpec("i", "image", 1, (8, 8, 1), (), (), ""), "1 image 8×8×1"),
    ],
    ids=["many", "one", "kinds", "unknown-kinds", "image"],
)
def test_data_is_told_in_words(spec: DataSpec, words: str) -> None:
    assert data_words(spec) == words


def test_a_terminal_without_the_sign_gets_a_letter() -> None:
    assert data_words(table(2, number=1), "x") == "2 rows x 1 column (1 number)"


@pytest.mark.parametrize(
    ("score", "words"),
    [(0.5, "0.5000"), (0.0, "0.0000"), (-12.34567, "-12.3457"), (99.99999, "100.0000"), (531.26789, "531.27"),
     (45123.456, "45,123.5"), (1e9, "1,000,000,000.0"), (0.00023, "0.0002"), (-0.0000567, "-5.67e-05"),
     (float("nan"), "nan"), (float("inf"), "inf")],
)  # fmt: skip
def test_scores_of_any_size_stay_readable(score: float, words: str) -> None:
    assert score_words(score) == words
