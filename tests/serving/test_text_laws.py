"""Words, runs of them and their weights are what plain loops over the signs of a text give, in any script."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from automl.serving import text_terms
from automl.serving.text_grams import EDGE, HIGHEST, CharacterRuns, WordRuns, code_points, most_tokens
from automl.serving.text_ids import EMPTY, FIRST, UNKNOWN, TokenIds, Unit, padded
from automl.serving.text_terms import COUNTINGS, NORMS, Counting, Counts, Norm, Terms, Weighing, packed
from automl.serving.text_terms import Counter as TermCounter
from automl.serving.text_tokens import is_unspaced, spaced, words
from automl.serving.texts import Texts

LETTERS = "abzAZ09_\u00e9\u00df\u0414\u0436\u05d0\u0639\uc548\u0915"
MARKS = "\u0301\u093e\u05b8\u064b\u200d"
UNSPACED = "\u732b\u9001\u3067\u30ab\u0e01\u0e02\u0e81\u1000\u1780\U00020000"
RIDERS = "\u0e34\u0e48\u3099\uff9e"
SELECTOR = "\ufe0f"
PUNCTUATION = "'!?:-)(.,#%@`~"
SIGNS = "\U0001f600\u2665\u20ac\u3002\u2026\u2019\x00"
SPACES = " \t\n\u00a0\u3000\u2028"
EVERY = LETTERS + MARKS + UNSPACED + RIDERS + SELECTOR + PUNCTUATION + SIGNS + SPACES * 2
SEEDS = range(4)


def random_texts(seed: int, signs: str = EVERY, count: int = 120, longest: int = 40) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(signs), rng.integers(0, longest))) for _ in range(count)]


def end_of(text: str, at: int, signs: str, last: int) -> int:
    while at < min(last, len(text)) and text[at] in signs:
        at += 1
    return at


def end_of_word(text: str, at: int) -> int:
    at = end_of(text, at, LETTERS + MARKS, len(text))
    goes_on = at + 1 < len(text) and text[at] in "'\u2019" and text[at + 1] in LETTERS
    return end_of_word(text, at + 1) if goes_on else at


def plain_words(text: str, *, marks: bool) -> list[str]:
    """The rules of words, sign by sign."""
    found, at = [], 0
    while at < len(text):
        start, sign = at, text[at]
        if sign in LETTERS:
            at = end_of_word(text, at)
        elif sign in UNSPACED + RIDERS:
            at = end_of(text, at + 1, RIDERS + SELECTOR, len(text))
        else:
            at = end_of(text, at + 1, PUNCTUATION, start + 4) if sign in PUNCTUATION else at + 1
        if sign in LETTERS + UNSPACED + RIDERS or (marks and not sign.isspace()):
            found.append(text[start:at])
    return found


def plain_runs(tokens: list[str], known: set[str], low: int, high: int) -> Counter[tuple[str, ...]]:
    every = (tuple(tokens[i : i + n]) for n in range(low, high + 1) for i in range(len(tokens) - n + 1))
    return Counter(run for run in every if known.issuperset(run))


def word_runs(known: str, low: int, high: int, *, edges: bool) -> WordRuns:
    codes = {word: code for code, word in enumerate([EDGE, *known.split()], 1)}
    return WordRuns(low, high, True, False, edges, codes)


@pytest.mark.parametrize("marks", [False, True], ids=["words", "and marks"])
@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_words_are_those_that_a_loop_over_signs_finds(seed: int, marks: bool) -> None:
    texts = random_texts(seed)
    assert [words(text, lower=False, marks=marks) for text in texts] == [plain_words(t, marks=marks) for t in texts]


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_words_of_ascii_texts_are_those_that_a_loop_over_signs_finds(seed: int) -> None:
    texts = random_texts(seed, "ab0_" + PUNCTUATION + "''  \n")
    assert all(text.isascii() for text in texts)
    assert [words(text, marks=True) for text in texts] == [plain_words(text, marks=True) for text in texts]


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_words_and_marks_end_to_end_are_the_text_without_blanks(seed: int) -> None:
    for text in random_texts(seed):
        assert "".join(words(text, lower=False, marks=True)) == "".join(text.split())


def test_no_code_point_but_a_blank_is_lost_between_words_and_marks() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x30000)]))
    assert "".join(words(every, lower=False, marks=True)) == "".join(every.split())


def test_every_letter_and_digit_is_part_of_a_word() -> None:
    every = [sign for sign in map(chr, range(0x30000)) if sign.isalnum()]
    assert [sign for sign in every if words(sign, lower=False) != [sign]] == []


def test_words_are_what_is_left_when_marks_are_dropped() -> None:
    for text in random_texts(5):
        kept = words(text, lower=False, marks=True)
        assert [word for word in kept if words(word, lower=False)] == words(text, lower=False)


def test_a_word_is_one_word_when_it_stands_alone() -> None:
    found = {word for text in random_texts(6) for word in words(text, marks=True)}
    assert [word for word in found if words(word, marks=True) != [word]] == []


def test_words_of_two_texts_with_a_blank_between_are_those_of_each() -> None:
    texts = random_texts(7)
    for left, right in zip(texts[::2], texts[1::2], strict=True):
        both = words(f"{left} {right}", lower=False, marks=True)
        assert both == words(left, lower=False, marks=True) + words(right, lower=False, marks=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u212aELVIN", ["kelvin"]),
        ("\u0130stanbul", ["i\u0307stanbul"]),
        ("\u039f\u0394\u039f\u03a3", ["\u03bf\u03b4\u03bf\u03c2"]),
        ("STRASSE Stra\u00dfe", ["strasse", "stra\u00dfe"]),
    ],
    ids=["a sign that becomes ascii", "a sign that becomes two", "a final sigma", "a sharp s"],
)
def test_capitals_of_any_script_become_small(text: str, expected: list[str]) -> None:
    assert words(text) == expected


LONG = {
    "chinese": ("\u732b", 1_000_000, 1_000_000),
    "thai with vowels": ("\u0e01\u0e34", 500_000, 500_000),
    "one word of accents": ("e\u0301", 500_000, 1),
    "accents alone": ("\u0301", 1_000_000, 0),
    "emoji": ("\U0001f600", 1_000_000, 0),
    "apostrophes": ("'", 1_000_000, 0),
    "a word and an accent far off": ("a" * 999_999 + "\u0301", 1, 1),
}


@pytest.mark.parametrize(("part", "times", "count"), LONG.values(), ids=LONG.keys())
def test_a_million_signs_are_read_as_a_few_are(part: str, times: int, count: int) -> None:
    text = part * times
    assert len(words(text)) == count
    assert "".join(words(text, marks=True)) == text


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_line_is_its_pieces_with_single_spaces(seed: int) -> None:
    for text in random_texts(seed):
        line = spaced(text, lower=False)
        assert line == (f" {' '.join(text.split())} " if text.split() else " ")
        assert spaced(line, lower=False) == line


def test_the_order_of_signs_and_blanks_do_not_tell_a_script() -> None:
    for text in random_texts(8, longest=12):
        assert is_unspaced(text) is is_unspaced(text[::-1]) is is_unspaced(" ".join(text) + " 12 ?")


@pytest.mark.parametrize(("spaced_letters", "expected"), [(2, True), (3, False)], ids=["a third", "a quarter"])
def test_a_third_of_the_letters_tells_a_script(spaced_letters: int, expected: bool) -> None:
    assert is_unspaced(("\u732b" + "x" * spaced_letters) * 5) is expected


@pytest.mark.parametrize("edges", [False, True], ids=["plain", "edges"])
@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 2), (2, 3), (1, HIGHEST), (4, 4)], ids=str)
def test_runs_of_words_are_those_that_a_plain_loop_finds(low: int, high: int, edges: bool) -> None:
    runs = word_runs("a b \u732b", low, high, edges=edges)
    for text in random_texts(low + high, "aabbc\u732b\u732b    ", 60):
        tokens = [EDGE, *words(text), EDGE] if edges and words(text) else words(text)
        expected = plain_runs(tokens, {EDGE, "a", "b", "\u732b"}, low, high)
        del expected[(EDGE,)]
        assert Counter(runs.terms(runs.grams([text]).keys)) == {" ".join(run): n for run, n in expected.items()}


@pytest.mark.parametrize("inside", [False, True], ids=["over spaces", "inside"])
@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 3), (2, 5), (3, HIGHEST), (HIGHEST, HIGHEST)], ids=str)
def test_runs_of_signs_are_those_that_a_plain_loop_finds(low: int, high: int, inside: bool) -> None:
    runs = CharacterRuns(low, high, True, inside, " ab\u00e9\u732b\U0001f600\u0e34")
    for text in random_texts(low + high, "aB\u00c9x\u732b\U0001f600\u0e34\x00   \u3000", 60):
        expected = plain_runs(list(spaced(text)), set(runs.alphabet), low, high)
        found = {"".join(run): n for run, n in expected.items() if run != (" ",)}
        kept = {run: n for run, n in found.items() if not (inside and " " in run[1:-1])}
        assert Counter(runs.terms(runs.grams([text]).keys)) == kept


@pytest.mark.parametrize("inside", [False, True], ids=["over spaces", "inside"])
def test_runs_of_many_texts_at_once_are_those_of_each(inside: bool) -> None:
    runs, texts = CharacterRuns(1, 4, True, inside, "a\u732b \u0301"), random_texts(9, "a\u732b\u0301  \x00")
    together = runs.grams(texts)
    for row, text in enumerate(texts):
        own = runs.grams([text]).keys
        assert sorted(together.keys[together.rows == row].tolist()) == sorted(own.tolist())


@pytest.mark.parametrize("high", [2, 3, 6], ids=str)
def test_numbers_of_runs_are_different_and_positive_at_the_end_of_the_alphabet(high: int) -> None:
    count = most_tokens(high)
    codes = {"first": 1, "last": count}
    keys = WordRuns(1, high, True, False, False, codes).keys(
        [" ".join(term) for n in range(1, high + 1) for term in [["last"] * n, ["first"] * n]]
    )
    assert len(set(keys.tolist())) == 2 * high
    assert (keys > 0).all()
    assert keys.max() < 1 << 63 // high * high


def test_half_a_surrogate_pair_is_a_question_mark_in_its_place() -> None:
    assert code_points("a\ud800b").tolist() == code_points("a?b").tolist()
    assert words("\u732b\ud83d!", marks=True) == words("\u732b?!", marks=True) == ["\u732b", "?!"]
    assert spaced("a\udc00 b") == " a? b "


HALVES = ["so\ud83d", "\ude00", "\ud83d\ude00 so", "so ?\udfff!", "\u732b\ud800\u732b"]
PARTS_OF_HALVES: dict[str, dict[str, Any]] = {
    "words": {"of": "words", "low": 1, "high": 2, "marks": True, "edges": False, "terms": ["so", "?", "so ?", "??!"]},
    "characters": {"of": "characters", "low": 1, "high": 2, "inside": False, "terms": ["?", "o?", "??", "\u732b?"]},
}


@pytest.mark.parametrize("of", PARTS_OF_HALVES)
@pytest.mark.parametrize("kind", ["terms", "tokens"])
def test_half_a_surrogate_pair_is_read_as_it_is_in_a_column_of_texts(kind: str, of: str) -> None:
    part = {**PARTS_OF_HALVES[of], "weights": [1.0, 2.0, 3.0, 4.0]}
    about = {"lower": True, "longest": 50, "counting": "raw", "norm": "none", "parts": [part]}
    plan = {"version": 1, "kind": kind, "of": of, "marks": True, "terms": part["terms"], **about}
    reader = Terms.from_json(plan) if kind == "terms" else TokenIds.from_json(plan)
    direct = reader.compute(HALVES)
    np.testing.assert_array_equal(direct, reader.compute(Texts.of(HALVES)))
    assert len(np.unique(direct)) >= 3


@pytest.mark.parametrize("longest", [1, 3, 500], ids=str)
@pytest.mark.parametrize("of", ["words", "characters"])
def test_ids_are_those_of_the_first_tokens(of: Unit, longest: int) -> None:
    texts = random_texts(10, "ab\u732b?  ", longest=19)
    reader = TokenIds(of, True, True, longest, {"a": FIRST, "\u732b": FIRST + 1, " ": FIRST + 2})
    for text, row in zip(texts, reader.compute(texts), strict=True):
        tokens = words(text, marks=True) if of == "words" else list(" ".join(text.split()))
        expected = [reader.ids.get(token, UNKNOWN) for token in tokens[:longest]] or [EMPTY]
        assert row.tolist() == expected + [0] * (len(row) - len(expected))


def test_of_each_token_twenty_signs_are_read() -> None:
    reader = TokenIds("words", True, False, 2, {"x" * 20: FIRST, "x" * 19: FIRST + 1})
    assert reader.tokens("x" * 100) == ["x" * 40]
    assert reader.compute(["x" * 20 + " " + "x" * 90]).tolist() == [[FIRST, FIRST + 1]]


@pytest.mark.parametrize("of", ["words", "characters"])
def test_ids_of_a_text_do_not_depend_on_its_neighbours(of: Unit) -> None:
    reader, texts = TokenIds(of, True, True, 30, {"a": FIRST}), random_texts(11)
    together = reader.read(texts)
    assert np.concatenate([reader.read([text]).values for text in texts]).tolist() == together.values.tolist()
    assert padded(together).shape == (len(texts), together.lengths.max())


def dense(counts: Counts, terms: int) -> np.ndarray:
    out = np.zeros((len(counts.ends) - 1, terms))
    for row in range(len(out)):
        own = slice(counts.ends[row], counts.ends[row + 1])
        out[row, counts.ids[own]] = counts.values[own]
    return out


def counted(alphabet: str, terms: list[str], texts: list[str], longest: int = 1000) -> Counts:
    runs = CharacterRuns(1, 3, True, False, alphabet)
    return TermCounter(runs, runs.keys(terms), longest).count(texts)


def test_terms_are_counted_whatever_their_order() -> None:
    terms, texts = ["ba", "a", "\u732b", "ab\u732b", "b b", "zzz"], random_texts(12, "ab\u732b  ")
    expected = [[sum(spaced(t).startswith(term, i) for i in range(len(t) + 2)) for term in terms] for t in texts]
    assert dense(counted(" ab\u732bz", terms, texts), 6).tolist() == expected


def test_ids_rise_within_a_text_and_no_count_is_zero() -> None:
    found = counted(" ab", ["b", "ab", "a", "a b"], random_texts(13, "ab  "))
    for start, end in zip(found.ends[:-1], found.ends[1:], strict=True):
        assert (np.diff(found.ids[start:end]) > 0).all()
    assert (found.values > 0).all()


@pytest.mark.parametrize("size", [1, 7, 300], ids=str)
def test_the_size_of_batches_changes_no_count(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*random_texts(14, "ab  ", 50), "", "", "ab" * 200]
    expected = counted(" ab", ["a", "ba"], texts)
    monkeypatch.setattr(text_terms, "_BATCH_CHARACTERS", size)
    for one, other in zip(counted(" ab", ["a", "ba"], texts), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_counts_of_parts_of_the_texts_are_joined_to_those_of_all() -> None:
    texts = random_texts(15, "ab  ")
    parts = [counted(" ab", ["a", "bb"], texts[start:end]) for start, end in [(0, 0), (0, 50), (50, 51), (51, 120)]]
    np.testing.assert_array_equal(dense(Counts.joined(parts), 2), dense(counted(" ab", ["a", "bb"], texts), 2))


def plain_weights(counts: list[np.ndarray], of_terms: list[np.ndarray], counting: Counting, norm: Norm) -> np.ndarray:
    """The formula of weights, (n, terms of all parts)."""
    logs = [np.where(part > 0, 1 + np.log(np.maximum(part, 1)), 0) for part in counts]
    taken = {"raw": counts, "log": logs, "once": [np.sign(part) for part in counts]}[counting]
    weighed = [part * weights for part, weights in zip(taken, of_terms, strict=True)]
    if norm == "all":
        weighed = [np.hstack(weighed)]
    norms = [np.linalg.norm(part, axis=1, keepdims=True) if norm != "none" else 1 for part in weighed]
    return np.hstack([part / np.where(size == 0, 1, size) for part, size in zip(weighed, norms, strict=True)])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("counting", COUNTINGS)
def test_weights_are_those_of_the_formula(counting: Counting, norm: Norm) -> None:
    texts, of_terms = random_texts(16, "ab\u732b  "), [np.array([0.5, 2.0]), np.array([3.0])]
    parts = [counted("ab\u732b", ["a", "ab"], texts), counted("ab\u732b", ["\u732b"], texts)]
    expected = plain_weights([dense(parts[0], 2), dense(parts[1], 1)], of_terms, counting, norm)
    found = Weighing(counting, norm).weigh(parts, of_terms)
    np.testing.assert_allclose(np.hstack([dense(found[0], 2), dense(found[1], 1)]), expected, rtol=1e-6)


def test_packed_rows_hold_every_weight_at_its_id_and_zeros_behind() -> None:
    texts = random_texts(17, "ab\u732b  ")
    parts = [counted(" ab", ["a", "b", "ba"], texts), counted("\u732b", ["\u732b"], texts)]
    expected = np.hstack([dense(parts[0], 3), dense(parts[1], 1)])
    for (ids, weights), row in zip(packed(parts, [1, 4]), expected, strict=True):
        known = int((ids > 0).sum())
        assert ids[:known].tolist() == (1 + np.flatnonzero(row)).tolist()
        assert weights[:known].tolist() == row[row > 0].tolist()
        assert not np.any([ids[known:], weights[known:]])


@pytest.mark.parametrize("longest", [1, 40, 1000], ids=str)
def test_a_text_is_read_as_its_beginning_is(longest: int) -> None:
    part = {"of": "characters", "low": 1, "high": 2, "inside": False, "terms": ["a", "ab", "\u732b"],
            "weights": [1.0, 2.0, 3.0]}  # fmt: skip
    plan = {"lower": True, "longest": longest, "counting": "log", "norm": "all", "parts": [part]}
    reader, texts = Terms.from_json(plan), random_texts(18, "ab\u732b ", longest=90)
    np.testing.assert_array_equal(reader.compute(texts), reader.compute([text[:longest] for text in texts]))


def test_a_million_signs_are_counted_exactly() -> None:
    part = {"of": "characters", "low": 1, "high": 3, "inside": False, "terms": ["\u732b", "a\u732b", "\u732ba\u732b"],
            "weights": [1.0, 1.0, 1.0]}  # fmt: skip
    plan = {"lower": True, "longest": 1_000_000, "counting": "raw", "norm": "none", "parts": [part]}
    out = Terms.from_json(plan).compute(["a\u732b" * 500_000, ""])
    assert out.tolist() == [[[1, 2, 3], [500_000, 500_000, 499_999]], [[0, 0, 0], [0, 0, 0]]]
