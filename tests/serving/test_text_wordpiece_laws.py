"""Words are cut into pieces as the slow textbook way cuts them, over all signs and many random texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from automl.serving import text_wordpiece
from automl.serving.text_wordpiece import MOST_PIECES, MOST_TOKENS, PADDING, WordPiece, padded

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
UNKNOWN, FIRST, LAST = 1, 2, 3
CHINESE = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2CEAF),
           (0x2F800, 0x2FA1F)]  # fmt: skip
TRICKY = (
    "abcABC019 \t\n\r\0\x07\x0b\x85\u00a0\u2003\u2028\u200b\u200d\ufeff\ufffd\ue000\u00e9\u00c5\u0130\u03a3\u1e9e"
    "e\u0301\u0316\u0903\u4f60\u3400\uf900\uac00\u3042!#[]~$\u00a7\u2260\u1fef\u037e\u20ac\u00ab\u3002\U0001f600"
    "\U00020000\U0002f800\u0378"
)


def plan(pieces: Iterable[str] = (), **more: Any) -> dict[str, Any]:
    fields = {"version": 1, "kind": "wordpiece", "vocabulary": [*SPECIAL, *pieces], "longest": MOST_TOKENS,
              "lower": True, "accents": False, "most_word": 100}  # fmt: skip
    return {**fields, "unknown": UNKNOWN, "first": FIRST, "last": LAST, **more}


def is_punctuation(sign: str) -> bool:
    is_ascii_mark = sign.isascii() and sign.isprintable() and not sign.isalnum() and sign != " "
    return is_ascii_mark or unicodedata.category(sign)[0] == "P"


def cleaned(sign: str) -> str:
    kind = unicodedata.category(sign)
    if sign in "\t\n\r" or kind[0] == "Z":
        return " "
    if sign in "\0\ufffd" or (kind[0] == "C" and kind != "Cn"):
        return ""
    return f" {sign} " if any(low <= ord(sign) <= high for low, high in CHINESE) else sign


def slow_words(text: str, *, lower: bool = True, accents: bool = False) -> list[str]:
    """Return the words of a text step after step, as the tokeniser that BERT came with has it."""
    text = "".join(map(cleaned, text))
    if not accents:
        text = "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")
    if lower:
        text = "".join(sign.lower() for sign in text)
    return "".join(f" {sign} " if is_punctuation(sign) else sign for sign in text).split()


def slow_cut(word: str, pieces: list[str]) -> list[str]:
    """Return the pieces of a word, each the longest of all that fit what is left."""
    found, rest, mark = list[str](), word, ""
    while rest:
        fit = [p for p in pieces if p.startswith(mark) and p != mark and rest.startswith(p.removeprefix(mark))]
        if not fit:
            return ["[UNK]"]
        found.append(max(fit, key=len))
        rest, mark = rest[len(found[-1]) - len(mark) :], "##"
    return found


def random_texts(seed: int, signs: str = TRICKY, count: int = 60) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(signs), rng.integers(0, 30))) for _ in range(count)]


def random_pieces(seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    strings = ["".join(rng.choice(list("abc"), rng.integers(1, 5))) for _ in range(24)]
    return list(dict.fromkeys([*strings[:12], *(f"##{text}" for text in strings[12:])]))


def inner(reader: WordPiece, text: str) -> list[int]:
    return reader.tokens(text)[1:-1]


BLOCKS = [range(0x800), range(0x1E00, 0x3100), range(0xF800, 0x10000), range(0xD7F0, 0xE010), range(0, 0x110000, 101)]


@pytest.mark.parametrize("codes", BLOCKS, ids=["latin", "marks", "forms", "surrogates", "everywhere"])
@pytest.mark.parametrize(("lower", "accents"), [(True, False), (False, True)], ids=["plain", "as it is"])
def test_every_sign_within_a_word_does_what_the_slow_way_does(codes: range, lower: bool, accents: bool) -> None:
    reader = WordPiece(plan(lower=lower, accents=accents))
    differ = [
        hex(code)
        for code in codes
        if reader.words(f"x{chr(code)}Y") != slow_words(f"x{chr(code)}Y", lower=lower, accents=accents)
    ]
    assert differ == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lower", [False, True], ids=["capitals", "small"])
@pytest.mark.parametrize("accents", [False, True], ids=["bare", "accents"])
def test_random_texts_have_the_words_of_the_slow_way(seed: int, lower: bool, accents: bool) -> None:
    reader = WordPiece(plan(lower=lower, accents=accents))
    for text in random_texts(seed):
        assert reader.words(text) == slow_words(text, lower=lower, accents=accents), ascii(text)


@pytest.mark.parametrize(("low", "high"), CHINESE, ids=[f"{low:x}" for low, _ in CHINESE])
def test_chinese_signs_are_words_up_to_the_ends_of_their_blocks(low: int, high: int) -> None:
    reader = WordPiece(plan())
    counts = [len(reader.words(f"a{chr(code)}a")) for code in (low - 1, low, high, high + 1)]
    assert counts == [1, 3, 3, 1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lower", [False, True], ids=["capitals", "small"])
def test_words_that_are_joined_again_are_the_same_words(seed: int, lower: bool) -> None:
    reader = WordPiece(plan(lower=lower))
    for text in random_texts(seed):
        words = reader.words(text)
        assert reader.words(" ".join(words)) == words


@pytest.mark.parametrize("seed", range(3))
def test_composed_and_decomposed_accents_are_read_alike(seed: int) -> None:
    reader = WordPiece(plan())
    for text in random_texts(seed):
        assert reader.words(unicodedata.normalize("NFC", text)) == reader.words(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize("seed", range(6))
def test_random_vocabularies_cut_words_as_the_slow_way_does(seed: int) -> None:
    pieces = random_pieces(seed)
    reader, known = WordPiece(plan(pieces)), [*SPECIAL, *pieces]
    for word in filter(None, random_texts(seed, "abc", 80)):
        assert [known[number] for number in inner(reader, word)] == slow_cut(word, pieces)


@pytest.mark.parametrize("seed", range(4))
def test_pieces_of_a_known_word_spell_it(seed: int) -> None:
    pieces = [*random_pieces(seed), "a", "##a", "##b"]
    reader, known = WordPiece(plan(dict.fromkeys(pieces))), [*SPECIAL, *dict.fromkeys(pieces)]
    words = [f"a{word}" for word in random_texts(seed, "ab", 40)]
    spelt = ["".join(known[number].removeprefix("##") for number in inner(reader, word)) for word in words]
    assert spelt == words


@pytest.mark.parametrize("seed", range(4))
def test_a_text_of_two_parts_has_the_tokens_of_both(seed: int) -> None:
    reader = WordPiece(plan(random_pieces(seed)))
    texts = random_texts(seed, "abc .!")
    for one, other in pairwise(texts):
        assert inner(reader, f"{one} {other}") == inner(reader, one) + inner(reader, other)


@pytest.mark.parametrize("longest", [3, 4, 5, 9, 40])
def test_a_shorter_limit_only_cuts_off_the_end(longest: int) -> None:
    pieces = random_pieces(1)
    whole, short = WordPiece(plan(pieces)), WordPiece(plan(pieces, longest=longest))
    for text in random_texts(1, "abc !"):
        assert short.tokens(text) == [*whole.tokens(text)[:-1][: longest - 1], LAST]


def test_a_word_is_cut_short_in_its_midst_where_the_text_is_full() -> None:
    reader = WordPiece(plan(["a", "##b", "##c"], longest=4))
    assert reader.tokens("abcbcbc a") == [FIRST, 4, 5, LAST]


@pytest.mark.parametrize(("length", "is_known"), [(1, True), (9, True), (10, True), (11, False), (500, False)])
def test_the_longest_word_that_is_cut_is_the_one_of_the_plan(length: int, is_known: bool) -> None:
    reader = WordPiece(plan(["a", "##a"], most_word=10))
    assert inner(reader, "a" * length) == ([4] + [5] * (length - 1) if is_known else [UNKNOWN])


def test_a_word_is_measured_after_its_accents_are_gone() -> None:
    reader = WordPiece(plan(["a", "##a"], most_word=3))
    assert inner(reader, "a\u0301\u0316" * 3) == [4, 5, 5]


def test_a_piece_in_the_place_of_padding_is_never_given() -> None:
    pieces = ["a", "[UNK]", "[CLS]", "[SEP]", "b", "##a"]
    ids = WordPiece({**plan(), "vocabulary": pieces}).tokens("a b ba")
    assert ids == [FIRST, UNKNOWN, 4, 4, 5, LAST]
    assert PADDING not in ids


def test_pieces_that_go_on_do_not_begin_a_word_though_the_text_has_their_marks() -> None:
    assert inner(WordPiece(plan(["##a", "#", "a"])), "##a") == [5, 5, 6]


def test_marks_of_the_ends_in_a_text_are_not_taken_for_ends() -> None:
    ids = WordPiece(plan(["[", "]", "cls", "sep", "pad", "unk"])).tokens("[CLS] [SEP][PAD] [UNK]")
    assert ids[1:-1] == [4, 6, 5, 4, 7, 5, 4, 8, 5, 4, 9, 5]


def test_ends_may_be_any_pieces_of_the_vocabulary() -> None:
    reader = WordPiece(plan(["a", "b"], unknown=5, first=4, last=4))
    assert reader.tokens("zz a") == [4, 5, 4, 4]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_what_is_forgotten_is_cut_again_alike(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces, texts = random_pieces(3), random_texts(3, "abc ")
    expected = WordPiece(plan(pieces)).compute(texts)
    monkeypatch.setattr(text_wordpiece, "_MOST_CACHED", most)
    np.testing.assert_array_equal(WordPiece(plan(pieces)).compute(texts), expected)


def test_two_readers_do_not_share_what_they_remember() -> None:
    one, other = WordPiece(plan(["a", "##b"])), WordPiece(plan(["ab", "a"]))
    assert [inner(reader, "ab") for reader in (one, other, one)] == [[4, 5], [4], [4, 5]]


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_its_texts_one_by_one_filled_up(seed: int) -> None:
    reader, texts = WordPiece(plan(random_pieces(seed), longest=12)), random_texts(seed, "abc !")
    found = reader.compute(text for text in texts)
    for row, text in zip(found, texts, strict=True):
        ids = reader.tokens(text)
        assert row.tolist() == ids + [PADDING] * (found.shape[1] - len(ids))
    assert found.shape[1] == max(len(reader.tokens(text)) for text in texts)


@pytest.mark.parametrize("seed", range(3))
def test_every_text_has_both_ends_and_fits(seed: int) -> None:
    reader = WordPiece(plan(random_pieces(seed), longest=7))
    for ids in map(reader.tokens, random_texts(seed)):
        assert (ids[0], ids[-1]) == (FIRST, LAST)
        assert 2 <= len(ids) <= reader.longest


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([], (0, 1)), ([[]], (1, 1)), ([[], [5, 6]], (2, 2)), ([[7]] * 3, (3, 1)), ([[1], [], [1, 2, 3]], (3, 3))],
    ids=["none", "one empty", "first empty", "alike", "between"],
)
def test_filling_up_keeps_rows_and_their_sums(rows: list[list[int]], expected: tuple[int, int]) -> None:
    found = padded(rows)
    assert (found.shape, found.dtype) == (expected, np.float32)
    assert found.sum(axis=1).tolist() == [sum(row) for row in rows]


def test_the_largest_id_is_exact_in_single_precision() -> None:
    ids = [MOST_PIECES - 1, MOST_PIECES - 2, 1]
    assert padded([ids]).astype(np.int64).tolist() == [ids]


@pytest.mark.parametrize(("name", "low", "high"), [("longest", 3, 4096), ("most_word", 1, 1000), ("first", 1, 5)])
def test_numbers_of_a_plan_are_taken_up_to_their_limits(name: str, low: int, high: int) -> None:
    for value in (low, high):
        assert WordPiece(plan(["a", "b"], **{name: value})).tokens("")
    for value in (low - 1, high + 1, float(low), True, str(low)):
        with pytest.raises(ValueError, match=rf"^plan: {name} must be a whole number in \[{low}, {high}\]. Got"):
            WordPiece(plan(["a", "b"], **{name: value}))


@pytest.mark.parametrize("name", sorted(plan()))
def test_no_field_of_a_plan_may_be_missing(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^plan: {name} must be"):
        WordPiece({key: value for key, value in plan().items() if key != name})


@pytest.mark.parametrize("name", ["version", "kind", "longest", "most_word", "lower", "accents", "unknown"])
@pytest.mark.parametrize("value", ["x\ny" * 100_000, ["x"] * 1000, {"a": {"b": "\n"}}], ids=["text", "list", "object"])
def test_a_complaint_is_one_short_line(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^plan: {name} must be") as caught:
        WordPiece(plan(**{name: value}))
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["x"] * (MOST_PIECES + 1), "vocabulary must have 4 to 1000000 pieces. Got 1000001"),
        (["x"] * 2_000_001, "vocabulary must be a list of 1 to 2000000 entries"),
        ([], "vocabulary must be a list of 1 to"),
        ({"a": 0}, "vocabulary must be a list of"),
        ("[PAD]", "vocabulary must be a list of"),
        ([*SPECIAL, None], "vocabulary must be texts"),
        ([*SPECIAL, "[SEP]"], "vocabulary must have no empty piece and none twice"),
    ],
    ids=["too many", "far too many", "none", "object", "text", "null", "twice"],
)
def test_a_vocabulary_of_another_kind_is_refused(pieces: object, said: str) -> None:
    with pytest.raises(ValueError, match=f"^plan: {said}"):
        WordPiece({**plan(), "vocabulary": pieces})


def test_the_smallest_vocabulary_reads_every_word_as_unknown() -> None:
    assert WordPiece(plan()).tokens("a b!") == [FIRST, UNKNOWN, UNKNOWN, UNKNOWN, LAST]
