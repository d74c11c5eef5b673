from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock, plan_of
from automl.candidates.tabular.encoding_columns import encoded_dates, encoded_numbers
from automl.candidates.tabular.encoding_rows import Learned
from automl.core.data import DataSpec
from automl.serving.table import Column, Table, TableRule
from automl.serving.table_encoder import compute
from automl.testing.context import ArrayData

DAY = 86400.0


def learned_of(kind: str, *columns: np.ndarray) -> Learned:
    rule = TableRule(tuple(Column(f"c{place}", kind) for place in range(len(columns))))  # type: ignore[arg-type]
    X, y = Table(np.stack(columns, axis=1).astype(float)), np.arange(len(columns[0])) % 2
    spec = DataSpec("columns", "table", len(y), (len(columns),), ("a", "b"), (), "columns", rule.to_json())
    return Learned.of(ArrayData(X, y, spec), np.arange(len(y)), 2)


def numbers_of(*columns: np.ndarray, kind: str = "number", **options: Any) -> np.ndarray:
    learned = learned_of(kind, *columns)
    return compute(plan_of(encoded_numbers(learned, EncoderOptions(**options))), learned.X)


def dates_of(seconds: np.ndarray, **options: Any) -> FittedBlock:
    (block,) = encoded_dates(learned_of("date", seconds), EncoderOptions(**options))
    return block


def test_raw_numbers_are_as_they_are() -> None:
    values = np.array([1.5, np.nan, -7])
    np.testing.assert_array_equal(numbers_of(values).ravel(), values)


def test_standard_numbers_have_mean_0_and_deviation_1() -> None:
    out = numbers_of(np.random.default_rng(0).normal(50, 7, 500), numbers="standard")
    assert abs(out.mean()) < 1e-5
    assert abs(out.std() - 1) < 1e-5


def test_standard_numbers_are_clipped() -> None:
    out = numbers_of(np.append(np.zeros(500), 1e6), np.arange(501.0), numbers="standard", clip=3.0)
    assert out.max() == 3


def test_quantiles_of_any_distribution_are_normal() -> None:
    out = numbers_of(np.exp(3 * np.random.default_rng(0).normal(0, 1, 5000)), numbers="quantile").ravel()
    np.testing.assert_allclose(np.quantile(out, [0.025, 0.5, 0.975]), [-1.96, 0, 1.96], atol=0.03)


def test_quantiles_keep_order_and_ties() -> None:
    values = np.repeat([0.0, 0.0, 0.0, 1.0, 5.0], 40)
    out = numbers_of(values, numbers="quantile").ravel()
    assert len(np.unique(out)) == 3
    assert (np.diff(out) >= 0).all()


@pytest.mark.parametrize("numbers", ["raw", "standard", "quantile"])
def test_gaps_are_filled_with_the_median_and_marked(numbers: str) -> None:
    out = numbers_of(np.array([1, 2, 3, np.nan, 9, 9]), numbers=numbers, missing="impute")
    middle = numbers_of(np.array([1, 2, 3, 3, 9, 9]), numbers=numbers)[2] if numbers == "raw" else out[2]
    assert out[:, 1].tolist() == [0, 0, 0, 1, 0, 0]
    assert out[3, 0] == middle[0]


def test_columns_with_the_same_gaps_share_a_mark() -> None:
    gaps, other = np.array([1, np.nan, 3, 4]), np.array([np.nan, 1, 2, 3])
    assert numbers_of(gaps, 2 * gaps, other, missing="impute").shape == (4, 5)


def test_columns_that_do_not_vary_are_left_out() -> None:
    assert numbers_of(np.full(4, 7.0), np.arange(4.0), np.full(4, np.nan)).shape == (4, 1)


def test_one_value_with_gaps_is_kept() -> None:
    out = numbers_of(np.array([7, np.nan, 7, 7]), numbers="standard", missing="impute")
    assert out.tolist() == [[0, 0], [0, 1], [0, 0], [0, 0]]


def test_numbers_that_single_precision_cannot_tell_apart_are_shifted() -> None:
    out = numbers_of(1.7e9 + np.arange(50.0)).ravel()
    assert len(np.unique(out)) == 50


def test_infinities_do_not_spoil_the_others() -> None:
    out = numbers_of(np.array([1.0, 2, 3, np.inf, -np.inf, 1e308]), numbers="quantile")
    assert np.isfinite(out).all()
    assert (np.diff(out.ravel()[:3]) > 0).all()


def test_booleans_are_never_bent() -> None:
    out = numbers_of(np.array([0.0, 1, 1, 1]), kind="boolean", numbers="quantile").ravel()
    np.testing.assert_allclose(out, [-np.sqrt(3), *[1 / np.sqrt(3)] * 3], rtol=1e-6)


def test_dates_have_the_parts_that_vary() -> None:
    block = dates_of(1.6e9 // DAY * DAY + DAY * np.arange(20))
    assert (
        block.names == ("c0: day", "c0: weekday", "c0: day of year", "c0: elapsed days") or "c0: month" in block.names
    )
    assert "c0: hour" not in block.names
    assert "c0: year" not in block.names


def test_dates_with_times_have_hours() -> None:
    block = dates_of(1.6e9 + 5000.0 * np.arange(20))
    assert "c0: hour" in block.names


def test_elapsed_days_begin_with_the_first_date_learned_from() -> None:
    block = dates_of(1.6e9 + DAY * np.arange(20))
    assert block.block["start"] == 1.6e9


def test_dates_are_on_a_circle_for_models_that_see_distances() -> None:
    block = dates_of(1.6e9 + 50 * DAY * np.arange(20), numbers="standard")
    assert "c0: year sine" in block.names


def test_missing_dates_are_marked_once() -> None:
    block = dates_of(np.append(1.6e9 + DAY * np.arange(20), np.nan), missing="impute")
    assert block.names[-1] == "c0 is missing"
    assert sum("is missing" in name for name in block.names) == 1


@pytest.mark.parametrize("seconds", [np.full(5, 1e9), np.full(5, np.nan)], ids=["one date", "none"])
def test_dates_that_do_not_vary_are_left_out(seconds: np.ndarray) -> None:
    assert encoded_dates(learned_of("date", seconds), EncoderOptions()) == []


def test_one_date_with_gaps_tells_where_it_is_missing() -> None:
    assert len(dates_of(np.array([1e9, np.nan, 1e9])).names) == 1
