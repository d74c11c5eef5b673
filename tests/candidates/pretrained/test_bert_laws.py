"""An encoder, its graph and its files obey the laws of attention, of padding and of their own limits."""

from __future__ import annotations

import dataclasses
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from automl.candidates.pretrained.bert import Bert, from_tensors, rounded
from automl.candidates.pretrained.bert_config import BertConfig, Pool
from automl.candidates.pretrained.bert_files import MINILM, config_of, network_of, token_plan
from automl.candidates.pretrained.bert_graph import classes_graph, vectors_graph
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.weights import Weights, find
from automl.errors import UserError
from automl.testing.tiny_bert import TINY, bert_tensors, vocabulary, write_bert

PIECES = 60
CONFIG = BertConfig.from_json({**TINY, "vocab_size": PIECES})
POOLS = CONFIG.pools()
ARRAYS = bert_tensors(PIECES, seed=4)
LIMITS = {"vocab_size": (4, 1_000_000), "max_position_embeddings": (3, 8192), "type_vocab_size": (1, 16),
          "hidden_size": (4, 4096), "num_hidden_layers": (1, 48), "num_attention_heads": (1, 64),
          "intermediate_size": (4, 16_384)}  # fmt: skip
NAMES = {pool: f"{pool.how} of {pool.layer}" for pool in POOLS}


def tensors() -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array.copy()) for name, array in ARRAYS.items()}


NETWORK = from_tensors(CONFIG, tensors())


def ids_of(lengths: list[int], seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    out = np.zeros((len(lengths), max(lengths)), np.float32)
    for row, length in zip(out, lengths, strict=True):
        row[:length] = rng.integers(1, PIECES, length)
    return out


IDS = ids_of([7, 2, 1, 5, 7])


@torch.no_grad()
def vectors(network: Bert = NETWORK, ids: np.ndarray = IDS, pools: tuple[Pool, ...] = POOLS) -> np.ndarray:
    return np.asarray(network(torch.from_numpy(ids), pools).numpy())


def run(graph: bytes, ids: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"tokens": ids})[0])


def weights_in(folder: Path) -> Weights:
    found = find(MINILM, {"weights": folder})
    assert found is not None
    return found


GRAPH = vectors_graph(NETWORK, POOLS)


@pytest.mark.parametrize("more", [1, 3, 41])
@pytest.mark.parametrize("way", ["network", "graph"])
def test_what_stands_behind_a_text_changes_nothing(more: int, way: str) -> None:
    wide = np.pad(IDS, ((0, 0), (0, more)))
    found, expected = (vectors(ids=ids) if way == "network" else run(GRAPH, ids) for ids in (wide, IDS))
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("way", ["network", "graph"])
def test_the_order_of_the_texts_is_that_of_the_vectors(way: str) -> None:
    order = np.array([3, 0, 4, 4, 1])
    found, whole = (vectors(ids=ids) if way == "network" else run(GRAPH, ids) for ids in (IDS[order], IDS))
    np.testing.assert_allclose(found, whole[order], atol=2e-6)


@pytest.mark.parametrize("length", [1, 2, 17, 48])
@pytest.mark.parametrize("texts", [1, 3])
def test_the_graph_is_the_network_at_every_size(length: int, texts: int) -> None:
    ids = ids_of([length] * texts, seed=length)
    np.testing.assert_allclose(run(GRAPH, ids), vectors(ids=ids), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float64, np.uint8], ids=lambda dtype: dtype.__name__)
def test_whole_numbers_of_any_type_are_ids(dtype: type) -> None:
    np.testing.assert_array_equal(vectors(ids=IDS.astype(dtype)), vectors())


@pytest.mark.parametrize("pool", POOLS, ids=NAMES.values())
def test_each_part_of_a_vector_is_where_it_stands_among_all(pool: Pool) -> None:
    place = POOLS.index(pool) * CONFIG.width
    expected = vectors()[:, place : place + CONFIG.width]
    np.testing.assert_array_equal(vectors(pools=(pool,)), expected)
    np.testing.assert_allclose(run(vectors_graph(NETWORK, (pool,)), IDS), expected, atol=1e-5)


