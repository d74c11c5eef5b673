from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from automl.candidates.tabular import encoding_rows
from automl.candidates.tabular.encoding_rows import INNER_FOLDS, MOST_TARGETS, Learned
from automl.testing.context import mixed_table


def learned_of(rows: int, classes: int = 3, **changes: object) -> Learned:
    data = mixed_table(rows, classes=classes)
    return dataclasses.replace(Learned.of(data, np.arange(rows), classes), **changes)  # type: ignore[arg-type]


def test_rows_are_taken_once_and_in_order() -> None:
    learned = Learned.of(mixed_table(30), np.array([7, 3, 7]), 3)
    assert learned.rows.tolist() == [3, 7]
    assert learned.y.tolist() == [0, 1]


def test_inner_folds_have_alike_classes() -> None:
    learned = learned_of(300)
    counts = np.zeros((INNER_FOLDS, 3))
    np.add.at(counts, (learned.folds, learned.y), 1)
    assert np.ptp(counts) <= 1


def test_inner_folds_keep_groups_together() -> None:
    groups = np.arange(300) // 7
    folds = learned_of(300, groups=groups, split="group").folds
    assert all(len(set(folds[groups == group])) == 1 for group in np.unique(groups))
    assert set(folds) == set(range(INNER_FOLDS))


def test_inner_folds_of_rows_in_time_are_stretches_of_it() -> None:
    time = np.random.default_rng(0).permutation(300)
    folds = learned_of(300, groups=time, split="time").folds
    assert (np.diff(folds[np.argsort(time)]) >= 0).all()
    assert np.bincount(folds).tolist() == [60] * INNER_FOLDS


def test_sample_is_bounded_and_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding_rows, "MOST_SAMPLED", 50)
    first, second = learned_of(300), learned_of(300)
    assert len(first.sample) == 50
    np.testing.assert_array_equal(first.places, second.places)


def test_chunks_are_all_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding_rows, "_CHUNK", 7)
    learned = learned_of(30)
    parts = list(learned.chunks())
    assert np.concatenate([places for places, _ in parts]).tolist() == list(range(30))
    np.testing.assert_array_equal(np.concatenate([table.numbers for _, table in parts]), learned.X.numbers)


def test_fewer_rows_keep_their_targets() -> None:
    learned = learned_of(300, 0)
    fewer = learned.fewer(40)
    assert len(fewer) == 40
    np.testing.assert_array_equal(fewer.y, learned.y[fewer.rows])
    assert learned.fewer(300) is learned


@pytest.mark.parametrize(("classes", "columns"), [(0, 1), (2, 1), (3, 3), (40, MOST_TARGETS)])
def test_targets_have_a_column_for_each_class_up_to_a_bound(classes: int, columns: int) -> None:
    learned = dataclasses.replace(learned_of(400), classes=classes, y=np.arange(400) % max(classes, 3))
    assert learned.targets.shape == (400, columns)


def test_target_of_regression_is_standardised() -> None:
    targets = learned_of(300, 0).targets
    assert abs(targets.mean()) < 1e-9
    assert abs(targets.std() - 1) < 1e-9


def test_constant_target_is_zero() -> None:
    assert not learned_of(30, 0, y=np.full(30, 7.0)).targets.any()
