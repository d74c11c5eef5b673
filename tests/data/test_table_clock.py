"""Rows are ordered by their times, however those are written and however the rows come."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from automl.data.table_numbers import NumberColumn, Wanted, ranks
from automl.errors import DataError
from automl.serving.table_cells import Cells
from automl.serving.table_clock import Clock

WANTED = Wanted("--split-time 'day': d.csv", "a date or a number", "Mend it.")
FIRST = datetime.datetime(1999, 12, 13, 5, 7, 9)
WAYS = {
    "iso": "%Y-%m-%d",
    "moments": "%Y-%m-%dT%H:%M:%S",
    "zoned": "%Y-%m-%d %H:%M:%S+02:00",
    "slashes": "%Y/%m/%d",
    "german": "%d.%m.%Y %H:%M",
    "american": "%m/%d/%Y",
    "british": "%d/%m/%Y",
    "months": "%d %b %Y",
    "long-months": "%B %d, %Y",
    "mail": "%a, %d %b %Y %H:%M:%S",
    "short": "%m/%d/%y",
    "years": "%Y",
    "months-as-numbers": "%Y%m%d",
}


def moments(seed: int, rows: int = 60) -> list[datetime.datetime]:
    """Return moments over about 40 years, in any order; some come twice."""
    days = np.random.default_rng(seed).integers(0, 15_000, rows // 2)
    return [FIRST + datetime.timedelta(days=int(day)) for day in [*days, *days]]


def placed(*chunks: Cells) -> list[int]:
    """Return the place of each row in time."""
    column = NumberColumn(WANTED, Clock())
    for chunk in chunks:
        column.add(chunk)
    return ranks(column.finish(), "t").tolist()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("seed", range(2))
def test_dates_of_any_form_are_in_order_of_time(way: str, seed: int) -> None:
    times = moments(seed)
    kept = [datetime.datetime(time.year, 1, 1) if way == "%Y" else time for time in times]
    order = {time: place for place, time in enumerate(sorted(set(kept)))}
    assert placed([time.strftime(way) for time in times]) == [order[time] for time in kept]


@pytest.mark.parametrize("size", [30, 47, 60], ids=str)
@pytest.mark.parametrize("way", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y"])
def test_the_sizes_of_chunks_make_no_difference(way: str, size: int) -> None:
    texts = [time.strftime(way) for time in moments(3)]
    chunks = [texts[start : start + size] for start in range(0, len(texts), size)]
    assert placed(*chunks) == placed(texts)


@pytest.mark.parametrize(
    "cells",
    [["3", "1", "2"], ["3.5", "-1", "1e0"], np.array([3.0, 1.0, 2.0]), ["1,003", "2", "1,001"], ["$3", "$1", "$2"]],
    ids=["texts", "decimals", "numbers", "thousands", "amounts"],
)
def test_numbers_order_rows_too(cells: Cells) -> None:
    assert placed(cells) == [2, 0, 1]


def test_rows_of_equal_time_share_a_place_across_chunks() -> None:
    assert placed(["2024-01-02", "2024-01-01"], ["2024-01-02", "2024-01-03"]) == [1, 0, 1, 2]


def test_midnight_and_a_date_alone_are_the_same_time() -> None:
    assert placed(["2024-01-02", "2024-01-02 00:00:00", "2024-01-01T24:00", "2024-01-01"]) == [1, 1, 1, 0]


def test_zones_are_taken_off() -> None:
    assert placed(["2024-01-01 12:00:00+05:00", "2024-01-01 08:00:00Z", "2024-01-01 02:00:00-05:00"]) == [0, 1, 0]


ODD = {
    "a-word": (["2024-01-01", "2024-01-02"], ["2024-01-03", "soon"], "'soon' in row 4"),
    "another-order": (["01/02/2024", "03/04/2024"], ["13/05/2024"], "'13/05/2024' in row 3"),
    "another-form": (["2024-01-01", "2024-01-02"], ["03.01.2024"], "'03.01.2024' in row 3"),
    "no-such-day": (["2024-01-01", "2024-02-30", "2024-03-01"], [], "'2024-02-30' in row 2"),
    "a-number": (["2024-01-01", "2024-01-02"], ["5"], "'5' in row 3"),
    "a-column-of-numbers": (["2024-01-01", "2024-01-02"], np.array([np.nan, 5.0]), "'5.0' in row 4"),
    "a-word-among-numbers": (["5", "6"], ["7", "x"], "'x' in row 4"),
}


@pytest.mark.parametrize(("first", "second", "found"), ODD.values(), ids=ODD)
def test_what_is_no_time_like_the_first_is_named_with_its_row(first: Cells, second: Cells, found: str) -> None:
    with pytest.raises(DataError, match=f"every row needs a date or a number. Got {found}. Mend it."):
        placed(first, second)


@pytest.mark.parametrize("missing", ["", "NA", "NaT", "null"])
def test_a_missing_time_is_counted_in_any_chunk(missing: str) -> None:
    with pytest.raises(DataError, match="Got 2 missing or infinite of 4, the first in row 1"):
        placed([missing, "2024-01-02"], ["2024-01-03", missing])


def test_years_are_not_ranked_among_dates() -> None:
    clock = Clock()
    clock(["2024", "2025"])
    assert clock(["2023-05-01", "2024-05-01"]).odd == 2
