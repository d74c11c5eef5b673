"""The table that tests of candidates rest on has every kind of column, gaps, and something to learn."""

from __future__ import annotations

import numpy as np
import pytest

from automl.serving.table import UNSEEN, TableRule
from automl.serving.texts import Texts
from automl.testing.context import mixed_table


@pytest.mark.parametrize("rows", [1, 2, 59, 200])
@pytest.mark.parametrize("classes", [0, 2, 3, 6, 20])
def test_a_mixed_table_is_what_its_spec_says(rows: int, classes: int) -> None:
    data = mixed_table(rows, classes=classes)
    rule = TableRule.from_json(data.spec.input)
    assert data.X.numbers.shape == (rows, len(rule.numbers))
    assert [len(texts) for texts in data.X.texts] == [rows] * len(rule.texts)
    assert (len(data.y), data.spec.rows, len(data.spec.classes)) == (rows, rows, classes)
    assert data.y.dtype == (np.int64 if classes else np.float64)


def test_a_mixed_table_has_all_that_models_must_bear() -> None:
    data = mixed_table(2000)
    size, _, new, colour, day = data.X.numbers.T
    assert 0.05 < np.isnan(size).mean() < 0.15
    assert set(new.tolist()) == {0.0, 1.0}
    assert {UNSEEN, 0.0, 1.0, 2.0, 3.0} == set(colour[~np.isnan(colour)].tolist())
    assert (np.nanmin(day), np.isnan(day).any()) == (1.6e9, True)
    assert "" in set(data.X.texts[0])


def test_a_mixed_table_is_learnable_from_few_columns() -> None:
    data = mixed_table(600, classes=0)
    told = np.nan_to_num(data.X.numbers[:, 0])
    assert np.corrcoef(told, data.y)[0, 1] > 0.7


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_is_another_mixed_table(seed: int) -> None:
    first, again, other = (mixed_table(50, seed=each) for each in (seed, seed, 0))
    np.testing.assert_array_equal(first.X.numbers, again.X.numbers)
    assert first.spec == again.spec
    assert other.spec.fingerprint != first.spec.fingerprint
    assert not np.array_equal(first.X.numbers, other.X.numbers, equal_nan=True)


def test_texts_of_a_mixed_table_tell_their_class() -> None:
    data = mixed_table(90)
    first = [text.partition(" ")[0] for text in data.X.texts[0]]
    assert first[:3] == ["", "broken", "great"]
    assert isinstance(data.X.texts[0], Texts)
