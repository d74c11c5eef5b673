from __future__ import annotations

import numpy as np
import pytest

from automl.candidates.tabular import encoding_texts
from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock
from automl.candidates.tabular.encoding_rows import Learned
from automl.candidates.tabular.encoding_texts import encoded_texts
from automl.core.data import DataSpec
from automl.serving.table import Column, Table, TableRule
from automl.serving.texts import Texts
from automl.testing.context import ArrayData

SAID = ["the film was good", "the film was not good", "a good one", "the plot was not good at all"] * 20


def blocks_of(texts: list[str], y: np.ndarray, *, classes: int = 2, most: int = 100) -> list[FittedBlock]:
    rule = TableRule((Column("said", "text"),))
    spec = DataSpec("texts", "table", len(y), (1,), ("a", "b", "c")[:classes], (), "texts", rule.to_json())
    data = ArrayData(Table(np.empty((len(y), 0)), (Texts.of(texts),)), y, spec)
    return encoded_texts(Learned.of(data, np.arange(len(y)), classes), EncoderOptions(texts=most))


def terms_of(texts: list[str], y: np.ndarray, *, classes: int = 2, most: int = 100) -> list[str]:
    found = [b.block["terms"] for b in blocks_of(texts, y, classes=classes, most=most) if b.block["kind"] == "words"]
    return [term for terms in found for term in terms]


def test_sizes_come_first_and_terms_after_them() -> None:
    size, words = blocks_of(SAID, np.arange(80) % 4 % 2)
    assert size.names == ("said: characters", "said: words")
    assert words.names[0].startswith("said: ")


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_terms_that_tell_of_the_target_come_first(classes: int) -> None:
    is_not = np.array(["not" in text for text in SAID])
    y = is_not.astype(float) if not classes else is_not.astype(np.int64)
    assert set(terms_of(SAID, y, classes=classes, most=3)) == {"not", "was not", "not good"}


def test_terms_of_nearly_all_texts_are_left_out() -> None:
    assert "good" not in terms_of(SAID, np.arange(80) % 2)


def test_words_of_a_single_text_are_left_out() -> None:
    assert "unique" not in terms_of([*SAID, "a unique one"], np.arange(81) % 2)


def test_pairs_do_not_reach_over_the_end_of_a_text() -> None:
    found = terms_of(SAID, np.arange(80) % 2)
    assert "good the" not in found
    assert "the film" in found


def test_no_more_terms_than_asked_for() -> None:
    assert len(terms_of(SAID, np.arange(80) % 2, most=4)) == 4
    assert terms_of(SAID, np.arange(80) % 2, most=0) == []


@pytest.mark.parametrize("text", ["", "...", "same words here"])
def test_texts_that_are_all_alike_give_no_block(text: str) -> None:
    assert blocks_of([text] * 20, np.arange(20) % 2) == []


def test_rare_terms_weigh_more() -> None:
    _, words = blocks_of(SAID, np.arange(80) % 2)
    weight = dict(zip(words.block["terms"], words.block["weights"], strict=True))
    assert weight["film"] > weight["the"] > 1


def test_vocabulary_is_of_a_bounded_number_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding_texts, "MOST_WORDS", 30)
    found = blocks_of(SAID, np.arange(80) % 2)
    assert len(found) == 2
