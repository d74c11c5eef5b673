"""A column of texts as two arrays, bytes end to end: millions of texts are two files, and mapped instead of read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np


class Packed(NamedTuple):
    """Texts in UTF-8, one after the other.

    Attributes:
        data: uint8, all bytes.
        ends: int64 (n,), where each text ends in data.
    """

    data: np.ndarray
    ends: np.ndarray


class Texts:
    """A column of texts, indexed as an array is: `texts[rows]` copies nothing but row numbers.

    >>> texts = Texts.of(["one", "", "drei"])
    >>> list(texts[np.array([2, 0])])
    ['drei', 'one']
    """

    def __init__(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
        self._data, self._starts, self._ends = data, starts, ends

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Return a column of these texts; halves of surrogate pairs become question marks."""
        encoded = [text.encode("utf-8", "replace") for text in texts]
        ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
        return cls.of_packed(np.frombuffer(b"".join(encoded), np.uint8), ends.reshape(-1))

    @classmethod
    def of_packed(cls, data: np.ndarray, ends: np.ndarray) -> Texts:
        """Return a column over arrays as `packed` gives them."""
        starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
        return cls(data, starts, ends)

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> Texts:
        """Return the rows of all parts, one part after the other."""
        packed = [part.packed() for part in parts]
        offsets = np.cumsum([0] + [len(part.data) for part in packed], dtype=np.int64)
        data = [np.empty(0, np.uint8), *(part.data for part in packed)]
        ends = [np.empty(0, np.int64), *(part.ends + offset for part, offset in zip(packed, offsets, strict=False))]
        return cls.of_packed(np.concatenate(data), np.concatenate(ends))

    @property
    def sizes(self) -> np.ndarray:
        """Return the bytes of each text, int64 (n,)."""
        return np.asarray(self._ends - self._starts)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: np.ndarray | slice) -> Texts:
        return Texts(self._data, self._starts[index], self._ends[index])

    def __iter__(self) -> Iterator[str]:
        for start, end in zip(self._starts.tolist(), self._ends.tolist(), strict=True):
            yield self._data[start:end].tobytes().decode("utf-8", "replace")

    def packed(self) -> Packed:
        """Return these rows alone, end to end."""
        parts = [self._data[s:e] for s, e in zip(self._starts.tolist(), self._ends.tolist(), strict=True)]
        data = np.concatenate(parts) if parts else np.empty(0, np.uint8)
        return Packed(np.asarray(data, np.uint8), np.cumsum(self._ends - self._starts, dtype=np.int64))
