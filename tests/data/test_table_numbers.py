"""Targets, weights and times are one number per row, or the row is named."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.table_numbers import NumberColumn, Wanted, checked_weights, ranks
from automl.errors import DataError
from automl.serving.table_cells import Cells
from automl.serving.table_clock import Clock

WANTED = Wanted("d.csv: column 'price'", "a number", "Mend it.")


def read(*chunks: Cells) -> list[float]:
    column = NumberColumn(WANTED)
    for chunk in chunks:
        column.add(chunk)
    return column.finish().tolist()


def test_numbers_come_from_texts_and_from_memory() -> None:
    assert read(["1", " 2.5 "], np.array([3.0])) == [1, 2.5, 3]


def test_numbers_as_people_write_them_are_read() -> None:
    assert read(["$1,200", "12%", "(3)"]) == [1200, 12, -3]


@pytest.mark.parametrize("odd", ["abc", "1 2", "12 km", "2024-01-01"])
def test_a_cell_that_is_no_number_is_named_with_its_row(odd: str) -> None:
    with pytest.raises(
        DataError, match=f"d.csv: column 'price': every row needs a number. Got '{odd}' in row 4. Mend it."
    ):
        read(["1", "2"], ["3", odd])


@pytest.mark.parametrize("missing", ["", "NA", "inf", "-inf", "1e300"])
def test_missing_and_infinite_cells_are_counted(missing: str) -> None:
    with pytest.raises(DataError, match="Got 1 missing or infinite of 3, the first in row 2"):
        read(["1", missing, "3"])


def test_weights_have_mean_one() -> None:
    assert checked_weights(np.array([0.0, 1.0, 3.0, 4.0]), "w").tolist() == [0, 0.5, 1.5, 2]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -2.0], "w: weights must be 0 or more. Got -2 in row 2"),
        ([0.0, 0.0], "w: some weight must be above 0. Got 0"),
    ],
    ids=["negative", "all-zero"],
)
def test_weights_that_cannot_weigh_are_refused(weights: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked_weights(np.array(weights), "w")


def test_ranks_keep_the_order_and_share_places() -> None:
    assert ranks(np.array([30.0, 10.0, 30.0, 20.0]), "t").tolist() == [2, 0, 2, 1]


def test_one_time_orders_nothing() -> None:
    with pytest.raises(DataError, match=r"t: at least two different times are needed. Got 1"):
        ranks(np.full(3, 5.0), "t")


TIMES = {
    "iso": (["2024-03-01", "2024-02-29", "2025-01-01"], [1, 0, 2]),
    "moments": (["2024-03-01 10:00:01", "2024-03-01T10:00:00Z", "2024-03-01 09:59:00"], [2, 1, 0]),
    "german": (["01.03.2024", "29.02.2024", "13.01.2025"], [1, 0, 2]),
    "american": (["03/01/2024", "02/29/2024", "01/13/2025"], [1, 0, 2]),
    "years": (["2024", "1999", "2023.5"], [2, 0, 1]),
}


@pytest.mark.parametrize(("texts", "order"), TIMES.values(), ids=TIMES)
def test_times_are_dates_or_numbers(texts: list[str], order: list[int]) -> None:
    assert ranks(Clock()(texts).values, "t").tolist() == order


def test_a_clock_reads_all_chunks_as_the_first() -> None:
    clock = Clock()
    first, second = clock(["13.02.2024", "14.02.2024"]), clock(["01.02.2024"])
    assert second.values[0] == first.values[0] - 12 * 86400


@pytest.mark.parametrize("texts", [["monday", "tuesday"], ["2024-01-01", "soon"]], ids=["no-time", "one-odd"])
def test_what_is_no_time_is_counted_as_odd(texts: list[str]) -> None:
    assert Clock()(texts).odd > 0
