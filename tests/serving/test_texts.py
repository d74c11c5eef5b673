"""Columns of texts are indexed and joined as arrays are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from automl.serving.texts import Texts

WORDS = ["one", "", "drei ü", "四"]


@pytest.mark.parametrize("words", [WORDS, [], [""], ["", "a", ""]], ids=["many", "none", "empty", "empty around"])
def test_texts_come_back(words: list[str]) -> None:
    texts = Texts.of(words)
    assert list(texts) == words
    assert len(texts) == len(words)


@pytest.mark.parametrize(
    ("index", "rows"),
    [(np.array([2, 0, 2]), [2, 0, 2]), (slice(1, 3), [1, 2]), (np.array([True, False, False, True]), [0, 3])],
    ids=["rows", "slice", "mask"],
)
def test_texts_are_indexed_as_an_array(index: Any, rows: list[int]) -> None:
    assert list(Texts.of(WORDS)[index]) == [WORDS[row] for row in rows]


def test_packed_holds_only_the_chosen_rows() -> None:
    packed = Texts.of(WORDS)[np.array([3, 0])].packed()
    assert packed.data.tobytes() == "四one".encode()
    assert packed.ends.tolist() == [3, 6]


def test_packed_arrays_give_the_texts_back() -> None:
    assert list(Texts.of_packed(*Texts.of(WORDS).packed())) == WORDS


def test_half_a_sign_becomes_a_question_mark() -> None:
    assert list(Texts.of(["x\ud800"])) == ["x?"]


@pytest.mark.parametrize("cuts", [[], [0], [2], [1, 1, 3]], ids=str)
def test_parts_are_joined_in_order(cuts: list[int]) -> None:
    edges = [0, *cuts, len(WORDS)]
    parts = [Texts.of(WORDS)[start:end] for start, end in pairwise(edges)]
    assert list(Texts.joined(parts)) == WORDS


def test_no_parts_are_no_texts() -> None:
    assert list(Texts.joined([])) == []