@pytest.mark.parametrize("layer", range(1, CONFIG.layers + 1))
def test_the_mean_of_one_token_is_that_token(layer: int) -> None:
    found = vectors(ids=ids_of([1, 1, 1]), pools=(Pool(layer, "mean"), Pool(layer, "first")))
    np.testing.assert_array_equal(found[:, : CONFIG.width], found[:, CONFIG.width :])


@torch.no_grad()
@pytest.mark.parametrize("split", range(CONFIG.layers + 1))
def test_the_layers_may_be_run_in_two_parts(split: int) -> None:
    ids = torch.from_numpy(IDS)
    mask, x = (ids > 0).float(), NETWORK.entrance(ids)
    low, first = NETWORK.through(x, mask, POOLS, stop=split)
    high, second = NETWORK.through(low, mask, POOLS, start=split)
    whole, found = NETWORK.through(x, mask, POOLS)
    assert torch.equal(high, whole)
    assert torch.equal(torch.cat(first + second, dim=1), torch.cat(found, dim=1))


@torch.no_grad()
def test_no_layer_gives_back_what_went_in() -> None:
    x, mask = torch.randn(2, 5, CONFIG.width), torch.ones(2, 5)
    out, found = NETWORK.through(x, mask, POOLS, start=2, stop=2)
    assert torch.equal(out, x)
    assert found == []


@torch.no_grad()
def test_dropout_is_of_the_seed_and_of_nothing_without_a_share() -> None:
    ids = torch.from_numpy(IDS)
    mask, x = (ids > 0).float(), NETWORK.entrance(ids)
    made = []
    for seed, share in ((1, 0.3), (1, 0.3), (2, 0.3), (1, 0.0), (2, 0.0)):
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            made.append(NETWORK.through(x, mask, POOLS, dropout=share)[0])
    assert [torch.equal(made[0], other) for other in made[1:]] == [True, False, False, False]
    assert torch.equal(made[3], made[4])


def test_without_places_the_order_of_the_words_does_not_matter() -> None:
    network = from_tensors(CONFIG, tensors())
    network.positions.data.zero_()
    means = tuple(pool for pool in POOLS if pool.how == "mean")
    ids, turned = ids_of([9, 9]), ids_of([9, 9])[:, ::-1].copy()
    np.testing.assert_allclose(vectors(network, ids, means), vectors(network, turned, means), atol=2e-6)
    assert np.abs(vectors(ids=ids, pools=means) - vectors(ids=turned, pools=means)).max() > 1e-3


def test_a_text_is_of_the_first_kind_of_segment() -> None:
    given = tensors()
    given["embeddings.token_type_embeddings.weight"][1] = 7.0
    np.testing.assert_array_equal(vectors(from_tensors(CONFIG, given)), vectors())
    given["embeddings.position_embeddings.weight"] += given["embeddings.token_type_embeddings.weight"][0]
    given["embeddings.token_type_embeddings.weight"][0] = 0.0
    np.testing.assert_array_equal(vectors(from_tensors(CONFIG, given)), vectors())


@pytest.mark.parametrize("layer", range(CONFIG.layers))
def test_the_bias_of_keys_moves_all_scores_alike(layer: int) -> None:
    given = tensors()
    given[f"encoder.layer.{layer}.attention.self.key.bias"] += 2.0
    np.testing.assert_allclose(vectors(from_tensors(CONFIG, given)), vectors(), atol=2e-5)
    given[f"encoder.layer.{layer}.attention.self.query.bias"] += 2.0
    assert np.abs(vectors(from_tensors(CONFIG, given)) - vectors()).max() > 1e-2


