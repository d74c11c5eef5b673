from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from automl.serving.text_grams import EDGE, HIGHEST, CharacterRuns, WordRuns, code_points, most_tokens


def word_runs(known: str, high: int, *, edges: bool = False) -> WordRuns:
    codes = {word: code for code, word in enumerate([EDGE, *known.split()], 1)}
    return WordRuns(1, high, True, False, edges, codes)


def character_runs(known: str, low: int, high: int, *, inside: bool = False) -> CharacterRuns:
    return CharacterRuns(low, high, True, inside, known)


def found(runs: WordRuns | CharacterRuns, text: str) -> Counter[str]:
    return Counter(runs.terms(runs.grams([text]).keys))


def test_runs_of_words_are_all_that_follow_each_other() -> None:
    assert found(word_runs("to be or", 2), "to be to") == {"to": 2, "be": 1, "to be": 1, "be to": 1}


def test_an_unknown_word_ends_a_run() -> None:
    assert found(word_runs("to be", 3), "to never be") == {"to": 1, "be": 1}


def test_edges_are_part_of_runs_but_none_by_themselves() -> None:
    assert found(word_runs("who", 2, edges=True), "who") == {"who": 1, f"{EDGE} who": 1, f"who {EDGE}": 1}


def test_runs_of_characters_go_over_spaces_or_stay_inside_words() -> None:
    over, inside = (found(character_runs(" ab", 2, 3, inside=i), "a b") for i in (False, True))
    assert over == {" a": 1, "a ": 1, " b": 1, "b ": 1, " a ": 1, "a b": 1, " b ": 1}
    assert inside == {" a": 1, "a ": 1, " b": 1, "b ": 1, " a ": 1, " b ": 1}


def test_a_space_alone_is_no_run() -> None:
    assert found(character_runs(" a", 1, 1), "a a") == {"a": 2}


def test_no_run_goes_from_one_text_into_the_next() -> None:
    grams = character_runs("ab", 2, 2).grams(["a", "b", "ab"])
    assert grams.rows.tolist() == [2]


def test_a_nul_is_never_known() -> None:
    assert found(character_runs("\0ab", 2, 2), "a\0b ab") == {"ab": 1}


@pytest.mark.parametrize("high", range(1, HIGHEST + 1), ids=str)
def test_terms_and_numbers_go_there_and_back(high: int) -> None:
    runs = character_runs("abc", 1, high)
    terms = ["abcabc"[:size] for size in range(1, high + 1)] + ["cba"[:high]] * (high > 1)
    keys = runs.keys(terms)
    assert runs.terms(keys) == terms
    assert len(set(keys.tolist())) == len(terms)


def test_what_is_no_run_of_known_tokens_has_no_number() -> None:
    assert character_runs("ab", 2, 3).keys(["a", "ax", "ab", "abab"]).tolist()[:2] == [-1, -1]
    assert word_runs("a b", 2).keys(["a b a", "c", ""]).tolist() == [-1, -1, -1]


def test_as_many_tokens_as_fit_stay_different() -> None:
    alphabet = "".join(chr(0x4E00 + place) for place in range(most_tokens(5)))
    runs = character_runs(alphabet, 5, 5)
    last = alphabet[-1] * 5
    assert runs.terms(runs.keys([last, alphabet[:5]])) == [last, alphabet[:5]]
    assert (runs.keys([last]) > 0).all()


def test_code_points_are_those_of_any_character() -> None:
    assert code_points("a\U0001f600").tolist() == [97, 0x1F600]


def test_runs_are_those_that_a_plain_loop_finds() -> None:
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("ab c"), 60))
    line = f" {' '.join(text.split())} "
    every = (line[i : i + size] for size in (2, 3, 4) for i in range(len(line) - size + 1))
    expected = Counter(run for run in every if " " not in run[1:-1])
    assert found(character_runs(" abc", 2, 4, inside=True), text) == expected
