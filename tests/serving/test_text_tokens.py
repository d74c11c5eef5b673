from __future__ import annotations

import pytest

from automl.serving.text_tokens import is_unspaced, spaced, words

SENTENCES = {
    "contraction": ("I don't KNOW", ["i", "don't", "know"]),
    "curly apostrophe": ("l’été", ["l’été"]),
    "numbers": ("room 101 2x", ["room", "101", "2x"]),
    "chinese": ("送餐快ok", ["送", "餐", "快", "ok"]),
    "japanese voiced signs": ("か\u3099x", ["か\u3099", "x"]),
    "thai vowels stay with their letter": ("กินข้าว", ["กิ", "น", "ข้", "า", "ว"]),
    "hindi vowels do not part words": ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
    "combined accents": ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
    "korean is spaced": ("안녕 세상", ["안녕", "세상"]),
    "marks alone": ("?! ...", []),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "expected"), SENTENCES.values(), ids=SENTENCES.keys())
def test_words_are_found_in_any_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ok :-) !!", ["ok", ":-)", "!!"]), ("😀😀 né!", ["😀", "😀", "né", "!"]), ("a,b", ["a", ",", "b"])],
    ids=["emoticon", "emoji one by one", "comma"],
)
def test_marks_are_words_if_they_are_kept(text: str, expected: list[str]) -> None:
    assert words(text, marks=True) == expected


def test_a_run_of_marks_ends_after_four_signs() -> None:
    assert words("!!!!!!", marks=True) == ["!!!!", "!!"]


def test_capitals_are_kept_if_asked() -> None:
    assert words("New York", lower=False) == ["New", "York"]


def test_words_of_ascii_are_the_same_by_either_pattern() -> None:
    text = "It's 5 o'clock_now, isn't it? (yes)"
    assert words(text + " é", marks=True)[:-1] == words(text, marks=True)


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    assert len(words("a'" * 200_000 + "é" * 200_000)) == 1


@pytest.mark.parametrize(
    ("text", "line"), [("a  b\n", " a b "), ("", " "), (" \t ", " ")], ids=["words", "none", "blank"]
)
def test_a_line_has_single_spaces_and_one_at_either_end(text: str, line: str) -> None:
    assert spaced(text) == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [("很好吃 ok", True), ("กินข้าว", True), ("very good", False), ("안녕", False), ("", False), ("123 !", False)],
    ids=["chinese", "thai", "english", "korean", "nothing", "numbers"],
)
def test_scripts_without_spaces_are_told_from_others(text: str, expected: bool) -> None:
    assert is_unspaced(text) is expected
