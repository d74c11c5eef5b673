"""What a column holds is seen in bounded memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from automl.serving.table_cells import Cells
from automl.serving.table_profile import Numbers, Profile, Words, best_numbers, is_text
from automl.serving.table_times import DateCounts


def profile(*chunks: Cells, enough: int = 10, most: int = 20) -> Profile:
    made = Profile(enough=enough, most=most)
    for chunk in chunks:
        made.add(chunk)
    return made


def numbered(count: int, form: str = "{}") -> list[str]:
    return [form.format(number) for number in range(count)]


VIEWS = {
    "numbers": (numbered(30), Numbers),
    "dates": ([f"2019-{month:02d}-{day:02d}" for month in (1, 2) for day in range(1, 16)], DateCounts),
    "times": (numbered(30, "2019-03-23 20:21:{:02d}"), DateCounts),
    "texts": (numbered(30, "this is text {}"), Words),
    "categories": (numbered(30, "c{}"), type(None)),
    "few values": (numbered(5) * 10, type(None)),
}


@pytest.mark.parametrize(("cells", "view"), VIEWS.values(), ids=VIEWS.keys())
def test_what_a_column_is_shows_after_enough_values(cells: Cells, view: type) -> None:
    assert isinstance(profile(cells).view, view)


def test_values_are_counted_in_any_kind_of_cells() -> None:
    made = profile(["1", "x", ""], np.array([1.0, np.nan]))
    assert made.counts == {"1": 2, "x": 1, "": 2}
    assert made.categories() == {"1": 2, "x": 1}


def test_rows_are_counted_in_every_view() -> None:
    assert profile(numbered(30), numbered(30), np.arange(5.0)).rows == 65


def test_known_categories_are_counted_on_when_there_are_too_many() -> None:
    made = profile(numbered(30, "c{}"), ["c0", "c0", "new"])
    assert made.is_cut
    assert made.counts["c0"] == 3
    assert "new" not in made.counts


def test_memory_is_bounded_by_the_values_that_are_kept() -> None:
    made = profile(*([f"c{chunk}x{number}" for number in range(100)] for chunk in range(50)))
    assert len(made.counts) <= 20 + 10


@pytest.mark.parametrize("cells", [numbered(100), np.arange(100.0)], ids=["texts", "numbers"])
def test_numbers_are_the_same_counted_or_seen_in_bulk(cells: Cells) -> None:
    counted, seen = profile(cells, enough=1000), profile(cells, enough=10)
    wanted = vars(best_numbers(counted.counts))
    assert vars(seen.view) == wanted
    assert (wanted["present"], wanted["low"], wanted["high"], wanted["is_distinct"]) == (100, 0, 99, True)


def test_odd_values_and_missing_ones_are_told_apart() -> None:
    numbers = best_numbers(Counter({"1": 5, "abc": 2, "": 3, "NA": 1}))
    assert (numbers.present, numbers.odd, numbers.example) == (7, 2, "abc")
    assert numbers.share == pytest.approx(5 / 7)


@pytest.mark.parametrize(
    ("counts", "comma"),
    [({"1,5": 1, "2": 1}, True), ({"1,500": 1, "2": 1}, False), ({"1,5": 1, "2.5": 2}, False), ({"a,b": 1}, False)],
    ids=["decimals", "thousands", "mixed", "words"],
)
def test_a_decimal_comma_is_taken_where_it_fits_more_values(counts: dict[str, int], comma: bool) -> None:
    assert best_numbers(counts).comma == comma


@pytest.mark.parametrize(
    ("chunks", "is_sequence"),
    [
        ([numbered(50)], True),
        ([numbered(51)[1:]], True),
        ([numbered(50)[::-1]], True),
        ([numbered(25), numbered(50)[25:]], True),
        ([numbered(52)[2:]], False),
        ([[*numbered(50), "49"]], False),
        ([numbered(50), ["50.5"]], False),
        ([numbered(50), ["60"]], False),
    ],
    ids=["from 0", "from 1", "backwards", "in two chunks", "from 2", "repeated", "broken", "gap"],
)
def test_a_sequence_is_known_by_its_numbers(chunks: list[Cells], is_sequence: bool) -> None:
    assert profile(*chunks).view.is_sequence == is_sequence


def test_numbers_repeated_in_a_later_chunk_are_no_sequence() -> None:
    assert not profile(numbered(50), numbered(50)).view.is_sequence


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (numbered(50, "a text of words {}"), True),
        (numbered(50, "c{}"), False),
        (["no phone service", "not at all so"] * 25, False),
        ([f"Anna {last}" for last in numbered(50, "n{}")], False),
        ([f"{first} {last}" for first in numbered(8, "f{}") for last in numbered(8, "l{}")], True),
        (numbered(5, "a text of words {}"), False),
    ],
    ids=["sentences", "codes", "few", "one word in common", "names of people", "too few"],
)
def test_texts_have_words_and_differ(texts: list[str], expected: bool) -> None:
    assert is_text(Counter(texts)) == expected
