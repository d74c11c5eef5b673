from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock
from automl.candidates.tabular.encoding_categories import category_columns, encoded_categories, shrunken_means
from automl.candidates.tabular.encoding_rows import Learned
from automl.core.data import DataSpec
from automl.serving.table import UNSEEN, Column, Table, TableRule
from automl.serving.table_encoder import block_of
from automl.testing.context import ArrayData

COUNTS = {0: 2, 1: 10, 2: 6, 3: 1}
"""Rows of each of the categories a to e; e has none."""


def learned_of(counts: dict[float, int], *, y: np.ndarray | None = None, classes: int = 2, size: int = 5) -> Learned:
    codes = np.concatenate([np.full(count, code) for code, count in counts.items()])[:, None]
    rule = TableRule((Column("letter", "category", tuple("abcdefghijklmnopqrstuvwxyz"[:size])),))
    labels = tuple(f"class {code}" for code in range(classes))
    spec = DataSpec("letters", "table", len(codes), (1,), labels, (), "letters", rule.to_json())
    targets = np.arange(len(codes)) % max(2, classes) if y is None else y
    return Learned.of(ArrayData(Table(codes), targets, spec), np.arange(len(codes)), classes)


def encoded_as(learned: Learned, *codes: float, **options: Any) -> tuple[FittedBlock, np.ndarray]:
    (block,) = encoded_categories(learned, EncoderOptions(**options))
    return block, np.asarray(block_of(block.block).values(Table(np.array(codes)[:, None])))


def test_codes_are_by_frequency_and_rare_categories_share_the_last() -> None:
    block, values = encoded_as(learned_of(COUNTS), 1, 2, 0, 3, 4, UNSEEN, np.nan)
    np.testing.assert_array_equal(values.ravel(), [0, 1, 2, 2, 2, 2, np.nan])
    assert block.codes == (3,)


def test_unseen_category_is_a_gap_where_gaps_are_kept_and_none_is_rare() -> None:
    block, values = encoded_as(learned_of(COUNTS), 1, 3, 4, UNSEEN, np.nan, rare=1)
    np.testing.assert_array_equal(values.ravel(), [0, 3, np.nan, np.nan, np.nan])
    assert block.codes == (4,)


def test_unseen_and_missing_have_codes_of_their_own_where_gaps_are_filled() -> None:
    learned = learned_of({**COUNTS, np.nan: 4})
    block, values = encoded_as(learned, 1, 3, 4, UNSEEN, np.nan, rare=1, missing="impute")
    assert values.ravel().tolist() == [0, 3, 4, 4, 5]
    assert block.codes == (6,)


def test_missing_counts_as_unseen_where_the_rows_learned_from_have_none() -> None:
    block, values = encoded_as(learned_of(COUNTS), UNSEEN, np.nan, missing="impute")
    assert values.ravel().tolist() == [2, 2]
    assert block.codes == (3,)


def test_onehot_has_columns_for_the_most_frequent_and_one_for_the_others() -> None:
    learned = learned_of({**COUNTS, np.nan: 4})
    block, values = encoded_as(learned, 1, 2, 0, 4, UNSEEN, np.nan, categories="onehot", most_onehot=2)
    assert block.names == ("letter = b", "letter = c", "letter is another", "letter is missing")
    assert values.argmax(axis=1).tolist() == [0, 1, 2, 2, 2, 3]
    assert values.sum(axis=1).tolist() == [1] * 6


def test_onehot_of_two_categories_is_one_column() -> None:
    block, values = encoded_as(learned_of({0: 9, 1: 5}), 0, 1, UNSEEN, np.nan, categories="onehot")
    assert block.names == ("letter = b",)
    assert values.ravel().tolist() == [0, 1, 0, 0]


def test_onehot_of_unknown_values_is_nowhere_where_they_were_not_seen() -> None:
    _, values = encoded_as(learned_of({0: 9, 1: 5, 2: 5}), UNSEEN, np.nan, categories="onehot")
    assert not values.any()


