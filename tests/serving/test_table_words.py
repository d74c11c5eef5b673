from __future__ import annotations

import math

import numpy as np
import pytest

from automl.serving.table import Table
from automl.serving.table_words import TextSize, Words, tokens
from automl.serving.texts import Texts


def table_of(*texts: str) -> Table:
    return Table(np.empty((len(texts), 0)), (Texts.of(texts),))


def words_of(terms: list[str], *texts: str, weights: list[float] | None = None) -> np.ndarray:
    block = {"column": 0, "terms": terms, "weights": weights or [1.0] * len(terms)}
    return Words.from_json(block).values(table_of(*texts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP", ["don", "t", "stop"]), ("", []), (" ,.!", []), ("猫が好き", ["猫", "が", "好", "き"]),
        ("ab猫cd", ["ab", "猫", "cd"]), ("ÄÖ ß_1", ["äö", "ß_1"]), ("한국어 말", ["한국어", "말"]),
        ("𠀀x", ["𠀀", "x"]),
    ],
    ids=["apostrophe", "empty", "signs", "chinese", "mixed", "umlauts", "korean", "beyond 16 bits"],
)  # fmt: skip
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_size_is_characters_and_words() -> None:
    assert TextSize(0).values(table_of("two words", "", "猫")).tolist() == [[9, 2], [0, 0], [1, 1]]


def test_rows_have_length_one_or_none_of_the_terms() -> None:
    out = words_of(["a", "b"], "a b", "a x x", "nothing")
    np.testing.assert_allclose(out, [[math.sqrt(0.5)] * 2, [1, 0], [0, 0]])


def test_counts_are_damped_and_weighted() -> None:
    out = words_of(["a", "b"], "A a a b", weights=[1.0, 3.0])
    expected = np.array([1 + math.log(3), 3.0])
    np.testing.assert_allclose(out[0], expected / np.linalg.norm(expected))


def test_pairs_are_of_words_that_follow_each_other() -> None:
    out = words_of(["not good", "good"], "not good", "not so good", "good, not")
    assert (out > 0).tolist() == [[True, True], [False, True], [False, True]]


def test_weight_of_zero_leaves_zeros() -> None:
    assert words_of(["a"], "a", weights=[0.0]).tolist() == [[0.0]]
