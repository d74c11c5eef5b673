"""Laws of networks for rows of different lengths and of their graphs, against references in plain NumPy."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.nn import functional

from automl.candidates.graphs.onnx_graphs import INPUT, Ends, graph_bytes
from automl.candidates.training.bodies_text import make_bag, make_cnn
from automl.candidates.training.body_settings import Pooling, RecurrentSettings
from automl.candidates.training.entrance_tokens import FACTOR, Pairs, TokenEntrance, frequent_pairs
from automl.candidates.training.inception import Inception, MaskedNorm, Shortcut
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.pooling import Pool
from automl.candidates.training.ragged_network import RaggedNetwork, probabilities_graph
from automl.candidates.training.ragged_parts import Body, Steps
from automl.candidates.training.recurrent import Recurrent

LENGTHS = (4, 1, 6, 3, 6)
TABLE = np.random.default_rng(4).normal(size=(9, 3)).astype(np.float32)
BAGS: dict[str, dict[str, Any]] = {
    f"{pooling} {hidden}": {"pooling": pooling, "hidden": hidden}
    for pooling, hidden in itertools.product(("mean", "attention"), (0, 4))
}
FILTERS: dict[str, dict[str, Any]] = {
    f"{kernels} {blocks}": {"kernels": kernels, "filters": 3, "blocks": blocks}
    for kernels, blocks in itertools.product(("1", "2", "4,1,3", "9"), (1, 3))
}
each = pytest.mark.parametrize("values", (BAGS | FILTERS).values(), ids=BAGS | FILTERS)


def stirred(module: Any, seed: int = 0) -> Any:
    """Return a module in evaluation with parameters drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.6 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


def steps_of(*lengths: int, width: int = 3, steps: int = 0) -> Steps:
    mask = (torch.arange(max(steps, *lengths)) < torch.tensor(lengths)[:, None]).float()
    drawn = torch.from_numpy(np.random.default_rng(7).normal(size=(len(lengths), max(lengths), width))).float()
    return Steps(functional.pad(drawn, (0, 0, 0, mask.shape[1] - max(lengths))) * mask[:, :, None], mask)


def rows_of(steps: Steps) -> list[np.ndarray]:
    """Return the steps of each row without what is behind its end, float64."""
    return [x[: int(mask.sum())].double().numpy() for x, mask in zip(steps.x, steps.mask, strict=True)]


def answered(module: Any, *inputs: Any) -> np.ndarray:
    with torch.no_grad():
        answer: np.ndarray = module(*inputs).numpy()
    return answer


