"""Laws of word vectors in files and of the embeddings that begin as those."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.text.encoding import encoded_tokens
from automl.candidates.text.token_reader import READER, embeddings, token_options
from automl.candidates.text.word_vectors import MOST_NUMBERS, read_vectors
from automl.errors import SpaceError, UserError
from automl.testing.context import LocalContext, spoken_texts

DATA = spoken_texts(60)
VALUES: dict[str, Any] = {"embedding": 6}


def file_of(folder: Path, content: str | bytes, name: str = "words.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(words: list[str], vectors: np.ndarray) -> str:
    """Return the text of a file; each number is written so that it is read as the same float32."""
    rows = zip(words, vectors, strict=True)
    return "".join(f"{word} {' '.join(repr(float(number)) for number in vector)}\n" for word, vector in rows)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("header", [True, False], ids=["with header", "without"])
def test_vectors_are_read_bit_for_bit_in_the_order_of_the_file(tmp_path: Path, seed: int, header: bool) -> None:
    rng = np.random.default_rng(seed)
    words = [f"w{number}" for number in rng.integers(0, 60, 80)]
    vectors = (rng.normal(size=(80, 5)) * 10.0 ** rng.integers(-20, 20, (80, 5))).astype(np.float32)
    asked = {f"w{number}": 1000 - number for number in range(0, 60, 2)}
    found = read_vectors(file_of(tmp_path, "80 5\n" * header + lines(words, vectors)), asked)
    firsts = [place for place, word in enumerate(words) if word in asked and word not in words[:place]]
    assert found.places.tolist() == [asked[words[place]] for place in firsts]
    np.testing.assert_array_equal(found.vectors, vectors[firsts])
    assert (found.places.dtype, found.vectors.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize(
    "word",
    [
        "3",
        "-1.5",
        "1 2",
        ". . .",
        "a\u00a0b",
        "a\u2028b",
        "a\u0085b",
        "a\x0bb",
        "\U0001f600",
        "e\u0301",
        "#",
        '"',
        "\t",
    ],
    ids=ascii,
)
def test_a_word_may_be_anything_without_the_end_of_a_line(tmp_path: Path, word: str) -> None:
    path = file_of(tmp_path, f"the 1 2 3\n{word} 4 5 6\nlast 7 8 9\n")
    found = read_vectors(path, {word: 8, "last": 9})
    assert (found.places.tolist(), found.vectors.tolist()) == ([8, 9], [[4, 5, 6], [7, 8, 9]])


@pytest.mark.parametrize("number", ["+1", "1.", "10e-1", "1E0", "001", "1.00000000000000000000000000001"])
def test_a_number_may_be_written_in_many_ways(tmp_path: Path, number: str) -> None:
    assert read_vectors(file_of(tmp_path, f"cat {number} 2\n"), {"cat": 0}).vectors.tolist() == [[1, 2]]


def test_bytes_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"\xff\xfe 1 2\ncat 3 4\n\x80 5 6\n")
    assert read_vectors(path, {"cat": 1, "\ufffd": 2}).vectors.tolist() == [[3, 4]]


def test_of_two_words_with_one_place_the_first_counts(tmp_path: Path) -> None:
    found = read_vectors(file_of(tmp_path, "Cat 1 2\ncat 3 4\n"), {"cat": 5, "Cat": 5})
    assert (found.places.tolist(), found.vectors.tolist()) == ([5], [[1, 2]])


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    assert read_vectors(file_of(tmp_path, "the 1 2\ncat 3 4"), {"cat": 1}).vectors.tolist() == [[3, 4]]


def test_an_archive_of_several_parts_is_read_to_its_end(tmp_path: Path) -> None:
    path = file_of(tmp_path, gzip.compress(b"the 1 2\nca") + gzip.compress(b"t 3 4\n"), "w.gz")
    assert read_vectors(path, {"cat": 1}).vectors.tolist() == [[3, 4]]


@pytest.mark.parametrize("header", [True, False], ids=["with header", "without"])
def test_the_widest_vectors_are_read_and_wider_ones_refused(tmp_path: Path, header: bool) -> None:
    def path(width: int) -> Path:
        return file_of(tmp_path, f"1 {width}\n" * header + "cat" + " 0.5" * width + "\n")

    assert read_vectors(path(MOST_NUMBERS), {"cat": 0}).vectors.shape == (1, MOST_NUMBERS)
    with pytest.raises(UserError, match="line 1: a word and 2 to 4096 numbers are expected"):
        read_vectors(path(MOST_NUMBERS + 1), {"cat": 0})


def test_a_header_alone_gives_a_width_and_no_word(tmp_path: Path) -> None:
    assert read_vectors(file_of(tmp_path, "0 7\n"), {"0": 1}).vectors.shape == (0, 7)


def test_a_second_header_is_a_line_that_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"words\.txt: line 2: a word and 3 numbers are expected\. Got '5 3'"):
        read_vectors(file_of(tmp_path, "5 3\n5 3\n"), {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 1\ncat 1\n", "line 1: a word and 2 to 4096 numbers are expected. Got '1 1'"),
        ("cat\t1\t2\n", "line 1: a word and 2 to 4096 numbers are expected"),
        ("\n", "line 1: a word and 2 to 4096 numbers are expected. Got ''"),
        ("the 1 2\n\ncat 1 2\n", "line 2: a word and 2 numbers are expected. Got ''"),
        ("the 1 2\ncat 1 -inf\n", r"line 2: 2 finite numbers are expected behind the word\. Got '1 -inf'"),
        ("the 1 2\na cat 1  2\n", "line 2: 2 numbers are expected behind the word"),
        ("2 3\nthe 1 2\n", "line 2: a word and 3 numbers are expected. Got 'the 1 2'"),
        (b"the 1 2\n\xffcat\n", "line 2: a word and 2 numbers are expected. Got '\ufffdcat'"),
        ("the 1 2\n" + "x" * 70 + "\n", "line 2: .* Got 'x{60}'"),
    ],
    ids=["width 1", "tabs", "blank", "blank inside", "infinite", "a gap", "narrower", "no text", "long"],
)
def test_a_line_that_is_something_else_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_vectors(file_of(tmp_path, content), {"cat": 0, "a cat": 1, " 1": 2, "a cat 1": 3, "a": 4})


@pytest.mark.parametrize(("further", "is_read"), [(0, True), (1, False)], ids=["as long", "longer"])
def test_a_line_has_128_kib_with_its_end(tmp_path: Path, further: int, is_read: bool) -> None:
    path = file_of(tmp_path, "cat 1 2\n" + "x" * ((1 << 17) - 5 + further) + " 1 2\n")
    if is_read:
        assert read_vectors(path, {"cat": 0}).vectors.tolist() == [[1, 2]]
    else:
        with pytest.raises(UserError, match="line 2: a line has at most 128 KiB"):
            read_vectors(path, {"cat": 0})


@pytest.mark.parametrize(
    ("name", "kind"), [("folder", "IsADirectoryError"), ("plain.gz", "BadGzipFile"), ("none.gz", "FileNotFoundError")]
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "folder").mkdir()
    file_of(tmp_path, "cat 1 2\n", "plain.gz")
    with pytest.raises(UserError, match=rf"{name}: word vectors must be readable\. Got {kind}: "):
        read_vectors(tmp_path / name, {})


def table_of(folder: Path, content: str | None = None, *, seed: int = 0) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return what embeddings begin with, and the words they are of."""
    resources = {} if content is None else {"vectors": file_of(folder, content)}
    ctx = LocalContext(np.arange(40), np.arange(40, 60), 3, folder / "cache", seed=seed, resources=resources)
    tokens = encoded_tokens(DATA, ctx, token_options(VALUES))
    return embeddings(tokens, 6, DATA, ctx), tokens.vocabulary