@pytest.mark.parametrize("layer", range(CONFIG.layers))
def test_the_bias_of_values_goes_through_attention_as_it_is(layer: int) -> None:
    network, moved = from_tensors(CONFIG, tensors()), from_tensors(CONFIG, tensors())
    given, taken = network.layers[layer], moved.layers[layer]
    values = taken.inputs.bias.data[2 * CONFIG.width :]
    taken.outputs.bias.data += taken.outputs.weight.data @ values
    values.zero_()
    assert not torch.equal(given.outputs.bias, taken.outputs.bias)
    np.testing.assert_allclose(vectors(moved), vectors(network), atol=5e-6)


def test_the_order_of_the_heads_does_not_matter() -> None:
    given, size = tensors(), CONFIG.width // CONFIG.heads
    order = torch.cat([torch.arange(size, 2 * size), torch.arange(size)])
    for name in given:
        if ".attention.self." in name:
            given[name] = given[name][order]
        elif name.endswith("attention.output.dense.weight"):
            given[name] = given[name][:, order]
    np.testing.assert_allclose(vectors(from_tensors(CONFIG, given)), vectors(), atol=5e-6)


def test_units_within_a_layer_have_no_order() -> None:
    given = tensors()
    for layer in range(CONFIG.layers):
        for part in ("intermediate.dense.weight", "intermediate.dense.bias"):
            given[f"encoder.layer.{layer}.{part}"] = given[f"encoder.layer.{layer}.{part}"].flip(0)
        name = f"encoder.layer.{layer}.output.dense.weight"
        given[name] = given[name].flip(1)
    np.testing.assert_allclose(vectors(from_tensors(CONFIG, given)), vectors(), atol=5e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64], ids=str)
def test_weights_may_be_stored_in_any_precision(dtype: torch.dtype) -> None:
    exact = {name: tensor.half().float() for name, tensor in tensors().items()}
    exact["embeddings.token_type_embeddings.weight"].zero_()
    found = from_tensors(CONFIG, {name: tensor.to(dtype) for name, tensor in exact.items()})
    np.testing.assert_array_equal(vectors(found), vectors(from_tensors(CONFIG, exact)))


def test_weights_that_were_read_are_not_changed_with_the_network() -> None:
    given = tensors()
    network = from_tensors(CONFIG, given)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(0.5)
    assert all(np.array_equal(given[name].numpy(), array) for name, array in ARRAYS.items())


@pytest.mark.parametrize("name", sorted(ARRAYS))
def test_each_tensor_is_needed(name: str) -> None:
    given = {key: tensor for key, tensor in tensors().items() if key != name}
    with pytest.raises(ValueError, match=rf"weights: {name} must be a tensor of numbers. Got nothing"):
        from_tensors(CONFIG, given)


@pytest.mark.parametrize("how", ["scalar", "longer", "deeper"])
@pytest.mark.parametrize("name", sorted(set(ARRAYS) - {"embeddings.token_type_embeddings.weight"}))
def test_each_tensor_has_its_shape(name: str, how: str) -> None:
    tensor = torch.from_numpy(ARRAYS[name])
    wrong = {"scalar": torch.tensor(1.0), "longer": torch.cat([tensor, tensor[:1]]), "deeper": tensor[..., None]}[how]
    with pytest.raises(ValueError, match=rf"weights: .*{name}.* must be \(.*\) together. Got \(.*Take the config.json"):
        from_tensors(CONFIG, {**tensors(), name: wrong})


@pytest.mark.parametrize(
    ("value", "expected"), [(65504.0, 65504.0), (-65519.0, -65504.0), (1e-9, 0.0), (1 / 3, float(np.float16(1 / 3)))]
)
def test_weights_are_rounded_to_half_precision(value: float, expected: float) -> None:
    network = Bert(CONFIG)
    network.layers[0].up.bias.data[3] = value
    assert rounded(network) is network
    assert network.layers[0].up.bias[3].item() == expected


