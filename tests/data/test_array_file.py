"""An array written in blocks is the array."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.data.array_file import ArrayFile


@pytest.mark.parametrize("width", [(), (0,), (3,), (2, 2)], ids=str)
@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_blocks_become_one_array(tmp_path: Path, width: tuple[int, ...], blocks: int) -> None:
    parts = [np.full((n + 1, *width), n, np.float64) for n in range(blocks)]
    with ArrayFile(tmp_path / "a.npy", np.dtype(np.float64), width) as file:
        for part in parts:
            file.append(part)
    expected = np.concatenate([np.empty((0, *width)), *parts])
    assert np.array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), expected)


def test_values_are_brought_to_the_type_of_the_file(tmp_path: Path) -> None:
    with ArrayFile(tmp_path / "a.npy", np.dtype(np.int64)) as file:
        file.append(np.array([1, 2], np.int32))
    assert np.load(tmp_path / "a.npy").dtype == np.int64


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with ArrayFile(tmp_path / "a.npy", np.dtype(np.float64), (3,)) as file, pytest.raises(ValueError, match=r"\(3,\)"):
        file.append(np.zeros((2, 4)))


def test_what_was_written_before_a_failure_is_a_whole_array(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="are appended"), ArrayFile(tmp_path / "a.npy", np.dtype(np.float64)) as file:
        _ = [file.append(block) for block in (np.ones(2), np.ones((2, 2)))]
    assert np.load(tmp_path / "a.npy").tolist() == [1, 1]
