"""Vectors of texts, the models on them and their tuning obey the laws of order, of chunks and of a good start."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.candidates.pretrained import sentence_bank, sentence_fit, sentence_model
from automl.candidates.pretrained.bert_config import BertConfig, Pool
from automl.candidates.pretrained.bert_files import MINILM, network_of
from automl.candidates.pretrained.bert_graph import classes_graph
from automl.candidates.pretrained.head import Head, learn
from automl.candidates.pretrained.sentence_bank import MAC_SECONDS, SentenceBank, batches
from automl.candidates.pretrained.sentence_fit import Sentences, head_of, pools_of, sampled
from automl.candidates.pretrained.sentence_model import SentenceModel, keys
from automl.candidates.pretrained.sentence_tuning import TunedEncoder, TuningSettings
from automl.candidates.pretrained.weights import Weights, find
from automl.candidates.text.minilm import CANDIDATE as MINILM_CANDIDATE
from automl.candidates.text.static_embeddings import CANDIDATE as STATIC_CANDIDATE
from automl.core.space import Configuration
from automl.errors import UserError
from automl.serving.table import Table
from automl.serving.text_wordpiece import WordPiece, padded
from automl.testing.context import ArrayData, LocalContext, one_member, spoken_texts, text_table
from automl.testing.tiny_bert import TINY, write_bert

ROWS = 60
DATA = spoken_texts(ROWS, seed=5)
TEXTS = list(DATA.X.texts[0])
CONFIG = BertConfig.from_json({**TINY, "vocab_size": 100})
FROZEN: dict[str, Any] = {"longest": 64, "layers": "all", "l2": 0.01, "class_weights": "none", "train": "frozen"}
TUNED: dict[str, Any] = {**FROZEN, "train": "tuned", "tuned_layers": 2, "lr": 1e-3, "lr_decay": 0.5, "epochs": 2,
                         "batch_size": 16, "dropout": 0.0, "weight_decay": 0.01}  # fmt: skip
POOL = (Pool(3, "mean"),)
STATIC: dict[str, Any] = {"longest": 64, "pooling": "mean", "firsts": 0, "l2": 0.01, "class_weights": "none"}


class TickingClock:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.seen = 0.0

    def now(self) -> float:
        self.seen += 1
        return self.seen


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    found = find(MINILM, {"weights": write_bert(tmp_path_factory.mktemp("tiny"), ["the", "was", "good"])})
    assert found is not None
    return found


@pytest.fixture(scope="module")
def bank(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> SentenceBank:
    return SentenceBank.of(weights, 40, DATA, tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def whole(bank: SentenceBank) -> np.ndarray:
    """All vectors, computed in one chunk."""
    return bank.vectors(bank.config.pools(), context(bank.folder))


def context(folder: Path, **more: Any) -> LocalContext:
    return LocalContext(np.arange(45), np.arange(45, ROWS), 3, folder, **more)


def head_for(width: int, classes: int = 3) -> Head:
    rng = np.random.default_rng(width)
    return Head(rng.normal(size=(width, classes)), rng.normal(size=classes))


@pytest.fixture(scope="module")
def model(bank: SentenceBank) -> SentenceModel:
    graph = classes_graph(network_of(bank.weights), (Pool(3, "mean"),), head_for(bank.config.width))
    return SentenceModel(graph, bank.plan, "probabilities")


ORDERS = [np.arange(ROWS), np.arange(ROWS)[::-1], np.array([7, 7, 0]), np.array([59])]


@pytest.mark.parametrize("rows", ORDERS, ids=["all", "backwards", "repeated", "last"])
def test_a_bank_reads_texts_as_a_served_model_does(bank: SentenceBank, rows: np.ndarray) -> None:
    expected = WordPiece(bank.plan).compute(TEXTS[row] for row in rows.tolist())
    np.testing.assert_array_equal(bank.ids(rows), expected)
    assert bank.lengths[rows].tolist() == (expected > 0).sum(axis=1).tolist()
    assert bank.keys(rows) == keys(expected)


def test_texts_have_one_key_where_they_have_the_same_ids(bank: SentenceBank) -> None:
    ids = [tuple(WordPiece(bank.plan).tokens(text)) for text in TEXTS]
    found = bank.keys(np.arange(ROWS))
    assert [a == b for a in found for b in found] == [a == b for a in ids for b in ids]


@pytest.mark.parametrize("tokens", [1, 40, 90, 10_000])
def test_chunks_hold_each_text_once_and_no_more_tokens_than_they_should(
    bank: SentenceBank, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_bank, "_CHUNK_TOKENS", tokens)
    chunks, lengths = bank.chunks(), np.sort(bank.lengths)
    assert [row for c in chunks for row in range(c.start, c.stop)] == list(range(ROWS))
    assert all(lengths[c.start : c.stop].sum() < tokens + lengths[c.stop - 1] for c in chunks)
    assert len({c.path for c in chunks}) == len(chunks) <= lengths.sum() // tokens + 1


@pytest.mark.parametrize("tokens", [30, 200])
@pytest.mark.parametrize("batch", [1, 50])
def test_vectors_do_not_depend_on_chunks_or_batches(
    bank: SentenceBank, whole: np.ndarray, tokens: int, batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_bank, "_CHUNK_TOKENS", tokens)
    monkeypatch.setattr(sentence_bank, "_BATCH_TOKENS", batch)
    other = dataclasses.replace(bank, folder=tmp_path)
    np.testing.assert_array_equal(other.vectors(other.config.pools(), context(tmp_path)), whole)


def test_only_what_is_missing_is_computed_and_counted(
    bank: SentenceBank, whole: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_bank, "_CHUNK_TOKENS", 100)
    other = dataclasses.replace(bank, folder=tmp_path)
    other.vectors(POOL, context(tmp_path))
    gone, kept = other.chunks()[2], other.chunks()[1].path.stat().st_mtime_ns
    gone.path.unlink()
    missing = np.sort(other.lengths)[gone.start : gone.stop]
    assert other.seconds() == pytest.approx(MAC_SECONDS * sum(map(other.config.macs, missing.tolist())))
    np.testing.assert_array_equal(other.vectors(other.config.pools(), context(tmp_path)), whole)
    assert (other.seconds(), other.chunks()[1].path.stat().st_mtime_ns) == (0, kept)


def test_what_was_computed_before_time_ended_is_kept(
    bank: SentenceBank, whole: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_bank, "_CHUNK_TOKENS", 100)
    other = dataclasses.replace(bank, folder=tmp_path)
    total = other.seconds()
    with pytest.raises(TimeoutError, match=r"has about .* s of texts still to read. Got .* is kept for the next trial"):
        other.vectors(POOL, context(tmp_path, is_timed=True, seconds=2.0, clock=TickingClock()))
    assert [chunk.path.exists() for chunk in other.chunks()][:4] == [True, True, False, False]
    assert 0 < other.seconds() < total
    np.testing.assert_array_equal(other.vectors(other.config.pools(), context(tmp_path)), whole)


@pytest.mark.parametrize("seed", range(5))
def test_batches_are_of_one_length_full_and_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.choice([2, 3, 7, 500, 1023, 1024, 1025, 4096], 700)
    parts = list(batches(rows := np.argsort(lengths, kind="stable"), lengths))
    assert np.array_equal(np.concatenate(parts), rows)
    for part, after in zip(parts, [*parts[1:], rows[:0]], strict=True):
        length, room = lengths[part[0]], max(1, 1024 // lengths[part[0]])
        assert (lengths[part] == length).all()
        assert len(part) <= room
        assert len(part) == room or not len(after) or lengths[after[0]] > length


@pytest.mark.parametrize(("longest", "folders"), [((40, 40), 1), ((40, 39), 2), ((48, 1000), 1)])
def test_a_bank_is_shared_by_those_that_read_the_same(
    weights: Weights, longest: tuple[int, int], folders: int, tmp_path: Path
) -> None:
    made = [SentenceBank.of(weights, most, DATA, tmp_path) for most in longest]
    assert len({bank.folder for bank in made}) == folders
    assert len(list(tmp_path.glob("sentences-*/tokens.npy"))) == folders


def test_other_weights_or_data_have_a_bank_of_their_own(weights: Weights, tmp_path: Path) -> None:
    other = find(MINILM, {"weights": write_bert(tmp_path / "other", seed=1)})
    assert other is not None
    data = spoken_texts(ROWS, seed=6)
    made = [SentenceBank.of(*parts, tmp_path) for parts in ((weights, 9, DATA), (other, 9, DATA), (weights, 9, data))]
    assert len({bank.folder for bank in made}) == 3


@pytest.mark.parametrize("rows", ORDERS, ids=["all", "backwards", "repeated", "last"])
def test_each_text_has_its_answer_in_any_company(model: SentenceModel, rows: np.ndarray) -> None:
    np.testing.assert_allclose(model.predict(DATA.X[rows]), model.predict(DATA.X)[rows], atol=1e-6)


def test_no_texts_have_no_answers(model: SentenceModel) -> None:
    assert model.predict(DATA.X[:0]).shape == (0, 3)


@pytest.mark.parametrize("at_once", [1, 7, 59, 60])
def test_how_many_texts_are_cut_together_does_not_matter(
    model: SentenceModel, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = model.predict(DATA.X)
    monkeypatch.setattr(sentence_model, "_AT_ONCE", at_once)
    np.testing.assert_allclose(model.predict(DATA.X), expected, atol=1e-6)


@pytest.mark.parametrize(("count", "is_looked_up"), [(255, False), (256, False), (257, True), (300, True)])
def test_answers_that_are_known_are_given_to_many_rows_alone(
    bank: SentenceBank, model: SentenceModel, count: int, is_looked_up: bool
) -> None:
    given = np.random.default_rng(0).random((ROWS, 3)).astype(np.float32)
    known = dict(zip(bank.keys(np.arange(ROWS)), given, strict=True))
    found = dataclasses.replace(model, known=known).predict(Table.joined([DATA.X] * 5)[np.arange(count)])
    expected = np.array([known[key] for key in bank.keys(np.arange(count) % ROWS)])
    assert np.array_equal(found, expected) == is_looked_up


def test_keys_do_not_depend_on_what_stands_behind_a_text() -> None:
    ids = padded([[2, 3], [2, 9, 3], [2, 9, 9, 3]])
    assert keys(ids) == keys(np.pad(ids, ((0, 0), (0, 5))))
    assert len(set(keys(ids))) == 3


@pytest.mark.parametrize("layers", range(1, 13))
def test_the_lower_layers_are_two_thirds_rounded_up(layers: int) -> None:
    config = dataclasses.replace(CONFIG, layers=layers)
    found = {name: pools_of(config, name) for name in ("all", "means", "lower", "last")}
    assert found["all"] == config.pools()
    assert found["lower"] == tuple(p for p in config.pools() if 3 * (p.layer - 1) < 2 * layers)
    assert found["means"] == tuple(Pool(number, "mean") for number in range(layers + 1))
    assert found["last"] == (Pool(layers, "mean"),)


@pytest.mark.parametrize(("count", "expected"), [(999, 999), (1000, 1000), (1001, 1000), (5000, 1000)])
def test_of_many_rows_a_sample_is_learned_from(
    count: int, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_fit, "MOST_VALUES", 4000)
    ctx = LocalContext(np.arange(10, 10 + count), np.arange(10), 3, tmp_path)
    rows = sampled(ctx, 4)
    assert len(rows) == expected
    assert np.isin(rows, ctx.train_rows).all()
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, sampled(ctx, 4))
    assert ctx.notes == ({"rows": f"a sample of 1000 of {count}"} if count > expected else {})


def tuned_encoder(bank: SentenceBank, layers: int, classes: int = 3) -> TunedEncoder:
    spread = np.random.default_rng(0).uniform(0.1, 3, bank.config.width)
    return TunedEncoder(network_of(bank.weights), POOL, layers, head_for(bank.config.width, classes), spread)


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2, 3, 9])
def test_tuning_starts_from_the_answers_of_the_linear_model(bank: SentenceBank, layers: int, whole: np.ndarray) -> None:
    encoder, ids = tuned_encoder(bank, layers), torch.from_numpy(bank.ids(np.arange(ROWS)))
    found = encoder(ids, None, 0.0)
    expected = head_for(bank.config.width).probabilities(whole[:, bank.config.pools().index(POOL[0]) * 16 :][:, :16])
    np.testing.assert_allclose(found.softmax(dim=1).numpy(), expected, atol=2e-5)
    assert torch.equal(encoder(ids, encoder.low(ids), 0.0), found)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_linear_model_comes_back_as_it_went_in(bank: SentenceBank, classes: int) -> None:
    found, given = tuned_encoder(bank, 1, classes).head(), head_for(bank.config.width, classes)
    np.testing.assert_allclose(found.weights, given.weights, rtol=1e-6)
    np.testing.assert_allclose(found.bias, given.bias, rtol=1e-6)


@pytest.mark.parametrize(("layers", "rates"), [(1, [10, 1]), (2, [10, 0.5, 1]), (3, [10, 0.25, 0.5, 1])])
def test_a_step_moves_the_head_and_the_layers_that_learn(bank: SentenceBank, layers: int, rates: list[float]) -> None:
    encoder = tuned_encoder(bank, layers)
    before = {name: p.detach().clone() for name, p in encoder.named_parameters()}
    encoder(torch.from_numpy(bank.ids(np.arange(9))), None, 0.0).square().sum().backward()
    for optimiser, rate in (groups := encoder.groups(TuningSettings.of(TUNED))):
        optimiser.step(1e-3 * rate)
    moved = {name for name, p in encoder.named_parameters() if not torch.equal(p, before[name])}
    learning = ("weights", "bias", *(f"bert.layers.{number}." for number in range(3 - layers, 3)))
    assert [rate for _, rate in groups] == rates
    assert moved == {name for name in before if name.startswith(learning)}


@pytest.mark.parametrize("how", ["none", "balanced", "sqrt"])
def test_the_head_of_some_rows_is_learned_on_their_vectors(bank: SentenceBank, whole: np.ndarray, how: str) -> None:
    from automl.candidates.tabular.targets import row_weights

    rows = np.r_[0:30, 31:60:3]
    found = head_of({**FROZEN, "class_weights": how}, Sentences(bank, bank.config.pools(), whole, rows), rows, DATA,
                    context(bank.folder))  # fmt: skip
    counted = row_weights(DATA, rows, 3, how)  # type: ignore[arg-type]
    expected = learn(whole[rows], DATA.y[rows], 3, l2=0.01, row_weights=counted)
    np.testing.assert_array_equal(found.weights, expected.weights)


def fit(candidate: Any, values: dict[str, Any], weights: Weights, folder: Path, data: ArrayData = DATA) -> Any:
    configuration = Configuration(candidate.name, values)
    ctx = context(folder, resources={"weights": weights.root})
    return candidate.fit(one_member(configuration), configuration, data, ctx)


@pytest.mark.parametrize("layers", ["all", "means", "lower", "last"])
def test_what_a_frozen_model_knows_is_what_it_computes(layers: str, weights: Weights, tmp_path: Path) -> None:
    model = fit(MINILM_CANDIDATE, {**FROZEN, "layers": layers}, weights, tmp_path)
    held = DATA.X[np.arange(45, ROWS)]
    ids = padded([WordPiece(model.plan).tokens(text) for text in held.texts[0]])
    found = np.array([model.known[key] for key in keys(ids)])
    np.testing.assert_allclose(found, model.predict(held), atol=1e-5)


@pytest.mark.parametrize(
    ("candidate", "values"),
    [(MINILM_CANDIDATE, FROZEN), (MINILM_CANDIDATE, TUNED), (STATIC_CANDIDATE, STATIC)],
    ids=["frozen", "tuned", "static"],
)
def test_what_is_held_out_does_not_change_what_is_learned(
    candidate: Any, values: dict[str, Any], weights: Weights, tmp_path: Path
) -> None:
    changed = [*TEXTS[:45], *(f"{text} again!" * 3 for text in TEXTS[45:])]
    spec = dataclasses.replace(DATA.spec, fingerprint="changed")
    other = dataclasses.replace(DATA, X=text_table(changed), y=np.r_[DATA.y[:45], DATA.y[:15]], spec=spec)
    assert fit(candidate, values, weights, tmp_path).graph == fit(candidate, values, weights, tmp_path, other).graph


@pytest.mark.parametrize(
    ("candidate", "values", "name", "steps"),
    [
        (MINILM_CANDIDATE, FROZEN, "longest", [4, 6, 8]),
        (MINILM_CANDIDATE, TUNED, "epochs", [1, 2, 4]),
        (MINILM_CANDIDATE, TUNED, "tuned_layers", [1, 3, 6]),
        (STATIC_CANDIDATE, STATIC, "firsts", [0, 1, 4]),
        (STATIC_CANDIDATE, STATIC, "pooling", ["mean", "mean-max"]),
    ],
    ids=["longest", "epochs", "layers", "firsts", "pooling"],
)
def test_cost_grows_with_what_is_done(candidate: Any, values: dict[str, Any], name: str, steps: list[Any]) -> None:
    spec = dataclasses.replace(DATA.spec, rows=10_000)
    costs = [candidate.estimate(spec, Configuration("any", {**values, name: value}), 8000) for value in steps]
    assert all(a.seconds(1) < b.seconds(1) for a, b in pairwise(costs))
    assert all(a.peak_bytes <= b.peak_bytes for a, b in pairwise(costs))


def test_more_tuned_layers_than_there_are_cost_no_more() -> None:
    six, all_and_more = (Configuration("minilm", {**TUNED, "tuned_layers": layers}) for layers in (6, 60))
    spec = DATA.spec
    assert MINILM_CANDIDATE.estimate(spec, six, 50) == MINILM_CANDIDATE.estimate(spec, all_and_more, 50)


@pytest.mark.parametrize("candidate", [MINILM_CANDIDATE, STATIC_CANDIDATE], ids=["minilm", "static"])
def test_a_folder_of_weights_is_all_that_is_needed(candidate: Any, weights: Weights, tmp_path: Path) -> None:
    assert candidate.lacks({"weights": weights.root}) == ""
    with pytest.raises(UserError, match=r"weights: a folder with config.json and model.safetensors is needed. Got"):
        candidate.lacks({"weights": tmp_path / "absent"})