WORDS = ["good", "bad", "late", "unheard"]
VECTORS = np.random.default_rng(0).normal(2, 5, (4, 9)).astype(np.float32)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_vectors_of_any_scale_begin_with_the_spread_of_drawn_ones(tmp_path: Path, scale: float) -> None:
    table, vocabulary = table_of(tmp_path, lines(WORDS, VECTORS * np.float32(scale)))
    found = table[[vocabulary.index(word) for word in WORDS[:3]]]
    assert float(found.std()) == pytest.approx(0.1, rel=1e-4)
    np.testing.assert_allclose(found / found[0, 0], VECTORS[:3] / VECTORS[0, 0], rtol=1e-3)


def test_words_without_a_vector_are_drawn_around_the_mean_of_the_others(tmp_path: Path) -> None:
    table, vocabulary = table_of(tmp_path, lines(WORDS, VECTORS))
    known = [vocabulary.index(word) for word in WORDS[:3]]
    others = np.delete(table, known, axis=0) - table[known].mean(axis=0)
    assert np.abs(others.mean(axis=0)).max() < 4 * 0.05 / np.sqrt(len(others))
    assert float(others.std()) == pytest.approx(0.05, rel=0.2)


@pytest.mark.parametrize("content", ["unheard 1 2 3\n", "good 0 0 0\nbad 0 0 0\n"], ids=["none is known", "all zeros"])
def test_vectors_that_say_nothing_leave_finite_embeddings_as_wide(tmp_path: Path, content: str) -> None:
    table, vocabulary = table_of(tmp_path, content)
    assert table.shape == (len(vocabulary), 3)
    assert table.dtype == np.float32
    assert np.isfinite(table).all()
    assert 0.02 < float(table.std()) < 0.12


