"""Rows of like length are computed together."""

from __future__ import annotations

import numpy as np
import pytest

from automl.serving.batches import by_length, even


@pytest.mark.parametrize(("rows", "sizes"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_even_batches_follow_the_order(rows: int, sizes: list[int]) -> None:
    parts = [np.arange(rows)[part] for part in even(rows, 4)]
    assert [len(part) for part in parts] == sizes
    assert [n for part in parts for n in part.tolist()] == list(range(rows))


@pytest.mark.parametrize("seed", range(6))
def test_no_batch_is_larger_than_its_limits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 200, 500)
    parts = list(by_length(lengths, most_rows=64, most_values=1000))
    assert sorted(np.concatenate(parts).tolist()) == list(range(500))
    assert all(len(part) == 1 or (len(part) <= 64 and len(part) * lengths[part].max() <= 1000) for part in parts)


def test_batches_go_from_short_to_long() -> None:
    lengths = np.array([5, 1, 9, 1, 7])
    longest = [int(lengths[part].max()) for part in by_length(lengths, most_rows=2, most_values=100)]
    assert longest == [1, 7, 9]


def test_a_row_beyond_the_limit_is_alone() -> None:
    assert [part.tolist() for part in by_length(np.array([10**6, 2]), most_rows=8, most_values=10)] == [[1], [0]]


def test_of_equal_lengths_the_order_stays() -> None:
    assert next(by_length(np.full(5, 3), most_rows=8, most_values=100)).tolist() == [0, 1, 2, 3, 4]


def test_of_no_rows_there_is_no_batch() -> None:
    assert list(by_length(np.empty(0, np.int64), most_rows=8, most_values=10)) == []
