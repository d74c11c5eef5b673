"""Laws of reading: a value is the same however it is written, and a column is what it is in any order of rows."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.serving.errors import InputError
from automl.serving.table import UNSEEN, Column, TableRule
from automl.serving.table_cells import texts_of
from automl.serving.table_infer import Inferred, infer
from automl.serving.table_read import open_table
from automl.serving.table_rows import read_table, table_of, to_table
from automl.serving.table_times import DateReader
from automl.serving.table_values import booleans, category_text, numbers

SEEDS = range(4)
ROWS = 120
WRITTEN: dict[str, Callable[[float], str]] = {
    "plain": str,
    "decimals": "{:.2f}".format,
    "thousands": "{:,.2f}".format,
    "scientific": "{:.8e}".format,
    "spaces": "  {:.2f} ".format,
    "dollars": "${:,.2f}".format,
    "euros": "{:.2f} €".format,
    "percent": "{:.2f}%".format,
    "plus": "{:+.2f}".format,
    "brackets": lambda value: f"({-value:,.2f})" if value < 0 else f"{value:,.2f}",
    "swiss": lambda value: f"{value:,.2f}".replace(",", "'"),
    "thin-spaces": lambda value: f"{value:,.2f}".replace(",", "\u202f"),
    "minus-sign": lambda value: f"{value:.2f}".replace("-", "\u2212"),
}


def amounts(seed: int) -> list[float]:
    """Return numbers of two decimals and many sizes."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(size=ROWS) * 10.0 ** rng.integers(0, 6, ROWS), 2).tolist()


def inferred(cells: Sequence[Any], name: str = "x", rows: int = ROWS) -> Inferred:
    """Return what a column is found to be, read so many rows at a time."""
    chunks = [{name: list(cells[start : start + rows])} for start in range(0, len(cells), rows)]
    return infer(chunks, [name])


def shuffled(cells: Sequence[Any], seed: int) -> list[Any]:
    """Return the cells in another order."""
    return [cells[place] for place in np.random.default_rng(seed).permutation(len(cells)).tolist()]


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_number_is_the_same_however_it_is_written(seed: int, write: Callable[[float], str]) -> None:
    values = amounts(seed)
    parsed = numbers([write(value) for value in values])
    assert parsed.values.tolist() == values
    assert parsed.odd == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_number_is_the_same_in_the_german_way(seed: int) -> None:
    values = amounts(seed)
    texts = [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in values]
    assert numbers(texts, comma=True).values.tolist() == values
    assert inferred(texts).rule.columns[0].format == ","


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_a_column_of_numbers_is_known_however_it_is_written(write: Callable[[float], str]) -> None:
    (column,) = inferred([write(value) for value in amounts(0)]).rule.columns
    assert (column.kind, column.format) == ("number", "")


@pytest.mark.parametrize("seed", SEEDS)
def test_ways_of_writing_may_be_mixed(seed: int) -> None:
    values, ways = amounts(seed), list(WRITTEN.values())
    texts = [ways[place % len(ways)](value) for place, value in enumerate(values)]
    assert numbers(texts).values.tolist() == values


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_survive_a_way_through_texts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=500) * 10.0 ** rng.integers(-30, 30, 500)
    values[rng.random(500) < 0.1] = np.nan
    np.testing.assert_array_equal(numbers(texts_of(values)).values, values)


FORMATS = {
    "": "%Y-%m-%d", "%Y/%m/%d": "%Y/%m/%d", "%Y.%m.%d": "%Y.%m.%d", "%m/%d/%Y": "%m/%d/%Y", "%d/%m/%Y": "%d/%m/%Y",
    "%d.%m.%Y": "%d.%m.%Y", "%d-%m-%Y": "%d-%m-%Y", "%m-%d-%Y": "%m-%d-%Y", "%d %b %Y": "%d %B %Y",
    "%b %d, %Y": "%b %d, %Y", "%a, %d %b %Y": "%a, %d %b %Y", "%m/%d/%y": "%m/%d/%y", "%d.%m.%y": "%d.%m.%y",
}  # fmt: skip
TIMES = {"none": "", "minutes": " %H:%M", "seconds": " %H:%M:%S", "half-days": " %I:%M %p", "utc": " %H:%M:%S UTC"}


def moments(seed: int) -> list[datetime.datetime]:
    """Return whole minutes between 1972 and 2054; some day is beyond the twelfth."""
    start, minutes = datetime.datetime(1972, 1, 31), np.random.default_rng(seed).integers(0, 43_000_000, ROWS)
    return [start + datetime.timedelta(minutes=int(minute)) for minute in minutes]


