from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.text_ids import EMPTY, FIRST, UNKNOWN, Ids, TokenIds, padded


def plan(**values: Any) -> dict[str, Any]:
    return {"of": "words", "lower": True, "marks": False, "longest": 4, "terms": ["good", "bad"], **values}


def test_words_become_ids_and_short_texts_are_padded() -> None:
    ids = TokenIds.from_json(plan()).compute(["Good very bad", "bad"])
    assert ids.tolist() == [[FIRST, UNKNOWN, FIRST + 1], [FIRST + 1, 0, 0]]
    assert ids.dtype == np.float32


def test_an_empty_text_is_one_token_of_its_own() -> None:
    assert TokenIds.from_json(plan()).compute(["", " ?!"]).tolist() == [[EMPTY], [EMPTY]]


def test_no_text_gives_no_row() -> None:
    assert TokenIds.from_json(plan()).compute([]).shape == (0, 1)


def test_characters_include_spaces_between_words() -> None:
    ids = TokenIds.from_json(plan(of="characters", terms=["a", " "])).compute([" a  a"])
    assert ids.tolist() == [[FIRST, FIRST + 1, FIRST]]


def test_what_is_too_long_is_cut_off() -> None:
    assert TokenIds.from_json(plan()).compute(["bad " * 1_000_000]).shape == (1, 4)


def test_a_vocabulary_may_be_empty() -> None:
    assert TokenIds.from_json(plan(terms=[])).compute(["a b"]).tolist() == [[UNKNOWN, UNKNOWN]]


def test_padding_stands_behind_each_text() -> None:
    assert padded(Ids(np.array([7, 8, 9, 5]), np.array([1, 3]))).tolist() == [[7, 0, 0], [8, 9, 5]]


WRONG = {
    "another unit": ({"of": "syllables"}, "of must be one of"),
    "no length": ({"longest": 0}, "longest must be a whole number"),
    "a number for a flag": ({"lower": 1}, "lower must be true or false"),
    "no flag": ({"marks": None}, "marks must be true or false"),
    "terms that are no list": ({"terms": "good"}, "terms must be a list"),
    "an empty term": ({"terms": ["good", ""]}, "none empty"),
    "a number for a term": ({"terms": [1]}, "terms must be a list"),
    "a term twice": ({"terms": ["a", "a"]}, "terms must be different"),
}


@pytest.mark.parametrize(("values", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_malformed_plan_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TokenIds.from_json(plan(**values))
