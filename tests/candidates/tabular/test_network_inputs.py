from __future__ import annotations

import numpy as np
import pytest

from automl.candidates.tabular.network_inputs import CodeInput, Layout, layout


def fullness(read: Layout, place: int, value: float) -> np.ndarray:
    """Return how full the bins of a number are, as a network computes it."""
    return np.clip((np.float32(value) - read.left[place]) * read.scale[place], 0, 1)


def test_bins_hold_equally_many_rows() -> None:
    X = np.exp(np.random.default_rng(0).normal(size=(4000, 1))).astype(np.float32)
    counts = np.bincount(np.searchsorted(layout(X, (), 8).left[0], X[:, 0], side="right"))[1:]
    assert counts.tolist() == pytest.approx([500] * 8, abs=2)


def test_few_values_are_bounds_all_of_them() -> None:
    read = layout(np.array([0] * 90 + [1, 2, 3, 5], np.float32)[:, None], (), 8)
    assert read.left[0].tolist() == [0, 1, 2, 3]
    assert read.scale[0].tolist() == [1, 1, 1, 0.5]


def test_rare_values_among_many_share_bins() -> None:
    read = layout(np.array([0] * 990 + list(range(1, 11)), np.float32)[:, None], (), 4)
    assert read.plain == (0,)


def test_bins_fill_up_one_after_the_other() -> None:
    read = layout(np.linspace(0, 1, 101, dtype=np.float32)[:, None], (), 4)
    np.testing.assert_allclose(fullness(read, 0, 0.6), [1, 1, 0.4, 0], atol=1e-5)


@pytest.mark.parametrize(("value", "expected"), [(-9e9, 0.0), (9e9, 1.0)], ids=["below", "above"])
def test_values_beyond_those_seen_are_as_the_outermost(value: float, expected: float) -> None:
    read = layout(np.linspace(0, 1, 101, dtype=np.float32)[:, None], (), 4)
    assert fullness(read, 0, value).tolist() == [expected] * 4


@pytest.mark.parametrize("column", [[0, 1] * 50, [3] * 100], ids=["two-valued", "constant"])
def test_a_column_with_hardly_two_bins_is_read_as_it_is(column: list[float]) -> None:
    read = layout(np.array(column, np.float32)[:, None], (), 16)
    assert (read.numbers, read.plain) == ((), (0,))


def test_columns_of_codes_are_neither_numbers_nor_plain() -> None:
    X = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    X[:, 1] = np.nan
    read = layout(X, [CodeInput(1, 5)], 4)
    assert (read.width, read.numbers, read.plain, read.codes) == (3, (0, 2), (), (CodeInput(1, 5),))


def test_a_column_with_fewer_bins_has_empty_ones() -> None:
    X = np.stack([np.arange(90) % 3, np.arange(90)], axis=1).astype(np.float32)
    read = layout(X, (), 8)
    assert read.scale[0, 2:].tolist() == [0.0] * 6
    assert fullness(read, 0, 7.0).tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


def test_a_layout_without_numbers_has_one_empty_bin() -> None:
    assert layout(np.zeros((5, 2), np.float32), (), 8).left.shape == (0, 1)


def test_bounds_too_close_to_divide_by_are_one() -> None:
    X = (1e6 + np.arange(50) * 1e-3).astype(np.float32)[:, None]
    assert np.isfinite(layout(X, (), 16).scale).all()
