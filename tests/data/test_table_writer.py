"""Rows that are appended lie in the folder as they were given, and their hash tells all that differs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from automl.data.table_writer import TableWriter
from automl.serving.table import Column, Table, TableRule
from automl.serving.texts import Texts

WORDS = ("", "a", "ab", "größe", "四 words of 🙂", "a,b\n", "  ")


def rule_of(numbers: int, texts: int) -> TableRule:
    """Return a rule of so many columns of each kind."""
    columns = [*(Column(f"n{place}", "number") for place in range(numbers)),
               *(Column(f"t{place}", "text") for place in range(texts))]  # fmt: skip
    return TableRule(tuple(columns))


def random_table(seed: int, rows: int = 40, numbers: int = 3, texts: int = 2) -> Table:
    """Return numbers with gaps, and texts of any length."""
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((rows, numbers)) < 0.2, np.nan, rng.normal(size=(rows, numbers)))
    return Table(values, tuple(Texts.of(rng.choice(WORDS, rows).tolist()) for _ in range(texts)))


def write(folder: Path, *parts: Table) -> TableWriter:
    """Write parts one after the other into a new folder; return the closed writer."""
    folder.mkdir(parents=True)
    with TableWriter(folder, rule_of(parts[0].numbers.shape[1], len(parts[0].texts))) as writer:
        for part in parts:
            writer.append(part)
    return writer


def digest(folder: Path, numbers: object, *texts: list[str]) -> str:
    """Return the hash of one table."""
    return write(folder, Table(np.array(numbers, np.float64), tuple(map(Texts.of, texts)))).sha256()


def numbers_in(folder: Path) -> np.ndarray:
    """Return the numbers that were written."""
    return np.asarray(np.load(folder / "X.npy", allow_pickle=False))


def texts_in(folder: Path, number: int) -> list[str]:
    """Return a column of texts that was written."""
    data, ends = (np.load(folder / f"text{number}_{part}.npy", allow_pickle=False) for part in ("bytes", "ends"))
    return list(Texts.of_packed(data, ends))


def cut(table: Table, sizes: list[int]) -> list[Table]:
    """Return the rows in parts of these sizes and what is left."""
    ends = [0, *np.cumsum(sizes).tolist(), len(table)]
    return [table[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize("seed", range(4))
def test_what_was_appended_lies_in_the_files(tmp_path: Path, seed: int) -> None:
    table = random_table(seed)
    write(tmp_path / "t", *cut(table, [7, 0, 20]))
    np.testing.assert_array_equal(numbers_in(tmp_path / "t"), table.numbers)
    assert [texts_in(tmp_path / "t", place) for place in (0, 1)] == [list(texts) for texts in table.texts]


@pytest.mark.parametrize("sizes", [[], [1], [39], [10, 10, 10], [0, 0], [1] * 40], ids=str)
def test_the_sizes_of_parts_change_neither_files_nor_hash(tmp_path: Path, sizes: list[int]) -> None:
    table = random_table(0)
    whole, parts = write(tmp_path / "whole", table), write(tmp_path / "parts", *cut(table, sizes))
    assert (parts.sha256(), parts.rows) == (whole.sha256(), 40)
    for file in (tmp_path / "whole").iterdir():
        assert (tmp_path / "parts" / file.name).read_bytes() == file.read_bytes()


FORMS = {
    "by-columns": lambda numbers: np.asfortranarray(numbers),
    "every-other": lambda numbers: np.repeat(numbers, 2, axis=0)[::2],
    "read-only": lambda numbers: np.broadcast_to(numbers, (1, *numbers.shape))[0],
    "single": lambda numbers: numbers.astype(np.float32),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_how_numbers_lie_in_memory_is_no_matter(tmp_path: Path, form) -> None:
    numbers = random_table(1, texts=0).numbers.astype(np.float32).astype(np.float64)
    plain, other = write(tmp_path / "a", Table(numbers)), write(tmp_path / "b", Table(form(numbers)))
    assert plain.sha256() == other.sha256()
    assert numbers_in(tmp_path / "b").dtype == np.float64


OTHERS = {
    "value": ([[1.0], [2.5]], ["a", "bc"]),
    "missing": ([[np.nan], [2.0]], ["a", "bc"]),
    "order": ([[2.0], [1.0]], ["bc", "a"]),
    "where-a-text-ends": ([[1.0], [2.0]], ["ab", "c"]),
    "an-empty-text": ([[1.0], [2.0]], ["abc", ""]),
    "one-row-more": ([[1.0], [2.0], [2.0]], ["a", "bc", "bc"]),
    "letter-case": ([[1.0], [2.0]], ["a", "bC"]),
}


@pytest.mark.parametrize(("numbers", "texts"), OTHERS.values(), ids=OTHERS)
def test_another_table_has_another_hash(tmp_path: Path, numbers: object, texts: list[str]) -> None:
    assert digest(tmp_path / "b", numbers, texts) != digest(tmp_path / "a", [[1.0], [2.0]], ["a", "bc"])


def test_columns_in_another_order_are_another_table(tmp_path: Path) -> None:
    none = np.zeros((2, 0))
    found = [digest(tmp_path / str(place), none, *texts) for place, texts in
             enumerate(([["a", "b"], ["c", "d"]], [["c", "d"], ["a", "b"]], [["a", "c"], ["b", "d"]]))]  # fmt: skip
    assert len(set(found)) == 3


@pytest.mark.parametrize(("numbers", "texts"), [(0, 1), (2, 0), (0, 3)], ids=["texts", "numbers", "three-texts"])
def test_a_table_may_have_columns_of_one_kind_only(tmp_path: Path, numbers: int, texts: int) -> None:
    writer = write(tmp_path / "t", random_table(2, numbers=numbers, texts=texts))
    assert numbers_in(tmp_path / "t").shape == (40, numbers)
    assert len(list((tmp_path / "t").glob("text*_bytes.npy"))) == texts
    assert writer.rows == 40


def test_no_rows_are_an_empty_table(tmp_path: Path) -> None:
    writer = write(tmp_path / "t", random_table(0)[:0])
    assert (writer.rows, numbers_in(tmp_path / "t").shape, texts_in(tmp_path / "t", 1)) == (0, (0, 3), [])


def test_rows_of_another_width_are_refused(tmp_path: Path) -> None:
    writer = TableWriter(tmp_path, rule_of(3, 0))
    with writer, pytest.raises(ValueError, match=r"rows of shape \(3,\) are appended. Got \(2,\)"):
        writer.append(Table(np.zeros((1, 2))))


def interrupted(folder: Path, table: Table) -> None:
    """Append rows and then fail."""
    with TableWriter(folder, rule_of(3, 2)) as writer:
        writer.append(table)
        raise KeyError(f"after {writer.rows}")


def test_files_are_closed_when_something_goes_wrong(tmp_path: Path) -> None:
    table = random_table(3)
    with pytest.raises(KeyError, match="after 40"):
        interrupted(tmp_path, table)
    np.testing.assert_array_equal(numbers_in(tmp_path), table.numbers)
