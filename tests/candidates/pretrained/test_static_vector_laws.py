"""Vectors of texts without a layer, and the graph that computes them, are those of the slow way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.pretrained import static_vectors as statics
from automl.candidates.pretrained.bert_files import MINILM
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.sentence_bank import SentenceBank
from automl.candidates.pretrained.sentence_model import SentenceModel
from automl.candidates.pretrained.static_vectors import StaticParts, static_graph, static_vectors, table_of
from automl.candidates.pretrained.weights import Weights, find
from automl.errors import UserError
from automl.serving.text_wordpiece import WordPiece
from automl.testing.context import spoken_texts
from automl.testing.tiny_bert import bert_tensors, write_bert

ROWS = 60
DATA = spoken_texts(ROWS, seed=7)
TEXTS = list(DATA.X.texts[0])
PARTS = [StaticParts(has_max, firsts) for has_max in (False, True) for firsts in (0, 1, 5)]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> SentenceBank:
    folder = tmp_path_factory.mktemp("static")
    found = find(MINILM, {"weights": write_bert(folder / "weights", ["the", "was", "good"])})
    assert found is not None
    return SentenceBank.of(found, 40, DATA, folder)


def head_for(width: int) -> Head:
    rng = np.random.default_rng(width)
    return Head(rng.normal(size=(width, 3)), rng.normal(size=3))


def slow_static(bank: SentenceBank, table: np.ndarray, parts: StaticParts) -> np.ndarray:
    """Return the vectors of all texts, one after the other."""
    rows = []
    for text in TEXTS:
        words = table.astype(np.float64)[WordPiece(bank.plan).tokens(text)]
        begin = np.zeros((parts.firsts, table.shape[1]))
        begin[: len(words) - 1] = words[1 : 1 + parts.firsts]
        rows.append(np.concatenate([words.mean(axis=0), *([words.max(axis=0)] * parts.has_max), *begin]))
    return np.array(rows)


def table_in(bank: SentenceBank) -> np.ndarray:
    return table_of(bank.weights, len(bank.plan["vocabulary"])) - np.float16(2)  # below 0, where padding would show


@pytest.mark.parametrize("parts", PARTS, ids=str)
@pytest.mark.parametrize("at_once", [1, 50, 1 << 16])
def test_static_vectors_are_those_of_the_slow_way(
    bank: SentenceBank, parts: StaticParts, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statics, "_TOKENS_AT_ONCE", at_once)
    found = static_vectors(bank, table_in(bank), parts)
    assert (found.shape, found.dtype) == ((ROWS, parts.count * bank.config.width), np.float32)
    np.testing.assert_allclose(found, slow_static(bank, table_in(bank), parts), atol=1e-5)


@pytest.mark.parametrize("parts", PARTS, ids=str)
def test_the_static_graph_sees_nothing_behind_a_text(bank: SentenceBank, parts: StaticParts) -> None:
    table = table_in(bank)
    head = head_for(parts.count * table.shape[1])
    model, ids = SentenceModel(static_graph(table, parts, head), bank.plan, "probabilities"), bank.ids(np.arange(ROWS))
    expected = head.probabilities(slow_static(bank, table, parts).astype(np.float32))
    for more in (0, 1, 30):
        np.testing.assert_allclose(model.predict_encoded(np.pad(ids, ((0, 0), (0, more)))), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict(DATA.X), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["embeddings.word_embeddings.weight", "bert.embeddings.word_embeddings.weight"])
@pytest.mark.parametrize("pieces", [1, 9, 10])
def test_a_table_is_rounded_and_what_is_behind_its_pieces_left_out(name: str, pieces: int, tmp_path: Path) -> None:
    values = bert_tensors(10)["embeddings.word_embeddings.weight"]
    values[pieces:] = np.nan
    found = table_of(stored({name: values}, tmp_path), pieces)
    np.testing.assert_array_equal(found, values[:pieces].astype(np.float16))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((9, 4), np.float32), r"of 10 rows is needed. Got \(9, 4, 'float32'\)"),
        (np.zeros(40, np.float32), r"is needed. Got \(40, 'float32'\)"),
        (np.zeros((10, 4), np.int32), r"is needed. Got \(10, 4, 'int32'\)"),
        (np.full((10, 4), 65520, np.float32), "must lie within 65504. Got 65520"),
        (np.full((10, 4), np.inf, np.float32), "must lie within 65504. Got inf"),
        (np.full((10, 4), np.nan, np.float32), "must lie within 65504. Got nan"),
    ],
    ids=["short", "flat", "whole numbers", "large", "infinite", "no numbers"],
)
def test_a_table_that_cannot_be_used_is_refused(values: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"model.safetensors: .*{said}. Name other weights"):
        table_of(stored({"embeddings.word_embeddings.weight": values}, tmp_path), 10)


def test_weights_without_a_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"word_embeddings.weight of 4 rows is needed. Got None"):
        table_of(stored({"embeddings.weight": np.zeros((4, 4), np.float32)}, tmp_path), 4)


def stored(tensors: dict[str, np.ndarray], folder: Path) -> Weights:
    from safetensors.numpy import save_file

    save_file(tensors, folder / "model.safetensors")
    return Weights(folder / "model.safetensors", folder, "bert", "folder")
