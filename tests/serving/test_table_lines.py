"""Lines of a foreign file are bounded and in UTF-8, or refused."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from automl.serving import table_lines
from automl.serving.errors import InputError
from automl.serving.table_lines import lines

FORMATS = {
    "UTF-16": "a,b\n1,2\n".encode("utf-16"),
    "UTF-16 without a mark": "a,b\n1,2\n".encode("utf-16-le"),
    "UTF-32": "a,b\n1,2\n".encode("utf-32"),
    "spreadsheet": b"PK\x03\x04rest",
    "gzip": gzip.compress(b"a,b\n"),
    "Parquet": b"PAR1rest",
}


def written(folder: Path, content: bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
def test_lines_come_with_their_ends_and_without_the_mark(tmp_path: Path, mark: bytes) -> None:
    assert list(lines(written(tmp_path, mark + b"a\nb\r\nc"))) == ["a\n", "b\r\n", "c"]


def test_lines_of_old_machines_are_lines_too(tmp_path: Path) -> None:
    assert list(lines(written(tmp_path, b"a\rb\r"))) == ["a\r", "b\r"]


def test_other_line_signs_are_text(tmp_path: Path) -> None:
    assert list(lines(written(tmp_path, "a\u2028b\x0bc\n".encode()))) == ["a\u2028b\x0bc\n"]


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS.keys())
def test_another_format_is_named_and_what_to_do(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"^t\.csv: text in UTF-8 is needed\. Got .* Save it as text in UTF-8"):
        list(lines(written(tmp_path, content)))


def test_western_letters_are_refused_with_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, b"a\n" * 20_000 + b"r\xe9d\n")
    with pytest.raises(InputError, match=r"UTF-8 is needed\. Got byte 0xe9 near line \d+.*iconv"):
        list(lines(path))


def test_a_cut_letter_at_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Got byte 0xc3 near line"):
        list(lines(written(tmp_path, b"a\n\xc3")))


def test_a_nul_byte_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Got a NUL byte at 5"):
        list(lines(written(tmp_path, b"a,b\n1\0,2\n")))


def test_an_endless_line_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_lines, "MAX_LINE", 10)
    with pytest.raises(InputError, match=r"less than 10 characters\. Got more in line 2"):
        list(lines(written(tmp_path, b"a\n" + b"x" * 20)))


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_lines, "MAX_FILE_BYTES", 3)
    with pytest.raises(InputError, match=r"at most 3 bytes are read\. Got 4"):
        list(lines(written(tmp_path, b"a\nb\n")))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: not found"):
        list(lines(tmp_path / "none.csv"))


def test_a_name_that_cannot_be_a_file_is_refused() -> None:
    with pytest.raises(InputError, match="not found"):
        list(lines(Path("a\0b.csv")))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a regular file is needed\. Got a folder"):
        list(lines(tmp_path))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"a regular file is needed\. Got a pipe or a device"):
        list(lines(tmp_path / "pipe.csv"))


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert list(lines(written(tmp_path, b""))) == []
