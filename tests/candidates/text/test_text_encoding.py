from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.text import encoding
from automl.candidates.text.encoding import (
    TermOptions,
    TokenOptions,
    encoded_terms,
    encoded_tokens,
    is_without_spaces,
    sampled,
)
from automl.candidates.text.vocabulary import PartOptions
from automl.serving.table import TableRule
from automl.serving.text_encoder import TextEncoder, check
from automl.testing.context import ArrayData, LocalContext, spoken_texts, text_table

DATA = spoken_texts(120)
ROWS = np.arange(120)
WORDS, SIGNS = PartOptions("words", 1, 2, marks=True, edges=True), PartOptions("characters", 2, 4, least=2)
OPTIONS = {
    "words": TermOptions((WORDS,)),
    "characters": TermOptions((SIGNS,), counting="raw", idf=False),
    "both": TermOptions((WORDS, SIGNS), norm="all", lower=False),
    "across": TermOptions((PartOptions("characters", 1, 3, inside=False),), counting="once", norm="none"),
}


def context(folder: Path, rows: np.ndarray = ROWS[:80]) -> LocalContext:
    return LocalContext(rows, ROWS[80:], 3, folder)


def said(*texts: str) -> ArrayData:
    return dataclasses.replace(DATA, X=text_table([*texts, *[""] * (120 - len(texts))]))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_what_is_stored_is_what_the_plan_gives(tmp_path: Path, options: TermOptions) -> None:
    terms = encoded_terms(DATA, context(tmp_path), options)
    rows = np.array([0, 3, 119, 80])
    np.testing.assert_array_equal(terms.batch(rows), TextEncoder(terms.plan).compute(DATA.X[rows]))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_plans_fit_the_rule_of_the_data(tmp_path: Path, options: TermOptions) -> None:
    check(encoded_terms(DATA, context(tmp_path), options).plan, TableRule.from_json(DATA.spec.input))


def test_other_rows_than_the_training_rows_teach_nothing(tmp_path: Path) -> None:
    words = list(DATA.X.texts[0])
    other = dataclasses.replace(DATA, X=text_table([*words[:80], *["poison"] * 40]))
    plans = [encoded_terms(d, context(tmp_path / str(i)), OPTIONS["both"]).plan for i, d in enumerate((DATA, other))]
    assert plans[0] == plans[1]


def test_a_second_trial_reads_the_cache(tmp_path: Path) -> None:
    first = encoded_terms(DATA, context(tmp_path), OPTIONS["both"])
    files = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    second = encoded_terms(DATA, context(tmp_path), dataclasses.replace(OPTIONS["both"], norm="each", idf=False))
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == files
    assert first.X.shape == second.X.shape


def test_a_norm_of_each_part_is_one(tmp_path: Path) -> None:
    terms = encoded_terms(DATA, context(tmp_path), OPTIONS["words"])
    norms = np.sqrt(np.asarray((terms.X * terms.X).sum(axis=1)).ravel())
    np.testing.assert_allclose(norms[norms > 0], 1, rtol=1e-5)


def test_only_so_many_terms_are_kept_the_most_frequent_ones(tmp_path: Path) -> None:
    every = encoded_terms(DATA, context(tmp_path), OPTIONS["both"])
    few = encoded_terms(DATA, context(tmp_path), dataclasses.replace(OPTIONS["both"], most=40))
    terms = {term for part in few.plan["parts"] for term in part["terms"]}
    assert few.X.shape[1] == len(terms) == 40 < every.X.shape[1]
    assert " g" in terms or "e" in terms or len(terms) == 40


def test_what_does_not_fit_into_a_file_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_SAVED_CHARACTERS", 100)
    plan = encoded_terms(DATA, context(tmp_path), OPTIONS["both"]).plan
    assert sum(len(term) for part in plan["parts"] for term in part["terms"]) <= 100


def test_texts_without_any_term_are_survived(tmp_path: Path) -> None:
    terms = encoded_terms(said(), context(tmp_path), OPTIONS["both"])
    assert terms.X.shape == (120, 0)
    assert terms.batch(ROWS[:3]).shape == (3, 2, 1)


TOKENS = {"words": TokenOptions(), "characters": TokenOptions("characters", longest=10, most=12, least=1)}


@pytest.mark.parametrize("options", TOKENS.values(), ids=TOKENS.keys())
def test_stored_tokens_are_what_the_plan_gives(tmp_path: Path, options: TokenOptions) -> None:
    tokens = encoded_tokens(DATA, context(tmp_path), options)
    rows = np.array([5, 0, 119])
    np.testing.assert_array_equal(tokens.batch(rows), TextEncoder(tokens.plan).compute(DATA.X[rows]))


def test_tokens_of_a_row_can_be_looked_up(tmp_path: Path) -> None:
    data = said("red red blue", "red blue green")
    tokens = encoded_tokens(data, context(tmp_path), TokenOptions(least=1, longest=2))
    first = tokens.values[tokens.starts[1] : tokens.ends[1]]
    assert [tokens.vocabulary[i] for i in first] == ["red", "blue"]
    assert tokens.vocabulary == ("", "", "", "red", "blue")


def test_rare_tokens_share_an_id(tmp_path: Path) -> None:
    tokens = encoded_tokens(said("red red blue"), context(tmp_path), TokenOptions(least=2))
    assert tokens.batch(ROWS[:2]).tolist() == [[3, 3, 2], [1, 0, 0]]


def test_tokens_may_be_learned_from_fewer_rows(tmp_path: Path) -> None:
    data = said("red red", "blue blue")
    assert encoded_tokens(data, context(tmp_path), TokenOptions(), ROWS[:1]).vocabulary[3:] == ("red",)
    assert encoded_tokens(data, context(tmp_path), TokenOptions()).vocabulary[3:] == ("blue", "red")


def test_no_row_at_all_is_a_batch_too(tmp_path: Path) -> None:
    assert encoded_tokens(DATA, context(tmp_path), TokenOptions()).batch(ROWS[:0]).shape == (0, 1)
    assert encoded_terms(DATA, context(tmp_path), OPTIONS["words"]).batch(ROWS[:0]).shape == (0, 2, 1)


@pytest.mark.parametrize(("text", "expected"), [("很好吃", True), ("tasty", False)], ids=["chinese", "english"])
def test_the_script_is_told_by_the_training_rows(tmp_path: Path, text: str, expected: bool) -> None:
    data = said(*[text] * 80, *["other 很 " * 9] * 40)
    assert is_without_spaces(data, context(tmp_path)) is expected


def test_of_many_texts_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "MOST_CHARACTERS", 10)
    found: list[Any] = list(sampled(said(*["abcde"] * 120).X.texts[0], ROWS))
    assert found == ["abcde"] * 3
