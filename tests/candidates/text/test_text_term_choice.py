from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.text.term_choice import MOST_WEIGHTS, chosen_terms, encoding_seconds, expected_options
from automl.candidates.text.term_choice import terms_per_row as found_per_row
from automl.candidates.text.vocabulary import PartOptions
from automl.errors import SpaceError
from automl.testing.context import LocalContext, spoken_texts, text_table

DATA = spoken_texts(60)
CHINESE = dataclasses.replace(DATA, X=text_table(["很好吃"] * 60))
BOTH: dict[str, Any] = {"terms": "both", "words": 2, "characters": 5, "least": 2}


def context(folder: Path) -> LocalContext:
    return LocalContext(np.arange(40), np.arange(40, 60), 3, folder)


CHOSEN = {
    "both": (BOTH, (PartOptions("words", 1, 2, least=2), PartOptions("characters", 2, 5, least=2))),
    "words": ({**BOTH, "terms": "words", "marks": "kept", "edges": "marked"},
              (PartOptions("words", 1, 2, marks=True, edges=True, least=2),)),
    "characters": ({**BOTH, "terms": "characters"}, (PartOptions("characters", 2, 5, least=2),)),
}  # fmt: skip


@pytest.mark.parametrize(("values", "parts"), CHOSEN.values(), ids=CHOSEN.keys())
def test_a_configuration_says_which_runs_are_terms(
    tmp_path: Path, values: dict[str, Any], parts: tuple[PartOptions, ...]
) -> None:
    ctx = context(tmp_path)
    assert chosen_terms(DATA, ctx, values).parts == parts
    assert ctx.notes == {}


@pytest.mark.parametrize(("terms", "high"), [("both", 3), ("characters", 3), ("words", 2)], ids=str)
def test_where_there_are_no_spaces_runs_of_signs_stand_for_words(tmp_path: Path, terms: str, high: int) -> None:
    ctx = context(tmp_path)
    found = chosen_terms(CHINESE, ctx, {**BOTH, "terms": terms}).parts
    assert found == (PartOptions("characters", 1, high, inside=False, least=2),)
    assert ctx.notes == {"terms": f"1 to {high} characters: no spaces between words"}


def test_values_that_a_space_leaves_out_have_defaults() -> None:
    options = expected_options(DATA.spec, BOTH)
    assert (options.counting, options.idf, options.norm, options.lower) == ("log", True, "each", True)


@pytest.mark.parametrize("name", ["terms", "marks", "edges", "case", "counting", "idf", "norm"])
@pytest.mark.parametrize("value", ["keep", "", True, "x" * 999], ids=["word", "empty", "true", "long"])
def test_a_word_that_is_not_known_is_refused_and_not_read_as_another(name: str, value: Any) -> None:
    with pytest.raises(SpaceError, match=rf"^{name}: must be one of .* Got .{{1,80}}\. Mend the search space\.$"):
        expected_options(DATA.spec, {**BOTH, name: value})


def test_values_are_passed_on() -> None:
    options = expected_options(DATA.spec, {**BOTH, "counting": "once", "idf": "none", "norm": "all", "case": "kept"})
    assert (options.counting, options.idf, options.norm, options.lower) == ("once", False, "all", False)


def test_of_many_classes_fewer_terms_are_kept() -> None:
    spec = dataclasses.replace(DATA.spec, classes=tuple(map(str, range(1000))))
    assert expected_options(spec, BOTH).most == MOST_WEIGHTS // 1000


@pytest.mark.parametrize(("classes", "longest"), [(2, 20_000), (40, 5000), (1000, 2000)], ids=["two", "forty", "many"])
def test_of_many_classes_less_of_a_text_is_read(classes: int, longest: int) -> None:
    spec = dataclasses.replace(DATA.spec, classes=tuple(map(str, range(classes))))
    assert expected_options(spec, BOTH).longest == longest


def test_longer_and_more_texts_cost_more() -> None:
    options = expected_options(DATA.spec, BOTH)
    longer = dataclasses.replace(DATA.spec, shape=(1, 1000, 2000))
    more = dataclasses.replace(DATA.spec, rows=60_000)
    costs = [encoding_seconds(spec, options) for spec in (DATA.spec, longer, more)]
    assert costs[0] < costs[1] < costs[2]
    assert found_per_row(longer, options) > found_per_row(DATA.spec, options)
