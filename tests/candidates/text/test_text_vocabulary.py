from __future__ import annotations

import numpy as np
import pytest

from automl.candidates.text import vocabulary
from automl.candidates.text.vocabulary import LONGEST_WORD, LearnedPart, PartOptions, learned_part
from automl.serving.text_grams import EDGE
from automl.serving.texts import Texts

SAID = ["red fox", "red hen", "red fox", "blue whale"]


def learned(options: PartOptions, texts: list[str] = SAID, rows: int = 3) -> LearnedPart:
    numbers = np.arange(rows)
    return learned_part(Texts.of(texts), numbers, texts[:rows], options, lower=True, longest=1000)


def frequencies(part: LearnedPart) -> dict[str, int]:
    return dict(zip(part.terms, part.frequency.tolist(), strict=True))


def test_terms_are_those_of_the_rows_learned_from() -> None:
    found = frequencies(learned(PartOptions("words", 1, 2)))
    assert found == {"red": 3, "fox": 2, "hen": 1, "red fox": 2, "red hen": 1}


def test_a_term_counts_once_a_row() -> None:
    assert frequencies(learned(PartOptions("words", 1, 1), ["a a a", "a b"], 2)) == {"a": 2, "b": 1}


def test_rare_terms_are_left_out() -> None:
    assert frequencies(learned(PartOptions("words", 1, 2, least=2))) == {"red": 3, "fox": 2, "red fox": 2}


def test_a_term_that_is_twice_in_one_row_is_rare_still() -> None:
    assert frequencies(learned(PartOptions("words", 1, 1, least=2), ["a a", "b", "b"])) == {"b": 2}


def test_only_the_most_frequent_terms_are_kept() -> None:
    assert set(learned(PartOptions("words", 1, 2, most=2)).terms) <= {"red", "fox", "red fox"}


def test_runs_of_characters_are_terms() -> None:
    assert frequencies(learned(PartOptions("characters", 2, 2), ["ab", "ab c"], 2)) == {
        " a": 2, "ab": 2, "b ": 2, " c": 1, "c ": 1
    }  # fmt: skip


def test_edges_are_terms_with_their_neighbour() -> None:
    assert f"{EDGE} red" in learned(PartOptions("words", 1, 2, edges=True)).terms


def test_very_long_words_are_no_terms() -> None:
    assert learned(PartOptions("words", 1, 1), ["x" * (LONGEST_WORD + 1), "y", "y"]).terms == ("y",)


@pytest.mark.parametrize(
    "options", [PartOptions("words", 1, 2), PartOptions("characters", 2, 5)], ids=["words", "signs"]
)
def test_texts_that_are_all_empty_have_no_terms(options: PartOptions) -> None:
    part = learned(options, ["", "", "x y"], 2)
    assert part.terms == ()
    assert part.counts.ends.tolist() == [0, 0, 0, 0]


def test_counts_are_those_of_all_rows() -> None:
    part = learned(PartOptions("words", 1, 1), ["a b", "a", "b b c"], 2)
    rows = np.split(part.counts.ids, part.counts.ends[1:-1])
    assert [sorted(part.terms[i] for i in row) for row in rows] == [["a", "b"], ["a"], ["b"]]
    assert part.counts.values[-1] == 2


def test_terms_that_are_dropped_leave_no_counts() -> None:
    part = learned(PartOptions("words", 1, 1), ["a b c", "c b"], 2)
    keep = np.array([term != "b" for term in part.terms])
    fewer = part.only(keep)
    assert (set(fewer.terms), fewer.counts.ends.tolist()) == ({"a", "c"}, [0, 2, 3])


def test_terms_of_many_batches_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"common {place % 7} " * 300 for place in range(450)]
    plain = learned(PartOptions("characters", 2, 3), texts, 450)
    monkeypatch.setattr(vocabulary, "_MERGED", 10)
    assert frequencies(learned(PartOptions("characters", 2, 3), texts, 450)) == frequencies(plain)
