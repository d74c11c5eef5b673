from __future__ import annotations

import numpy as np
import pytest
import torch

from automl.candidates.training.ragged_rows import Batch, Limits, batches, packed, padded
from automl.serving.series import Series

LENGTHS = np.random.default_rng(0).integers(1, 60, 500)
LIMITS = Limits.of(LENGTHS, 16)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def needed(made: list[Batch]) -> int:
    return sum(len(batch.rows) * batch.steps for batch in made)


@pytest.mark.parametrize("seed", [None, 0, 1], ids=["in order", "one seed", "another"])
def test_each_row_is_in_one_batch(seed: int | None) -> None:
    made = batches(LENGTHS, LIMITS, None if seed is None else rng(seed))
    assert sorted(np.concatenate([batch.rows for batch in made]).tolist()) == list(range(500))


def test_no_batch_is_larger_than_its_limits() -> None:
    made = batches(LENGTHS, LIMITS, rng())
    assert max(len(batch.rows) for batch in made) <= LIMITS.rows
    assert max(len(batch.rows) * batch.steps for batch in made) <= LIMITS.steps


def test_a_row_that_is_longer_than_the_limit_is_alone() -> None:
    made = batches(np.array([3, 1000, 3, 3]), Limits(8, 20), rng())
    assert sorted(len(batch.rows) for batch in made) == [1, 3]


def test_batches_say_how_long_they_are_and_whether_they_are_full() -> None:
    made = batches(np.array([4, 2, 4, 9, 2]), Limits(2, 100))
    assert [(batch.rows.tolist(), batch.steps, batch.is_full) for batch in made] == [
        ([1, 4], 2, True), ([0, 2], 4, True), ([3], 9, True),
    ]  # fmt: skip
    assert not batches(np.array([4, 2]), Limits(2, 100))[0].is_full


def test_little_is_padded() -> None:
    made = batches(LENGTHS, LIMITS, rng())
    assert needed(made) < 1.25 * LENGTHS.sum() < LENGTHS.max() * 500


def test_no_two_epochs_are_alike_but_the_same_seed_gives_the_same() -> None:
    first = rng()
    one, two, again = (batches(LENGTHS, LIMITS, r) for r in (first, first, rng()))
    assert [batch.rows.tolist() for batch in one] == [batch.rows.tolist() for batch in again]
    assert {frozenset(b.rows.tolist()) for b in one} != {frozenset(b.rows.tolist()) for b in two}


def test_batches_do_not_come_in_the_order_of_their_length() -> None:
    lengths = [batch.steps for batch in batches(LENGTHS, LIMITS, rng())]
    assert abs(np.corrcoef(lengths, np.arange(len(lengths)))[0, 1]) < 0.5


def test_no_rows_have_no_batches() -> None:
    assert batches(LENGTHS[:0], Limits.of(LENGTHS[:0], 4)) == []


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.asarray(a)) for a in arrays]


def test_ids_are_padded_with_zeros() -> None:
    got = padded(*tensors(np.arange(1, 7, dtype=np.float32), np.array([0, 4, 1]), np.array([1, 6, 4])))
    assert got.tolist() == [[1, 0, 0], [5, 6, 0], [2, 3, 4]]


def test_series_are_padded_as_serving_does() -> None:
    series = Series.of([rng(n).normal(size=(n, 2)) for n in (3, 1, 5)])
    rows = np.array([2, 0])
    got = padded(*tensors(series.values, series.starts[rows], series.ends[rows]))
    np.testing.assert_array_equal(got.numpy(), series[rows].padded())


def test_rows_can_be_padded_further() -> None:
    assert padded(*tensors(np.ones(3, np.float32), np.array([0]), np.array([2])), 4).tolist() == [[1, 1, 0, 0]]


def test_no_rows_can_be_padded() -> None:
    none = np.arange(0)
    assert padded(*tensors(np.ones(3, np.float32), none, none)).shape == (0, 1)
    assert padded(*tensors(np.ones((3, 2), np.float32), none, none)).shape == (0, 2, 1)


def test_rows_are_packed_in_the_order_asked_for() -> None:
    values, ends = packed(np.arange(10, dtype=np.int32), np.array([7, 0, 3]), np.array([9, 1, 6]))
    assert (values.tolist(), ends.tolist()) == ([7, 8, 0, 3, 4, 5], [2, 3, 6])
    assert values.dtype == np.float32


def test_nothing_can_be_packed() -> None:
    values, ends = packed(np.ones((4, 3), np.float32), np.arange(0), np.arange(0))
    assert (values.shape, ends.shape) == ((0, 3), (0,))
