import numpy as np
import pytest

from automl.core.folds import fold_count, stratified_folds


@pytest.mark.parametrize(
    ("counts", "rows", "wanted", "folds"),
    [
        ((50, 50), 100, None, 5),
        ((50, 50), 100, 10, 10),
        ((3, 97), 100, None, 3),
        ((1, 99), 100, None, 2),
        ((0, 100), 100, None, 5),
        ((), 100, 4, 4),
        ((), 3, None, 3),
        ((), 1, None, 2),
        ((50, 50), 100, 1, 2),
        ((500, 500), 1000, 400, 100),
    ],
    ids=["default", "wanted", "rare", "single", "absent", "numbers", "few rows", "one row", "least", "most"],
)
def test_fold_count_is_lowered_by_rare_classes_and_never_fails(counts, rows, wanted, folds):
    assert fold_count(counts, rows, wanted) == folds


@pytest.mark.parametrize("k", [2, 3, 5, 10])
@pytest.mark.parametrize("rows", [10, 97, 1000])
def test_folds_differ_by_at_most_one_row_in_size(rows, k):
    y = np.random.default_rng(0).integers(3, size=rows)
    sizes = np.bincount(stratified_folds(y, k, np.random.default_rng(1)), minlength=k)
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("k", [2, 5, 7])
@pytest.mark.parametrize("classes", [2, 5, 30])
def test_folds_differ_by_at_most_one_row_in_each_class(classes, k):
    y = np.random.default_rng(0).integers(classes, size=311)
    folds = stratified_folds(y, k, np.random.default_rng(1))
    table = np.stack([np.bincount(folds[y == c], minlength=k) for c in range(classes)])
    assert (table.max(axis=1) - table.min(axis=1)).max() <= 1


def test_folds_are_small_integers_from_zero():
    folds = stratified_folds(np.arange(20) % 2, 4, np.random.default_rng(0))
    assert (folds.dtype, sorted(set(folds.tolist()))) == (np.int8, [0, 1, 2, 3])


def test_the_same_stream_gives_the_same_folds():
    y = np.arange(50) % 3
    first, second = (stratified_folds(y, 5, np.random.default_rng(7)) for _ in range(2))
    assert (first == second).all()


def test_another_stream_gives_other_folds():
    y = np.arange(50) % 3
    assert (stratified_folds(y, 5, np.random.default_rng(0)) != stratified_folds(y, 5, np.random.default_rng(1))).any()


def test_the_order_of_rows_does_not_leak_into_the_folds():
    folds = stratified_folds(np.zeros(1000, dtype=int), 5, np.random.default_rng(0))
    assert 0.1 < np.mean(folds[1:] == folds[:-1]) < 0.3


def test_numbers_are_spread_evenly_over_the_folds():
    y = np.random.default_rng(0).exponential(size=1000)
    folds = stratified_folds(y, 5, np.random.default_rng(1))
    means = [y[folds == f].mean() for f in range(5)]
    assert max(means) - min(means) < 0.05


@pytest.mark.parametrize("k", [1, 101])
def test_a_number_of_folds_out_of_range_is_refused(k):
    with pytest.raises(ValueError, match=rf"k folds lie in \[2, 100\]\. Got {k}"):
        stratified_folds(np.zeros(3), k, np.random.default_rng(0))
