"""Columns of numbers and truth values are channels; what a series says of itself is one thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.data.series_channels import ChannelFinder, Channels
from automl.data.series_constants import SeriesConstant
from automl.errors import DataError
from automl.serving.series_ids import SeriesIds


def judged(cells: Any, *, chunks: int = 1, has_time: bool = False) -> Channels:
    finder = ChannelFinder(["c"])
    size = -(-len(cells) // chunks)
    for start in range(0, len(cells), size):
        finder.add({"c": cells[start : start + size]})
    return finder.finish(has_time=has_time)


MANY = [str(n) for n in range(30_000)]
CHANNELS: dict[str, tuple[Any, str]] = {
    "numbers": (["1", "2.5", ""], "number"),
    "an array": (np.array([1.0, np.nan, 3.0]), "number"),
    "a constant": (["1", "1"], "number"),
    "zeros and ones": (["0", "1"], "number"),
    "amounts": (["$1,200", "$3"], "number"),
    "a counter": (MANY, "number"),
    "a few odd values": ([*map(str, range(99)), "off"], "number"),
    "decimal commas": (["1,5", "2,25", "1.000,5"], "comma"),
    "many decimal commas": ([f"{n},5" for n in range(30_000)], "comma"),
    "truth values": (["yes", "no", ""], "boolean"),
    "capitals": (["True", "False"], "boolean"),
    "always true": (["on", "on"], "boolean"),
}


@pytest.mark.parametrize("chunks", [1, 3])
@pytest.mark.parametrize(("cells", "kind"), CHANNELS.values(), ids=CHANNELS)
def test_numbers_and_truth_values_are_channels(cells: Any, kind: str, chunks: int) -> None:
    found = judged(cells, chunks=chunks)
    assert found == ({"c": kind}, {}, [])


OTHERS: dict[str, tuple[Any, str]] = {
    "words": (["red", "green"], "text"),
    "many words": ([f"user {n}" for n in range(30_000)], "text"),
    "sentences": ([f"this is the {n}th sentence" for n in range(30_000)], "text"),
    "half numbers": (["1", "2", "a", "b"], "text"),
    "nothing": (["", ""], "empty"),
    "nothing in an array": (np.array([np.nan, np.nan]), "empty"),
    "dates": (["2024-01-01", "2024-01-02"], "date"),
    "many dates": ([f"{1000 + n // 12}-{1 + n % 12:02d}-01" for n in range(60_000)], "date"),
}


@pytest.mark.parametrize(("cells", "kind"), OTHERS.values(), ids=OTHERS)
def test_other_columns_are_left_out_and_told(cells: Any, kind: str) -> None:
    found = judged(cells, has_time=True)
    assert (found.kinds, found.others) == ({}, {"c": kind})
    assert found.findings[0].message.endswith(f"not looked at: 'c' ({kind})")


def test_a_date_may_be_the_time_of_the_steps() -> None:
    dates = ["2024-01-01", "2024-01-02"]
    assert [f.code for f in judged(dates).findings] == ["columns-left-out", "series-time-likely"]
    assert [f.code for f in judged(dates, has_time=True).findings] == ["columns-left-out"]


def constant(*chunks: tuple[list[str], Any]) -> list[str]:
    ids = SeriesIds("id", "d.csv")
    column = SeriesConstant("--target", "y", ids, "d.csv")
    for names, cells in chunks:
        column.add(ids.codes(names), cells)
    return column.finish()


def test_what_is_said_of_each_series_is_gathered_over_chunks() -> None:
    assert constant((["b", "a", "b"], ["2", "1", "2"]), (["a", "c"], ["1", "3"])) == ["2", "1", "3"]


@pytest.mark.parametrize(
    "cells", [["1", "1.0", " 1"], ["NA", "NA ", " NA"], np.array([3.0, 3.0, 3.0]), ["", "", " "]], ids=str
)
def test_values_are_equal_however_they_are_written(cells: Any) -> None:
    assert len(constant((["a", "a", "a"], cells))) == 1


@pytest.mark.parametrize(
    "chunks",
    [[(["b", "a", "a"], ["x", "x", "y"])], [(["b", "a"], ["x", "x"]), (["a"], ["y"])]],
    ids=["in a chunk", "over chunks"],
)
def test_a_series_that_contradicts_itself_is_named(chunks: Any) -> None:
    with pytest.raises(DataError, match=r"d\.csv: series 'a': --target 'y' must be the same .* Got 'x' and 'y'"):
        constant(*chunks)
