"""Laws that hold for any table: what was written is read, in any format, and damage is refused in one way only."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.serving.errors import InputError
from automl.serving.table import TableRule
from automl.serving.table_infer import infer
from automl.serving.table_read import open_table
from automl.serving.table_rows import ChunkReader, read_table, table_of

SIGNS = ["a", "B", "7", ",", ";", "\t", '"', " ", "\n", "\r\n", "ü", "\u2028", "|", "'", "\\"]
LINES = b'id,size,colour\n1,2.5,"red"\n2,,blue\n3,x,"a ""b"" c"\n'
OBJECTS = b'{"id": 1, "size": 2.5}\n{"id": null, "colour": "red"}\n'
SEEDS = range(8)


def random_cells(seed: int, rows: int = 12) -> dict[str, list[str]]:
    """Return columns of texts with every sign that means something to a format; the first is never empty."""
    rng = np.random.default_rng(seed)
    columns = {f"c{place}": ["".join(rng.choice(SIGNS, rng.integers(0, 6))) for _ in range(rows)] for place in range(3)}
    return {"key": [f"k{row}" for row in range(rows)], **columns}


def mixed_values(seed: int, rows: int = 60) -> dict[str, list[Any]]:
    """Return columns of every kind as Python values, a tenth of them missing."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {
        "size": rng.normal(0, 10, rows).round(3).tolist(),
        "count": rng.integers(0, 9, rows).tolist(),
        "new": (rng.random(rows) < 0.5).tolist(),
        "colour": rng.choice(["red", "green", "7"], rows).tolist(),
        "day": [f"2019-{month:02d}-11" for month in rng.integers(1, 13, rows)],
        "said": [f"some words and {number}" for number in range(rows)],
    }
    return {name: [None if rng.random() < 0.1 else value for value in values] for name, values in columns.items()}


def write_csv(path: Path, columns: dict[str, list[Any]], separator: str = ",") -> Path:
    """Write columns as a delimited file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def write_jsonl(path: Path, columns: dict[str, list[Any]]) -> Path:
    """Write columns as JSON Lines."""
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def inferred(path: Path) -> TableRule:
    """Return the rule of a file."""
    file = open_table(path)
    return infer(file.chunks(), file.names).rule


def whole(path: Path) -> dict[str, Any]:
    """Return all cells of a file."""
    parts = list(open_table(path).chunks(rows=5))
    return {name: [cell for part in parts for cell in part[name]] for name in parts[0]}


def refusal(path: Path) -> str:
    """Return why a file is refused; empty if it is read."""
    try:
        inferred(path)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("separator", [",", "\t", "|"], ids=["comma", "tab", "bar"])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_written_is_read(tmp_path: Path, separator: str, seed: int) -> None:
    cells = random_cells(seed)
    name = "t.tsv" if separator == "\t" else "t.csv"
    assert whole(write_csv(tmp_path / name, cells, separator)) == cells


@pytest.mark.parametrize("seed", SEEDS)
def test_json_lines_hold_any_text(tmp_path: Path, seed: int) -> None:
    cells = random_cells(seed)
    assert whole(write_jsonl(tmp_path / "t.jsonl", cells)) == cells


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rule_is_the_same_from_every_format(tmp_path: Path, seed: int) -> None:
    columns = mixed_values(seed)
    rule = inferred(write_csv(tmp_path / "t.csv", columns))
    assert {column.name: column.kind for column in rule.columns} == {
        "size": "number", "count": "number", "new": "boolean", "colour": "category", "day": "date", "said": "text",
    }  # fmt: skip
    assert inferred(write_jsonl(tmp_path / "t.jsonl", columns)) == rule


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rows_are_the_same_from_every_format(tmp_path: Path, seed: int) -> None:
    columns = mixed_values(seed)
    path = write_csv(tmp_path / "t.csv", columns)
    rule = inferred(path)
    wanted = read_table(path, rule).X
    lines = read_table(write_jsonl(tmp_path / "t.jsonl", columns), rule).X
    for found in (lines, table_of(columns, rule), table_of(pd.DataFrame(columns), rule)):
        np.testing.assert_array_equal(found.numbers, wanted.numbers)
        assert [list(texts) for texts in found.texts] == [list(texts) for texts in wanted.texts]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_row_is_read_alike_alone_and_among_others(seed: int) -> None:
    columns = mixed_values(seed)
    rule = infer(
        [{name: ["" if v is None else str(v) for v in cells] for name, cells in columns.items()}], list(columns)
    )
    reader = ChunkReader(rule.rule)
    wanted = table_of(columns, rule.rule).numbers
    rows = [
        {name: ["" if cells[row] is None else str(cells[row])] for name, cells in columns.items()} for row in range(9)
    ]
    np.testing.assert_array_equal(np.concatenate([reader.table(row).numbers for row in rows]), wanted[:9])


@pytest.mark.parametrize(("name", "content"), [("t.csv", LINES), ("t.tsv", LINES), ("t.jsonl", OBJECTS)])
@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path, name: str, content: bytes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(40):
        damaged = np.frombuffer(content * 3, np.uint8).copy()
        places = rng.integers(0, len(damaged), rng.integers(1, 5))
        damaged[places] = rng.integers(0, 256, len(places))
        (tmp_path / name).write_bytes(damaged[: rng.integers(1, len(damaged) + 1)].tobytes())
        message = refusal(tmp_path / name)
        assert not message or (message.startswith(name) and "Got " in message)


def test_chunks_and_rows_do_not_depend_on_the_size_of_chunks(tmp_path: Path) -> None:
    columns = mixed_values(0)
    path = write_csv(tmp_path / "t.csv", columns)
    file = open_table(path)
    rules = [infer(file.chunks(rows=rows), file.names) for rows in (1, 7, 1000)]
    assert rules[0] == rules[1] == rules[2]