def opened(graph: bytes) -> Any:
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def weights_of(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    return layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()


def ids_of(texts: int, *, most: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return token ids of texts end to end and where each ends."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum(rng.integers(1, 9, texts))
    return rng.integers(1, most + 1, int(ends[-1])), ends


def counted(values: np.ndarray, ends: np.ndarray) -> Counter[tuple[int, int]]:
    """Return how often each token follows each other one, or 0 at the start of a text."""
    texts = np.split(values, ends[:-1])
    return Counter(pair for text in texts for pair in itertools.pairwise([0, *text.tolist()]))


def bucket(pairs: Pairs, before: int, token: int) -> int:
    return int(pairs.rows[(before * FACTOR + token) % len(pairs.rows)])


@pytest.mark.parametrize("most", [1, 5, 17, 1000])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_most_frequent_pairs_have_the_first_rows(most: int, seed: int) -> None:
    values, ends = ids_of(60, seed=seed)
    counts = {pair: count for pair, count in counted(values, ends).items() if count >= 2}
    ranked = sorted(counts, key=lambda pair: (-counts[pair], pair))[:most]
    pairs = frequent_pairs(values, ends, most)
    assert pairs.size == len(ranked) + 1
    rows = {(before * FACTOR + token) % len(pairs.rows): row for row, (before, token) in enumerate(ranked, 1)}
    assert {place: int(pairs.rows[place]) for place in np.flatnonzero(pairs.rows)} == rows


@pytest.mark.parametrize("texts", [1, 3, 40, 400])
def test_buckets_are_a_power_of_two_and_16_for_each_pair(texts: int) -> None:
    pairs = frequent_pairs(*ids_of(texts, most=50), 10_000)
    assert pairs.rows.dtype == np.int32
    assert len(pairs.rows).bit_count() == 1
    assert max(16, 16 * (pairs.size - 1)) <= len(pairs.rows) <= max(16, 32 * (pairs.size - 1))


def entrance_of(most: int = 12) -> TokenEntrance:
    pairs = frequent_pairs(*ids_of(50), most) if most else None
    made: TokenEntrance = stirred(TokenEntrance(TABLE, pairs))
    with torch.no_grad():
        made.table[0] = 0
        if made.pairs is not None:
            made.pairs[0] = 0
    return made


def padded_ids(seed: int = 3, steps: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    made = np.zeros((len(LENGTHS), max(steps, *LENGTHS)), np.float32)
    for row, length in zip(made, LENGTHS, strict=True):
        row[:length] = rng.integers(1, 9, length)
    return torch.from_numpy(made)


def embedded(made: TokenEntrance, ids: torch.Tensor) -> np.ndarray:
    """Return embeddings token by token, each with that of its pair added."""
    table = made.table.detach().numpy()
    x = np.zeros((*ids.shape, table.shape[1]), np.float32)
    for row, step in zip(*np.nonzero(ids.numpy()), strict=True):
        before, token = int(ids[row, step - 1]) if step else 0, int(ids[row, step])
        x[row, step] = table[token]
        if made.pairs is not None:
            pairs = Pairs(made.pair_rows.numpy(), len(made.pairs))
            x[row, step] += made.pairs.detach().numpy()[bucket(pairs, before, token)]
    return x


@pytest.mark.parametrize("most", [0, 1, 12, 500])
def test_steps_are_embeddings_token_by_token(most: int) -> None:
    made = entrance_of(most)
    x, mask, is_full = made(padded_ids())
    np.testing.assert_array_equal(x.detach(), embedded(made, padded_ids()))
    assert mask.sum(dim=1).tolist() == list(LENGTHS)
    assert not is_full


@pytest.mark.parametrize("most", [0, 12])
@pytest.mark.parametrize("steps", [7, 20])
def test_more_padding_adds_zeros_and_changes_nothing(most: int, steps: int) -> None:
    made = entrance_of(most)
    short, long = made(padded_ids()), made(padded_ids(steps=steps))
    assert torch.equal(long.x[:, :6], short.x)
    assert not long.x[:, 6:].any()
    assert torch.equal(long.mask, functional.pad(short.mask, (0, steps - 6)))


def written(made: TokenEntrance) -> Any:
    writer = Writer()
    name = made.write(writer, INPUT).x
    return opened(graph_bytes(writer.nodes, writer.constants, Ends(("steps",), ("steps", made.width), output=name)))


@pytest.mark.parametrize("most", [0, 1, 12, 500])
def test_the_graph_of_an_entrance_is_exact(most: int) -> None:
    made = entrance_of(most)
    (found,) = written(made).run(None, {INPUT: padded_ids().numpy()})
    np.testing.assert_array_equal(found, embedded(made, padded_ids()))


def test_padding_is_zero_even_where_every_pair_is_taken_for_a_known_one() -> None:
    made = stirred(TokenEntrance(TABLE, Pairs(np.ones(16, np.int32), 2)))
    with torch.no_grad():
        made.table[0] = made.pairs[0] = 0
    np.testing.assert_array_equal(made(padded_ids()).x.detach(), embedded(made, padded_ids()))
    (found,) = written(made).run(None, {INPUT: padded_ids().numpy()})
    assert not found[padded_ids().numpy() == 0].any()


def test_pairs_of_the_largest_ids_are_hashed_alike_in_training_and_in_graphs() -> None:
    top = 300_002
    pairs = frequent_pairs(np.array([top, top - 1, top, top - 1]), np.array([2, 4]), 9)
    made = stirred(TokenEntrance(np.zeros((top + 1, 2), np.float32), pairs))
    ids = torch.tensor([[top, top - 1, top], [top - 1.0, 0, 0]])
    expected, there = embedded(made, ids), (ids > 0).numpy()
    np.testing.assert_array_equal(made(ids).x.detach().numpy()[there], expected[there])
    np.testing.assert_array_equal(written(made).run(None, {INPUT: ids.numpy()})[0][there], expected[there])


def test_a_table_is_copied_and_its_padding_taken_for_zeros() -> None:
    table = np.ones((3, 2), np.float32)
    made = TokenEntrance(table)
    assert made.table[0].tolist() == [0, 0]
    made.table.data[1:] = 5
    assert table.tolist() == [[1, 1]] * 3


@pytest.mark.parametrize("share", [0.25, 0.8])
def test_tokens_that_stay_are_made_larger_by_what_is_left_out(share: float) -> None:
    made = TokenEntrance(TABLE, drop=share).train()
    torch.manual_seed(0)
    ratio = (made(padded_ids()).x / torch.from_numpy(TABLE)[padded_ids().long()]).detach()[padded_ids() > 0]
    kept = ratio[:, 0] > 0
    torch.testing.assert_close(ratio, kept[:, None].expand(-1, 3) / (1 - share))
    assert 0 < int(kept.sum()) < len(kept)


def bag(body: Any, row: np.ndarray) -> np.ndarray:
    scores = np.zeros(len(row)) if body.score is None else row @ weights_of(body.score)[0][0]
    shares = np.exp(scores - scores.max())
    pooled = (shares / shares.sum()) @ row
    if body.layer is None:
        return np.asarray(pooled)
    weight, bias = weights_of(body.layer)
    return np.maximum(0, weight @ pooled + bias)


def filtered(part: Any, row: np.ndarray) -> np.ndarray:
    """Return the answers of filters to each window of a row, zeros around it."""
    weight, bias = weights_of(part.weights)
    wide = np.pad(row, (((part.kernel - 1) // 2, part.kernel // 2), (0, 0)))
    windows = [wide[step : step + part.kernel].ravel() for step in range(len(row))]
    return np.maximum(0, np.array(windows) @ weight.T + bias)


def convolved(body: Any, row: np.ndarray) -> np.ndarray:
    x = np.concatenate([filtered(part, row) for part in body.first], axis=1)
    for part in body.further:
        x = x + filtered(part, x)
    return np.asarray(x.max(axis=0))


def text_body(values: dict[str, Any]) -> Body:
    made: Body = stirred((make_bag if "pooling" in values else make_cnn)(values, 3, 6))
    return made


@each
@pytest.mark.parametrize("further", [0, 5], ids=["as long", "padded further"])
def test_bodies_for_texts_are_what_they_say_row_by_row(values: dict[str, Any], further: int) -> None:
    body, steps = text_body(values), steps_of(*LENGTHS, steps=6 + further)
    expected = [(bag if "pooling" in values else convolved)(body, row) for row in rows_of(steps)]
    np.testing.assert_allclose(answered(body, steps), expected, rtol=1e-4, atol=1e-5)


def network_of(values: dict[str, Any], outputs: int) -> RaggedNetwork:
    made: RaggedNetwork = stirred(RaggedNetwork(entrance_of(), text_body(values), outputs, dropout=0.3), 5)
    with torch.no_grad():
        for name in ("table", "pairs"):
            made.entrance.get_parameter(name)[0] = 0
    return made


@each
def test_probabilities_do_not_know_how_far_rows_are_padded(values: dict[str, Any]) -> None:
    session = opened(probabilities_graph(network_of(values, 3), np.ones(3, bool), ("steps",)))
    short, long = (session.run(None, {INPUT: padded_ids(steps=n).numpy()})[0] for n in (6, 31))
    np.testing.assert_allclose(long, short, atol=1e-6)
    np.testing.assert_allclose(short.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("present", [p for p in itertools.product((False, True), repeat=3) if any(p)], ids=str)
def test_classes_without_rows_have_exactly_nothing_whichever_they_are(present: tuple[bool, ...]) -> None:
    made, is_there = network_of(BAGS["mean 4"], sum(present)), np.array(present)
    (found,) = opened(probabilities_graph(made, is_there, ("steps",))).run(None, {INPUT: padded_ids().numpy()})
    expected = torch.softmax(torch.from_numpy(answered(made, padded_ids())), dim=1)
    np.testing.assert_allclose(found[:, is_there], expected, atol=1e-6)
    assert not found[:, ~is_there].any()


@pytest.mark.parametrize("values", [BAGS["attention 4"], FILTERS["4,1,3 3"]], ids=["bag", "filters"])
def test_the_same_network_is_written_byte_for_byte_and_left_as_it_was(values: dict[str, Any]) -> None:
    made = network_of(values, 2)
    before = {name: part.clone() for name, part in made.state_dict().items()}
    one, two = (probabilities_graph(made, np.ones(2, bool), ("steps",)) for _ in range(2))
    assert one == two
    assert all(torch.equal(part, before[name]) for name, part in made.state_dict().items())


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def states(way: Any, cell: str, row: np.ndarray) -> np.ndarray:
    """Return the state after each step, by the equations of torch's manual."""
    read, keep, read_bias, keep_bias = (part.detach().double().numpy() for part in way.parameters())
    h, c, found = np.zeros(keep.shape[1]), np.zeros(keep.shape[1]), []
    for step in row:
        a, b = read @ step + read_bias, keep @ h + keep_bias
        if cell == "lstm":
            i, f, g, o = np.split(a + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            (r, z, n), (s, y, m) = np.split(a, 3), np.split(b, 3)
            h = (1 - sigmoid(z + y)) * np.tanh(n + sigmoid(r + s) * m) + sigmoid(z + y) * h
        found.append(h)
    return np.array(found)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_states_follow_their_equations(cell: Any, layers: int, directions: int) -> None:
    body = stirred(Recurrent(RecurrentSettings(cell, 4, layers, directions, "max", 0.0), 3))
    expected = []
    for x in rows_of(steps_of(*LENGTHS)):
        for layer in body.layers:
            ways = [states(way, cell, x[::turn])[::turn] for way, turn in zip(layer.ways, (1, -1), strict=False)]
            x = np.concatenate(ways, axis=1)
        expected.append(x.max(axis=0))
    np.testing.assert_allclose(answered(body, steps_of(*LENGTHS)), expected, atol=1e-5)


def pooled(pool: Any, row: np.ndarray) -> np.ndarray:
    if pool.kind != "attention":
        return np.asarray(row.max(axis=0) if pool.kind == "max" else row.mean(axis=0))
    weight, bias = weights_of(pool.hidden)
    shares = np.exp(np.tanh(row @ weight.T + bias) @ pool.score.weight.detach().double().numpy()[0])
    return np.asarray((shares / shares.sum()) @ row)


@pytest.mark.parametrize("kind", ["attention", "mean", "max"])
@pytest.mark.parametrize("behind", [0.0, -1e4, 1e4], ids=["zeros", "low", "high"])
def test_pooling_and_its_graph_are_what_they_say_whatever_is_behind_the_end(kind: Pooling, behind: float) -> None:
    pool, steps = stirred(Pool(kind, 3)), steps_of(*LENGTHS)
    x = torch.where(steps.mask[:, :, None] > 0, steps.x, behind)
    expected = [pooled(pool, row) for row in rows_of(steps)]
    np.testing.assert_allclose(answered(pool, x, steps.mask), expected, rtol=1e-4, atol=1e-5)
    found = pool_session(pool).run(None, {"x": x.numpy(), "mask": steps.mask.numpy()})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def pool_session(pool: Pool) -> Any:
    writer = Writer()
    name = pool.write(writer, "x", "mask")
    shapes = {"x": ["n", "t", 3], "mask": ["n", "t"], name: ["n", 3]}
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(writer.nodes, "pool", infos[:2], infos[2:], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return opened(model.SerializeToString())


def normed(x: torch.Tensor, module: Any, mask: torch.Tensor | None) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return what a normalisation gives to steps (n, channels), and the gradients of a sum that weighs them."""
    x = x.clone().requires_grad_()
    y = module(x) if mask is None else module(x, mask)
    flat = y if mask is None else y.transpose(1, 2)[mask[:, 0] > 0]
    (flat * torch.arange(flat.numel()).view(flat.shape).sin()).sum().backward()
    found = torch.as_tensor(x.grad)
    grads = [found if mask is None else found.transpose(1, 2)[mask[:, 0] > 0], *(p.grad for p in module.parameters())]
    return flat.detach(), grads


@pytest.mark.parametrize("is_training", [True, False], ids=["training", "evaluation"])
def test_masked_normalisation_is_torchs_own_over_the_steps_alone(is_training: bool) -> None:
    steps, mine, theirs = steps_of(*LENGTHS), stirred(MaskedNorm(3)), nn.BatchNorm1d(3)
    theirs.weight.data, theirs.bias.data = mine.gain.data.clone(), mine.offset.data.clone()
    one = normed(steps.x.transpose(1, 2), mine.train(is_training), steps.mask[:, None])
    two = normed(steps.x[steps.mask > 0], theirs.train(is_training), None)
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(mine.mean, theirs.running_mean)
    torch.testing.assert_close(mine.variance, theirs.running_var)


def test_a_folded_normalisation_is_that_of_evaluation() -> None:
    norm, x = stirred(MaskedNorm(3)).train(), steps_of(6, 6).x.transpose(1, 2)
    norm(x, None)
    gain, offset = norm.eval().folded()
    np.testing.assert_allclose(answered(norm, x, None), x.numpy() * gain[:, None] + offset[:, None], atol=1e-5)


def plainly(body: Inception, x: torch.Tensor) -> torch.Tensor:
    """Return the features of one row (1, width, steps) without a mask, written down once more."""
    kept = x
    for place, block in enumerate(body.blocks):
        part: Any = block
        inner = x if part.narrow is None else part.narrow(x)
        low = functional.pad(inner, (1, 1), value=-torch.inf).unfold(2, 3, 1).amax(dim=3)
        x = part.norm(torch.cat([*(conv(inner) for conv in part.convs), part.pooled(low)], dim=1), None)
        if place % 3 == 2:
            shortcut = body.shortcuts[place // 3]
            assert isinstance(shortcut, Shortcut)
            x = kept = torch.relu(x + shortcut(kept, None))
        x = torch.relu(x)
    return x.mean(dim=2)


@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("units", [2, 5], ids=["narrowed", "wide"])
@torch.no_grad()
def test_inception_answers_each_row_as_without_masks(blocks: int, units: int) -> None:
    body, steps = stirred(Inception(3, units=units, blocks=blocks, kernels=(5, 3))), steps_of(*LENGTHS, steps=9)
    expected = [plainly(body, torch.from_numpy(row.T[None]).float()) for row in rows_of(steps)]
    torch.testing.assert_close(body(steps), torch.cat(expected), rtol=1e-4, atol=1e-4)
