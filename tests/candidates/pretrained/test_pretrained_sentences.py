from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from automl.candidates.pretrained.bert_config import Pool
from automl.candidates.pretrained.bert_files import MINILM, network_of
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.sentence_bank import SentenceBank, batches
from automl.candidates.pretrained.sentence_fit import pools_of
from automl.candidates.pretrained.sentence_model import SentenceModel, keys
from automl.candidates.pretrained.static_vectors import StaticParts, static_graph, static_vectors, table_of
from automl.candidates.pretrained.weights import find
from automl.core.clock import FakeClock
from automl.errors import UserError
from automl.serving.table import Table
from automl.testing.context import ArrayData, LocalContext, spoken_texts
from automl.testing.tiny_bert import write_bert

DATA = spoken_texts(40)


def bank_in(folder: Path, data: ArrayData = DATA) -> SentenceBank:
    weights = find(MINILM, {"weights": write_bert(folder / "weights")})
    assert weights is not None
    return SentenceBank.of(weights, 32, data, folder / "cache")


def context(folder: Path) -> LocalContext:
    return LocalContext(np.arange(30), np.arange(30, 40), 3, folder / "cache")


def test_every_text_has_the_vector_that_the_network_gives(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    found = bank.vectors(bank.config.pools(), context(tmp_path))
    with torch.no_grad():
        expected = network_of(bank.weights)(torch.from_numpy(bank.ids(np.arange(40))), bank.config.pools())
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_parts_of_a_vector_are_taken_in_the_order_asked(tmp_path: Path) -> None:
    bank, ctx = bank_in(tmp_path), context(tmp_path)
    whole = bank.vectors(bank.config.pools(), ctx).reshape(40, -1, bank.config.width)
    found = bank.vectors((Pool(3, "mean"), Pool(0, "mean")), ctx)
    np.testing.assert_array_equal(found, np.hstack([whole[:, 5], whole[:, 0]]))


def test_vectors_are_computed_once(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    assert bank.seconds() > 0
    bank.vectors(bank.config.pools(), context(tmp_path))
    assert bank_in(tmp_path).seconds() == 0


def test_what_another_worker_left_is_computed(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    for chunk in bank.chunks():
        chunk.path.with_suffix(".begun").touch()
    assert bank.vectors(bank.config.pools(), context(tmp_path)).shape == (40, 7 * bank.config.width)


def test_without_time_no_text_is_read(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    ctx.is_timed, ctx.seconds, ctx.clock = True, 0.0, FakeClock()
    with pytest.raises(TimeoutError, match=r"s of texts still to read. Got 0.0 s"):
        bank_in(tmp_path).vectors((Pool(0, "mean"),), ctx)


def test_a_vector_is_the_same_to_the_bit_whatever_the_other_texts(tmp_path: Path) -> None:
    fewer = dataclasses.replace(DATA, X=DATA.X[:10], spec=dataclasses.replace(DATA.spec, rows=10))
    bank, other = bank_in(tmp_path), bank_in(tmp_path, fewer)
    found = bank.vectors(bank.config.pools(), context(tmp_path))
    np.testing.assert_array_equal(found[:10], other.vectors(bank.config.pools(), context(tmp_path)))


def test_batches_have_one_length_and_bounded_work() -> None:
    lengths = np.array([3, 3, 600, 600, 600, 5])
    found = [part.tolist() for part in batches(np.array([0, 1, 5, 2, 3, 4]), lengths)]
    assert found == [[0, 1], [5], [2], [3], [4]]


@pytest.mark.parametrize(("layers", "count"), [("all", 7), ("means", 4), ("lower", 5), ("last", 1)])
def test_layers_are_chosen_by_name(layers: str, count: int, tmp_path: Path) -> None:
    pools = pools_of(bank_in(tmp_path).config, layers)
    assert len(pools) == count
    assert pools[-1].layer == (2 if layers == "lower" else 3)


def model_of(bank: SentenceBank, known: dict[bytes, np.ndarray]) -> SentenceModel:
    from automl.candidates.pretrained.bert_graph import classes_graph

    head = Head(np.random.default_rng(0).normal(size=(bank.config.width, 3)), np.zeros(3))
    graph = classes_graph(network_of(bank.weights), (Pool(3, "mean"),), head)
    return SentenceModel(graph, bank.plan, "probabilities", known=known)


def test_rows_come_back_in_their_own_order(tmp_path: Path) -> None:
    model = model_of(bank_in(tmp_path), {})
    alone = np.concatenate([model.predict(DATA.X[row : row + 1]) for row in range(40)])
    np.testing.assert_allclose(model.predict(DATA.X), alone, atol=1e-6)


def test_many_rows_that_are_known_are_not_computed_again(tmp_path: Path) -> None:
    bank, answer = bank_in(tmp_path), np.array([1, 0, 0], np.float32)
    model = model_of(bank, {bank.keys(np.array([7]))[0]: answer})
    many = model.predict(Table.joined([DATA.X] * 7))
    np.testing.assert_array_equal(many[7], answer)
    np.testing.assert_allclose(many[8], model.predict(DATA.X[8:9])[0], atol=1e-6)


def test_many_rows_of_which_nothing_is_known_are_computed(tmp_path: Path) -> None:
    model = model_of(bank_in(tmp_path), {})
    many = model.predict(Table.joined([DATA.X] * 7))
    np.testing.assert_allclose(many, np.tile(model.predict(DATA.X), (7, 1)), atol=1e-6)


def test_few_rows_are_computed_though_they_are_known(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    model = model_of(bank, {bank.keys(np.array([7]))[0]: np.array([1, 0, 0], np.float32)})
    assert model.predict(DATA.X[7:8])[0, 0] < 1


def test_texts_are_told_apart_by_their_ids_alone(tmp_path: Path) -> None:
    bank, rows = bank_in(tmp_path), np.array([3, 1])
    assert keys(bank.ids(rows)) == bank.keys(rows)


@pytest.mark.parametrize("parts", [StaticParts(False, 0), StaticParts(True, 0), StaticParts(True, 3)], ids=str)
def test_the_graph_of_static_vectors_gives_what_was_learned_on(parts: StaticParts, tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    table = table_of(bank.weights, len(bank.plan["vocabulary"]))
    vectors = static_vectors(bank, table, parts)
    head = Head(np.random.default_rng(0).normal(size=(vectors.shape[1], 3)), np.zeros(3))
    model = SentenceModel(static_graph(table, parts, head), bank.plan, "probabilities")
    np.testing.assert_allclose(model.predict(DATA.X), head.probabilities(vectors), atol=1e-5)


def test_static_vectors_are_mean_maximum_and_beginning(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    table = table_of(bank.weights, len(bank.plan["vocabulary"]))
    own = table.astype(np.float32)[bank.values[bank.starts[5] : bank.ends[5]]]
    expected = np.concatenate([own.mean(axis=0), own.max(axis=0), own[1], own[2]])
    np.testing.assert_allclose(static_vectors(bank, table, StaticParts(True, 2))[5], expected, atol=1e-6)


def test_a_table_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"word_embeddings.weight of 9999 rows is needed. Got"):
        table_of(bank_in(tmp_path).weights, 9999)


@pytest.mark.parametrize("name", ["config.json", "vocab.txt"])
def test_other_files_beside_the_same_weights_make_another_bank(name: str, tmp_path: Path) -> None:
    before, path = bank_in(tmp_path).folder, tmp_path / "weights" / name
    text = path.read_text()
    path.write_text(text.replace('"num_attention_heads": 2', '"num_attention_heads": 4').replace("a\nb\n", "b\na\n"))
    weights = find(MINILM, {"weights": tmp_path / "weights"})
    assert weights is not None
    assert SentenceBank.of(weights, 32, DATA, tmp_path / "cache").folder != before