def test_many_categories_do_not_make_many_columns() -> None:
    block, _ = encoded_as(learned_of(dict.fromkeys(range(26), 3), size=26), 0, categories="onehot", most_onehot=4)
    assert len(block.names) == 5


def test_share_is_a_logarithm_and_finite_for_the_unseen() -> None:
    _, values = encoded_as(learned_of({0: 10, 1: 10}), 0, UNSEEN, np.nan, categories="frequency")
    np.testing.assert_allclose(values.ravel(), np.log([0.5, 0.025, 0.025]))


def test_category_of_one_value_is_left_out() -> None:
    assert encoded_categories(learned_of({1: 9}), EncoderOptions()) == []


def test_one_value_and_gaps_are_kept() -> None:
    _, values = encoded_as(learned_of({1: 9, np.nan: 9}), 1, np.nan)
    np.testing.assert_array_equal(values.ravel(), [0, np.nan])


def test_counts_are_of_all_rows_with_unseen_and_missing_last() -> None:
    found = category_columns(learned_of({**COUNTS, UNSEEN: 2, np.nan: 4}))
    assert found.counts[0].tolist() == [2, 10, 6, 1, 0, 2, 4]


def test_mean_target_of_a_large_group_is_its_own_and_of_a_small_one_near_the_mean() -> None:
    y = np.concatenate([np.ones(200), np.zeros(200), np.ones(1)]).astype(np.int64)
    learned = learned_of({0: 200, 1: 200, 2: 1}, y=y)
    _, values = encoded_as(learned, 0, 1, UNSEEN, categories="target")
    np.testing.assert_allclose(values.ravel(), [1, 0, y.mean()], atol=0.01)


def test_mean_targets_of_noise_are_drawn_to_the_mean() -> None:
    y = np.random.default_rng(0).integers(0, 2, 520)
    _, values = encoded_as(learned_of(dict.fromkeys(range(26), 20), y=y, size=26), *range(26), categories="target")
    raw = y.reshape(26, 20).mean(axis=1)
    assert values.std() < 0.5 * raw.std()
    assert abs(values.mean() - y.mean()) < 0.02


def test_several_classes_have_a_mean_each_and_they_add_up_to_one() -> None:
    learned = learned_of({0: 30, 1: 30, 2: 30}, classes=3)
    block, values = encoded_as(learned, 0, 1, UNSEEN, categories="target")
    assert block.names[:2] == ("target = class 0 by letter", "target = class 1 by letter")
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-6)


def test_there_is_an_inner_block_for_each_inner_fold_and_each_differs_from_the_whole() -> None:
    learned = learned_of({0: 30, 1: 30, 2: 31})
    block, whole = encoded_as(learned, 0, 1, 2, categories="target")
    inner = [block_of(each).values(Table(np.array([[0.0], [1], [2]]))) for each in block.inner]
    assert len(inner) == 5
    assert all((values != whole).any() for values in inner)


@pytest.mark.parametrize("rows", [0, 1, 2, 50])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e9])
def test_means_of_a_constant_are_that_constant(rows: int, value: float) -> None:
    counts = np.array([rows, 2 * rows, 0])[:, None]
    means = shrunken_means(np.hstack([counts, counts * value, counts * value**2]))
    np.testing.assert_allclose(means, value if rows else 0.0)


def test_means_lie_between_the_groups_and_the_mean_of_all() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 40, 20).astype(float)
    sums = rng.binomial(counts.astype(int), rng.uniform(0, 1, 20)).astype(float)
    shrunken = shrunken_means(np.stack([counts, sums, sums], axis=1)).ravel()
    raw, prior = sums / counts, sums.sum() / counts.sum()
    assert ((shrunken - prior) * (raw - prior) >= 0).all()
    assert (np.abs(shrunken - prior) <= np.abs(raw - prior) + 1e-12).all()