@pytest.mark.parametrize("content", [None, lines(WORDS, VECTORS)], ids=["drawn", "vectors"])
def test_the_seed_alone_decides_what_is_drawn(tmp_path: Path, content: str | None) -> None:
    one, again, other = (table_of(tmp_path, content, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert one.shape == (len(again), 6 if content is None else 9)


def test_another_file_under_the_same_name_is_read_anew(tmp_path: Path) -> None:
    one, vocabulary = table_of(tmp_path, "good 1 2\nbad -1 -2\n")
    two, _ = table_of(tmp_path, "good -1 -2 -3\nbad 10 20 30\n")
    good, bad = vocabulary.index("good"), vocabulary.index("bad")
    np.testing.assert_allclose(one[good], -one[bad], rtol=1e-6)
    np.testing.assert_allclose(two[bad], -10 * two[good], rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"case": "kept"}, (False, True, 256, 30_000)),
        ({"marks": "dropped"}, (True, False, 256, 30_000)),
        ({"longest": 5, "vocabulary": 7, "case": "lower", "marks": "kept"}, (True, True, 5, 7)),
    ],
    ids=["case", "marks", "sizes"],
)
def test_options_are_read_from_a_configuration(values: dict[str, Any], expected: tuple[bool, bool, int, int]) -> None:
    options = token_options(values)
    assert (options.lower, options.marks, options.longest, options.most) == expected


@pytest.mark.parametrize("name", ["case", "marks"])
def test_an_option_that_is_not_known_is_refused_and_not_read_as_the_other(name: str) -> None:
    with pytest.raises(SpaceError, match=rf"^{name}: must be one of .*\. Got 'left out'\."):
        token_options({name: "left out"})


@pytest.mark.parametrize("longest", [1, 3, 10, 1000])
def test_no_text_is_guessed_to_have_more_steps_than_are_read(longest: int) -> None:
    size = READER.size({**VALUES, "longest": longest}, DATA.spec)
    assert 1 <= size.steps <= size.longest <= longest
    assert size.longest == min(longest, int(DATA.spec.shape[2] / 5.2))


def test_texts_without_a_character_are_guessed_to_have_one_step() -> None:
    size = READER.size(VALUES, dataclasses.replace(DATA.spec, shape=(1, 0, 0)))
    assert (size.steps, size.longest) == (1, 1)


def test_twice_the_rows_take_twice_the_time_and_pairs_twice_the_numbers() -> None:
    one, two, none = (READER.size(VALUES, dataclasses.replace(DATA.spec, rows=n)) for n in (10_000, 20_000, 0))
    assert two.seconds - none.seconds == pytest.approx(2 * (one.seconds - none.seconds))
    assert READER.size({**VALUES, "pairs": 9}, DATA.spec).values == 2 * one.values


@pytest.mark.parametrize("longest", [1, 3])
def test_no_row_is_encoded_longer_than_asked_for_nor_empty(tmp_path: Path, longest: int) -> None:
    ctx = LocalContext(np.arange(40), np.arange(40, 60), 3, tmp_path)
    encoding = READER.encoding({**VALUES, "longest": longest}, DATA, ctx)
    assert encoding.longest == longest
    assert (encoding.lengths.min(), encoding.lengths.max()) == (1, longest)
    assert encoding.ends[-1] == len(encoding.values)
    assert encoding.values.min() >= 1
