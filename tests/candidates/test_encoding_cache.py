from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.encoding_cache import cache_key, read_array, read_json, write_array, write_json
from automl.testing.context import spoken_texts

DATA, ROWS = spoken_texts(12), np.arange(8)


def test_the_same_parts_have_the_same_name() -> None:
    assert cache_key(DATA, ROWS, 1, {"a": 2, "b": 3}) == cache_key(DATA, ROWS.astype(np.int32), 1, {"b": 3, "a": 2})


@pytest.mark.parametrize(
    "other",
    [cache_key(DATA, ROWS[1:], 1), cache_key(spoken_texts(13), ROWS, 1), cache_key(DATA, ROWS, 2)],
    ids=["other rows", "other data", "other parts"],
)
def test_anything_else_has_another_name(other: str) -> None:
    assert other != cache_key(DATA, ROWS, 1)


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "a.json", {"é": [1.5, None]})
    assert read_json(tmp_path / "deep" / "a.json") == {"é": [1.5, None]}


@pytest.mark.parametrize("size", [0, 3], ids=["empty", "some"])
def test_arrays_come_back_as_they_were(tmp_path: Path, size: int) -> None:
    write_array(tmp_path / "a.npy", np.arange(size, dtype=np.int32))
    found = read_array(tmp_path / "a.npy")
    assert (found.tolist(), found.dtype) == (list(range(size)), np.int32)


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", float("nan"))
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_changes_nothing_that_is_being_read(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.arange(5))
    held = read_array(tmp_path / "a.npy")
    write_array(tmp_path / "a.npy", np.zeros(9))
    assert held.tolist() == [0, 1, 2, 3, 4]
