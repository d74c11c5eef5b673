from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.special import erf, softmax

from automl.candidates.pretrained.bert import Bert, from_tensors, rounded
from automl.candidates.pretrained.bert_config import BertConfig, Pool
from automl.candidates.pretrained.bert_graph import classes_graph, vectors_graph
from automl.candidates.pretrained.head import ABSENT, Head
from automl.testing.tiny_bert import TINY, bert_tensors

PIECES = 50
CONFIG = BertConfig.from_json({**TINY, "vocab_size": PIECES})
TENSORS = bert_tensors(PIECES)
IDS = np.array([[2, 9, 30, 41, 3], [2, 8, 3, 0, 0], [2, 3, 0, 0, 0]], np.float32)


def torch_tensors(tensors: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values) for name, values in tensors.items()}


NETWORK = from_tensors(CONFIG, torch_tensors(TENSORS))


def half(name: str) -> np.ndarray:
    return TENSORS[name].astype(np.float16).astype(np.float64)


def linear(x: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(x @ half(f"{name}.weight").T + half(f"{name}.bias"))


def normal(x: np.ndarray, name: str) -> np.ndarray:
    moved = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
    return np.asarray(moved * half(f"{name}.weight") + half(f"{name}.bias"))


def layers_of(ids: Sequence[int]) -> list[np.ndarray]:
    """Return the outputs of all layers for one text, straight from the formulas."""
    places = TENSORS["embeddings.position_embeddings.weight"] + TENSORS["embeddings.token_type_embeddings.weight"][0]
    x = half("embeddings.word_embeddings.weight")[ids] + places.astype(np.float16)[: len(ids)]
    x = normal(x, "embeddings.LayerNorm")
    found = [x]
    for number in range(CONFIG.layers):
        layer, heads, size = f"encoder.layer.{number}", [], CONFIG.width // CONFIG.heads
        parts = [linear(x, f"{layer}.attention.self.{name}") for name in ("query", "key", "value")]
        for head in range(CONFIG.heads):
            q, k, v = (part[:, head * size : (head + 1) * size] for part in parts)
            heads.append(softmax(q @ k.T / np.sqrt(size), axis=1) @ v)
        mixed = linear(np.hstack(heads), f"{layer}.attention.output.dense")
        x = normal(x + mixed, f"{layer}.attention.output.LayerNorm")
        up = linear(x, f"{layer}.intermediate.dense")
        down = linear(up * 0.5 * (1 + erf(up / np.sqrt(2))), f"{layer}.output.dense")
        x = normal(x + down, f"{layer}.output.LayerNorm")
        found.append(x)
    return found


def run(graph: bytes, ids: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"tokens": ids})[0])


def test_an_encoder_computes_what_the_papers_say() -> None:
    pools = (Pool(0, "mean"), Pool(2, "mean"), Pool(2, "first"), Pool(3, "mean"))
    with torch.no_grad():
        found = NETWORK(torch.from_numpy(IDS), pools).numpy()
    for row, ids in zip(found, ([2, 9, 30, 41, 3], [2, 8, 3], [2, 3]), strict=True):
        outputs = layers_of(ids)
        expected = [outputs[0].mean(axis=0), outputs[2].mean(axis=0), outputs[2][0], outputs[3].mean(axis=0)]
        np.testing.assert_allclose(row, np.concatenate(expected), atol=2e-5)


@pytest.mark.parametrize("pools", [CONFIG.pools(), (Pool(2, "mean"),), (Pool(0, "mean"),)], ids=["all", "one", "none"])
def test_the_graph_gives_what_the_network_gives(pools: tuple[Pool, ...]) -> None:
    with torch.no_grad():
        expected = NETWORK(torch.from_numpy(IDS), pools).numpy()
    np.testing.assert_allclose(run(vectors_graph(NETWORK, pools), IDS), expected, atol=1e-5)


def test_a_text_is_answered_alone_as_beside_longer_ones() -> None:
    graph = vectors_graph(NETWORK, CONFIG.pools())
    np.testing.assert_allclose(run(graph, IDS[2:, :2]), run(graph, IDS)[2:], atol=1e-6)


def test_no_text_has_no_vector() -> None:
    assert run(vectors_graph(NETWORK, (Pool(3, "mean"),)), np.zeros((0, 2), np.float32)).shape == (0, CONFIG.width)