@pytest.mark.parametrize("value", [65520.0, -1e30, math.inf, -math.inf, math.nan])
def test_weights_beyond_half_precision_are_refused(value: float) -> None:
    network = Bert(CONFIG)
    network.layers[1].down.weight.data[2, 3] = value
    with pytest.raises(ValueError, match=r"layers.1.down.weight must lie within 65504. Got .*Name other weights"):
        rounded(network)


def test_the_graph_holds_each_weight_exactly() -> None:
    stored = [numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(GRAPH).graph.initializer]
    halves = sorted(array.astype(np.float32).tobytes() for array in stored if array.dtype == np.float16)
    assert halves == sorted(p.detach().numpy().tobytes() for p in NETWORK.parameters())


def test_the_same_network_is_written_alike() -> None:
    assert vectors_graph(from_tensors(CONFIG, tensors()), POOLS) == GRAPH


def test_layers_that_are_not_asked_for_are_not_written() -> None:
    sizes = [len(vectors_graph(NETWORK, (Pool(layer, "mean"),))) for layer in range(CONFIG.layers + 1)]
    per_layer = 2 * (4 * 16 * 16 + 2 * 16 * 24)
    assert all(later - earlier > per_layer for earlier, later in pairwise(sizes))


@pytest.mark.parametrize("classes", [2, 5])
def test_a_head_of_zeros_answers_by_its_bias_alone(classes: int) -> None:
    bias = np.linspace(-1, 1, classes)
    found = run(classes_graph(NETWORK, (Pool(2, "first"),), Head(np.zeros((16, classes)), bias)), IDS)
    expected = np.exp(bias) / np.exp(bias).sum()
    np.testing.assert_allclose(found, np.tile(expected, (len(IDS), 1)), atol=1e-6)


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_sizes_are_taken_up_to_their_limits(name: str) -> None:
    (low, high), values = LIMITS[name], {**TINY, "vocab_size": PIECES, "hidden_size": 64}
    for value in (low, high):
        made = BertConfig.from_json({**values, name: value})
        assert value in dataclasses.astuple(made)
    for wrong in (low - 1, high + 1, float(low), str(low), None, True):
        with pytest.raises(ValueError, match=rf"config.json: {name} must be a whole number in \[{low}, {high}\]. Got"):
            BertConfig.from_json({**values, name: wrong})


@pytest.mark.parametrize("epsilon", [0.0, -1e-12, 1e-2, math.nan, math.inf, "1e-12", None, 1], ids=str)
def test_an_epsilon_out_of_range_is_refused(epsilon: object) -> None:
    with pytest.raises(ValueError, match=r"layer_norm_eps must lie in \(0, 0.01\). Got"):
        BertConfig.from_json({**TINY, "vocab_size": PIECES, "layer_norm_eps": epsilon})


def test_a_file_that_says_only_sizes_is_of_bert() -> None:
    said = {name: value for name, value in TINY.items() if name in LIMITS}
    assert BertConfig.from_json({**said, "vocab_size": PIECES, "of no interest": [1]}) == CONFIG


@pytest.mark.parametrize("layers", [1, 2, 7])
def test_there_is_a_mean_of_every_layer_and_a_first_token_of_all_but_the_entrance(layers: int) -> None:
    pools = dataclasses.replace(CONFIG, layers=layers).pools()
    assert sorted(pools) == sorted({(n, how) for n in range(layers + 1) for how in ("mean", "first")} - {(0, "first")})
    assert [pool.layer for pool in pools] == sorted(pool.layer for pool in pools)


def test_all_weights_of_a_file_are_counted() -> None:
    assert CONFIG.parameters == sum(array.size for array in ARRAYS.values())


@pytest.mark.parametrize("tokens", [1, 5.5, 48])
def test_work_is_that_of_the_products(tokens: float) -> None:
    dense = sum(array.size for name, array in ARRAYS.items() if "layer.0" in name and array.ndim == 2)
    attention = 2 * tokens * CONFIG.width  # scores, and the mean of the values
    assert CONFIG.macs(tokens, 1) == pytest.approx(tokens * (dense + attention))
    assert CONFIG.macs(tokens, 3) == CONFIG.macs(tokens) == pytest.approx(3 * CONFIG.macs(tokens, 1))
    assert CONFIG.macs(tokens, 0) == 0


