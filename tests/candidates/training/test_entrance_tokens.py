from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from automl.candidates.graphs.onnx_graphs import INPUT, Ends, graph_bytes
from automl.candidates.training.entrance_tokens import Pairs, TokenEntrance, frequent_pairs
from automl.candidates.training.onnx_graph import Writer

IDS = torch.tensor([[3.0, 4, 5, 3], [4, 0, 0, 0], [3, 4, 3, 0]])
TABLE = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
ROWS, ENDS = np.array([3, 4, 5, 3, 4, 3, 4, 3]), np.array([4, 5, 8])


def entrance(pairs: Pairs | None = None, drop: float = 0.0) -> TokenEntrance:
    made = TokenEntrance(TABLE, pairs, drop=drop)
    if made.pairs is not None:
        with torch.no_grad():
            made.pairs[1:] = torch.randn(made.pairs[1:].shape, generator=torch.Generator().manual_seed(0))
    return made


def row_of(pairs: Pairs, before: int, token: int) -> int:
    found = int(pairs.rows[(before * 2_654_435_761 + token) % len(pairs.rows)])
    assert found < pairs.size
    return found


def test_tokens_become_their_embeddings_and_padding_zeros() -> None:
    x, mask, _ = entrance()(IDS)
    np.testing.assert_array_equal(x[0].detach(), TABLE[[3, 4, 5, 3]])
    assert (x[1, 1:] == 0).all()
    assert mask.tolist() == [[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0]]


def test_pairs_that_occur_twice_have_a_row_the_start_of_a_text_included() -> None:
    pairs = frequent_pairs(ROWS, ENDS, 10)
    assert pairs.size == 1 + 2
    assert sorted([row_of(pairs, 0, 3), row_of(pairs, 3, 4)]) == [1, 2]
    assert row_of(pairs, 4, 5) == 0


def test_only_so_many_pairs_have_a_row_the_most_frequent_ones() -> None:
    pairs = frequent_pairs(np.array([3, 4, 3, 4, 3, 4, 5]), np.array([2, 4, 7]), 1)
    assert pairs.size == 2


def test_where_no_pair_occurs_twice_there_is_none() -> None:
    pairs = frequent_pairs(np.array([3, 4]), np.array([1, 2]), 10)
    assert pairs.size == 1
    assert not pairs.rows.any()


def test_the_embedding_of_a_pair_is_added_to_its_second_token() -> None:
    pairs = frequent_pairs(ROWS, ENDS, 10)
    made = entrance(pairs)
    assert made.pairs is not None
    moved = made(IDS).x[0] - torch.from_numpy(TABLE)[[3, 4, 5, 3]]
    torch.testing.assert_close(moved[0], made.pairs[row_of(pairs, 0, 3)])
    torch.testing.assert_close(moved[1], made.pairs[row_of(pairs, 3, 4)])
    assert (moved[2:] == 0).all()


def test_tokens_are_left_out_in_training_alone() -> None:
    made = entrance(drop=0.5)
    dropped = (made.train()(IDS.repeat(50, 1)).x == 0).all(dim=2)
    assert 0.4 < float(dropped[::3].float().mean()) < 0.6
    assert not (made.eval()(IDS).x[0] == 0).any()


def test_padding_learns_nothing() -> None:
    made = entrance(frequent_pairs(ROWS, ENDS, 10))
    made(IDS).x.sum().backward()  # type: ignore[no-untyped-call]
    for parameter in (made.table, made.pairs):
        assert parameter is not None
        assert parameter.grad is not None
        assert (parameter.grad.to_dense()[0] == 0).all()


@pytest.mark.parametrize("most", [0, 10], ids=["without pairs", "with pairs"])
@pytest.mark.parametrize("rows", [IDS, IDS[1:2, :1], IDS[:0]], ids=["rows", "one token", "no row"])
def test_the_graph_gives_what_the_entrance_gives(most: int, rows: torch.Tensor) -> None:
    made = entrance(frequent_pairs(ROWS, ENDS, most) if most else None).eval()
    writer = Writer()
    written = made.write(writer, INPUT)
    graph = graph_bytes([*writer.nodes], writer.constants, Ends(("steps",), ("steps", 4), output=written.x))
    session: Any = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {INPUT: rows.numpy()})[0], made(rows).x.detach(), atol=1e-6)