def test_the_graph_of_classes_ends_in_the_head() -> None:
    rng, pools = np.random.default_rng(0), (Pool(1, "mean"), Pool(3, "mean"))
    head = Head(rng.normal(size=(32, 3)), np.array([0.1, ABSENT, -0.2]))
    expected = head.probabilities(run(vectors_graph(NETWORK, pools), IDS))
    found = run(classes_graph(NETWORK, pools, head), IDS)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (found[:, 1] == 0).all()


def test_weights_are_stored_in_half_precision() -> None:
    assert len(vectors_graph(NETWORK, CONFIG.pools())) < 2 * CONFIG.parameters + 60_000


def test_layers_in_two_parts_are_the_layers() -> None:
    mask, pools = (torch.from_numpy(IDS) > 0).float(), CONFIG.pools()
    with torch.no_grad():
        x = NETWORK.entrance(torch.from_numpy(IDS))
        low, first = NETWORK.through(x, mask, pools, stop=2)
        _, second = NETWORK.through(low, mask, pools, start=2)
        whole = NETWORK.through(x, mask, pools)[1]
    np.testing.assert_allclose(torch.cat(first + second), torch.cat(whole), atol=1e-6)


def test_names_may_begin_with_that_of_the_model() -> None:
    renamed = {f"bert.{name}": tensor for name, tensor in torch_tensors(TENSORS).items()}
    made = from_tensors(CONFIG, {**renamed, "cls.predictions.bias": torch.zeros(3)})
    assert torch.equal(made.words, NETWORK.words)


@pytest.mark.parametrize(
    ("name", "tensor", "said"),
    [
        ("encoder.layer.1.output.dense.bias", None, "must be a tensor of numbers. Got nothing"),
        ("encoder.layer.1.output.dense.bias", torch.zeros(16, dtype=torch.int64), "Got torch.int64"),
        (
            "encoder.layer.0.attention.self.key.weight",
            torch.zeros(16, 8),
            "must be \\(48, 16\\) together. Got \\(0,\\)",
        ),
        ("embeddings.word_embeddings.weight", torch.zeros(9, 16), "must be \\(50, 16\\) together. Got \\(9, 16\\)"),
        ("embeddings.token_type_embeddings.weight", torch.zeros(2, 8), "must be \\(48, 16\\) together"),
        ("embeddings.token_type_embeddings.weight", torch.zeros(0, 16), "must be \\(48, 16\\) together"),
        ("embeddings.LayerNorm.weight", torch.full((16,), 1e6), "entered.weight must lie within 65504. Got 1e\\+06"),
        ("embeddings.LayerNorm.bias", torch.full((16,), float("nan")), "entered.bias must lie within 65504. Got nan"),
    ],
)
def test_weights_that_do_not_fit_are_refused(name: str, tensor: torch.Tensor | None, said: str) -> None:
    given = {**torch_tensors(TENSORS), name: tensor}
    with pytest.raises(ValueError, match=said):
        from_tensors(CONFIG, {key: value for key, value in given.items() if value is not None})


def test_rounding_twice_changes_nothing() -> None:
    network = rounded(Bert(CONFIG))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = rounded(network).state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "roberta"}, "model_type must be 'bert'. Got 'roberta'"),
        ({"hidden_act": "relu"}, "hidden_act must be 'gelu'. Got 'relu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type must be 'absolute'"),
        ({"pad_token_id": 1}, "pad_token_id must be 0. Got 1"),
        ({"hidden_size": 0}, "hidden_size must be a whole number in \\[4, 4096\\]. Got 0"),
        ({"num_hidden_layers": True}, "num_hidden_layers must be a whole number in \\[1, 48\\]. Got True"),
        ({"vocab_size": 10**9}, "vocab_size must be a whole number"),
        ({"num_attention_heads": 3}, "hidden_size must be a multiple of num_attention_heads. Got 16 and 3"),
        ({"layer_norm_eps": 0}, "layer_norm_eps must lie in \\(0, 0.01\\). Got 0"),
    ],
)
def test_a_configuration_that_is_none_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        BertConfig.from_json({**TINY, "vocab_size": PIECES, **changed})


def test_parameters_are_counted() -> None:
    table = (CONFIG.kinds - 1) * CONFIG.width  # of kinds the first alone is kept, within the places
    assert sum(p.numel() for p in NETWORK.parameters()) == CONFIG.parameters - CONFIG.width - table


def test_work_grows_with_tokens_and_layers() -> None:
    assert CONFIG.macs(10, 1) < CONFIG.macs(10) < CONFIG.macs(20) / 2 + 1e9
    assert CONFIG.macs(10) == pytest.approx(3 * CONFIG.macs(10, 1))
