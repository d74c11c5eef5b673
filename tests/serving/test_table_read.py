"""A table is opened by the ending of its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.serving.errors import InputError
from automl.serving.table_read import SUFFIXES, open_table

CONTENT = {".tsv": "a\tb\n1\t2\n", ".tab": "a\tb\n1\t2\n", ".jsonl": '{"a": "1", "b": "2"}\n',
           ".ndjson": '{"a": "1", "b": "2"}\n'}  # fmt: skip


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".CSV"])
def test_a_table_is_read_by_its_ending(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_text(CONTENT.get(suffix, "a,b\n1,2\n"))
    file = open_table(path)
    assert (file.path, file.names, file.notes) == (path, ("a", "b"), [])
    assert list(file.chunks()) == [{"a": ["1"], "b": ["2"]}]


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.json"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=rf"^{name}: endings of tables: \.csv .* Got "):
        open_table(tmp_path / name)


def test_a_missing_file_is_said_to_be_missing_whatever_its_ending(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t\.xyz: not found"):
        open_table(tmp_path / "t.xyz")
