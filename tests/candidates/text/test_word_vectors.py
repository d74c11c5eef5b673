from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.text.word_vectors import read_vectors
from automl.errors import UserError

PLACES = {"cat": 3, "dog": 4, "\u732b": 5, "a b": 6, "absent": 7}
GLOVE = "the 1 2 3\ncat 0.5 -1 2e-1\n\u732b 1 1 1\na b 7 8 9\ncat 9 9 9\n"


def written(folder: Path, text: str, name: str = "vectors.txt") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [(GLOVE, "glove.txt"), ("5 3\n" + GLOVE, "fast.vec"), (GLOVE, "glove.txt.gz"), (GLOVE.replace("\n", "\r\n"), "w")],
    ids=["GloVe", "fastText", "compressed", "of Windows"],
)
def test_the_vectors_of_known_words_are_read(tmp_path: Path, text: str, name: str) -> None:
    found = read_vectors(written(tmp_path, text, name), PLACES)
    assert found.places.tolist() == [3, 5, 6]
    np.testing.assert_allclose(found.vectors, [[0.5, -1, 0.2], [1, 1, 1], [7, 8, 9]])


def test_spaces_at_the_end_of_a_line_do_not_count(tmp_path: Path) -> None:
    assert read_vectors(written(tmp_path, "cat 1 2 \ndog 3 4 \n"), PLACES).vectors.tolist() == [[1, 2], [3, 4]]


def test_a_file_without_a_known_word_has_a_width_all_the_same(tmp_path: Path) -> None:
    assert read_vectors(written(tmp_path, "the 1 2 3\n"), PLACES).vectors.shape == (0, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has a word and its numbers in each line. Got no line"),
        ("cat\n", r"line 1: a word and 2 to 4096 numbers are expected. Got 'cat'"),
        ("the 1 2 3\ncat 1 2\n", r"line 2: a word and 3 numbers are expected. Got 'cat 1 2'"),
        ("the 1 2\ncat 1 two\n", r"line 2: 2 numbers are expected behind the word. Got '1 two'"),
        ("the 1 2\ncat 1 nan\n", r"line 2: 2 finite numbers are expected"),
        ("the 1 2\ncat 1 1e39\n", r"line 2: 2 finite numbers are expected behind the word. Got '1 1e39'"),
        ("the 1 2\ncat  2\n", r"line 2: 2 numbers are expected"),
        ("9 99999999\nthe 1 2\n", r"line 1: a word and 2 to 4096 numbers"),
        ("the 1 2\n" + "x" * 200_000, r"line 2: a line has at most 128 KiB"),
    ],
    ids=["empty", "no number", "too few", "a word", "not finite", "too large", "a gap", "wide header", "long line"],
)
def test_what_is_no_file_of_vectors_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_vectors(written(tmp_path, text), PLACES)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent.txt: word vectors must be readable. Got FileNotFoundError"):
        read_vectors(tmp_path / "absent.txt", PLACES)


def test_a_file_that_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(GLOVE.encode() * 50)[:-20])
    with pytest.raises(UserError, match=r"must be readable\. Got EOFError"):
        read_vectors(tmp_path / "cut.gz", {})


def test_an_archive_with_damage_within_is_said(tmp_path: Path) -> None:
    raw = bytearray(gzip.compress(np.random.default_rng(0).bytes(4000).hex().encode()))
    raw[10:40] = b"\xff" * 30
    (tmp_path / "hurt.gz").write_bytes(raw)
    with pytest.raises(UserError, match=r"hurt.gz: word vectors must be readable\. Got error: Error -3"):
        read_vectors(tmp_path / "hurt.gz", PLACES)


@pytest.mark.parametrize("text", ["cat 1 2\ndog 3 4\n", "2 2\ncat 1 2\ndog 3 4\n"], ids=["GloVe", "fastText"])
def test_a_byte_order_mark_does_not_hide_the_first_word(tmp_path: Path, text: str) -> None:
    assert read_vectors(written(tmp_path, "\ufeff" + text), PLACES).vectors.tolist() == [[1, 2], [3, 4]]


def test_a_word_that_is_no_text_is_asked_for_too(tmp_path: Path) -> None:
    assert read_vectors(written(tmp_path, "cat 1 2\n"), {"\ud800": 0, "cat": 1}).places.tolist() == [1]
