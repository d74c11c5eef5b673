from __future__ import annotations

import time
import unicodedata
from typing import Any

import numpy as np
import pytest

from automl.serving.table import Column, Table, TableRule
from automl.serving.text_encoder import TextEncoder, check
from automl.serving.text_wordpiece import WordPiece, padded
from automl.serving.texts import Texts

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "able", "cafe", "!", "?", "\u4f60", "a", "##a",
          "\u03c3", "##\u03c3", "i", "E", "\u00e9", "un##", "[", "]", "sep"]  # fmt: skip
PLAN: dict[str, Any] = {"version": 1, "kind": "wordpiece", "vocabulary": PIECES, "longest": 8, "lower": True,
                        "accents": False, "most_word": 10, "unknown": 1, "first": 2, "last": 3}  # fmt: skip


def pieces(text: str, **more: Any) -> list[str]:
    return [PIECES[number] for number in WordPiece({**PLAN, **more}).tokens(text)][1:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unaffable", ["un", "##aff", "##able"]),
        ("able un", ["able", "un"]),
        ("UNABLE", ["un", "##able"]),
        ("Caf\u00e9!", ["cafe", "!"]),
        ("cafe\u0301", ["cafe"]),
        ("a!?a", ["a", "!", "?", "a"]),
        ("\u4f60\u4f60a", ["\u4f60", "\u4f60", "a"]),
        ("a\u200bble", ["able"]),
        ("a\x00\ufffd\x07 a", ["a", "a"]),
        ("a\u00a0a\u2028a\ta\na", ["a", "a", "a", "a", "a"]),
        ("zebra a", ["[UNK]", "a"]),
        ("unx", ["[UNK]"]),
        ("aaaaaaaaaaa", ["[UNK]"]),
        ("aaa", ["a", "##a", "##a"]),
        ("\u03a3\u03a3", ["\u03c3", "##\u03c3"]),
        ("\u0130", ["i"]),
        ("[SEP]", ["[", "sep", "]"]),
        ("", []),
        (" \n", []),
    ],
)
def test_a_text_is_cut_as_bert_reads_it(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_capital_letters_stay_where_the_vocabulary_has_them() -> None:
    assert pieces("E a", lower=False) == ["E", "a"]


def test_accents_stay_where_the_vocabulary_has_them() -> None:
    assert pieces("\u00c9 cafe", accents=True) == ["\u00e9", "cafe"]


def test_a_long_text_ends_with_the_mark_of_its_end() -> None:
    ids = WordPiece(PLAN).tokens("a " * 100)
    assert ids == [2, *[PIECES.index("a")] * 6, 3]


def test_a_word_is_cut_the_same_the_second_time() -> None:
    reader = WordPiece(PLAN)
    assert reader.tokens("unaffable") == reader.tokens("unaffable")


def test_a_batch_is_as_long_as_its_longest_text() -> None:
    ids = WordPiece(PLAN).compute(["a", "", "un able"])
    np.testing.assert_array_equal(ids, [[2, 12, 3, 0], [2, 3, 0, 0], [2, 4, 7, 3]])
    assert ids.dtype == np.float32


def test_no_text_at_all_is_a_batch() -> None:
    assert WordPiece(PLAN).compute([]).shape == (0, 1)


def test_rows_are_filled_up_with_zeros() -> None:
    np.testing.assert_array_equal(padded([[5], [6, 7]]), [[5, 0], [6, 7]])


def test_the_encoder_of_texts_knows_the_kind() -> None:
    table = Table(np.zeros((1, 0)), (Texts.of(["a un"]),))
    np.testing.assert_array_equal(TextEncoder(PLAN).compute(table), [[2, 12, 4, 3]])


def test_a_plan_fits_a_column_of_text() -> None:
    check(PLAN, TableRule((Column("said", "text"),)))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("version", 2, "version must be"),
        ("kind", "tokens", "kind must be one of wordpiece"),
        ("vocabulary", PIECES[:3], "must have 4 to 1000000 pieces. Got 3"),
        ("vocabulary", [*PIECES, "a"], "none twice"),
        ("vocabulary", [*PIECES, ""], "no empty piece"),
        ("vocabulary", [1, 2, 3, 4], "vocabulary must be texts"),
        ("longest", 2, "longest must be a whole number in \\[3, 4096\\]. Got 2"),
        ("longest", 1e9, "longest must be a whole number"),
        ("most_word", 0, "most_word must be"),
        ("unknown", 0, "unknown must be a whole number in \\[1, 22\\]. Got 0"),
        ("first", 23, "first must be"),
        ("last", None, "last must be"),
        ("lower", 1, "lower must be true or false. Got '1'"),
        ("accents", None, "accents must be true or false"),
    ],
)
def test_a_malformed_plan_is_refused(field: str, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WordPiece.from_json({**PLAN, field: value})


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0301", "\u0f73\u0301"], ids=["two", "one", "decomposed"])
def test_a_text_of_marks_takes_time_in_proportion(marks: str) -> None:
    start = time.process_time()
    assert pieces("a" + marks * 250_000 + " able") == ["a", "able"]
    assert time.process_time() - start < 5  # sorted as a whole it takes minutes


def test_what_no_token_is_made_of_is_not_looked_at() -> None:
    start = time.process_time()
    assert pieces("a " * 6 + "\u0301\u0316" * 5_000_000) == ["a"] * 6
    assert time.process_time() - start < 1


@pytest.mark.parametrize("accents", [False, True], ids=["bare", "accents"])
def test_a_long_text_has_the_words_of_a_whole_one(accents: bool) -> None:
    rng, reader = np.random.default_rng(0), WordPiece({**PLAN, "accents": accents, "most_word": 1000})
    signs = list("aE\u00e9\u0301\u0316\u0903\u0f73\u302e\u1100\u1161\u11a8\u4f60!\u200b \n")
    for length in (511, 512, 513, 540, 545, 3000):
        text = "".join(rng.choice(signs, length))
        whole = text if accents else unicodedata.normalize("NFD", text)
        assert reader.words(text) == whole.translate(reader._signs).split()


@pytest.mark.parametrize("length", [512, 1024, 100_000])
def test_a_word_longer_than_a_part_is_one_unknown_word(length: int) -> None:
    reader = WordPiece(PLAN)
    assert reader.tokens("a" * length + " a") == [2, 1, PIECES.index("a"), 3]
    assert all(len(word) <= PLAN["most_word"] for word in reader._cache)


def test_a_long_piece_is_cut_in_a_message() -> None:
    with pytest.raises(ValueError, match="none twice") as caught:
        WordPiece({**PLAN, "vocabulary": ["x" * 100_000, "x" * 100_000, *PIECES]})
    assert len(str(caught.value)) < 200