@pytest.mark.parametrize(("asked", "longest"), [(3, 3), (47, 47), (48, 48), (49, 48), (10**6, 48)])
def test_a_plan_is_as_long_as_asked_within_what_the_encoder_reads(asked: int, longest: int, tmp_path: Path) -> None:
    assert token_plan(weights_in(write_bert(tmp_path)), asked)["longest"] == longest


def test_a_plan_without_room_for_a_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"longest must be a whole number in \[3, 4096\]. Got 2. Get the files again"):
        token_plan(weights_in(write_bert(tmp_path)), 2)


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lines", "lines of Windows"])
@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "open"])
def test_the_ends_of_lines_of_a_vocabulary_do_not_matter(ending: str, is_closed: bool, tmp_path: Path) -> None:
    text = ending.join(vocabulary(["hello"])) + ending * is_closed
    (write_bert(tmp_path, ["hello"]) / "vocab.txt").write_bytes(text.encode())
    assert token_plan(weights_in(tmp_path), 9)["vocabulary"] == vocabulary(["hello"])


def test_signs_that_only_look_like_ends_of_lines_stay_within_a_piece(tmp_path: Path) -> None:
    words = ["a\u2028b", "c\x0bd", "e\x85f", "\u4f60"]
    plan = token_plan(weights_in(write_bert(tmp_path, words)), 9)
    assert plan["vocabulary"][-4:] == words


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"\xff\xfe", "codec can't decode"), (b"", "a vocabulary with .PAD. first"), (b"[PAD]\n[UNK]\n[CLS]\n", "SEP"),
     (b"[UNK]\n[PAD]\n[CLS]\n[SEP]\n", "first and .UNK., .CLS., .SEP. is needed"),
     (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n", "none twice"), (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n\n\n", "no empty piece")],
    ids=["not text", "empty", "no end", "padding second", "twice", "empty lines"],
)  # fmt: skip
def test_a_vocabulary_that_is_none_is_refused(text: bytes, said: str, tmp_path: Path) -> None:
    (write_bert(tmp_path) / "vocab.txt").write_bytes(text)
    with pytest.raises(UserError, match=rf"{tmp_path.name}: .*{said}.*Get the files again"):
        token_plan(weights_in(tmp_path), 9)


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_a_file_that_is_too_large_is_not_read(name: str, tmp_path: Path) -> None:
    with (write_bert(tmp_path) / name).open("wb") as file:
        file.truncate((1 << 26) + 1)
    with pytest.raises(UserError, match=rf"{name}: at most 67108864 bytes are read. Got 67108865"):
        token_plan(weights_in(tmp_path), 9)


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_the_order_of_a_tokenizers_entries_does_not_matter(most: int, tmp_path: Path) -> None:
    places = {piece: number for number, piece in enumerate(vocabulary())}
    model = {"vocab": dict(sorted(places.items())), "unk_token": "a", "max_input_chars_per_word": most}
    values: dict[str, Any] = {"model": model, "normalizer": {"lowercase": False, "strip_accents": True}}
    (write_bert(tmp_path) / "tokenizer.json").write_text(json.dumps(values))
    plan = token_plan(weights_in(tmp_path), 9)
    assert (plan["vocabulary"], plan["unknown"], plan["most_word"]) == (vocabulary(), places["a"], most)
    assert (plan["lower"], plan["accents"]) == (False, False)


def test_an_encoder_of_a_folder_is_that_of_its_tensors(tmp_path: Path) -> None:
    weights = weights_in(write_bert(tmp_path, seed=4))
    pieces = config_of(weights).vocabulary
    made = from_tensors(config_of(weights), {n: torch.from_numpy(a) for n, a in bert_tensors(pieces, seed=4).items()})
    np.testing.assert_array_equal(vectors(network_of(weights)), vectors(made))