def seconds(moment: datetime.datetime) -> float:
    return moment.replace(tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize(("form", "way"), FORMATS.items(), ids=FORMATS.values())
def test_a_date_is_found_and_read_as_it_was_written(form: str, way: str, time: str) -> None:
    kept = [moment if time else datetime.datetime(moment.year, moment.month, moment.day) for moment in moments(0)]
    texts = [moment.strftime(way + time) for moment in kept]
    assert inferred(texts).rule.columns == (Column("x", "date", format=form),)
    assert DateReader(form).read(texts).values.tolist() == [seconds(moment) for moment in kept]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("hours", [-12, -3.5, 0, 5.75, 14])
def test_a_zone_moves_the_clock_and_not_the_moment(seed: int, hours: float) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    there = [moment.replace(tzinfo=datetime.UTC).astimezone(zone) for moment in moments(seed)]
    parsed = DateReader("").read([moment.isoformat() for moment in there])
    assert parsed.values.tolist() == [seconds(moment) for moment in moments(seed)]


MIXED: dict[str, Callable[[np.random.Generator], list[str]]] = {
    "numbers": lambda rng: [f"{value:.3f}" for value in rng.normal(size=ROWS)],
    "with-gaps": lambda rng: [*rng.choice(["", "NA", "1.5", "2.5", "7"], ROWS)],
    "with-odd-ones": lambda rng: [*(f"{value:.3f}" for value in rng.normal(size=ROWS - 3)), "x", "y", "x"],
    "truth": lambda rng: [*rng.choice(["yes", "no", ""], ROWS)],
    "colours": lambda rng: [*rng.choice(["red", "green", "blue", ""], ROWS)],
    "codes": lambda rng: [f"k{value}" for value in rng.integers(0, 40, ROWS)],
    "sentences": lambda rng: [" ".join(rng.choice(list("abcdefgh"), 9)) for _ in range(ROWS)],
    "identifiers": lambda rng: [f"{value}-x" for value in rng.permutation(ROWS)],
    "sequence": lambda rng: [str(value) for value in rng.permutation(ROWS)],
    "constant": lambda rng: ["a"] * ROWS,
    "nothing": lambda rng: [""] * ROWS,
}


@pytest.mark.parametrize("make", MIXED.values(), ids=MIXED)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_does_not_change_a_column(make: Callable[..., list[str]], seed: int) -> None:
    cells = [str(cell) for cell in make(np.random.default_rng(seed))]
    first, other = inferred(cells), inferred(shuffled(cells, seed))
    assert (other.rule, other.kinds) == (first.rule, first.kinds)


@pytest.mark.parametrize("make", MIXED.values(), ids=MIXED)
@pytest.mark.parametrize("rows", [1, 11, 100])
def test_the_sizes_of_chunks_do_not_change_a_column(make: Callable[..., list[str]], rows: int) -> None:
    cells = [str(cell) for cell in make(np.random.default_rng(0))]
    assert inferred(cells, rows=rows) == inferred(cells)


@pytest.mark.parametrize("make", MIXED.values(), ids=MIXED)
def test_rows_that_come_twice_do_not_change_the_categories(make: Callable[..., list[str]]) -> None:
    cells = [str(cell) for cell in make(np.random.default_rng(0))]
    once, twice = inferred(cells), inferred([*cells, *cells])
    if once.kinds["x"] == "category":
        assert twice.rule == once.rule
    assert (twice.kinds["x"] == "constant") == (once.kinds["x"] == "constant")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_category_of_training_is_known_and_no_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = [*rng.choice(["3", "3.50", "red ", " red", "ROT", "", "None", "größe", "True"], ROWS).tolist(), "blue"]
    (column,) = inferred(cells, rows=ROWS + 1).rule.columns
    codes = to_table(TableRule((column,)), {"x": [*cells, "never", "RED"]}).numbers[:, 0]
    for text, code in zip(cells, codes.tolist(), strict=False):
        assert code != code if not category_text(text) else column.categories[int(code)] == category_text(text)
    assert codes[-2:].tolist() == [UNSEEN, UNSEEN]


@pytest.mark.parametrize(
    "text", ["a", " 3.0 ", "3", "-0", "TRUE", "none", "NA", "x\ud800", "1e5", "\u00a0a\u00a0", "007.0"]
)
def test_a_category_of_a_category_is_itself(text: str) -> None:
    assert category_text(category_text(text)) == category_text(text)


@pytest.mark.parametrize(("true", "false"), [("yes", "no"), ("T", "F"), ("1", "0"), ("on", "off"), ("True", "False")])
def test_truth_values_are_found_and_read_as_zeros_and_ones(true: str, false: str) -> None:
    cells = [true, false, "", true] * 20
    assert inferred(cells).kinds == {"x": "boolean"}
    np.testing.assert_array_equal(booleans(cells).values, [1, 0, np.nan, 1] * 20)


def test_a_table_read_by_its_own_rule_has_nothing_odd(tmp_path: Path) -> None:
    columns = {name: [str(cell) for cell in make(np.random.default_rng(1))] for name, make in MIXED.items()}
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = open_table(tmp_path / "t.csv")
    rows = read_table(tmp_path / "t.csv", infer(file.chunks(), file.names).rule)
    assert [note for note in rows.notes if "odd" in note or "no numbers" in note] == [
        "t.csv: column 'with-odd-ones': 3 values are no numbers, such as 'x': they count as missing."
    ]


def mostly(share: float) -> dict[str, list[str]]:
    """Return fifty cells of which this share are words."""
    odd = round(share * 50)
    return {"x": ["soon"] * odd + ["1.5"] * (50 - odd)}


@pytest.mark.parametrize("share", [0.0, 0.4, 0.5])
def test_up_to_half_of_a_column_may_be_something_else_and_is_missing(share: float) -> None:
    found = table_of(mostly(share), TableRule((Column("x", "number"),))).numbers
    assert np.isnan(found).mean() == share


@pytest.mark.parametrize(("share", "more"), [(0.52, 25), (1.0, 49)])
def test_a_column_that_is_mostly_something_else_is_refused(share: float, more: int) -> None:
    with pytest.raises(InputError, match=rf"column 'x' had numbers in training. Got 'soon' and {more} more"):
        table_of(mostly(share), TableRule((Column("x", "number"),)))
