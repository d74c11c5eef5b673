"""What is worth knowing about series is told, and only that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.core.data import DataSpec, Finding
from automl.data import series_findings as told
from automl.data.series_findings import means, series_hashes, train_findings
from automl.serving.series import Series, SeriesRule
from automl.testing.context import waving_series

WAVES = waving_series(120)
PLAIN = waving_series(120, shortest=20, longest=20)


def found(X: Series, y: Any = None, **rule: Any) -> dict[str, Finding]:
    """Return what is told about series, by code."""
    y = np.asarray(y if y is not None else np.arange(len(X)) % 3)
    named = SeriesRule(tuple(f"c{n}" for n in range(X.channels)), **rule)
    spec = DataSpec("d", "series", len(X), (X.channels, 1, 1), ("a", "b", "c"), (1, 1, 1), "", named.to_json())
    return {finding.code: finding for finding in train_findings(spec, X, y)}


def changed(X: Series, channel: int, values: Any) -> Series:
    """Return packed series with other values of a channel."""
    packed = X.packed()
    packed.values[:, channel] = values
    return Series.of_packed(*packed)


def test_good_series_of_one_length_need_few_words() -> None:
    X = changed(changed(PLAIN.X, 0, np.nan_to_num(PLAIN.X.values[:, 0])), 1, np.nan_to_num(PLAIN.X.values[:, 1]))
    assert found(X, PLAIN.y) == {}


def test_lengths_that_differ_are_told() -> None:
    lengths = WAVES.X.lengths
    message = found(WAVES.X)["lengths-differ"].message
    assert (
        message
        == f"series differ in length: {lengths.min()} to {lengths.max()} steps, {np.median(lengths):.0f} in the median"
    )


def test_missing_values_are_told() -> None:
    finding = found(WAVES.X)["values-missing"]
    assert finding.message.startswith(f"{np.isnan(WAVES.X.values).mean():.2%} of the values are missing, in ")
    assert finding.level == "info"


def test_series_without_any_value_are_a_warning() -> None:
    X = Series.of([np.full((3, 1), np.nan), *np.random.default_rng(0).normal(0, 1, (9, 5, 1))])
    assert found(X)["values-missing"].message.endswith("1 series looked at have no value at all")
    assert found(X)["values-missing"].level == "warning"


@pytest.mark.parametrize("value", [5.0, np.nan], ids=["one-value", "none"])
def test_constant_channels_are_told(value: float) -> None:
    X = changed(PLAIN.X, 1, value)
    assert found(X)["channels-constant"].message == "channels that never change, and say nothing: 'c1'"


def test_channels_that_name_their_series_are_told() -> None:
    X = changed(PLAIN.X, 1, np.repeat(np.arange(120) // 2, PLAIN.X.lengths))
    assert found(X)["channels-static"].message.endswith("leave them out: 'c1'")


def test_a_channel_that_rises_may_be_the_time() -> None:
    X = changed(PLAIN.X, 1, np.tile(np.arange(20), 120))
    assert found(X, id="id")["series-time-likely"].message.endswith("use --series-time c1")
    assert "series-time-likely" not in found(X, id="id", time="t")
    assert "series-time-likely" not in found(X)


def test_few_series_are_told() -> None:
    assert "series-few" in found(WAVES.X[:49])
    assert "series-few" not in found(WAVES.X[:50])


def test_equal_series_are_told_and_contradictions_too() -> None:
    X = WAVES.X[np.array([*range(60), 0, 1, 2])]
    y = [*(n % 3 for n in range(60)), 1, 1, 2]
    assert found(X, y)["duplicates"].message.startswith("3 of 63 rows are exact duplicates")
    assert found(X, y)["labels-conflict"].message.startswith("equal rows with different labels: 1 kinds of row")


def test_a_length_that_gives_the_class_away_is_a_warning() -> None:
    rng = np.random.default_rng(0)
    X = Series.of(rng.normal(0, 1, (5 + 10 * (n % 3), 2)) for n in range(120))
    assert found(X)["leak-suspected"].message.startswith("the length alone gives the class away")


def test_a_mean_that_gives_the_class_away_is_a_warning() -> None:
    values = np.random.default_rng(0).normal(0, 1, (900, 5, 2))
    values[::3, :, 1] += 9
    message = found(Series.of(values), np.arange(900) % 3 == 0)["leak-suspected"].message
    assert message.startswith("the mean of channel 'c1' alone gives the class away")


def test_missing_values_that_give_the_class_away_are_a_warning() -> None:
    values = np.random.default_rng(0).normal(0, 1, (120, 9, 2))
    values[::3, 4, 1] = np.nan
    message = found(Series.of(values), np.arange(120) % 3 == 0)["leak-suspected"].message
    assert message.startswith("the number of missing values alone gives the class away")


def test_hashes_see_values_and_lengths_alone() -> None:
    X = Series.of(np.array(part)[:, None] for part in ([1, 2], [1], [1, 2], [2, 1], [3]))
    hashes = series_hashes(X).tolist()
    assert hashes[0] == hashes[2]
    assert len(set(hashes)) == 4


def test_hashes_of_slices_are_slices_of_hashes() -> None:
    rows = np.array([7, 3, 3])
    np.testing.assert_array_equal(series_hashes(WAVES.X[rows]), series_hashes(WAVES.X)[rows])


def test_means_are_of_what_is_known() -> None:
    expected = [np.nanmean(part, axis=0) for part in np.split(WAVES.X.values.astype(np.float64), WAVES.X.ends[:-1])]
    np.testing.assert_allclose(means(WAVES.X), expected, rtol=1e-6)


def test_test_series_known_from_training_are_told() -> None:
    codes = {finding.code: finding.message for finding in told.test_findings(WAVES.X[:60], WAVES.X[58:])}
    assert codes["test-overlap"].startswith("2 of 62 test rows are in the training data too")


def test_test_series_of_other_lengths_are_told() -> None:
    (finding,) = told.test_findings(PLAIN.X, waving_series(30, shortest=25, longest=30, seed=1).X)
    assert finding.code == "test-lengths"
    assert finding.message.startswith("30 of 30 test series are shorter or longer than any of training")


def test_other_series_of_the_same_lengths_need_no_word() -> None:
    assert told.test_findings(PLAIN.X, waving_series(30, shortest=20, longest=20, seed=1).X) == []
