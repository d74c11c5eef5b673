"""Word vectors that somebody else trained: text files as of GloVe and fastText, of which only known words are kept."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from automl.errors import UserError

MOST_NUMBERS = 4096
"""Numbers of a vector at most."""
_LONGEST_LINE = 1 << 17  # bytes: 4096 numbers of 24 digits and a long word
_FEWEST_NUMBERS = 2


class WordVectors(NamedTuple):
    """Vectors of some words.

    Attributes:
        places: int64 (found,), which of the words asked for have one.
        vectors: float32 (found, numbers).
    """

    places: np.ndarray
    vectors: np.ndarray


def read_vectors(path: Path, places: Mapping[str, int]) -> WordVectors:
    """Return the vectors of the words that are asked for; the file is read line by line and never held.

    A line is a word and its numbers, with spaces between them; fastText puts the numbers of lines and of numbers before
    all. Of a word that comes twice the first counts. A byte order mark at the start of the file is passed over.
    Formats: https://github.com/stanfordnlp/GloVe and https://fasttext.cc/docs/en/english-vectors.html.

    Args:
        path: the file; if it ends in .gz it is unpacked on the way.
        places: word → number.

    Raises:
        UserError: it is missing, or a line is something else.
    """
    wanted = {word.encode("utf-8", "surrogatepass"): place for word, place in places.items()}
    found: dict[int, np.ndarray] = {}
    numbers = 0
    for line, text in _lines(path):
        if not numbers:
            numbers = _numbers(path, line, text)
            if _is_header(text):
                continue
        word, _, rest = text.partition(b" ")
        if text.count(b" ") != numbers:
            word, rest = _split(path, line, text, numbers)
        place = wanted.get(word)
        if place is not None and place not in found:
            found[place] = _vector(path, line, rest, numbers)
    if not numbers:
        raise UserError(f"{path}: a file of word vectors has a word and its numbers in each line. Got no line.")
    vectors = np.stack(list(found.values())) if found else np.empty((0, numbers), np.float32)
    return WordVectors(np.fromiter(found, np.int64, len(found)), vectors)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line, without what ends it."""
    try:
        with _opened(path) as file:
            line = 0
            while text := file.readline(_LONGEST_LINE + 1):
                line += 1
                text = text.removeprefix(codecs.BOM_UTF8) if line == 1 else text
                if len(text) > _LONGEST_LINE:
                    raise _wrong(path, line, text, "a line has at most 128 KiB")
                yield line, text.rstrip(b" \t\r\n")
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: word vectors must be readable. Got {type(error).__name__}: {error}.") from error


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _is_header(text: bytes) -> bool:
    fields = text.split(b" ")
    return len(fields) == 2 and all(field.isdigit() for field in fields)


def _numbers(path: Path, line: int, text: bytes) -> int:
    """Return how many numbers a vector has, by the first line."""
    fields = text.split(b" ")
    numbers = int(fields[1][:9]) if _is_header(text) else len(fields) - 1
    if not _FEWEST_NUMBERS <= numbers <= MOST_NUMBERS:
        raise _wrong(path, line, text, f"a word and {_FEWEST_NUMBERS} to {MOST_NUMBERS} numbers are expected")
    return numbers


def _split(path: Path, line: int, text: bytes, numbers: int) -> tuple[bytes, bytes]:
    """Return word and numbers of a line whose word has spaces, as some of GloVe have."""
    parts = text.rsplit(b" ", numbers)
    if len(parts) != numbers + 1:
        raise _wrong(path, line, text, f"a word and {numbers} numbers are expected")
    return parts[0], b" ".join(parts[1:])


def _vector(path: Path, line: int, text: bytes, numbers: int) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # what single precision does not hold is refused below
            vector = np.array(text.split(b" "), np.float32)
    except ValueError as error:
        raise _wrong(path, line, text, f"{numbers} numbers are expected behind the word") from error
    if vector.shape != (numbers,) or not np.isfinite(vector).all():
        raise _wrong(path, line, text, f"{numbers} finite numbers are expected behind the word")
    return vector


def _wrong(path: Path, line: int, text: bytes, rule: str) -> UserError:
    return UserError(f"{path}: line {line}: {rule}. Got {text[:60].decode('utf-8', 'replace')!r}.")
