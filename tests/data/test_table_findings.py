"""What is told about a table, and that it is told once, in order, and in bounded time."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.data import DataSpec, Finding
from automl.data.table_findings import sample_rows, train_findings
from automl.serving.table import Column, Table, TableRule
from automl.serving.texts import Texts

from .conftest import Columns, Open, Write


def found(opened_findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.code: finding.message for finding in opened_findings}


def test_what_became_of_each_column_is_told(open_table: Open, write: Write, columns: Columns) -> None:
    columns["id"] = list(range(1, 41))
    columns["same"] = ["k"] * 40
    message = found(open_table(write(**columns), target="label", drop=("price",), group="house").findings)["columns"]
    assert message == (
        "9 columns: 2 number ('x', 'w'); 1 category ('colour'); 1 date ('day'); 1 group ('house'); "
        "1 dropped ('price'); 1 target ('label'); 1 identifier ('id'); 1 constant ('same')"
    )


def test_a_leak_is_told_with_the_flag_against_it(open_table: Open, write: Write, columns: Columns) -> None:
    columns["refund"] = [int(label == "yes") * 7 for label in columns["label"]]
    assert "--drop refund" in found(open_table(write(**columns), target="label").findings)["leak-suspected"]


def test_dates_without_order_are_told(open_table: Open, write: Write, columns: Columns) -> None:
    path = write(**columns)
    assert "--split-time day" in found(open_table(path, target="label").findings)["dates-unordered"]
    assert "dates-unordered" not in found(open_table(path, target="label", split_time="day").findings)


def test_columns_that_are_mostly_empty_are_told(open_table: Open, write: Write, columns: Columns) -> None:
    columns["rare"] = [1.5, 2.5, None, None] * 10
    columns["rarer"] = [3.25, None, None, 4] * 10
    columns["rarer"][3:] = [None] * 37
    columns["rarer"][1] = 5
    assert "'rarer' (95%)" in found(open_table(write(**columns), target="label").findings)["missing-mostly"]


def test_more_columns_than_rows_are_told(open_table: Open, write: Write) -> None:
    rng = np.random.default_rng(0)
    wide = {f"c{n}": rng.normal(size=10).round(3).tolist() for n in range(12)}
    message = found(open_table(write(**wide, label=["a", "b"] * 5), target="label").findings)["columns-many"]
    assert message.startswith("12 columns and 10 rows")


def test_rows_without_a_group_are_told(open_table: Open, write: Write, columns: Columns) -> None:
    columns["house"][:3] = [""] * 3
    message = found(open_table(write(**columns), target="label", group="house").findings)["groups-missing"]
    assert message == "--group house: 3 of 40 rows have no group; they are kept together as one"


def test_repeated_rows_are_told(open_table: Open, write: Write, columns: Columns) -> None:
    twice = {name: values * 2 for name, values in columns.items()}
    assert found(open_table(write(**twice), target="label").findings)["duplicates"].startswith("40 of 80 rows")


def test_columns_of_very_many_categories_and_empty_texts_are_told() -> None:
    rule = TableRule((Column("c", "category", tuple(map(str, range(2000)))), Column("t", "text")))
    table = Table(np.zeros((50, 1)), (Texts.of([""] * 40 + ["said"] * 10),))
    spec = DataSpec("d", "table", 50, (2,), (), (), "", rule.to_json())
    told = found(tuple(train_findings(spec, table, np.arange(50.0))))
    assert "'c' (2000)" in told["categories-many"]
    assert "'t' (80%)" in told["missing-mostly"]


def test_the_reader_is_heard(open_table: Open, write: Write, columns: Columns) -> None:
    path = write(**columns)
    path.write_text(path.read_text().replace("x,colour", ",colour", 1))
    assert "column_1" in found(open_table(path, target="label").findings)["unnamed-columns"]


@pytest.mark.parametrize(("rows", "most", "expected"), [(5, 10, 5), (10, 10, 10), (1000, 10, 10), (0, 10, 0)])
def test_a_sample_is_bounded_and_the_same_each_time(rows: int, most: int, expected: int) -> None:
    sample = sample_rows(rows, most)
    assert len(set(sample.tolist())) == expected
    assert np.array_equal(sample, sample_rows(rows, most))
